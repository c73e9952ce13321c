//! Vectors of texts by all-MiniLM-L6-v2, a small neural model that runs on the CPU.
//!
//! The model (Wang et al., *MiniLM*, 2020; trained on sentence pairs by the
//! sentence-transformers project, Apache-2.0) is read from a folder: `config.json` and
//! `model.safetensors`. Its vocabulary is the one that is compiled in. A text is cut after
//! 256 tokens, as its authors do; its vector is the mean over its tokens, of length 1.

mod encoder;
mod weights;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use memu_core::environment::{Executor, offload};
use memu_core::provider::Embedder;
use memu_core::records::{EmbedderIdentity, Embedding};
use memu_core::{Error, Result};

use crate::words::{self, WordTable};
use encoder::Encoder;

/// BERT's marks: for an unknown word, and around a text.
const UNKNOWN: u16 = 100;
const BEGIN: u16 = 101;
const END: u16 = 102;

/// The most tokens of a text, marks included.
const MAX_TOKENS: usize = 256;
/// About how many tokens are encoded at once: enough to keep a processor busy, and few
/// enough for its caches.
const BATCH_TOKENS: usize = 1_024;
/// At most this many threads compute.
const MAX_THREADS: usize = 4;

/// The embedder.
#[derive(Clone, Debug)]
pub struct MiniLm {
    identity: EmbedderIdentity,
    encoder: Arc<Encoder>,
    vocabulary: Arc<WordTable>,
    executor: Arc<dyn Executor>,
}

impl MiniLm {
    /// Reads the model from a folder; it computes on `executor`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config) when the folder does not hold
    /// the model, naming the file and what is wrong with it.
    pub fn open(folder: &Path, executor: Arc<dyn Executor>) -> Result<Self> {
        let encoder = Encoder::open(folder)?;
        let vocabulary = words::embedded()?;
        if vocabulary.len() != encoder.vocabulary_size() {
            return Err(Error::config(format!(
                "the model has {} words where all-MiniLM-L6-v2 has {}",
                encoder.vocabulary_size(),
                vocabulary.len()
            ))
            .with("folder", folder.display()));
        }
        Ok(Self {
            identity: EmbedderIdentity {
                provider: "local".to_owned(),
                model: "all-MiniLM-L6-v2".to_owned(),
                dimension: u32::try_from(encoder.width()).unwrap_or(u32::MAX),
            },
            encoder: Arc::new(encoder),
            vocabulary,
            executor,
        })
    }

    fn tokens(&self, text: &str) -> Vec<u16> {
        let mut tokens = vec![BEGIN];
        self.vocabulary.for_each_word(text, |pieces| {
            if pieces.is_empty() {
                tokens.push(UNKNOWN);
            }
            tokens.extend_from_slice(pieces);
        });
        tokens.truncate(MAX_TOKENS - 1);
        tokens.push(END);
        tokens
    }

    /// The vectors of texts, in order; empty for one without tokens.
    fn encode(&self, texts: &[String]) -> Vec<Vec<f32>> {
        let tokens: Vec<Vec<u16>> = texts.iter().map(|text| self.tokens(text)).collect();
        let mut order: Vec<usize> = (0..tokens.len()).collect();
        let length = |at: &usize| tokens.get(*at).map_or(0, Vec::len);
        // Two marks alone are no text.
        order.retain(|at| length(at) > 2);
        order.sort_by_key(length);
        let batches = batches(&order, &tokens);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(MAX_THREADS).min(batches.len().max(1));
        let mut vectors = vec![Vec::new(); texts.len()];
        std::thread::scope(|scope| {
            let shares: Vec<_> = (0..threads)
                .map(|thread| {
                    let mine = batches.iter().skip(thread).step_by(threads);
                    let tokens = &tokens;
                    scope.spawn(move || {
                        mine.flat_map(|batch| {
                            let texts: Vec<&[u16]> = batch
                                .iter()
                                .filter_map(|at| tokens.get(*at).map(Vec::as_slice))
                                .collect();
                            batch.iter().copied().zip(self.encoder.encode(&texts))
                        })
                        .collect::<Vec<_>>()
                    })
                })
                .collect();
            for share in shares {
                for (at, vector) in share.join().unwrap_or_default() {
                    if let Some(slot) = vectors.get_mut(at) {
                        *slot = vector;
                    }
                }
            }
        });
        vectors
    }
}

/// Texts of about one length together.
fn batches(order: &[usize], tokens: &[Vec<u16>]) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for at in order {
        let length = tokens.get(*at).map_or(0, Vec::len);
        match batches.last_mut() {
            Some(batch) if room >= length => batch.push(*at),
            _ => {
                batches.push(vec![*at]);
                room = BATCH_TOKENS;
            }
        }
        room = room.saturating_sub(length);
    }
    batches
}

#[async_trait]
impl Embedder for MiniLm {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    fn embeds_segments(&self) -> bool {
        true
    }

    async fn embed(&self, texts: &[&str]) -> Result<Vec<Option<Embedding>>> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let (count, this) = (texts.len(), self.clone());
        let vectors = offload(&*self.executor, move || this.encode(&texts)).await?;
        if vectors.len() != count {
            return Err(Error::internal("texts and vectors do not match"));
        }
        let dimension = self.identity.dimension;
        let embedded = vectors.into_iter().map(|vector| {
            // Without tokens there is no vector.
            if vector.is_empty() {
                return Ok(None);
            }
            Embedding::checked(vector, dimension).map(Some)
        });
        embedded.collect()
    }
}
