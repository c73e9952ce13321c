//! What a write must satisfy and how it is told, the same for every store.
//! [`Write`](super::Write) says it in words; revisions are at
//! [`Meta`].

use std::fmt::Display;

use crate::error::{Error, Result};
use crate::records::{Blob, ContentHash, EmbedderIdentity, Meta, Operation, OwnedEmbedding};

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

/// The error for a record that a write names and the scope does not hold.
pub fn missing(kind: &str, id: impl Display) -> Error {
    Error::not_found(format!("the scope has no such {kind}")).with("id", id)
}
