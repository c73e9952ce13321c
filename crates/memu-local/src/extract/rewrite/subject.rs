//! "I", "my", "we" and their forms.

use super::verbs;
use super::{Agreement, Rewriter};
use crate::extract::lexicon::AUXILIARIES;
use crate::temporal::tense::is_past;

/// What has become of a word that may mean the speaker.
pub(super) enum Own {
    /// It means somebody else, or nobody.
    Not,
    /// It cannot be told whom it means.
    Doubtful,
    /// It is taken over; this is the next token.
    Until(usize),
}

impl Rewriter<'_, '_> {
    /// Takes over a word for the speaker.
    pub(super) fn own(&mut self, index: usize, word: &str) -> Own {
        let next = index + 1;
        match word {
            "i" if self.is_numeral(index) => return Own::Not,
            "i" => self.subject(index, None),
            "i'm" | "im" => self.subject(index, Some("am")),
            "i've" | "ive" => self.subject(index, Some("have")),
            "i'll" => self.subject(index, Some("will")),
            "i'd" => self.subject(index, Some(self.would_or_had(next))),
            "me" => self.reference(index, "them", ""),
            "my" => {
                if let Some(after) = self.companion(index) {
                    return Own::Until(after);
                }
                self.reference(index, "their", "'s");
            }

            "myself" | "ourselves" => self.put(index, "themselves"),
            "we" => self.plural_subject(index, None),
            "we're" => self.plural_subject(index, Some("are")),
            "we've" => self.plural_subject(index, Some("have")),
            "we'll" => self.plural_subject(index, Some("will")),
            "we'd" => self.plural_subject(index, Some(self.would_or_had(next))),
            "us" => self.plural_object(index),
            "our" => self.reference(index, "their", "'s"),
            "mine" | "ours" => self.reference(index, "theirs", "'s"),
            "let's" => return Own::Doubtful,
            _ => return Own::Not,
        }
        Own::Until(next)
    }

    /// "Part I" is no person.
    fn is_numeral(&self, index: usize) -> bool {
        matches!(
            self.tokens.before(index),
            "war" | "part" | "phase" | "type" | "level" | "chapter" | "section" | "stage"
        )
    }

    /// The speaker as a subject, with the verb that was contracted with it.
    fn subject(&mut self, index: usize, contracted: Option<&str>) {
        let joined = self.tokens.before(index) == "and" && self.opens_with_a_companion(index);
        let singular = !self.named || self.crowded || joined;
        let name = if singular {
            self.voice.speaker.name.clone()
        } else {
            "they".to_owned()
        };
        self.put(index, &name);
        self.named = true;
        let inverted = matches!(
            self.tokens.before(index),
            "am" | "do" | "have" | "did" | "was" | "don't"
        );
        let agreement = if singular && !joined {
            Agreement::Singular
        } else {
            Agreement::Plural
        };
        self.coordinated = false;
        match contracted {
            Some(verb) => self.contracted(verb, agreement),
            None => self.awaited = (!inverted).then_some(agreement),
        }
    }

    fn contracted(&mut self, verb: &str, agreement: Agreement) {
        self.out.push(' ');
        match agreement {
            Agreement::Singular => self.out.push_str(&verbs::after_name(verb, false)),
            Agreement::Plural => self.out.push_str(verbs::after_they(verb)),
        }
        self.awaited = None;
    }

    /// "Tom and I": whether only a noun, not a clause, stands before the "and".
    fn opens_with_a_companion(&self, index: usize) -> bool {
        let start = self.told.range.start;
        let mut at = index - 1;
        while at > start && index - at < 6 {
            at -= 1;
            let word = self.tokens.word(at);
            if !self.tokens.is_word(at) || matches!(word, "that" | "when" | "because") {
                let first = self.tokens.word(at + 1);
                return matches!(first, "my" | "our")
                    || index - at == 3 && self.tokens.is_capital(at + 1);
            }
            if is_past(word) || AUXILIARIES.has(word) || matches!(word, "i" | "me" | "it" | "them")
            {
                return false;
            }
        }
        at == start
    }

    /// "My sister and I" is "Caroline and their sister": the token after it.
    fn companion(&mut self, index: usize) -> Option<usize> {
        let and = (index + 2..index + 5).find(|&at| self.tokens.word(at) == "and")?;
        let opens = index == self.told.range.start
            || !self.tokens.is_word(index - 1)
            || matches!(
                self.tokens.before(index),
                "and" | "but" | "so" | "that" | "when"
            );
        if !opens
            || self.named
            || self.tokens.word(and + 1) != "i"
            || and + 1 >= self.told.range.end
        {
            return None;
        }
        let name = self.voice.speaker.name.clone();
        self.put(index, &name);
        self.out.push_str(" and their");
        for at in index + 1..and {
            self.put(at, self.tokens.raw(at));
        }
        self.taken = self.tokens.get(and + 1)?.end;
        self.named = true;
        self.crowded = true;
        self.awaited = Some(Agreement::Plural);
        Some(and + 2)
    }

    /// The speaker as "them" or "their", or by name where that is not clear.
    fn reference(&mut self, index: usize, again: &str, ending: &str) {
        if self.named && (!self.crowded || again != "them") {
            self.put(index, again);
        } else {
            let name = format!("{}{ending}", self.voice.speaker.name);
            self.put(index, &name);
            self.named = true;
        }
    }

    fn plural_subject(&mut self, index: usize, contracted: Option<&str>) {
        if self.named || self.told.follows_we {
            self.put(index, "they");
        } else {
            let names = format!("{} and others", self.voice.speaker.name);
            self.put(index, &names);
        }
        self.named = true;
        self.crowded = true;
        self.coordinated = false;
        match contracted {
            Some(verb) => self.contracted(verb, Agreement::Plural),
            None => self.awaited = Some(Agreement::Plural),
        }
    }

    fn plural_object(&mut self, index: usize) {
        if self.named || self.told.follows_we {
            self.put(index, "them");
        } else {
            let names = format!("{} and others", self.voice.speaker.name);
            self.put(index, &names);
        }
        self.named = true;
        self.crowded = true;
    }

    /// What "I'd" stands for before the word at `index`.
    fn would_or_had(&self, index: usize) -> &'static str {
        let verb = if verbs::is_adverb(self.tokens.word(index)) {
            index + 1
        } else {
            index
        };
        let word = self.tokens.word(verb);
        if is_past(word) || matches!(word, "better" | "been" | "gone" | "done" | "seen") {
            "had"
        } else {
            "would"
        }
    }
}
