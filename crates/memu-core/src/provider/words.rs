use std::fmt;

/// Vectors of single words, so that a question finds words that mean nearly what
/// its own words mean.
pub trait WordVectors: fmt::Debug + Send + Sync {
    /// How many numbers a vector has.
    fn dimension(&self) -> usize;

    /// Writes the vector of a word, in the form that
    /// [`for_each_word`](crate::analysis::for_each_word) yields, at length 1 into
    /// `vector`, which has [`Self::dimension`] places. `false` for a word that has
    /// none; `vector` then means nothing.
    fn write(&self, word: &str, vector: &mut [f32]) -> bool;

    /// How rare a word is in its language, above 0: what it weighs in what a text means. By
    /// default all weigh 1.
    fn rarity(&self, _word: &str) -> f32 {
        1.0
    }
}

/// No vectors: words match only themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWordVectors;

impl WordVectors for NoWordVectors {
    fn dimension(&self) -> usize {
        0
    }

    fn write(&self, _word: &str, _vector: &mut [f32]) -> bool {
        false
    }
}
