//! What a write must satisfy and how it is told, the same for every store.
//! [`Write`](super::Write) says it in words; revisions are at
//! [`Meta`](crate::records::Meta).

use std::fmt::Display;

use crate::error::{Error, Result};
use crate::records::{
    Blob, ContentHash, EmbedderIdentity, EmbeddingSet, Operation, OwnedEmbedding, SetState,
};

/// What the change log calls the writing of a record, which was `known` or not.
pub fn put_operation(known: bool) -> Operation {
    if known {
        Operation::Update
    } else {
        Operation::Insert
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
    if identity.is_unknown() {
        return Ok(known.map_or(SetForVectors::New(SetState::Retired), |set| {
            SetForVectors::Known(set.id)
        }));
    }
    check_embedder(sets, identity)?;
    Ok(known.map_or(SetForVectors::New(SetState::Active), |set| {
        SetForVectors::Known(set.id)
    }))
}

/// Refuses to compare with the store's vectors those of another embedder.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config).
pub fn check_embedder(sets: &[EmbeddingSet], identity: &EmbedderIdentity) -> Result<()> {
    let Some(active) = sets.iter().find(|set| set.state == SetState::Active) else {
        return Ok(());
    };
    if active.identity == *identity {
        return Ok(());
    }
    let active = &active.identity;
    let own = sets.iter().find(|set| set.identity == *identity);
    Err(Error::config(match own.map(|set| set.state) {
        Some(SetState::Building) => format!(
            "the store's vectors are from {active} until those from {identity} are complete; \
             configure the former, or have memu reembed finish"
        ),
        Some(SetState::Retired) => format!(
            "this memory now uses {active}: its vectors have replaced those from {identity}; \
             configure the former, or run memu reembed to go back"
        ),
        _ => format!(
            "the store's vectors are from {active}, but the configured embedder is {identity}; \
             configure the former, or run memu reembed"
        ),
    }))
}

/// The set of an unknown embedder whose vectors are taken for this embedder's: while none is
/// in use, and nothing of its own is there, those of its dimension.
pub fn adoptable<'s>(
    sets: &'s [EmbeddingSet],
    identity: &EmbedderIdentity,
) -> Option<&'s EmbeddingSet> {
    let taken = |set: &EmbeddingSet| set.state == SetState::Active || set.identity == *identity;
    if identity.is_unknown() || sets.iter().any(taken) {
        return None;
    }
    let unknown = EmbedderIdentity::unknown(identity.dimension);
    sets.iter().find(|set| set.identity == unknown)
}

/// Whether the set of an embedder must be made before it can be built.
///
/// # Errors
/// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when it is active.
pub fn must_begin(sets: &[EmbeddingSet], identity: &EmbedderIdentity) -> Result<bool> {
    match sets.iter().find(|set| set.identity == *identity) {
        Some(set) if set.state == SetState::Building => Ok(false),
        Some(set) if set.state == SetState::Active => Err(Error::conflict(format!(
            "the vectors from {identity} are in use already"
        ))),
        _ => Ok(true),
    }
}

/// The error for a set that must be emptied before it begins anew.
pub fn not_empty(identity: &EmbedderIdentity) -> Error {
    Error::conflict(format!(
        "old vectors from {identity} have not been removed yet"
    ))
}

/// The set of an embedder that is being built.
///
/// # Errors
/// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when it is not being built.
pub fn being_built<'s>(
    sets: &'s [EmbeddingSet],
    identity: &EmbedderIdentity,
) -> Result<&'s EmbeddingSet> {
    let built = |set: &&EmbeddingSet| set.identity == *identity && set.state == SetState::Building;
    sets.iter().find(built).ok_or_else(|| {
        Error::conflict(format!(
            "the vectors from {identity} are not being built any more; another memu reembed has \
             ended in the meantime"
        ))
    })
}

/// Whether the set of an embedder is the one in use.
pub fn is_active(sets: &[EmbeddingSet], identity: &EmbedderIdentity) -> bool {
    let active = |set: &EmbeddingSet| set.identity == *identity && set.state == SetState::Active;
    sets.iter().any(active)
}

/// The sets whose vectors are to be removed: they were replaced.
pub fn replaced(sets: &[EmbeddingSet]) -> impl Iterator<Item = &EmbeddingSet> {
    let replaced =
        |set: &&EmbeddingSet| set.state == SetState::Retired && !set.identity.is_unknown();
    sets.iter().filter(replaced)
}

/// The error for a record that a write names and the scope does not hold.
pub fn missing(kind: &str, id: impl Display) -> Error {
    Error::not_found(format!("the scope has no such {kind}")).with("id", id)
}
