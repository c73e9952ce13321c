use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::words::Words;
use crate::analysis::Analyzer;

/// The words that occur, the terms they become, and which of its words stands for
/// each term.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    numbers: FxHashMap<Box<str>, u32>,
    /// By number of a word.
    words: Vec<Word>,
    terms: FxHashMap<Arc<str>, u32>,
    analyzer: Analyzer,
    known: Option<Arc<Words>>,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    /// `None` for a stop word.
    term: Option<u32>,
    count: u32,
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
        let number = self.words.len() as u32;
        self.words.push(Word { term, count: 0 });
        self.numbers.insert(word.into(), number);
        number
    }

    /// Counts occurrences of a word, and returns its term; `None` for a stop word.
    pub(super) fn count(&mut self, word: u32, count: u32) -> Option<u32> {
        let known = self.words.get_mut(word as usize)?;
        known.count += count;
        known.term
    }

    /// By term: its commonest word; of equally common ones the first by alphabet.
    pub(super) fn commonest_words(&self) -> Vec<&str> {
        let mut commonest: Vec<(u32, &str)> = vec![(0, ""); self.terms.len()];
        for (word, number) in &self.numbers {
            let Some(known) = self.words.get(*number as usize) else {
                continue;
            };
            let Some(best) = known.term.and_then(|term| commonest.get_mut(term as usize)) else {
                continue;
            };
            if (known.count, best.1) > (best.0, word) {
                *best = (known.count, word);
            }
        }
        commonest.into_iter().map(|(_, word)| word).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commonest_word_stands_for_its_term() {
        let mut vocabulary = Vocabulary::default();
        let mut count = |word: &str, count: u32| {
            let number = vocabulary.word(word);
            vocabulary.count(number, count)
        };
        assert_eq!(count("walking", 1), Some(0));
        assert_eq!(count("walked", 2), Some(0));
        assert_eq!(count("the", 9), None);
        assert_eq!(count("dogs", 1), Some(1));
        assert_eq!(count("dog", 1), Some(1));
        assert_eq!(vocabulary.commonest_words(), ["walked", "dog"]);
        assert_eq!(vocabulary.term("walk"), Some(0));
        assert_eq!(vocabulary.term("cat"), None);
    }
}
