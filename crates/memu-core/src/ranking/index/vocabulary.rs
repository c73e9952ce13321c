use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::interner::Interner;
use super::words::{Found, Remembered, Words};
use crate::analysis::{Analyzer, Hashed};

/// The words that occur, and the terms they become.
#[derive(Clone, Debug, Default)]
pub(super) struct Vocabulary {
    numbers: Interner,
    /// By number.
    words: Vec<Word>,
    terms: Interner,
    analyzer: Arc<Analyzer>,
    known: Option<Arc<Words>>,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    /// `None` for a stop word.
    term: Option<u32>,
    /// Where its vector may be remembered.
    remembered: Remembered,
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

    /// The text of a term.
    pub(super) fn term_text(&self, term: u32) -> Option<&str> {
        self.terms.text(term)
    }

    /// The words of these terms, which are in order, each with the place of its term among them.
    pub(super) fn words_of(&self, terms: &[u32]) -> FxHashMap<&str, usize> {
        let mut places = vec![None; self.terms.len()];
        for (place, term) in terms.iter().enumerate() {
            if let Some(of_term) = places.get_mut(*term as usize) {
                *of_term = Some(place);
            }
        }
        let words = (0..).zip(&self.words);
        let words = words.filter_map(|(number, word)| {
            let place = *places.get(word.term? as usize)?;
            Some((self.text(number)?, place?))
        });
        words.collect()
    }

    /// Whether no word is known yet.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Makes room for so many more words.
    pub(super) fn reserve(&mut self, words: usize) {
        self.words.reserve(words);
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
        self.words.push(Word {
            term,
            remembered: *known.more(),
        });
    }

    /// The term of a word; `None` for a stop word.
    pub(super) fn term_of(&self, word: u32) -> Option<u32> {
        self.words.get(word as usize)?.term
    }

    /// The terms of words, with how often each occurs, in the order of these.
    pub(super) fn terms(&self, words: &[(u32, u32)]) -> impl Iterator<Item = (u32, u32)> {
        let words = words.iter();
        words.filter_map(|(word, count)| Some((self.term_of(*word)?, *count)))
    }

    /// The word with this number.
    pub(super) fn text(&self, word: u32) -> Option<&str> {
        self.numbers.text(word)
    }

    /// The words from this number on, each with where its vector may be remembered; nothing in
    /// place of stop words.
    pub(super) fn from(&self, first: usize) -> impl ExactSizeIterator<Item = (&str, Remembered)> {
        let words = self.words.get(first..).unwrap_or_default().iter();
        words.enumerate().map(move |(after, word)| match word.term {
            Some(_) => {
                let text = self.text((first + after) as u32);
                (text.unwrap_or_default(), word.remembered)
            }
            None => ("", Remembered::default()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_become_one_term_and_stop_words_none() {
        let mut vocabulary = Vocabulary::default();
        let words = ["walking", "walked", "the", "dogs", "dog", "walking"];
        let numbers = words.map(|word| vocabulary.word(word));
        assert_eq!(numbers, [0, 1, 2, 3, 4, 0]);
        let terms = [0, 1, 2, 3, 4, 5].map(|word| vocabulary.term_of(word));
        assert_eq!(terms, [Some(0), Some(0), None, Some(1), Some(1), None]);
        assert_eq!(
            [vocabulary.text(1), vocabulary.text(5)],
            [Some("walked"), None]
        );
        assert_eq!(vocabulary.term("walk"), Some(0));
        assert_eq!(vocabulary.term("cat"), None);
        let words = vocabulary.words_of(&[0]);
        assert_eq!(words, [("walking", 0), ("walked", 0)].into_iter().collect());
        let from: Vec<&str> = vocabulary.from(1).map(|(word, _)| word).collect();
        assert_eq!(from, ["walked", "", "dogs", "dog"]);
    }
}
