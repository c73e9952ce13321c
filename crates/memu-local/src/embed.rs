//! Vectors of texts without a model: the mean of what the words mean.
//!
//! Each word's vector comes from the [word table](crate::words) and weighs
//! a / (a + p), where p is how frequent the word is in English and a = 10⁻⁴ (smooth
//! inverse frequency: Arora, Liang and Ma, *A Simple but Tough-to-Beat Baseline for
//! Sentence Embeddings*, 2017). Frequency follows from a word's rank in the table by
//! Zipf's law. The order of words does not matter. Sums run in one order and use
//! only operations that IEEE 754 rounds exactly, so every machine computes the same
//! bytes.

use std::sync::Arc;

use async_trait::async_trait;
use memu_core::Result;
use memu_core::environment::{Executor, offload};
use memu_core::provider::Embedder;
use memu_core::records::{EmbedderIdentity, Embedding};

use crate::words::{self, FIRST_WORD, WordTable};

/// The a of smooth inverse frequency.
const SMOOTHING: f32 = 1e-4;
/// By Zipf's law the word of rank r has the share 1 / (r · this): the harmonic number
/// of the table's size.
const HARMONIC: f32 = 10.9;

/// The embedder of the local provider.
#[derive(Clone, Debug)]
pub struct LocalEmbedder {
    identity: EmbedderIdentity,
    table: Arc<WordTable>,
    executor: Arc<dyn Executor>,
}

impl LocalEmbedder {
    /// An embedder that computes on `executor`.
    ///
    /// # Errors
    /// As [`words::embedded`].
    pub fn new(executor: Arc<dyn Executor>) -> Result<Self> {
        let table = words::embedded()?;
        Ok(Self {
            identity: EmbedderIdentity {
                provider: "local".to_owned(),
                model: "words-v1".to_owned(),
                dimension: u32::try_from(table.dimension()).unwrap_or(u32::MAX),
            },
            table,
            executor,
        })
    }
}

#[async_trait]
impl Embedder for LocalEmbedder {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    /// Vectors of length 1; `None` for a text without a known word.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](memu_core::ErrorKind::Internal) when the executor
    /// drops the work.
    async fn embed(&self, texts: &[&str]) -> Result<Vec<Option<Embedding>>> {
        if texts.iter().map(|text| text.len()).sum::<usize>() <= SHORT {
            return texts
                .iter()
                .map(|text| embed(&self.table, text))
                .map(Ok)
                .collect();
        }
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let table = self.table.clone();
        offload(self.executor.as_ref(), move || {
            texts.iter().map(|text| embed(&table, text)).collect()
        })
        .await
    }
}

/// Texts of so many bytes are embedded sooner than another thread would begin to.
const SHORT: usize = 4 << 10;

/// The vector of a text, of length 1.
fn embed(table: &WordTable, text: &str) -> Option<Embedding> {
    let mut vector = vec![0.0_f32; table.dimension()];
    table.for_each_word(text, |pieces| {
        table.add_mean(pieces, weight(pieces), &mut vector);
    });
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    for x in &mut vector {
        *x /= length;
    }
    // Not of length 0, which no vector may have.
    Embedding::checked(vector, u32::try_from(table.dimension()).ok()?).ok()
}

/// How much a word weighs, by its rarest piece.
fn weight(pieces: &[u16]) -> f32 {
    let rarest = pieces.iter().copied().max().unwrap_or_default();
    let rank = f32::from(rarest.saturating_sub(FIRST_WORD)) + 1.0;
    SMOOTHING / (SMOOTHING + 1.0 / (rank * HARMONIC))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(text: &str) -> Vec<f32> {
        let table = words::embedded().unwrap();
        embed(&table, text).unwrap().as_slice().to_vec()
    }

    fn cosine(one: &str, other: &str) -> f32 {
        let (one, other) = (vector(one), vector(other));
        one.iter().zip(&other).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn texts_of_one_meaning_are_near_without_a_common_word() {
        let text = "The doctor looked at my aching knee.";
        let near = cosine(text, "A physician examined her painful leg");
        let far = cosine(text, "The bakery closes early on public holidays");
        assert!(near > 0.5 && far < 0.25, "{near} {far}");
        assert!((cosine(text, text) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn frequent_words_hardly_count() {
        let with = cosine(
            "canoe trip",
            "and then there was the canoe trip that we had",
        );
        assert!(with > 0.9, "{with}");
    }

    #[test]
    fn a_text_without_known_words_has_no_vector() {
        let table = words::embedded().unwrap();
        assert!(embed(&table, "").is_none());
        assert!(embed(&table, "\u{10A60}\u{10A61}").is_none());
    }
}
