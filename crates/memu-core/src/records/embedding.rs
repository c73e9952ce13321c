use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Id;
use crate::error::{Error, Result};

/// Which embedder made a vector. Vectors of different identities are never
/// compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbedderIdentity {
    /// Who runs the model: `local`, `openai`, ….
    pub provider: String,
    /// The model and its version.
    pub model: String,
    /// How many numbers a vector has.
    pub dimension: u32,
}

impl EmbedderIdentity {
    /// Stands for whoever made vectors that came from elsewhere without a name.
    pub fn unknown(dimension: u32) -> Self {
        Self {
            provider: "unknown".to_owned(),
            model: "unknown".to_owned(),
            dimension,
        }
    }

    /// Whether nobody knows who made the vectors.
    pub fn is_unknown(&self) -> bool {
        self.provider == "unknown"
    }
}

impl fmt::Display for EmbedderIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_unknown() {
            return write!(f, "an unknown embedder ({} dimensions)", self.dimension);
        }
        write!(
            f,
            "{}/{} ({} dimensions)",
            self.provider, self.model, self.dimension
        )
    }
}

/// Whether a set answers questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SetState {
    /// Being filled; readers use another.
    Building,
    /// In use.
    Active,
    /// Not in use: replaced, or made by an embedder that nobody knows.
    Retired,
}

impl SetState {
    /// The stable name, as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }
}

/// All vectors of one embedder in one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmbeddingSet {
    /// Its number within the store, from 1.
    pub id: u32,
    /// Who made its vectors.
    pub identity: EmbedderIdentity,
    /// Whether it answers questions.
    pub state: SetState,
}

/// The kind of record a vector belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnerKind {
    /// A resource, by its caption.
    Resource,
    /// A segment, by its text.
    Segment,
    /// An item, by its summary.
    Item,
    /// A category, by its name, description and summary.
    Category,
}

/// A vector that is fit to be stored: finite, not zero.
#[derive(Clone, PartialEq)]
pub struct Embedding(Arc<[f32]>);

impl Embedding {
    /// Checks a vector that a model returned.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) when it has another length
    /// than `dimension`, a value that is not finite, or nothing but zeros.
    pub fn checked(values: Vec<f32>, dimension: u32) -> Result<Self> {
        if values.len() != dimension as usize {
            return Err(Error::model(format!(
                "an embedding has {} dimensions where {dimension} are expected",
                values.len()
            )));
        }
        if let Some(position) = values.iter().position(|value| !value.is_finite()) {
            return Err(
                Error::model("an embedding holds a value that is not a finite number")
                    .with("position", position),
            );
        }
        if values.iter().all(|value| *value == 0.0) {
            return Err(Error::model("an embedding is all zeros"));
        }
        Ok(Self(values.into()))
    }

    /// The numbers.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embedding({} dimensions)", self.0.len())
    }
}

/// A vector and the record it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedEmbedding {
    /// The kind of record.
    pub kind: OwnerKind,
    /// The record.
    pub owner: Id,
    /// The vector.
    pub vector: Embedding,
}
