//! An embedder for tests.

use std::hash::{DefaultHasher, Hash, Hasher};

use async_trait::async_trait;
use memu::Result;
use memu::core::provider::Embedder;
use memu::core::records::{EmbedderIdentity, Embedding};

const DIMENSION: usize = 32;

/// Texts are near to each other that share words.
#[derive(Debug)]
pub(crate) struct SharedWords(EmbedderIdentity);

impl SharedWords {
    pub(crate) fn new() -> Self {
        Self(EmbedderIdentity {
            provider: "test".into(),
            model: "shared-words".into(),
            dimension: u32::try_from(DIMENSION).unwrap(),
        })
    }
}

#[async_trait]
impl Embedder for SharedWords {
    fn identity(&self) -> &EmbedderIdentity {
        &self.0
    }

    fn embeds_segments(&self) -> bool {
        true
    }

    async fn embed(&self, texts: &[&str]) -> Result<Vec<Option<Embedding>>> {
        let embed = |text: &&str| {
            let mut vector = vec![0.05; DIMENSION];
            for word in text.split(|letter: char| !letter.is_alphanumeric()) {
                let mut hasher = DefaultHasher::new();
                word.to_lowercase().hash(&mut hasher);
                let hash = hasher.finish();
                vector[hash as usize % DIMENSION] += 1.0;
                vector[(hash >> 32) as usize % DIMENSION] -= 0.5;
            }
            Embedding::checked(vector, self.0.dimension).map(Some)
        };
        texts.iter().map(embed).collect()
    }
}
