use rustc_hash::FxHashMap;

use crate::analysis::{Analyzer, for_each_word};

/// The words that occur, the terms they become, and which of its words stands for
/// each term.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    words: FxHashMap<Box<str>, Word>,
    terms: FxHashMap<Box<str>, u32>,
    analyzer: Analyzer,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    /// `None` for a stop word.
    term: Option<u32>,
    count: u32,
}

impl Vocabulary {
    pub(super) fn analyzer(&self) -> &Analyzer {
        &self.analyzer
    }

    /// The number of a term, if it occurs.
    pub(super) fn term(&self, term: &str) -> Option<u32> {
        self.terms.get(term).copied()
    }

    /// Appends the terms of a text, by number; new ones get the next number.
    pub(super) fn add(&mut self, text: &str, terms: &mut Vec<u32>) {
        let (known, numbers, analyzer) = (&mut self.words, &mut self.terms, &self.analyzer);
        for_each_word(text, |word| {
            if let Some(known) = known.get_mut(word) {
                known.count += 1;
                terms.extend(known.term);
                return;
            }
            let term = analyzer.term(word).map(|term| {
                numbers.get(&*term).copied().unwrap_or_else(|| {
                    let number = numbers.len() as u32;
                    numbers.insert(term.as_ref().into(), number);
                    number
                })
            });
            terms.extend(term);
            known.insert(word.into(), Word { term, count: 1 });
        });
    }

    /// By term: its commonest word; of equally common ones the first by alphabet.
    pub(super) fn commonest_words(&self) -> Vec<&str> {
        let mut commonest: Vec<(u32, &str)> = vec![(0, ""); self.terms.len()];
        for (word, known) in &self.words {
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
        let mut terms = Vec::new();
        vocabulary.add("Walking and walked. He walked the dog, dogs!", &mut terms);
        assert_eq!(terms, [0, 0, 0, 1, 1]);
        assert_eq!(vocabulary.commonest_words(), ["walked", "dog"]);
        assert_eq!(vocabulary.term("walk"), Some(0));
        assert_eq!(vocabulary.term("cat"), None);
    }
}
