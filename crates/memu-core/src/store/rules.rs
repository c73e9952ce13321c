//! What a write must satisfy and how it is told, the same for every store.
//! [`Write`](super::Write) says it in words; revisions are at
//! [`Meta`].

use std::fmt::Display;

use crate::error::{Error, Result};
use crate::records::{
    Blob, ContentHash, EmbedderIdentity, EmbeddingSet, Meta, Operation, OwnedEmbedding, SetState,
};

/// What the change log calls the writing of a record.
pub fn put_operation(record: &Meta) -> Operation {
    if record.revision == 0 {
        Operation::Insert
    } else {
        Operation::Update
    }
}

/// Refuses content under a hash that is not its own.
///
/// # Errors
/// [`ErrorKind::Input`](crate::ErrorKind::Input).
pub fn check_content(blob: &Blob) -> Result<()> {
    let found = ContentHash::of(&blob.bytes);
    if found == blob.hash {
        return Ok(());
    }
    Err(
        Error::input("content does not have the hash it is stored under")
            .with("hash", blob.hash)
            .with("hash of the bytes", found),
    )
}

/// Refuses a vector of another length than its embedder's.
///
/// # Errors
/// [`ErrorKind::Model`](crate::ErrorKind::Model).
pub fn check_dimension(identity: &EmbedderIdentity, vector: &OwnedEmbedding) -> Result<()> {
    let (length, expected) = (vector.vector.as_slice().len(), identity.dimension);
    if length == expected as usize {
        return Ok(());
    }
    Err(Error::model(format!(
        "an embedding has {length} dimensions where {expected} are expected"
    ))
    .with("owner", &vector.owner))
}

/// Where vectors of an embedder are put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetForVectors {
    /// The set with this number.
    Known(u32),
    /// A new set, which begins in this state.
    New(SetState),
}

/// The set that takes vectors of this embedder. The first embedder that anybody knows
/// is the store's; vectors of an unknown one are kept, and not in use.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) when the store's vectors are another
/// embedder's.
pub fn set_for_vectors(
    sets: &[EmbeddingSet],
    identity: &EmbedderIdentity,
) -> Result<SetForVectors> {
    let known = sets.iter().find(|set| set.identity == *identity);
    match known {
        Some(set) if set.state != SetState::Retired || identity.is_unknown() => {
            Ok(SetForVectors::Known(set.id))
        }
        None if identity.is_unknown() => Ok(SetForVectors::New(SetState::Retired)),
        _ => {
            check_embedder(sets, identity)?;
            Ok(SetForVectors::New(SetState::Active))
        }
    }
}

/// Refuses to compare with the store's vectors those of another embedder.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config).
pub fn check_embedder(sets: &[EmbeddingSet], identity: &EmbedderIdentity) -> Result<()> {
    match sets.iter().find(|set| set.state == SetState::Active) {
        Some(set) if set.identity != *identity => Err(Error::config(format!(
            "the store's vectors are from {}, but the configured embedder is {identity}; configure \
             the former, or run memu reembed",
            set.identity
        ))),
        _ => Ok(()),
    }
}

/// The error for a record that a write names and the scope does not hold.
pub fn missing(kind: &str, id: impl Display) -> Error {
    Error::not_found(format!("the scope has no such {kind}")).with("id", id)
}
