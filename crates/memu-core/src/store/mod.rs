//! What a store must do.
//!
//! The required trait is narrow: read pages of records, search vectors, and
//! commit one [`WriteBatch`] atomically. Everything that can be derived from
//! these lives in the service, once for all stores.

mod batch;
mod building;
mod data;
mod ext;
mod memory;
mod outline;
mod query;
mod report;
pub mod rules;
mod sealed;

pub use batch::{Cleared, Committed, Lease, LogPosition, Write, WriteBatch};
pub use building::{BuiltScope, BuiltVector};
pub use data::{
    CategoryFacts, Effects, Fate, Fates, ItemFacts, ModelReplyFacts, RelationFacts, ResourceFacts,
    ScopeData, SegmentFacts,
};
pub use ext::StoreExt;
pub use memory::InMemoryStore;
pub use outline::ScopeOutline;
pub use query::{
    Cursor, Page, Query, RecordIds, RecordSet, ScopeState, Select, VectorHit, VectorQuery,
};
pub use report::{Finding, Report, Severity};
pub use sealed::{BESIDE, BucketBytes, SealedScope, SealedStore, SegmentEntry};

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil;

use crate::error::Result;
use crate::filter::Filter;
use crate::records::{
    Blob, CategoryItem, Change, ContentHash, EmbedderIdentity, EmbeddingSet, Id, MemoryCategory,
    MemoryItem, ModelReply, ModelUsage, OwnedEmbedding, OwnerKind, Resource, Segment,
};
use crate::scope::{Scope, ScopeSchema};

/// What a store can do, as data that callers and tests read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Capabilities {
    /// The provider's name in configuration: `inmemory`, `sqlite`, `postgres`.
    pub provider: &'static str,
    /// Whether records outlive the process.
    pub durable: bool,
    /// Whether several processes may use the store at once.
    pub multi_process: bool,
    /// Whether vector search returns the true nearest neighbours.
    pub exact_search: bool,
}

