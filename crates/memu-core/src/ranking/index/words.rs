//! What is known about words, whatever scope they occur in.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::vectors::Vectors;
use crate::analysis::{Analyzer, Hashed, KnownWord, KnownWords};
use crate::provider::WordVectors;

/// How many words are remembered; then all are forgotten. A vector of 256 numbers takes
/// some 300 bytes, the rest of a word 128 to 256.
const REMEMBERED: usize = 1 << 16;

/// How many words are looked up at a time, while others wait.
const AT_A_TIME: usize = 64;

/// The vectors and terms of words. Those that were asked for are remembered: the scopes
/// of a store mostly talk in the same words, and what a word is takes longer to find out
/// than all the rest of indexing it.
pub struct Words {
    vectors: Arc<dyn WordVectors>,
    known: Mutex<Known>,
}

/// Where the vector of a word is remembered, as long as nothing is forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Remembered {
    /// How often everything was forgotten before, and one: 0 is nowhere.
    generation: u32,
    /// Its number.
    vector: u32,
}

/// What is known about a word; no word where it is too long to be remembered.
pub(super) type Found = KnownWord<Remembered>;

/// What words mean, by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Meanings {
    /// Zero for a word that has none.
    pub(super) vectors: Vectors,
    /// How rare each is; see [`WordVectors::rarity`].
    pub(super) rarity: Vec<f32>,
}

/// What is known about some words.
struct Known {
    words: KnownWords<Remembered>,
    meanings: Meanings,
    /// How often everything was forgotten, and one.
    generation: u32,
}

impl Words {
    /// Words with these vectors.
    pub fn new(vectors: Arc<dyn WordVectors>) -> Self {
        let known = Known {
            words: KnownWords::default(),
            meanings: Meanings::new(vectors.dimension()),
            generation: 1,
        };
        Self {
            vectors,
            known: Mutex::new(known),
        }
    }

    pub(super) fn dimension(&self) -> usize {
        self.vectors.dimension()
    }

    /// How rare a word is.
    pub(super) fn rarity(&self, word: &str) -> f32 {
        self.vectors.rarity(word)
    }

    /// The vector of a word; zero when it has none.
    pub(super) fn vector(&self, word: &str) -> Vec<f32> {
        let mut vector = vec![0.0; self.dimension()];
        if !self.vectors.write(word, &mut vector) {
            vector.fill(0.0);
        }
        vector
    }

