//! A sentence in the first person, told about the one who said it.
//!
//! "I went there yesterday and I loved it" by Caroline becomes "Caroline went there
//! on 7 May 2023 and they loved it". Where it is unclear whom a word means, there
//! is no rewriting: the caller then quotes. A wrong attribution is worse than a
//! clumsy sentence.

mod subject;
mod times;
mod verbs;
mod you;

use std::ops::Range;

use jiff::civil::Date;
use memu_core::analysis::is_stop_word;

use super::lexicon::{COMMON, INFINITIVE_BEFORE};
use super::party::Party;
use super::shape::{Elided, Shape};
use crate::temporal::Mention;
use crate::temporal::tokens::Tokens;

use subject::Own;
pub(super) use verbs::is_adverb;

/// Who speaks to whom, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voice<'v> {
    pub(super) speaker: &'v Party,
    /// Whom "you" means, where that is one known party.
    pub(super) other: Option<&'v Party>,
    pub(super) day: Option<Date>,
    /// Whether the sentence tells the other about themselves ("you said …"), so
    /// that every "you" is meant.
    pub(super) restates: bool,
}

/// A sentence to be told.
#[derive(Clone, Debug)]
pub(super) struct Told<'s> {
    pub(super) tokens: &'s Tokens<'s>,
    pub(super) range: Range<usize>,
    pub(super) mentions: &'s [Mention],
    pub(super) shape: Shape,
    /// Whether it follows a sentence in which the speaker is named together with
    /// others, so that "we" is "they".
    pub(super) follows_we: bool,
    /// What is said before it, naming the speaker.
    pub(super) prefix: Option<String>,
}

/// The sentence in the third person, without a final stop; `None` where that would
/// be doubtful.
pub(super) fn third_person(told: &Told<'_>, voice: Voice<'_>) -> Option<String> {
    if quotes_somebody(told.text()) {
        return None;
    }
    let mut rewriter = Rewriter::new(told, voice);
    rewriter.lead_in();
    rewriter.run()?;
    Some(capitalised(&rewriter.out))
}

impl<'s> Told<'s> {
    /// The words as they were said.
    pub(super) fn text(&self) -> &'s str {
        let start = self.tokens.get(self.range.start).map_or(0, |t| t.start);
        let end = self
            .range
            .end
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .map_or(start, |t| t.end);
        self.tokens.text().get(start..end).unwrap_or_default()
    }
}

/// What the next verb has to agree with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agreement {
    /// A name.
    Singular,
    /// "They", or several names.
    Plural,
}

struct Rewriter<'r, 's> {
    told: &'r Told<'s>,
    tokens: &'s Tokens<'s>,
    voice: Voice<'r>,
    out: String,
    /// The end of what has been taken over, in bytes.
    taken: usize,
    /// Whether the speaker has been named in this sentence.
    named: bool,
    /// Whether "they" could be mistaken for somebody else.
    crowded: bool,
    /// The subject whose verb is still to come.
    awaited: Option<Agreement>,
    /// Whether a present verb of the speaker stands before, so that a verb after
    /// "and" is theirs too.
    coordinated: bool,
    habitual: bool,
}

impl<'r, 's> Rewriter<'r, 's> {
    fn new(told: &'r Told<'s>, voice: Voice<'r>) -> Self {
        let words = || told.range.clone().map(|index| told.tokens.word(index));
        Self {
            told,
            tokens: told.tokens,
            voice,
            out: String::with_capacity(160),
            taken: told.tokens.get(told.range.start).map_or(0, |t| t.start),
            named: false,
            crowded: words().any(|word| super::lexicon::LIVING.has(word)),
            awaited: None,
            coordinated: false,
            habitual: words().any(|word| {
                matches!(
                    word,
                    "usually" | "always" | "often" | "every" | "sometimes" | "each"
                )
            }),
        }
    }

    /// Supplies the subject that was left out: "Went home" is "Caroline went home".
    fn lead_in(&mut self) {
        if let Some(prefix) = &self.told.prefix {
            self.out.push_str(prefix);
            self.out.push(' ');
            self.named = true;
        }
        let Some(elided) = self.told.shape.elided else {
            return;
        };
        self.out.push_str(&self.voice.speaker.name);
        self.named = true;
        match elided {
            Elided::Is => self.out.push_str(" is"),
            Elided::Has => self.out.push_str(" has"),
            Elided::Verb => self.awaited = Some(Agreement::Singular),
        }
        self.out.push(' ');
    }

    fn run(&mut self) -> Option<()> {
        let mut index = self.told.range.start;
        while index < self.told.range.end {
            index = match self.time(index) {
                Some(next) => next,
                None => self.word(index)?,
            };
        }
        Some(())
    }

