use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Id;
use crate::error::{Error, Result};
use crate::vector::dot;

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

/// Squares of lengths, for which cosines have all the digits of 32-bit numbers: lengths from
/// 1e-10 to 1e15, where those of models are about 1.
const SQUARED_LENGTHS: RangeInclusive<f32> = 1e-20..=1e30;

/// A vector that is fit to be stored: finite, not zero, and neither so short nor so long that
/// nothing can be told of its direction.
#[derive(Clone, PartialEq)]
pub struct Embedding(Arc<[f32]>);

impl Embedding {
    /// Checks a vector that a model returned.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) when it has another length
    /// than `dimension`, a value that is not finite, nothing but zeros, or when it is shorter than
    /// 1e-10 or longer than 1e15.
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
        if !SQUARED_LENGTHS.contains(&dot(&values, &values)) {
            return Err(Error::model(
                "an embedding is shorter than 1e-10 or longer than 1e15; bring it to length 1",
            ));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_without_a_direction_that_can_be_told_are_refused() {
        let refused = |values: Vec<f32>, dimension| {
            let checked = Embedding::checked(values, dimension);
            checked.err().map(|error| error.to_string())
        };
        for length in [1e-10_f32, 1e-3, 1.0, 1e9, 9e14] {
            assert_eq!(refused(vec![length, length / 2.0], 2), None, "{length}");
        }
        for (values, part) in [
            (vec![1.0], "has 1 dimensions where 2 are expected"),
            (vec![1.0, f32::NAN], "not a finite number"),
            (vec![0.0, -0.0], "all zeros"),
            (vec![1e-11, 1e-11], "shorter than 1e-10"),
            (vec![1e-30, 1e-40], "shorter than 1e-10"),
            (vec![1e15, 1e15], "longer than 1e15"),
            (vec![3e38, 0.0], "longer than 1e15"),
        ] {
            let error = refused(values, 2).unwrap();
            assert!(error.contains(part), "{error}");
        }
    }
}
