//! Which words mean nearly the same: a table of word vectors, compiled in.
//!
//! The table has a row for each entry of a WordPiece vocabulary; a word's vector is
//! the mean of its pieces' rows. `docs/word-table.md` in the repository tells where it
//! comes from and how to make it again.

mod entries;
mod normalise;
mod table;
mod tokenizer;

use std::sync::{Arc, OnceLock};

use memu_core::provider::WordVectors;
use memu_core::{Error, Result};

pub(crate) use table::FIRST_WORD;
pub use table::{Damaged, WordTable};

/// The table that is compiled into the library.
static BYTES: &[u8] = include_bytes!("../../data/words.bin");

/// The table that is compiled in, opened once.
///
/// # Errors
/// [`ErrorKind::Internal`](memu_core::ErrorKind::Internal) when it is damaged, as only
/// a damaged binary can be.
pub fn embedded() -> Result<Arc<WordTable>> {
    static TABLE: OnceLock<std::result::Result<Arc<WordTable>, Damaged>> = OnceLock::new();
    TABLE
        .get_or_init(|| WordTable::open(BYTES).map(Arc::new))
        .clone()
        .map_err(|damaged| {
            Error::internal("the word table that is compiled in is damaged").caused_by(damaged)
        })
}

impl WordVectors for WordTable {
    fn dimension(&self) -> usize {
        Self::dimension(self)
    }

    fn write(&self, word: &str, vector: &mut [f32]) -> bool {
        vector.fill(0.0);
        if !self.add(word, 1.0, vector) {
            return false;
        }
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        for x in vector.iter_mut() {
            *x /= length.max(f32::MIN_POSITIVE);
        }
        length > 0.0
    }

    fn rarity(&self, word: &str) -> f32 {
        (1.0 + self.rank(word)).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(a: &str, b: &str) -> f32 {
        let table = embedded().unwrap();
        let vector = |word: &str| {
            let mut vector = vec![0.0; WordVectors::dimension(&*table)];
            assert!(table.write(word, &mut vector), "{word}");
            vector
        };
        let (a, b) = (vector(a), vector(b));
        a.iter().zip(&b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn near_words_are_near_and_others_are_not() {
        for (word, near, far) in [
            ("bed", "sleep", "guess"),
            ("doctor", "physician", "carpet"),
            ("went", "go", "violin"),
            ("bedtime", "sleep", "invoice"),
            ("puppy", "dog", "tax"),
        ] {
            let (near, far) = (cosine(word, near), cosine(word, far));
            assert!(near > far + 0.2, "{word}: {near} {far}");
        }
    }

    #[test]
    fn a_word_without_known_pieces_has_no_vector() {
        let table = embedded().unwrap();
        let mut vector = vec![0.0; WordVectors::dimension(&*table)];
        for word in ["", "\u{10A60}", "zyxwv", &"x".repeat(101)] {
            assert!(!table.write(word, &mut vector), "{word}");
        }
    }
}
