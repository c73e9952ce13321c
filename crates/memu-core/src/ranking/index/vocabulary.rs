use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::words::Words;
use crate::analysis::Analyzer;

/// The words that occur, the terms they become, and which of its words stands for
/// each term.
#[derive(Clone, Debug, Default)]
pub(super) struct Vocabulary {
    numbers: FxHashMap<Arc<str>, u32>,
    /// By number.
    words: Vec<Word>,
    terms: FxHashMap<Arc<str>, u32>,
    /// By term.
    standing: Vec<Option<Standing>>,
    /// The terms for which another word stands than before.
    changed: Vec<u32>,
    analyzer: Arc<Analyzer>,
    known: Option<Arc<Words>>,
}

#[derive(Clone, Debug)]
struct Word {
    text: Arc<str>,
    /// `None` for a stop word.
    term: Option<u32>,
    /// How often it occurs in what is counted.
    count: u32,
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
        self.terms.get(term).copied()
    }

    /// The number of a word; it and its term get the next ones when they are new.
    pub(super) fn word(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let term: Option<Arc<str>> = match &self.known {
            Some(known) => known.term(word, &self.analyzer),
            None => self.analyzer.term(word).map(|term| term.as_ref().into()),
        };
        let next = self.terms.len() as u32;
        let term = term.map(|term| *self.terms.entry(term).or_insert(next));
        self.standing.resize(self.terms.len(), None);
        let number = self.words.len() as u32;
        let text: Arc<str> = word.into();
        self.numbers.insert(text.clone(), number);
        self.words.push(Word {
            text,
            term,
            count: 0,
        });
        number
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
        let known = |word: u32| self.words.get(word as usize);
        match (known(word), known(other)) {
            (Some(a), Some(b)) => (a.count, &b.text) > (b.count, &a.text),
            _ => false,
        }
    }

    /// The word that stands for a term.
    pub(super) fn standing_for(&self, term: u32) -> Option<&str> {
        let standing = (*self.standing.get(term as usize)?)?;
        Some(&self.words.get(standing.word as usize)?.text)
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
