//! What is known about words, whatever scope they occur in.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::vectors::Vectors;
use crate::analysis::Analyzer;
use crate::provider::WordVectors;

/// How many words are remembered; then all are forgotten. A vector of 256 numbers takes
/// some 300 bytes.
const REMEMBERED: usize = 1 << 15;

/// The vectors and terms of words. Those that were asked for are remembered: the scopes
/// of a store mostly talk in the same words, and what a word is takes longer to find out
/// than all the rest of indexing it.
pub struct Words {
    vectors: Arc<dyn WordVectors>,
    known_vectors: Known<Coded>,
    known_terms: Known<Option<Arc<str>>>,
}

/// By word: what is known about it.
type Known<V> = Mutex<FxHashMap<Box<str>, V>>;

/// A vector as [`Vectors`] keeps it: its codes, and what one step of them is worth.
type Coded = (Box<[i8]>, f32);

impl Words {
    /// Words with these vectors.
    pub fn new(vectors: Arc<dyn WordVectors>) -> Self {
        Self {
            vectors,
            known_vectors: Mutex::default(),
            known_terms: Mutex::default(),
        }
    }

    pub(super) fn dimension(&self) -> usize {
        self.vectors.dimension()
    }

    /// The vector of a word; zero when it has none.
    pub(super) fn vector(&self, word: &str) -> Vec<f32> {
        let mut vector = vec![0.0; self.dimension()];
        if !self.vectors.write(word, &mut vector) {
            vector.fill(0.0);
        }
        vector
    }

    /// The vectors of words, in order; zero for those that have none.
    pub(super) fn vectors(&self, words: &[&str]) -> Vectors {
        let mut found = Vectors::new(self.dimension());
        let mut vector = vec![0.0; self.dimension()];
        for word in words {
            if let Some((codes, scale)) = lock(&self.known_vectors).get(*word) {
                found.push_coded(codes, *scale);
                continue;
            }
            if !self.vectors.write(word, &mut vector) {
                vector.fill(0.0);
            }
            // The widest instructions that this processor has; each number is computed on
            // its own.
            pulp::Arch::new().dispatch(|| found.push(&vector));
            if let Some((codes, scale)) = found.last() {
                remember(&self.known_vectors, word, (codes.into(), scale));
            }
        }
        found
    }

    /// The term of a word; `None` for a stop word.
    pub(super) fn term(&self, word: &str, analyzer: &Analyzer) -> Option<Arc<str>> {
        if let Some(term) = lock(&self.known_terms).get(word) {
            return term.clone();
        }
        let term: Option<Arc<str>> = analyzer.term(word).map(|term| term.as_ref().into());
        remember(&self.known_terms, word, term.clone());
        term
    }
}

fn remember<V>(known: &Known<V>, word: &str, value: V) {
    let mut known = lock(known);
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(word.into(), value);
}

fn lock<T>(known: &Mutex<T>) -> MutexGuard<'_, T> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Words").field(&self.vectors).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Debug, Default)]
    struct Counting(AtomicUsize);

    impl WordVectors for Counting {
        fn dimension(&self) -> usize {
            2
        }

        fn write(&self, word: &str, vector: &mut [f32]) -> bool {
            self.0.fetch_add(1, Ordering::SeqCst);
            vector.copy_from_slice(&[word.len() as f32, 1.0]);
            word != "unknown"
        }
    }

    #[test]
    fn what_is_remembered_is_what_was_found_out() {
        let counting = Arc::new(Counting::default());
        let words = Words::new(counting.clone());
        let asked = ["boat", "unknown", "lighthouse"];
        let vector = [0.6, 0.8];
        let first = words.vectors(&asked).cosines(&vector);
        assert_eq!(words.vectors(&asked).cosines(&vector), first);
        assert_eq!(counting.0.load(Ordering::SeqCst), 3);
        assert!(first[0] > 0.7 && first[1] == 0.0);
        let analyzer = Analyzer::default();
        for _ in 0..2 {
            assert_eq!(words.term("boats", &analyzer).as_deref(), Some("boat"));
            assert_eq!(words.term("the", &analyzer), None);
        }
    }
}
