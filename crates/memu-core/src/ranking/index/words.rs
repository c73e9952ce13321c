//! What is known about words, whatever scope they occur in.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::interner::{Hashed, Interner};
use super::vectors::Vectors;
use crate::analysis::Analyzer;
use crate::provider::WordVectors;

/// How many words are remembered; then all are forgotten. A vector of 256 numbers takes
/// some 300 bytes.
const REMEMBERED: usize = 1 << 16;

/// The vectors and terms of words. Those that were asked for are remembered: the scopes
/// of a store mostly talk in the same words, and what a word is takes longer to find out
/// than all the rest of indexing it.
pub struct Words {
    vectors: Arc<dyn WordVectors>,
    known: Mutex<Known>,
}

/// What is known about some words.
#[derive(Default)]
struct Known {
    words: Interner,
    /// By word.
    by_word: Vec<KnownWord>,
    terms: Interner,
    vectors: Vectors,
}

#[derive(Clone, Copy, Default)]
struct KnownWord {
    /// The number of its term.
    term: Fact<Option<u32>>,
    /// The number of its vector.
    vector: Fact<u32>,
}

/// What may not have been found out yet.
type Fact<T> = Option<T>;

impl Words {
    /// Words with these vectors.
    pub fn new(vectors: Arc<dyn WordVectors>) -> Self {
        Self {
            vectors,
            known: Mutex::default(),
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

    /// The vectors of words, each with where it may be remembered, in order; zero for those
    /// that have none.
    pub(super) fn vectors<'w>(
        &self,
        words: impl ExactSizeIterator<Item = (&'w str, u32)>,
    ) -> Vectors {
        let mut found = Vectors::new(self.dimension());
        found.reserve(words.len());
        for (word, remembered) in words {
            let mut known = lock(&self.known);
            let place = match known.words.text(remembered) {
                Some(there) if there == word => remembered as usize,
                _ => known.place(Hashed::new(word)),
            };
            let vector = known.vector(place);
            let number = vector.unwrap_or_else(|| self.find_vector(&mut known, word, place));
            found.push_from(&known.vectors, number);
        }
        found
    }

    /// Finds out the vector of a word, and remembers it; returns its number.
    fn find_vector(&self, known: &mut Known, word: &str, place: usize) -> usize {
        let vector = self.vector(word);
        if known.vectors.count() == 0 {
            known.vectors = Vectors::new(self.dimension());
        }
        // The widest instructions that this processor has; each number is computed on
        // its own.
        pulp::Arch::new().dispatch(|| known.vectors.push(&vector));
        let number = known.vectors.count() - 1;
        if let Some(word) = known.by_word.get_mut(place) {
            word.vector = Some(number as u32);
        }
        number
    }

    /// Calls `visit` with the term of a word; with `None` for a stop word. Says where the
    /// word is remembered, too, until all are forgotten.
    pub(super) fn with_term<R>(
        &self,
        word: Hashed<'_>,
        analyzer: &Analyzer,
        visit: impl FnOnce(Option<&str>) -> R,
    ) -> (R, u32) {
        let mut known = lock(&self.known);
        let place = known.place(word);
        if let Some(term) = known.by_word.get(place).and_then(|word| word.term) {
            let text = term.and_then(|term| known.terms.text(term));
            return (visit(text), place as u32);
        }
        let term = analyzer.term(word.text);
        let number = term
            .as_deref()
            .map(|term| known.terms.number(Hashed::new(term)).0);
        if let Some(word) = known.by_word.get_mut(place) {
            word.term = Some(number);
        }
        (visit(term.as_deref()), place as u32)
    }
}

impl Known {
    /// The place of a word, which is remembered from now on.
    fn place(&mut self, word: Hashed<'_>) -> usize {
        if self.by_word.len() >= REMEMBERED && self.words.get(word).is_none() {
            *self = Self::default();
        }
        let (place, is_new) = self.words.number(word);
        if is_new {
            self.by_word.push(KnownWord::default());
        }
        place as usize
    }

    fn vector(&self, place: usize) -> Option<usize> {
        Some(self.by_word.get(place)?.vector? as usize)
    }
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
        let vectors = || words.vectors(asked.into_iter().zip([0, 1, 7]));
        let first = vectors().cosines(&vector);
        assert_eq!(vectors().cosines(&vector), first);
        assert_eq!(counting.0.load(Ordering::SeqCst), 3);
        assert!(first[0] > 0.7 && first[1] == 0.0);
        let analyzer = Analyzer::default();
        for _ in 0..2 {
            let term = |word| {
                let owned = |term: Option<&str>| term.map(str::to_owned);
                words.with_term(Hashed::new(word), &analyzer, owned).0
            };
            assert_eq!(term("boats").as_deref(), Some("boat"));
            assert_eq!(term("the"), None);
        }
    }
}
