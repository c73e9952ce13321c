//! What a store keeps: resources, their segments, items, categories, relations,
//! embedding sets and the change log.

mod category;
mod change;
mod embedding;
mod id;
mod item;
mod resource;
mod segment;

pub use category::{CategoryItem, MemoryCategory};
pub use change::{Change, Operation, Table};
pub use embedding::{
    EmbedderIdentity, Embedding, EmbeddingSet, OwnedEmbedding, OwnerKind, SetState,
};
pub use id::Id;
pub use item::{MemoryItem, content_hash};
pub use resource::{Blob, ContentHash, Modality, Resource};
pub use segment::{Role, Segment, Span};

use serde::Serialize;

use crate::scope::Scope;
use crate::time::Timestamp;

/// What every record carries beside its own fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Meta {
    /// The identifier, unique within its table and scope. Lowercase UUID text
    /// when MemU makes it; callers may choose their own.
    pub id: Id,
    /// Whose record it is.
    #[serde(flatten)]
    pub scope: Scope,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it was written: 0 before the first write, then 1, 2, …. A write
    /// must carry the revision that it read, or it is refused as a conflict.
    #[serde(skip)]
    pub revision: u64,
    /// From when the record holds; `None` for always.
    #[serde(skip)]
    pub valid_from: Option<Timestamp>,
    /// Until when it held; `None` while it does.
    #[serde(skip)]
    pub valid_to: Option<Timestamp>,
    /// The record that took its place.
    #[serde(skip)]
    pub superseded_by: Option<Id>,
}

impl Meta {
    /// The circumstances of a record that is new at `now`.
    pub fn new(id: Id, scope: Scope, now: Timestamp) -> Self {
        Self {
            id,
            scope,
            created_at: now,
            updated_at: now,
            revision: 0,
            valid_from: None,
            valid_to: None,
            superseded_by: None,
        }
    }
}
