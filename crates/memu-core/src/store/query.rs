use crate::filter::Filter;
use crate::records::{
    ContentHash, EmbedderIdentity, Embedding, Id, MemoryCategory, MemoryItem, Modality, OwnerKind,
    ReplyState, Resource, Segment,
};
use crate::scope::Scope;

/// Which records to read. Scopes are always named: a query without scopes finds
/// nothing, and so does a scope that holds nothing.
///
/// Records come in the order in which they were first stored, over all the scopes
/// together, whatever the order in which scopes or ids are named; what is named
/// twice is found once.
///
/// # What a filter sees
/// Each kind of record has these values for a field; the others are null.
///
/// | field | resource | segment | item | category | relation |
/// |---|---|---|---|---|---|
/// | `created_at`, `updated_at` | own | own | own | own | own |
/// | `happened_at` | null | own | beginning | null | its item's |
/// | `resource_id` | own id | its resource | its resource | its items' | its item's |
/// | `modality` | own | its resource's | its resource's | its items' | its item's |
/// | `memory_type` | its items' | citing items' | own | its items' | its item's |
/// | `category` | its items' | citing items' | its categories | own | its own |
///
/// A category counts with its name and with its id. A model reply has `created_at`,
/// `updated_at`, `resource_id`, and `modality` when its resource is there.
#[derive(Clone, Debug)]
pub struct Query {
    /// The scopes to read.
    pub scopes: Vec<Scope>,
    /// Conditions on the records; conditions on scope fields are not looked at
    /// here, because `scopes` already says it.
    pub filter: Filter,
    /// A narrower choice than everything.
    pub select: Select,
    /// Where the previous page ended.
    pub after: Option<Cursor>,
    /// At most this many records, from 1; 0 is an input error.
    pub limit: usize,
}

impl Query {
    /// All records of one scope, on one page.
    pub fn scope(scope: &Scope) -> Self {
        Self {
            scopes: vec![scope.clone()],
            filter: Filter::default(),
            select: Select::All,
            after: None,
            limit: usize::MAX,
        }
    }

    /// The same query with another choice.
    #[must_use]
    pub fn select(mut self, select: Select) -> Self {
        self.select = select;
        self
    }
}

/// A choice of records that an index answers. A choice that does not apply to a
/// kind of record selects none of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Select {
    /// Everything.
    All,
    /// These records, by id.
    Ids(Vec<Id>),
    /// Records whose id starts with one of these texts (short references).
    IdPrefixes(Vec<String>),
    /// These resources, or their segments, items or model replies; for relations,
    /// those of the resources' items.
    OfResources(Vec<Id>),
    /// Items that cite one of these segments.
    CitingSegments(Vec<Id>),
    /// Relations of these items.
    OfItems(Vec<Id>),
    /// Relations or items of these categories.
    OfCategories(Vec<Id>),
    /// The resource with this content.
    Content(ContentHash, Modality),
    /// Resources of this kind that have this URL or, when one is given, this
    /// caller's id.
    Source {
        /// The URL, as the caller named it.
        url: String,
        /// The caller's own id.
        external_id: Option<String>,
        /// The kind of resource.
        modality: Modality,
    },
    /// Categories with one of these names.
    Names(Vec<String>),
    /// Model replies in one of these states.
    ReplyStates(Vec<ReplyState>),
    /// Model replies to one of these requests, by hash.
    Requests(Vec<ContentHash>),
}

/// Records of one scope, by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordIds {
    /// Resources.
    pub resources: Vec<Id>,
    /// Segments.
    pub segments: Vec<Id>,
    /// Items.
    pub items: Vec<Id>,
    /// Categories.
    pub categories: Vec<Id>,
}

impl RecordIds {
    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        let Self {
            resources,
            segments,
            items,
            categories,
        } = self;
        [resources, segments, items, categories]
            .into_iter()
            .all(Vec::is_empty)
    }
}

/// Records of one scope, each kind in the order in which it was stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordSet {
    /// Resources.
    pub resources: Vec<Resource>,
    /// Segments.
    pub segments: Vec<Segment>,
    /// Items.
    pub items: Vec<MemoryItem>,
    /// Categories.
    pub categories: Vec<MemoryCategory>,
}

/// Where a page ended; opaque, valid for the same query on the same store.
///
/// Reading on finds every record that was there from the first page to the last
/// exactly once, whatever is stored or removed in between. A text that is no
/// cursor of the store is an input error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub String);

/// A page of records.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The records.
    pub records: Vec<T>,
    /// Where to go on; `None` when nothing follows.
    pub next: Option<Cursor>,
}

/// A scope and how far its change log has come.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeState {
    /// The scope.
    pub scope: Scope,
    /// The number of the last line of its change log.
    pub seq: u64,
}

/// A search for the nearest vectors.
#[derive(Clone, Debug)]
pub struct VectorQuery {
    /// The scopes to search.
    pub scopes: Vec<Scope>,
    /// Conditions on the owners; conditions on scope fields are not looked at.
    pub filter: Filter,
    /// The kind of owner.
    pub kind: OwnerKind,
    /// The embedder that made the query vector. Another one than the store's
    /// active set is a config error; while there is no set, nothing is found.
    pub identity: EmbedderIdentity,
    /// The query vector; another length than the embedder's dimension is a model
    /// error.
    pub vector: Embedding,
    /// At most this many hits, from 1; 0 is an input error.
    pub top_k: usize,
}

/// An owner that a vector search found.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorHit {
    /// The owner's scope.
    pub scope: Scope,
    /// The owner.
    pub id: Id,
    /// Where in the stored order of its scope the owner stands, as its outline tells it.
    pub place: u64,
    /// The cosine of the two vectors, from -1 to 1.
    pub score: f32,
}
