use crate::records::{
    Blob, CategoryItem, EmbedderIdentity, Id, MemoryCategory, MemoryItem, OwnedEmbedding, Resource,
    Segment,
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
    /// The writes, applied in order.
    pub writes: Vec<Write>,
}

impl WriteBatch {
    /// An empty batch.
    pub fn new(scope: Scope, expected_seq: Option<u64>) -> Self {
        Self {
            scope,
            expected_seq,
            writes: Vec::new(),
        }
    }
}

/// One write.
///
/// A put carries the record with the revision that was read (0 for a new one);
/// the store writes it with the next revision and refuses any other as a
/// conflict. All times on records are the caller's.
#[derive(Clone, Debug)]
pub enum Write {
    /// Keeps content; a hash that is already there is left alone.
    Blob(Blob),
    /// Inserts or changes a resource. Content and modality must be new to the scope.
    Resource(Resource),
    /// Appends segments to a resource that the scope holds.
    Segments(Vec<Segment>),
    /// Inserts or changes an item and its citations.
    Item(MemoryItem),
    /// Inserts or changes a category.
    Category(MemoryCategory),
    /// Files an item under a category; a pair that exists is left alone.
    Relation(CategoryItem),
    /// Stores vectors, replacing those of the same owners. The embedder's set is
    /// created when the first vector arrives.
    Embeddings(EmbedderIdentity, Vec<OwnedEmbedding>),
    /// Removes a resource with its segments, its items and all that hangs on them,
    /// and its content when nothing else refers to it.
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
}

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The number of the last line of the scope's change log.
    pub seq: u64,
}

/// What a clear removed.
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
    /// How many scopes went.
    pub scopes: usize,
}
