//! Vectors to search among.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use memu::core::provider::Embedder;
use memu::core::records::{EmbedderIdentity, Embedding};
use memu::local::LocalEmbedder;
use memu::{CreateItems, Result, TokioExecutor};

use super::texts::Random;

/// How many numbers a vector has.
pub(super) const DIMENSION: usize = 384;

/// Who makes vectors of texts for a benchmark.
#[derive(Debug)]
pub(super) struct BenchEmbedder {
    identity: EmbedderIdentity,
    kind: Kind,
    /// Whether questions are compared with what it made of memories.
    compares: bool,
    /// Vectors that were made before the time is taken.
    prepared: Mutex<HashMap<String, Embedding>>,
}

/// What the vectors are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vectors {
    /// Those of our embedder.
    Words,
    /// Numbers that have nothing to do with each other: the hardest to search.
    Gaussian,
}

impl Vectors {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Gaussian => "gaussian",
        }
    }
}

#[derive(Debug)]
enum Kind {
    /// Our embedder's vectors, turned into as many dimensions by a rotation, which changes
    /// no angle between them.
    Words(LocalEmbedder, Vec<Vec<f32>>),
    Gaussian,
}

impl BenchEmbedder {
    pub(super) fn new(vectors: Vectors) -> Result<Self> {
        let kind = match vectors {
            Vectors::Words => {
                let embedder = LocalEmbedder::new(Arc::new(TokioExecutor))?;
                let from = embedder.identity().dimension as usize;
                Kind::Words(embedder, rotation(from))
            }
            Vectors::Gaussian => Kind::Gaussian,
        };
        Ok(Self {
            identity: EmbedderIdentity {
                provider: "bench".to_owned(),
                model: vectors.name().to_owned(),
                dimension: DIMENSION as u32,
            },
            kind,
            compares: false,
            prepared: Mutex::default(),
        })
    }

    /// The same, with which questions are compared with what it made of memories, as is done with
    /// neural networks.
    pub(super) fn comparing(self) -> Self {
        Self {
            compares: true,
            ..self
        }
    }

    /// Makes the vectors of texts, so that asking for them again takes no time.
    pub(super) async fn prepare(&self, texts: &[&str]) -> Result<()> {
        let vectors = self.embed(texts).await?;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.clear();
        for (text, vector) in texts.iter().zip(vectors) {
            if let Some(vector) = vector {
                prepared.insert((*text).to_owned(), vector);
            }
        }
        Ok(())
    }

    /// The same for memories that are to be stored.
    pub(super) async fn prepare_items(&self, request: &CreateItems) -> Result<()> {
        let items = request.items.iter();
        let texts: Vec<&str> = items.map(|item| item.content.as_str()).collect();
        self.prepare(&texts).await
    }

    fn prepared(&self, texts: &[&str]) -> Option<Vec<Option<Embedding>>> {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let found = texts
            .iter()
            .map(|text| prepared.get(*text).cloned().map(Some));
        found.collect()
    }
}

/// As many directions, at right angles to each other, as there are numbers to turn.
fn rotation(from: usize) -> Vec<Vec<f32>> {
    let mut random = Random::new(2);
    let mut directions: Vec<Vec<f32>> = Vec::with_capacity(from);
    for _ in 0..from {
        let mut direction: Vec<f32> = (0..DIMENSION).map(|_| random.normal()).collect();
        for known in &directions {
            let along: f32 = direction.iter().zip(known).map(|(a, b)| a * b).sum();
            for (x, known) in direction.iter_mut().zip(known) {
                *x -= along * known;
            }
        }
        directions.push(unit(direction));
    }
    directions
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    for x in &mut vector {
        *x /= length;
    }
    vector
}

/// The same text gives the same numbers.
fn gaussian(text: &str) -> Vec<f32> {
    let seed = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut random = Random::new(seed);
    unit((0..DIMENSION).map(|_| random.normal()).collect())
}

#[async_trait]
impl Embedder for BenchEmbedder {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    fn embeds_segments(&self) -> bool {
        self.compares
    }

    async fn embed(&self, texts: &[&str]) -> Result<Vec<Option<Embedding>>> {
        if let Some(prepared) = self.prepared(texts) {
            return Ok(prepared);
        }
        let dimension = DIMENSION as u32;
        let vectors: Vec<Option<Vec<f32>>> = match &self.kind {
            Kind::Gaussian => texts.iter().map(|text| Some(gaussian(text))).collect(),
            Kind::Words(embedder, rotation) => {
                let embedded = embedder.embed(texts).await?;
                let turned = embedded.into_iter().map(|vector| {
                    let vector = vector?;
                    let mut sum = vec![0.0_f32; DIMENSION];
                    for (x, direction) in vector.as_slice().iter().zip(rotation) {
                        for (sum, along) in sum.iter_mut().zip(direction) {
                            *sum += x * along;
                        }
                    }
                    Some(sum)
                });
                turned.collect()
            }
        };
        vectors
            .into_iter()
            .map(|vector| {
                vector
                    .map(|vector| Embedding::checked(vector, dimension))
                    .transpose()
            })
            .collect()
    }
}
