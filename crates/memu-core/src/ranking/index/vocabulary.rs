use std::borrow::Cow;
use std::sync::Arc;

use super::interner::Interner;
use super::words::{Found, Remembered, Words};
use crate::analysis::{Analyzer, Hashed};

/// The words that occur, the terms they become, and which of its words stands for
/// each term.
#[derive(Clone, Debug, Default)]
pub(super) struct Vocabulary {
    numbers: Interner,
    /// By number.
    words: Vec<Word>,
    terms: Interner,
    /// By term.
    standing: Vec<Option<Standing>>,
    /// The terms for which another word stands than before.
    changed: Vec<u32>,
    analyzer: Arc<Analyzer>,
    known: Option<Arc<Words>>,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    /// `None` for a stop word.
    term: Option<u32>,
    /// How often it occurs in what is counted.
    count: u32,
    /// Where its vector may be remembered.
    remembered: Remembered,
}

/// The word that stands for a term.
#[derive(Clone, Copy, Debug)]
struct Standing {
    word: u32,
    because: Occurs,
}

/// Where a word occurs; the last kind that a term has decides which word stands for it.
/// Of those that are counted it is the commonest (of equally common ones the first by
/// alphabet), of the others the first: so it does not change with what comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Occurs {
    InItem,
    InText,
    Counted,
}

impl Vocabulary {
    /// A vocabulary of nothing yet, which learns what is known about words.
    pub(super) fn new(known: Arc<Words>) -> Self {
        Self {
            known: Some(known),
            ..Self::default()
        }
    }

    pub(super) fn analyzer(&self) -> &Analyzer {
        &self.analyzer
    }

    /// The number of a term, if it occurs.
    pub(super) fn term(&self, term: &str) -> Option<u32> {
        self.terms.get(Hashed::new(term))
    }

    /// Whether no word is known yet.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Makes room for so many more words.
    pub(super) fn reserve(&mut self, words: usize) {
        self.words.reserve(words);
        self.standing.reserve(words);
        self.terms.reserve(words);
    }

    /// What is known about each of these words, in order.
    pub(super) fn look_up<'w>(&self, words: impl ExactSizeIterator<Item = &'w str>) -> Vec<Found> {
        match &self.known {
            Some(known) => known.look_up(words, &self.analyzer),
            None => vec![Found::default(); words.len()],
        }
    }

    /// The number of a word; it and its term get the next ones when they are new.
    pub(super) fn word(&mut self, word: &str) -> u32 {
        let (number, is_new) = self.numbers.number(Hashed::new(word));
        if is_new {
            let known = self.look_up(std::iter::once(word)).pop();
            self.add(word, &known.unwrap_or_default());
        }
        number
    }

    /// The number of a word that does not occur yet, of which this is known.
    pub(super) fn new_word(&mut self, word: &str, known: &Found) -> u32 {
        let number = self.numbers.push_new(word);
        self.add(word, known);
        number
    }

    fn add(&mut self, word: &str, known: &Found) {
        let Self {
            terms, analyzer, ..
        } = self;
        let term = match known.word() {
            // It is too long to be remembered.
            "" => analyzer.term(word),
            _ => known.term().map(Cow::Borrowed),
        };
        let term = term.map(|term| terms.number(Hashed::new(&term)).0);
        if self.standing.len() < self.terms.len() {
            self.standing.push(None);
        }
        self.words.push(Word {
            term,
            count: 0,
            remembered: *known.more(),
        });
    }

    /// Notes occurrences of a word, and returns its term; `None` for a stop word.
    pub(super) fn note(&mut self, word: u32, count: u32, occurs: Occurs) -> Option<u32> {
        let known = self.words.get_mut(word as usize)?;
        let term = known.term?;
        if occurs == Occurs::Counted {
            known.count += count;
        }
        let stands = self.standing.get(term as usize).copied().flatten();
        let better = match stands {
            None => true,
            Some(stands) if occurs == Occurs::Counted && stands.because == occurs => {
                stands.word != word && self.is_commoner(word, stands.word)
            }
            Some(stands) => occurs > stands.because,
        };
        if better && let Some(standing) = self.standing.get_mut(term as usize) {
            *standing = Some(Standing {
                word,
                because: occurs,
            });
            if stands.is_none_or(|stands| stands.word != word) {
                self.changed.push(term);
            }
        }
        Some(term)
    }

    fn is_commoner(&self, word: u32, other: u32) -> bool {
        let known = |word: u32| {
            let count = self.words.get(word as usize)?.count;
            Some((count, self.numbers.text(word)?))
        };
        match (known(word), known(other)) {
            (Some(a), Some(b)) => (a.0, b.1) > (b.0, a.1),
            _ => false,
        }
    }

    /// The word that stands for a term.
    pub(super) fn standing_for(&self, term: u32) -> Option<&str> {
        let standing = (*self.standing.get(term as usize)?)?;
        self.numbers.text(standing.word)
    }

    /// The same, with where its vector may be remembered.
    pub(super) fn remembered_for(&self, term: u32) -> Option<(&str, Remembered)> {
        let standing = (*self.standing.get(term as usize)?)?;
        let remembered = self.words.get(standing.word as usize)?.remembered;
        Some((self.numbers.text(standing.word)?, remembered))
    }

    /// The terms for which another word stands than when this was last asked, in order.
    pub(super) fn take_changed(&mut self) -> Vec<u32> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commonest_word_stands_for_its_term() {
        let mut vocabulary = Vocabulary::default();
        let mut note = |word: &str, count: u32, occurs| {
            let number = vocabulary.word(word);
            vocabulary.note(number, count, occurs)
        };
        assert_eq!(note("walking", 1, Occurs::Counted), Some(0));
        assert_eq!(note("walked", 2, Occurs::Counted), Some(0));
        assert_eq!(note("the", 9, Occurs::Counted), None);
        assert_eq!(note("dogs", 1, Occurs::Counted), Some(1));
        assert_eq!(note("dog", 1, Occurs::Counted), Some(1));
        assert_eq!(vocabulary.standing_for(0), Some("walked"));
        assert_eq!(vocabulary.standing_for(1), Some("dog"));
        assert_eq!(vocabulary.standing_for(2), None);
        assert_eq!(vocabulary.term("walk"), Some(0));
        assert_eq!(vocabulary.term("cat"), None);
    }

    #[test]
    fn later_words_stand_for_a_term_only_where_none_did() {
        let mut vocabulary = Vocabulary::default();
        let mut note = |word: &str, occurs| {
            let number = vocabulary.word(word);
            vocabulary.note(number, 5, occurs);
            let changed = vocabulary.take_changed();
            (vocabulary.standing_for(0).unwrap().to_owned(), changed)
        };
        assert_eq!(note("boats", Occurs::InItem), ("boats".into(), vec![0]));
        assert_eq!(note("boat", Occurs::InItem), ("boats".into(), vec![]));
        assert_eq!(note("boat", Occurs::InText), ("boat".into(), vec![0]));
        assert_eq!(note("boats", Occurs::InText), ("boat".into(), vec![]));
        assert_eq!(
            note("boating", Occurs::Counted),
            ("boating".into(), vec![0])
        );
        assert_eq!(note("boat", Occurs::InText), ("boating".into(), vec![]));
    }
}
