use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::records::{
    Blob, CategoryItem, EmbedderIdentity, Id, MemoryCategory, MemoryItem, ModelReply, ModelUsage,
    OwnedEmbedding, Resource, Segment,
};
use crate::scope::Scope;

/// Writes to one scope that take effect together or not at all.
#[derive(Clone, Debug)]
pub struct WriteBatch {
    /// The scope that all records belong to.
    pub scope: Scope,
    /// When given, the batch is refused as a conflict unless the scope's change
    /// log ends exactly here: what the batch was planned on still holds.
    pub expected_seq: Option<u64>,
    /// When given, the batch is refused as a conflict unless the scope is still in
    /// this life; see [`LogPosition`].
    pub expected_life: Option<u64>,
    /// What must not go before the batch is committed or refused, also when nobody
    /// waits for it any more: a store drops it with the batch, never earlier.
    pub lease: Option<Lease>,
    /// Whether the records are put as they are: each keeps the revision that it carries, from
    /// 1, and is new to the scope or takes the place of one with a lower revision; otherwise it
    /// is a conflict, and revision 0 where there is none an input error. A sum of
    /// [`ModelUsage`] takes the place of the one that is there instead of adding to it.
    /// Everything else is as at [`Write`]. For records that another store gave; false
    /// for all others.
    pub restoring: bool,
    /// The writes, applied in order.
    pub writes: Vec<Write>,
}

impl WriteBatch {
    /// An empty batch.
    pub fn new(scope: Scope, expected_seq: Option<u64>) -> Self {
        Self {
            scope,
            expected_seq,
            expected_life: None,
            lease: None,
            restoring: false,
            writes: Vec::new(),
        }
    }

    /// Lets the batch be refused unless the scope's change log ends exactly here.
    pub fn expect(&mut self, position: LogPosition) {
        self.expected_seq = Some(position.seq);
        self.expected_life = Some(position.life);
    }

    /// Where the change log must end, when the batch says so in full.
    pub fn expected(&self) -> Option<LogPosition> {
        let (life, seq) = (self.expected_life?, self.expected_seq?);
        Some(LogPosition { life, seq })
    }

    /// Whether the scope's change log is where the batch expects it.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when it is not.
    pub fn check_expected(&self, found: LogPosition) -> Result<()> {
        if self.expected_seq.is_none_or(|seq| seq == found.seq)
            && self.expected_life.is_none_or(|life| {
                // A scope that held nothing and has no line still holds nothing but replies.
                life == found.life || (life == 0 && found.seq == 0)
            })
        {
            return Ok(());
        }
        Err(
            Error::conflict("the scope was changed in the meantime; read it again and retry")
                .with("expected change", self.expected_seq.unwrap_or(found.seq))
                .with("last change", found.seq),
        )
    }
}

/// Keeps something as it is for as long as it, or a clone, lives.
#[derive(Clone)]
pub struct Lease {
    _held: Arc<dyn Any + Send + Sync>,
}

