//! "You" and its forms: the other speaker, everybody, or unclear.

use super::{Agreement, Rewriter};

impl Rewriter<'_, '_> {
    /// Takes over a word that begins with "you"; `None` when it is unclear whom it
    /// means.
    pub(super) fn you(&mut self, index: usize, word: &str) -> Option<usize> {
        match word {
            "you" => self.plain_you(index),
            "your" => self.your(index),
            "you're" | "you've" | "you'll" | "you'd" => self.contracted_you(index, word),
            "yourself" if !self.told.shape.own_subject => {
                self.put(index, "yourself");
                Some(())
            }
            "yours" | "yourself" | "yourselves" => None,
            _ => {
                self.put(index, self.tokens.raw(index));
                Some(())
            }
        }?;
        Some(index + 1)
    }

    fn plain_you(&mut self, index: usize) -> Option<()> {
        if !self.voice.restates && self.is_anyone(index) {
            self.put(index, self.tokens.raw(index));
            return Some(());
        }
        let subject = self.voice.restates && !follows_preposition(self.tokens.before(index));
        let object = self.told.shape.own_subject && takes_object(self.tokens.before(index));
        if !subject && !object {
            return None;
        }
        let name = self.voice.other?.name.clone();
        self.put(index, &name);
        if subject {
            self.awaited = Some(Agreement::Singular);
        }
        Some(())
    }

    fn your(&mut self, index: usize) -> Option<()> {
        if !self.told.shape.own_subject && !self.voice.restates {
            return None;
        }
        let name = format!("{}'s", self.voice.other?.name);
        self.put(index, &name);
        Some(())
    }

    fn contracted_you(&mut self, index: usize, word: &str) -> Option<()> {
        if !self.voice.restates {
            if !self.is_anyone(index) {
                return None;
            }
            self.put(index, self.tokens.raw(index));
            return Some(());
        }
        let name = self.voice.other?.name.clone();
        self.put(index, &name);
        self.out.push_str(match word {
            "you're" => " is",
            "you've" => " has",
            "you'll" => " will",
            _ => " would",
        });
        Some(())
    }

    /// "When you know how", "it lets you move": anyone, not the other speaker.
    fn is_anyone(&self, index: usize) -> bool {
        matches!(
            self.tokens.before(index),
            "when"
                | "if"
                | "what"
                | "where"
                | "as"
                | "once"
                | "because"
                | "until"
                | "whatever"
                | "whenever"
                | "lets"
                | "helps"
                | "makes"
                | "gives"
                | "gets"
                | "keeps"
                | "things"
                | "everything"
                | "than"
                | "while"
                | "wherever"
                | "takes"
                | "reminds"
                | "way"
                | "thing"
        ) && !matches!(
            self.tokens.word(index + 1),
            "said" | "told" | "mentioned" | "asked"
        )
    }
}

fn follows_preposition(word: &str) -> bool {
    matches!(
        word,
        "to" | "for" | "with" | "of" | "from" | "about" | "like" | "on" | "at" | "by" | "near"
    )
}

fn takes_object(word: &str) -> bool {
    follows_preposition(word)
        || matches!(
            word,
            "thank"
                | "tell"
                | "told"
                | "show"
                | "showed"
                | "send"
                | "sent"
                | "ask"
                | "asked"
                | "give"
                | "gave"
                | "remind"
                | "reminded"
                | "see"
                | "meet"
                | "met"
                | "help"
                | "helped"
                | "bring"
                | "brought"
                | "invite"
                | "call"
                | "visit"
                | "join"
                | "miss"
                | "know"
                | "saw"
                | "need"
        )
}
