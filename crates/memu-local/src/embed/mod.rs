//! Vectors of texts without a model: signed feature hashing.
//!
//! A text becomes a bag of features — the stems of its words, the letter
//! trigrams of those stems, and pairs of neighbouring stems — and each feature is
//! added to one of 256 numbers, or taken from it, as its hash says (Weinberger et
//! al., "Feature Hashing for Large Scale Multitask Learning", 2009). The vector is
//! then scaled to length 1.
//!
//! # What a cosine means
//!
//! It says how many words two texts share, not whether they mean the same:
//! synonyms are strangers to this embedder.
//!
//! | cosine | the texts |
//! |---|---|
//! | 1.0 | have the same words in the same order, but for case, inflection, punctuation and stop words |
//! | 0.7 – 1.0 | say nearly the same in the same words, perhaps in another order |
//! | 0.4 – 0.7 | share about half of their words |
//! | 0.2 – 0.4 | share a word or two, or long parts of words |
//! | below 0.2 | share nothing that could be told from chance |
//!
//! Texts without a common feature have a cosine near 0 that chance decides, with
//! a standard deviation of about 0.06, either way.
//!
//! # The same on every machine
//!
//! Features are summed as integers, and the scaling uses only operations that
//! IEEE 754 rounds exactly, in one order; so every platform computes the same
//! bytes.

mod features;

use std::sync::Arc;

use async_trait::async_trait;
use memu_core::Result;
use memu_core::environment::{Executor, offload};
use memu_core::provider::Embedder;
use memu_core::records::{EmbedderIdentity, Embedding};

use features::FeatureSums;

/// How many numbers a vector has.
pub const DIMENSION: u32 = 256;

/// The embedder of the local provider; see the [module](self) for what its
/// vectors mean.
#[derive(Clone, Debug)]
pub struct HashEmbedder {
    identity: EmbedderIdentity,
    executor: Arc<dyn Executor>,
}

impl HashEmbedder {
    /// An embedder that computes on `executor`.
    pub fn new(executor: Arc<dyn Executor>) -> Self {
        Self {
            identity: EmbedderIdentity {
                provider: "local".to_owned(),
                model: "hash-v1".to_owned(),
                dimension: DIMENSION,
            },
            executor,
        }
    }

    /// The vector of `text`, of length 1; `None` when it has nothing but stop
    /// words and punctuation.
    pub fn embed_text(&self, text: &str) -> Option<Embedding> {
        embed_text(text)
    }
}

#[async_trait]
impl Embedder for HashEmbedder {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    /// As [`HashEmbedder::embed_text`], for each text.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](memu_core::ErrorKind::Internal) when the executor
    /// drops the work.
    async fn embed(&self, texts: &[&str]) -> Result<Vec<Option<Embedding>>> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        offload(self.executor.as_ref(), move || {
            texts.iter().map(|text| embed_text(text)).collect()
        })
        .await
    }
}

fn embed_text(text: &str) -> Option<Embedding> {
    let vector = FeatureSums::of(text).normalised()?;
    Embedding::checked(vector, DIMENSION).ok()
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use memu_core::environment::InlineExecutor;

    use super::*;

    fn vector(text: &str) -> Vec<f32> {
        embed_text(text).unwrap().as_slice().to_vec()
    }

    fn cosine(one: &str, other: &str) -> f32 {
        vector(one)
            .iter()
            .zip(vector(other))
            .map(|(a, b)| a * b)
            .sum()
    }

    #[test]
    fn equal_texts_have_cosine_one_and_length_one() {
        let text = "Priya keeps two parrots in her kitchen.";
        assert_eq!(vector(text), vector(text));
        assert!((cosine(text, text) - 1.0).abs() < 1e-6);
        // Case, stop words, punctuation and inflection do not matter.
        assert!(cosine(text, "PRIYA is keeping two parrots, in the kitchens!") > 0.999);
    }

    #[test]
    fn the_table_of_cosines_holds() {
        let text = "Priya bought a wooden canoe in Oslo";
        for (other, low, high) in [
            ("In Oslo a wooden canoe was bought by Priya", 0.7, 1.0),
            ("Priya sold a wooden canoe to Henrik", 0.4, 0.7),
            ("Henrik paddled the canoe across three lakes", 0.1, 0.4),
            ("The bakery closes early on public holidays", -0.2, 0.2),
        ] {
            let cosine = cosine(text, other);
            assert!((low..=high).contains(&cosine), "{other}: {cosine}");
        }
    }

    #[test]
    fn misspelt_and_derived_words_are_nearer_than_unrelated_ones() {
        for (one, other) in [
            ("photographer", "photography"),
            (
                "a photographer exhibits portraits",
                "a photograher exhibbits portaits",
            ),
            ("organiser", "organizer"),
            ("Ljubljana", "Lubljana"),
        ] {
            let (near, far) = (cosine(one, other), cosine(one, "cheap winter tyres"));
            assert!(near > far + 0.1, "{one}, {other}: {near} {far}");
        }
    }

    #[test]
    fn the_order_of_words_matters_a_little() {
        let same_words = cosine("dog bites man", "man bites dog");
        assert!((0.8..0.99).contains(&same_words), "{same_words}");
    }

    #[test]
    fn texts_without_terms_have_no_vector() {
        for text in ["", "  \n", "?! …", "and then it was them", "🥲"] {
            assert_eq!(embed_text(text), None, "{text:?}");
        }
        assert!(embed_text("健康").is_some());
        assert!(embed_text("Ж\0x").is_some());
    }

    #[test]
    fn a_long_text_stays_finite() {
        let vector = vector(&"river delta sediment ".repeat(50_000));
        let length: f32 = vector.iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-4);
    }

    #[test]
    fn the_bytes_are_the_same_on_every_platform() {
        let checksum = vector("The lighthouse keeper paints small blue boats — 14 so far.")
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
            });
        assert_eq!(checksum, 5_502_536_649_642_183_038);
    }

    #[test]
    fn a_batch_keeps_its_order_and_its_gaps() {
        let embedder = HashEmbedder::new(Arc::new(InlineExecutor));
        let texts = ["tall ships", "", "quiet trains"];
        let mut future = pin!(embedder.embed(&texts));
        let Poll::Ready(vectors) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("the inline executor answers at once");
        };
        assert_eq!(vectors.unwrap(), texts.map(embed_text));
        assert_eq!(
            embedder.identity().to_string(),
            "local/hash-v1 (256 dimensions)"
        );
    }
}