/// A place where memories are kept.
///
/// Every method may be called from any task at any time. A future that is
/// dropped leaves the store as if it had never been called or had finished,
/// never in between.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// What this store can do.
    fn capabilities(&self) -> Capabilities;

    /// The scope fields this store was created with.
    fn schema(&self) -> &ScopeSchema;

    /// The scopes whose change log holds a line, or that hold a model reply or usage, and that
    /// match the scope conditions of `filter`, in the order in which they came; at
    /// most `limit`. A scope with a change is listed until it is cleared, also when
    /// every record in it was deleted.
    async fn scopes(&self, filter: &Filter, limit: usize) -> Result<Vec<ScopeState>>;

    /// How far the change log of a scope has come.
    async fn log_position(&self, scope: &Scope) -> Result<LogPosition>;

    /// The number of the last line of a scope's change log; 0 for a scope that holds
    /// nothing.
    async fn last_seq(&self, scope: &Scope) -> Result<u64> {
        Ok(self.log_position(scope).await?.seq)
    }

    /// Resources, in the order in which they were stored.
    async fn resources(&self, query: &Query) -> Result<Page<Resource>>;

    /// Segments, in the order in which they were stored.
    async fn segments(&self, query: &Query) -> Result<Page<Segment>>;

    /// Items, in the order in which they were stored.
    async fn items(&self, query: &Query) -> Result<Page<MemoryItem>>;

    /// Categories, in the order in which they were stored.
    async fn categories(&self, query: &Query) -> Result<Page<MemoryCategory>>;

    /// Relations, in the order in which they were stored.
    async fn relations(&self, query: &Query) -> Result<Page<CategoryItem>>;

    /// Replies of models, in the order in which they were stored.
    async fn model_replies(&self, query: &Query) -> Result<Page<ModelReply>>;

    /// What models have taken in a scope from a day on, by day, profile, model and step in
    /// this order.
    async fn model_usage(&self, scope: &Scope, since: civil::Date) -> Result<Vec<ModelUsage>>;

    /// The content behind a hash; `None` when the scope does not hold it.
    async fn blob(&self, scope: &Scope, hash: &ContentHash) -> Result<Option<Blob>>;

    /// The vectors of these owners, of the given embedder, in the order of
    /// `owners`; owners without one are left out.
    async fn embeddings(
        &self,
        scope: &Scope,
        identity: &EmbedderIdentity,
        kind: OwnerKind,
        owners: &[Id],
    ) -> Result<Vec<OwnedEmbedding>>;

    /// Every embedding set of the store, by id. A set outlives its vectors.
    async fn embedding_sets(&self) -> Result<Vec<EmbeddingSet>>;

    /// The lines of a scope's change log after `after`, in order, at most `limit`.
    async fn changes(&self, scope: &Scope, after: u64, limit: usize) -> Result<Vec<Change>>;

    /// The owners whose vectors are nearest to the query by cosine, best first;
    /// equal scores in the order in which the owners were stored.
    async fn search(&self, query: &VectorQuery) -> Result<Vec<VectorHit>>;

    /// What ranking needs to know of a scope, as of now. With `known`, which this
    /// store gave before for the same scope, only what changed since is read.
    async fn outline(
        &self,
        scope: &Scope,
        known: Option<Arc<ScopeOutline>>,
    ) -> Result<Arc<ScopeOutline>>;

    /// Where the older records of large scopes are sealed; `None` for a store that seals none,
    /// and whose scopes are outlined whole.
    fn sealed(&self) -> Option<&dyn SealedStore> {
        None
    }

    /// The ids of all records of a kind that a query selects, in the order in which
    /// they were stored; its page does not matter.
    async fn ids(&self, kind: OwnerKind, query: &Query) -> Result<Vec<Id>>;

    /// The records of a scope with these ids, all of one moment; those that the scope
    /// does not hold are left out.
    async fn records(&self, scope: &Scope, ids: &RecordIds) -> Result<RecordSet>;

    /// Applies every write of the batch, or none.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when the scope's log is
    /// not where the batch expects it, or a record's revision is not the stored
    /// one; [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when a write names
    /// a record that the scope does not hold;
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when a vector comes from
    /// another embedder than the store's active set;
    /// [`ErrorKind::Scope`](crate::ErrorKind::Scope) when the scope has other fields
    /// than the store. [`Write`] says the rest.
    async fn commit(&self, batch: WriteBatch) -> Result<Committed>;

    /// Removes everything of these scopes, their change logs included, and leaves
    /// no trace of it in the storage. Their numbering starts again at 1, in another
    /// life. Embedding sets stay.
    async fn clear(&self, scopes: &[Scope]) -> Result<Cleared>;

    /// Takes the vectors of an unknown embedder for this one's, and into use: where none is in
    /// use, and they have its dimension. Says whether it did.
    async fn adopt_set(&self, identity: &EmbedderIdentity) -> Result<bool>;

    /// Begins the set of an embedder, which is filled by [`Self::build_vectors`] while
    /// the active one answers. One that is being built already is left as it is; one
    /// that was replaced begins anew once [`Self::drop_replaced`] has emptied it.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when it is in use or not
    /// empty yet.
    async fn begin_set(&self, identity: &EmbedderIdentity) -> Result<()>;

    /// Puts vectors into a set that is being built, in one transaction, and returns how
    /// many were put. Nobody sees them yet, so the change log stays as it is.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when the set is not being
    /// built (any more).
    async fn build_vectors(
        &self,
        scope: &Scope,
        identity: &EmbedderIdentity,
        vectors: Vec<BuiltVector>,
    ) -> Result<usize>;

    /// Puts a set that was built into use, in place of all others, in one transaction:
    /// unless a scope's log has moved on from where it is here. Returns the scopes whose
    /// log has; none when the set is in use now, or was before.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when the set is not being
    /// built (any more).
    async fn activate_set(
        &self,
        identity: &EmbedderIdentity,
        built: Vec<BuiltScope>,
    ) -> Result<Vec<Scope>>;

    /// Removes vectors of sets that were replaced, at most `limit`, with what is derived
    /// from them. Returns how many; 0 when none is left. The sets stay, empty; those of
    /// unknown embedders are kept.
    async fn drop_replaced(&self, limit: usize) -> Result<usize>;

    /// Checks the store, and with `repair` mends what can be derived from the rows.
    async fn check(&self, repair: bool) -> Result<Report>;

    /// Leaves a file complete without a log beside it, as far as others let it at once, and stays
    /// open: for a program that ends and may still write.
    async fn settle(&self) -> Result<()> {
        Ok(())
    }

    /// Finishes all writes and lets go of files and connections. Later calls fail
    /// with a storage error, except another `close`.
    async fn close(&self) -> Result<()>;
}