    /// What is known about each of these words, in order. What was not yet is found out and
    /// remembered, but for words that are too long.
    pub(super) fn look_up<'w>(
        &self,
        words: impl ExactSizeIterator<Item = &'w str>,
        analyzer: &Analyzer,
    ) -> Vec<Found> {
        let mut found = Vec::with_capacity(words.len());
        // Of so many words the first are forgotten again before their vectors are asked for.
        let at_once = words.len() <= REMEMBERED;
        for_each_part(words.map(Hashed::new), |part| {
            let mut known = self.lock();
            known.words.bring_near(part);
            for word in part {
                let there = known.words.get(*word).copied();
                let mut one = there.unwrap_or_else(|| known.find_out(*word, analyzer));
                // Nobody asks for the vectors of stop words.
                if at_once && one.term().is_some() && one.more().is_nowhere() {
                    one = one.with(self.find_vector(&mut known, *word));
                }
                found.push(one);
            }
        });
        found
    }

    /// Appends what words mean, each with where it may be remembered, in order.
    pub(super) fn mean<'w>(
        &self,
        words: impl ExactSizeIterator<Item = (&'w str, Remembered)>,
        found: &mut Meanings,
    ) {
        found.reserve(words.len());
        for_each_part(words, |part| {
            let mut known = self.lock();
            for (word, remembered) in part {
                let mut vector = *remembered;
                if vector.generation != known.generation {
                    vector = self.find_vector(&mut known, Hashed::new(word));
                }
                if vector.is_nowhere() {
                    self.find_meaning(word, found);
                } else {
                    found.push_from(&known.meanings, vector.vector as usize);
                }
            }
        });
    }

    /// Appends what a word means.
    fn find_meaning(&self, word: &str, found: &mut Meanings) {
        push(&mut found.vectors, &self.vector(word));
        found.rarity.push(self.rarity(word));
    }

    /// Where the vector of a word is, which is found out where it is not known yet; nowhere
    /// for words that are not remembered.
    fn find_vector(&self, known: &mut Known, word: Hashed<'_>) -> Remembered {
        let Known {
            words,
            meanings,
            generation,
        } = known;
        let Some(known) = words.more_mut(word) else {
            return Remembered::default();
        };
        if known.is_nowhere() {
            self.find_meaning(word.text(), meanings);
            *known = Remembered {
                generation: *generation,
                vector: meanings.count().saturating_sub(1) as u32,
            };
        }
        *known
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Meanings {
    /// None yet, of vectors with so many numbers.
    pub(super) fn new(dimension: usize) -> Self {
        Self {
            vectors: Vectors::new(dimension),
            rarity: Vec::new(),
        }
    }

    /// Of how many words.
    pub(super) fn count(&self) -> usize {
        self.rarity.len()
    }

    fn reserve(&mut self, words: usize) {
        self.vectors.reserve(words);
        self.rarity.reserve(words);
    }

    fn push_from(&mut self, others: &Self, from: usize) {
        self.vectors.push_from(&others.vectors, from);
        let rarity = others.rarity.get(from).copied();
        self.rarity.push(rarity.unwrap_or_default());
    }
}

impl Remembered {
    fn is_nowhere(self) -> bool {
        self.generation == 0
    }
}

impl Known {
    /// Finds out about a word, and remembers it, but not its vector.
    fn find_out(&mut self, word: Hashed<'_>, analyzer: &Analyzer) -> Found {
        let term = analyzer.term(word.text());
        let found = KnownWord::new(word, term.as_deref(), Remembered::default());
        let Some(found) = found else {
            return Found::default();
        };
        if self.words.len() >= REMEMBERED {
            self.forget();
        }
        self.words.insert(found);
        found
    }

    fn forget(&mut self) {
        self.words = KnownWords::default();
        self.meanings = Meanings::new(self.meanings.vectors.dimension());
        self.generation = self.generation.wrapping_add(1).max(1);
    }
}

/// Appends a vector by the widest instructions that this processor has; each number is
/// computed on its own.
fn push(vectors: &mut Vectors, vector: &[f32]) {
    pulp::Arch::new().dispatch(|| vectors.push(vector));
}

/// Calls `visit` with some at a time, until there are no more.
fn for_each_part<T>(mut all: impl Iterator<Item = T>, mut visit: impl FnMut(&[T])) {
    let mut part = Vec::with_capacity(AT_A_TIME);
    loop {
        part.clear();
        part.extend(all.by_ref().take(AT_A_TIME));
        if part.is_empty() {
            return;
        }
        visit(&part);
    }
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

    fn looked_up(words: &Words, asked: &[&str]) -> Vec<Remembered> {
        let found = words.look_up(asked.iter().copied(), &Analyzer::default());
        found.iter().map(|one| *one.more()).collect()
    }

    fn cosines(words: &Words, asked: &[&str], remembered: &[Remembered]) -> Vec<f32> {
        let asked = asked.iter().copied().zip(remembered.iter().copied());
        let asked: Vec<_> = asked.collect();
        let mut found = Meanings::new(words.dimension());
        words.mean(asked.into_iter(), &mut found);
        found.vectors.cosines(&[0.6, 0.8])
    }

    #[test]
    fn what_is_remembered_is_what_was_found_out() {
        let counting = Arc::new(Counting::default());
        let words = Words::new(counting.clone());
        let analyzer = Analyzer::default();
        let asked = ["boats", "unknown", "the", "lighthouse"];
        for _ in 0..2 {
            let found = words.look_up(asked.into_iter(), &analyzer);
            let terms: Vec<_> = found.iter().map(KnownWord::term).collect();
            let expected = [Some("boat"), Some("unknown"), None, Some("lighthous")];
            assert_eq!(terms, expected);
        }
        assert_eq!(counting.0.load(Ordering::SeqCst), 3);
        let asked = ["boats", "unknown", "lighthouse"];
        let first = cosines(&words, &asked, &looked_up(&words, &asked));
        assert!(first[0] > 0.7 && first[1] == 0.0);
        assert_eq!(cosines(&words, &asked, &[Remembered::default(); 3]), first);
        assert_eq!(counting.0.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn vectors_are_found_when_all_was_forgotten_and_of_words_that_are_too_long() {
        let words = Words::new(Arc::new(Counting::default()));
        let long = "l".repeat(90);
        let asked = ["boats", long.as_str(), "lighthouse"];
        let remembered = looked_up(&words, &asked);
        assert_eq!(remembered[1], Remembered::default());
        let before = cosines(&words, &asked, &remembered);
        assert!(before.iter().all(|cosine| *cosine > 0.5));
        words.lock().forget();
        assert_eq!(cosines(&words, &asked, &remembered), before);
        // Others have taken the places of those that were forgotten.
        let others = looked_up(&words, &["unknown", "unknown2", "unknown3"]);
        assert_eq!(others[0].vector, remembered[0].vector);
        assert_eq!(cosines(&words, &asked, &remembered), before);
    }

    #[test]
    fn no_more_words_are_remembered_than_there_is_room_for() {
        let words = Words::new(Arc::new(Counting::default()));
        let asked: Vec<String> = (0..REMEMBERED + 2).map(|n| format!("w{n}")).collect();
        let found = words.look_up(asked.iter().map(String::as_str), &Analyzer::default());
        assert_eq!(found.len(), asked.len());
        assert_eq!(words.lock().words.len(), 2);
        // Of so many, only those vectors are found out that are asked for.
        assert!(found.iter().all(|one| one.more().is_nowhere()));
        assert_eq!(words.lock().meanings.count(), 0);
        let last = asked.last().unwrap().as_str();
        let first = asked.first().unwrap().as_str();
        let asked = [first, last, last];
        let found = cosines(&words, &asked, &[Remembered::default(); 3]);
        assert!(found.iter().all(|cosine| *cosine > 0.5));
        assert_eq!(words.lock().meanings.count(), 1);
    }
}
