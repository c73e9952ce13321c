//! What a store keeps: resources, their segments, items, categories, relations,
//! replies of models and what they took, embedding sets and the change log.

mod address;
mod category;
mod change;
mod embedding;
mod extra;
mod id;
mod item;
mod reply;
mod resource;
mod segment;
mod tool;
mod usage;

pub use address::public_address;
pub use category::{CategoryItem, MemoryCategory};
pub use change::{Change, Operation, Table};
pub use embedding::{
    EmbedderIdentity, Embedding, EmbeddingSet, OwnedEmbedding, OwnerKind, SetState,
};
pub(crate) use extra::{check_extra, set_extra};
pub use id::Id;
pub use item::{MemoryItem, content_hash};
pub use reply::{ModelReply, ReplySource, ReplyState};
pub use resource::{Blob, ContentHash, Modality, Resource};
pub use segment::{Role, Segment, Span};
pub use tool::{RECENT_CALLS, ToolCall, ToolStatistics};
pub use usage::ModelUsage;

use serde::Serialize;

use crate::error::{Error, Result};
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

    /// The revision under which a store writes this record, a `kind`, into `scope`,
    /// where `stored` is the revision of the one that is there.
    ///
    /// # Errors
    /// As [`Self::check_scope`]; [`ErrorKind::Conflict`](crate::ErrorKind::Conflict)
    /// when the record was not read as it is stored.
    pub fn next_revision(&self, kind: &str, scope: &Scope, stored: Option<u64>) -> Result<u64> {
        self.check_scope(kind, scope)?;
        let current = stored.unwrap_or(0);
        if self.revision == current {
            return Ok(current + 1);
        }
        let message = match (stored, self.revision) {
            (None, _) => format!("the {kind} was removed in the meantime"),
            (Some(_), 0) => format!("the scope already has a {kind} with this id"),
            (Some(_), _) => format!("the {kind} was changed in the meantime"),
        };
        Err(Error::conflict(message)
            .with("id", &self.id)
            .with("revision", self.revision)
            .with("stored revision", current))
    }

    /// The revision under which a store writes this record, a `kind`, into `scope` as it
    /// was in another store; `stored` is the revision of the one that is there.
    ///
    /// # Errors
    /// As [`Self::check_scope`]; [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when
    /// there is one that was written as often; [`ErrorKind::Input`](crate::ErrorKind::Input)
    /// when this one was never stored.
    pub fn restored_revision(&self, kind: &str, scope: &Scope, stored: Option<u64>) -> Result<u64> {
        self.check_scope(kind, scope)?;
        let refusal = match (stored, self.revision) {
            (None, 0) => Error::input(format!("a {kind} that is restored has no revision")),
            (stored, revision) if stored.is_none_or(|stored| stored < revision) => {
                return Ok(revision);
            }
            _ => Error::conflict(format!("the scope already has a {kind} with this id")),
        };
        Err(refusal.with("id", &self.id))
    }

    /// Whether this record, a `kind`, belongs to `scope`, which a batch writes to.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) when it does not.
    pub fn check_scope(&self, kind: &str, scope: &Scope) -> Result<()> {
        if self.scope == *scope {
            return Ok(());
        }
        Err(
            Error::input(format!("a {kind} belongs to another scope than its batch"))
                .with("id", &self.id)
                .with("scope", &self.scope)
                .with("batch", scope),
        )
    }
}