impl Lease {
    /// A lease that ends with `held`.
    pub fn new(held: impl Any + Send + Sync) -> Self {
        Self {
            _held: Arc::new(held),
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lease")
    }
}

/// One write.
///
/// A put of a batch that is not [restoring](WriteBatch::restoring) carries the record with the revision that was read (0 for a new one);
/// the store writes it with the next revision and refuses any other as a
/// conflict: a revision above 0 where there is no record, 0 where there is one,
/// or an old one. A changed record keeps its place in the stored order. All
/// times on records are the caller's. Writes see what earlier writes of the same
/// batch did. A record of another scope than the batch's is an input error. Changing
/// a record takes its vector out of every set that is being built.
///
/// # Change log
/// Each write of a resource, item, category or relation appends one line, in the
/// order of the writes, with the removals that it causes before its own line:
/// first the relations, then the items, each in stored order. Segments count as
/// a change of their resource, and vectors as one of their item, category or
/// resource (for the vector of a segment, its resource): these append an
/// [`Update`](crate::records::Operation::Update), unless the batch has already
/// logged that record. Content, model replies and their usage append nothing. A batch that
/// changes nothing leaves the log where it was.
#[derive(Clone, Debug)]
pub enum Write {
    /// Keeps content; a hash that is already there is left alone. Bytes that do
    /// not have the hash are an input error.
    Blob(Blob),
    /// Inserts or changes a resource. Content and modality must be new to the
    /// scope, or it is a conflict. When its content changes, the old content
    /// goes unless another resource refers to it.
    Resource(Resource),
    /// Appends segments to a resource that the scope holds. They are never
    /// changed: their revision is 0 here and 1 once stored, and an id that the
    /// scope knows or an ordinal that the resource has is a conflict.
    Segments(Vec<Segment>),
    /// Inserts or changes an item and its citations. The resource it names and
    /// the segments it cites must be there; citing one twice is an input error.
    Item(MemoryItem),
    /// Inserts or changes a category. Names may repeat.
    Category(MemoryCategory),
    /// Files an item under a category; a pair that exists is left alone, whatever
    /// the id. Relations are never changed: an id that has another pair is a
    /// conflict.
    Relation(CategoryItem),
    /// Stores vectors, replacing those of the same owners. The embedder's set is
    /// created when the first vector arrives. Owners must be there; a vector of
    /// another length than the embedder's dimension is a model error. While another set
    /// is active, vectors for one that is being built come by
    /// [`Store::build_vectors`](super::Store::build_vectors) only.
    Embeddings(EmbedderIdentity, Vec<OwnedEmbedding>),
    /// Inserts or changes the reply of a model. The resource that it names need not
    /// be there. It leaves the change log as it is: plans that were made before it
    /// still hold.
    ModelReply(Box<ModelReply>),
    /// Adds to what the models of the scope have taken. It leaves the change log as it is,
    /// and stays until the scope is cleared.
    ModelUsage(ModelUsage),
    /// Removes a resource with its segments, its items and all that hangs on them,
    /// the model replies about it, and its content, with the replies about that,
    /// when nothing else refers to it. A file beside the store is not the store's: it
    /// becomes a stray that the service's check finds. Items of other resources
    /// that cite its segments lose those citations: they get the next revision
    /// and a line in the log, after the removed items and before the resource.
    DeleteResource(Id),
    /// Removes an item with its citations, relations and vector.
    DeleteItem(Id),
    /// Removes a category with its relations and vector.
    DeleteCategory(Id),
    /// Takes an item out of a category.
    DeleteRelation {
        /// The item.
        item_id: Id,
        /// The category.
        category_id: Id,
    },
    /// Removes the reply of a model.
    DeleteModelReply(Id),
}

impl From<ModelReply> for Write {
    fn from(reply: ModelReply) -> Self {
        Self::ModelReply(Box::new(reply))
    }
}

impl Write {
    /// Whether it removes a record.
    pub fn is_delete(&self) -> bool {
        matches!(
            self,
            Self::DeleteResource(_)
                | Self::DeleteItem(_)
                | Self::DeleteCategory(_)
                | Self::DeleteRelation { .. }
                | Self::DeleteModelReply(_)
        )
    }
}

/// How far the change log of a scope has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogPosition {
    /// Which life of the scope it is: a scope that is cleared and written to again
    /// counts its lines anew, but gets a number here that the store has never given
    /// to any scope. 0 for a scope that holds nothing.
    pub life: u64,
    /// The number of the last line; 0 when there is none.
    pub seq: u64,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Which life of the scope it is; see [`LogPosition`].
    pub life: u64,
    /// The number of the last line of the scope's change log.
    pub seq: u64,
}

impl Committed {
    /// Where the scope's change log ends now.
    pub fn position(self) -> LogPosition {
        let Self { life, seq } = self;
        LogPosition { life, seq }
    }
}

/// What a clear removed, scope by scope as they were named, each in stored order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cleared {
    /// The resources.
    pub resources: Vec<Resource>,
    /// The items.
    pub items: Vec<MemoryItem>,
    /// The categories.
    pub categories: Vec<MemoryCategory>,
    /// How many relations went.
    pub relations: usize,
    /// How many segments went.
    pub segments: usize,
    /// How many model replies went.
    pub model_replies: usize,
    /// How many scopes went.
    pub scopes: usize,
}