    /// Writes out the time that begins at `index`; the token after it.
    fn time(&mut self, index: usize) -> Option<usize> {
        let start = self.tokens.get(index)?.start;
        let mention = self.told.mentions.iter().find(|m| m.range.start == start)?;
        let end = (index..self.told.range.end)
            .find(|&at| {
                self.tokens
                    .get(at)
                    .is_none_or(|t| t.start >= mention.range.end)
            })
            .unwrap_or(self.told.range.end);
        let phrase = times::replacement(self.tokens, mention, index, end, self.voice.day)?;
        // "Just yesterday I …" opens with the day.
        if self.out == "Just" {
            self.out.clear();
        }
        let opens = self.out.is_empty();
        let open_clause = phrase.starts_with("on ") || phrase.starts_with("in ");
        self.put(index, &phrase);
        self.taken = self.tokens.get(end - 1)?.end;
        let goes_on = matches!(
            self.tokens.word(end),
            "at" | "around" | "and" | "with" | "by"
        );
        if opens && open_clause && self.tokens.is_word(end) && !goes_on {
            self.out.push(',');
        }
        Some(end)
    }

    /// Takes over the word at `index`; the token after it.
    fn word(&mut self, index: usize) -> Option<usize> {
        let word = self.tokens.word(index);
        // "Me-time" and "we're-all-in" are nobody.
        let compound = self.tokens.word(index + 1) == "-" && self.tokens.touches_next(index);
        if !compound {
            match self.own(index, word) {
                Own::Until(next) => return Some(next),
                Own::Doubtful => return None,
                Own::Not => {}
            }
        }
        if !compound && word.starts_with("you") {
            return self.you(index, word);
        }
        self.other_word(index, word);
        Some(index + 1)
    }

    fn other_word(&mut self, index: usize, word: &'s str) {
        if self.tokens.word(index + 1) == "i" && matches!(word, "am" | "do" | "have" | "don't") {
            let form = verbs::after_name(word, false);
            self.put(index, &form);
            return;
        }
        if let Some(agreement) = self.awaited
            && self.tokens.is_word(index)
        {
            let of = word == "of" && matches!(self.tokens.before(index), "kind" | "sort");
            if !is_adverb(word) && !of {
                self.verb(index, word, agreement);
                return;
            }
        } else if self.is_coordinated_verb(index, word) {
            self.put(index, &verbs::third_person(word));
            return;
        }
        match word {
            "gonna" => self.put(index, "going to"),
            "wanna" => self.put(index, "want to"),
            "gotta" => self.put(index, "have to"),
            _ => {
                if INFINITIVE_BEFORE.has(word) || is_new_clause(word) {
                    self.coordinated = false;
                }
                self.put(index, self.as_written(index, word));
            }
        }
    }

    fn verb(&mut self, index: usize, word: &'s str, agreement: Agreement) {
        self.awaited = None;
        let form = match agreement {
            Agreement::Singular => verbs::after_name(word, self.habitual),
            Agreement::Plural => verbs::after_they(word).into(),
        };
        self.coordinated = agreement == Agreement::Singular
            && form != word
            && !matches!(word, "am" | "have" | "do" | "don't" | "haven't");
        if form == word {
            self.put(index, self.as_written(index, word));
        } else {
            self.put(index, &form);
        }
    }

    /// The word as it was written, without the capital of a sentence's beginning
    /// where that now stands in its middle.
    fn as_written(&self, index: usize, word: &'s str) -> &'s str {
        let moved = index == self.told.range.start && !self.out.is_empty();
        if moved { word } else { self.tokens.raw(index) }
    }

    /// "… and spend weekends there": the second verb of one subject.
    fn is_coordinated_verb(&self, index: usize, word: &str) -> bool {
        let mut before = index;
        while before > self.told.range.start && is_adverb(self.tokens.before(before)) {
            before -= 1;
        }
        let next = self.tokens.word(index + 1);
        self.coordinated
            && matches!(self.tokens.before(before), "and" | "or" | "but" | "then")
            && COMMON.has(word)
            && (is_stop_word(next) || is_adverb(next))
            && !matches!(next, "and" | "or" | "is" | "are")
    }

    /// Writes `text` in place of the token at `index`, after the white space that
    /// stood before it.
    fn put(&mut self, index: usize, text: &str) {
        let Some(token) = self.tokens.get(index) else {
            return;
        };
        if !self.out.is_empty() && token.start > self.taken && !self.out.ends_with(' ') {
            self.out.push(' ');
        }
        self.out.push_str(text);
        self.taken = token.end;
    }
}

/// Whether the words between quotation marks speak of their speaker, who need not be
/// the one who quotes them.
fn quotes_somebody(text: &str) -> bool {
    let mut parts = text.split('"');
    parts.next();
    let mut inside = true;
    for part in parts {
        let personal = inside
            && part.split(|c: char| !c.is_alphanumeric()).any(|word| {
                matches!(
                    word.to_ascii_lowercase().as_str(),
                    "i" | "me" | "my" | "we" | "us" | "our" | "you" | "your"
                )
            });
        if personal {
            return true;
        }
        inside = !inside;
    }
    // A mark without its fellow.
    !inside
}

/// Words after which another subject comes.
fn is_new_clause(word: &str) -> bool {
    matches!(
        word,
        "that"
            | "which"
            | "who"
            | "when"
            | "because"
            | "if"
            | "it"
            | "they"
            | "he"
            | "she"
            | "it's"
            | "where"
            | "while"
            | "as"
            | "these"
            | "this"
            | "those"
            | "there"
    ) || word.contains('\'')
}

/// The text with its first letter in upper case.
pub(super) fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
