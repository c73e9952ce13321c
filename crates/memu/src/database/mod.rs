//! The store itself, below the verbs: reading everything, and putting records with ids that
//! the caller chose, as the documented code for export and migration of memU 1.x does.
//!
//! Nothing is extracted, embedded or summarised here: what is handed over is what is kept. For
//! moving a whole memory, [`memu_core::transfer`] is faster and compares what arrived.

mod categories;
mod items;
mod new_items;
mod relations;
mod resources;
mod search;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use memu_core::environment::{Clock, IdSource, RandomIds, SystemClock};
use memu_core::records::{
    CategoryItem, EmbedderIdentity, Embedding, EmbeddingSet, Id, MemoryCategory, MemoryItem, Meta,
    OwnedEmbedding, OwnerKind, Resource, SetState,
};
use memu_core::scope::Scope;
use memu_core::service::{Selection, select_scopes};
use memu_core::store::{Query, Select, Store, Write, WriteBatch};
use memu_core::{Error, Result};
use serde_json::{Map, Value};

pub use categories::{CreateCategory, MemoryCategoryRepo, UpdateCategory};
pub use items::{CreateItem, MemoryItemRepo, UpdateItem};
pub use new_items::NewItems;
pub use relations::CategoryItemRepo;
pub use resources::{CreateResource, ResourceRepo};
pub use search::{Ranking, VectorSearch, salience};

use crate::MemoryServiceBuilder;

/// Conditions on records, as `where` of every verb; or a scope, as `user`.
pub type Object = Map<String, Value>;

/// Records per page.
const PAGE: usize = 1_000;

/// A record with its vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept<T> {
    /// The record.
    pub record: T,
    /// Its vector: of the embedder that was named, else of the one in use, else of an unknown
    /// one; `None` when it has none.
    pub embedding: Option<Embedding>,
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.record
    }
}

/// Everything that a store holds, over all scopes, in stored order.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The resources by id.
    pub resources: Vec<Kept<Resource>>,
    /// The items.
    pub items: Vec<Kept<MemoryItem>>,
    /// The categories.
    pub categories: Vec<Kept<MemoryCategory>>,
    /// The relations.
    pub relations: Vec<CategoryItem>,
}

/// A store with its four repositories.
#[derive(Clone, Debug)]
pub struct Database {
    /// The resources.
    pub resource_repo: ResourceRepo,
    /// The items.
    pub memory_item_repo: MemoryItemRepo,
    /// The categories.
    pub memory_category_repo: MemoryCategoryRepo,
    /// Which items are filed under which categories.
    pub category_item_repo: CategoryItemRepo,
    access: Access,
}

impl Database {
    /// The database of a store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self::with(Access {
            store,
            embedder: None,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        })
    }

    /// The store that a builder means: of its settings, those of the store count.
    ///
    /// # Errors
    /// Those of [`MemoryServiceBuilder::build`] that are about the store.
    pub async fn open(builder: &MemoryServiceBuilder) -> Result<Self> {
        Ok(Self::new(builder.open_store().await?))
    }

    /// The same for vectors of this embedder. Without one, vectors that are put are of an
    /// unknown embedder, which a service adopts when their dimension fits its own.
    #[must_use]
    pub fn embedder(mut self, identity: EmbedderIdentity) -> Self {
        self.access.embedder = Some(identity);
        Self::with(self.access)
    }

    fn with(access: Access) -> Self {
        Self {
            resource_repo: ResourceRepo::new(access.clone()),
            memory_item_repo: MemoryItemRepo::new(access.clone()),
            memory_category_repo: MemoryCategoryRepo::new(access.clone()),
            category_item_repo: CategoryItemRepo::new(access.clone()),
            access,
        }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.access.store
    }

    /// Reads all resources, items, categories and relations of all scopes into memory.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn load_existing(&self) -> Result<Loaded> {
        Ok(Loaded {
            resources: self.resource_repo.load_existing().await?,
            items: self.memory_item_repo.load_existing().await?,
            categories: self.memory_category_repo.load_existing().await?,
            relations: self.category_item_repo.load_existing().await?,
        })
    }

    /// All resources by id, of all scopes. Of equal ids in several scopes the last one stays:
    /// use [`Self::load_existing`] for stores in which callers chose ids.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn resources(&self) -> Result<BTreeMap<Id, Kept<Resource>>> {
        let all = self.resource_repo.load_existing().await?.into_iter();
        Ok(all.map(|one| (one.meta.id.clone(), one)).collect())
    }

    /// All items by id; as [`Self::resources`].
    ///
    /// # Errors
    /// Those of the store.
    pub async fn items(&self) -> Result<BTreeMap<Id, Kept<MemoryItem>>> {
        let all = self.memory_item_repo.load_existing().await?.into_iter();
        Ok(all.map(|one| (one.meta.id.clone(), one)).collect())
    }

    /// All categories by id; as [`Self::resources`].
    ///
    /// # Errors
    /// Those of the store.
    pub async fn categories(&self) -> Result<BTreeMap<Id, Kept<MemoryCategory>>> {
        let all = self.memory_category_repo.load_existing().await?.into_iter();
        Ok(all.map(|one| (one.meta.id.clone(), one)).collect())
    }

    /// All relations, in stored order.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn relations(&self) -> Result<Vec<CategoryItem>> {
        self.category_item_repo.load_existing().await
    }

    /// Finishes all writes and closes the store.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn close(&self) -> Result<()> {
        self.access.store.close().await
    }
}

/// What the repositories share.
#[derive(Clone)]
struct Access {
    store: Arc<dyn Store>,
    embedder: Option<EmbedderIdentity>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("store", &self.store)
            .field("embedder", &self.embedder)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// A query for what a `where` object means; for everything without one.
    async fn query(&self, filter: &Object, all_scopes: bool) -> Result<Query> {
        let Selection { scopes, filter } = select_scopes(&*self.store, filter, all_scopes).await?;
        Ok(Query {
            scopes,
            filter,
            select: Select::All,
            after: None,
            limit: PAGE,
        })
    }

    async fn everything(&self) -> Result<Query> {
        self.query(&Object::new(), true).await
    }

    /// A query for one record, whose scope need not be named.
    async fn by_id(&self, id: &Id) -> Result<Query> {
        let query = self.everything().await?;
        Ok(query.select(Select::Ids(vec![id.clone()])))
    }

    fn scope(&self, user_data: &Object) -> Result<Scope> {
        self.store.schema().scope_from_json(user_data)
    }

    /// What a new record begins with.
    fn meta(&self, id: Option<Id>, user_data: &Object) -> Result<Meta> {
        let id = match id {
            Some(id) => Id::checked(id.as_str())?,
            None => self.ids.next_id(),
        };
        Ok(Meta::new(id, self.scope(user_data)?, self.clock.now()))
    }

    /// Whose vectors are shown, of those in these sets: the first that a record has.
    fn shown(&self, sets: &[EmbeddingSet]) -> Vec<EmbedderIdentity> {
        let active = sets.iter().filter(|set| set.state == SetState::Active);
        let unknown = sets.iter().filter(|set| set.identity.is_unknown());
        let shown = active.chain(unknown).map(|set| set.identity.clone());
        self.embedder.iter().cloned().chain(shown).collect()
    }

    async fn with_vectors<T>(
        &self,
        kind: OwnerKind,
        records: Vec<T>,
        meta: fn(&T) -> &Meta,
    ) -> Result<Vec<Kept<T>>> {
        let mut kept: Vec<Kept<T>> = records
            .into_iter()
            .map(|record| Kept {
                record,
                embedding: None,
            })
            .collect();
        for identity in self.shown(&self.store.embedding_sets().await?) {
            for page in kept.chunks_mut(PAGE) {
                self.add_vectors(kind, &identity, page, meta).await?;
            }
        }
        Ok(kept)
    }

    async fn add_vectors<T>(
        &self,
        kind: OwnerKind,
        identity: &EmbedderIdentity,
        page: &mut [Kept<T>],
        meta: fn(&T) -> &Meta,
    ) -> Result<()> {
        // Records of a scope follow each other, mostly.
        let same = |one: &Kept<T>, next: &Kept<T>| meta(one).scope == meta(next).scope;
        for of_scope in page.chunk_by_mut(same) {
            let Some(first) = of_scope.first() else {
                continue;
            };
            let scope = meta(first).scope.clone();
            let owners: Vec<Id> = of_scope.iter().map(|one| meta(one).id.clone()).collect();
            let found = self
                .store
                .embeddings(&scope, identity, kind, &owners)
                .await?;
            let mut found = found.into_iter().peekable();
            for one in of_scope {
                if let Some(own) = found.next_if(|found| found.owner == meta(&one.record).id) {
                    one.embedding.get_or_insert(own.vector);
                }
            }
        }
        Ok(())
    }

    /// Commits a record and its vector.
    async fn put(
        &self,
        scope: &Scope,
        mut writes: Vec<Write>,
        vector: Option<(OwnerKind, Id, Vec<f32>)>,
    ) -> Result<Option<Embedding>> {
        let mut kept = None;
        if let Some((kind, owner, values)) = vector {
            let (identity, owned) = self.owned(kind, owner, values)?;
            kept = Some(owned.vector.clone());
            writes.push(Write::Embeddings(identity, vec![owned]));
        }
        self.commit(scope, writes).await?;
        Ok(kept)
    }

    /// A vector with its owner and whose it is.
    fn owned(
        &self,
        kind: OwnerKind,
        owner: Id,
        values: Vec<f32>,
    ) -> Result<(EmbedderIdentity, OwnedEmbedding)> {
        let dimension = u32::try_from(values.len()).unwrap_or(u32::MAX);
        let identity = self.embedder.clone();
        let identity = identity.unwrap_or_else(|| EmbedderIdentity::unknown(dimension));
        let vector = fit(values, identity.dimension)?;
        let owned = OwnedEmbedding {
            kind,
            owner,
            vector,
        };
        Ok((identity, owned))
    }

    async fn commit(&self, scope: &Scope, writes: Vec<Write>) -> Result<()> {
        let mut batch = WriteBatch::new(scope.clone(), None);
        batch.writes = writes;
        self.store.commit(batch).await?;
        Ok(())
    }

    /// Removes records, those of a scope together. Returns them.
    async fn remove<T>(
        &self,
        records: Vec<T>,
        meta: fn(&T) -> &Meta,
        remove: fn(&T) -> Write,
    ) -> Result<Vec<T>> {
        let mut by_scope: Vec<WriteBatch> = Vec::new();
        for record in &records {
            let scope = &meta(record).scope;
            let place = by_scope.iter().position(|batch| batch.scope == *scope);
            let place = place.unwrap_or_else(|| {
                by_scope.push(WriteBatch::new(scope.clone(), None));
                by_scope.len() - 1
            });
            if let Some(batch) = by_scope.get_mut(place) {
                batch.writes.push(remove(record));
            }
        }
        for batch in by_scope {
            self.store.commit(batch).await?;
        }
        Ok(records)
    }
}

/// The caller's vector, if it is one: it comes from no model.
fn fit(values: Vec<f32>, dimension: u32) -> Result<Embedding> {
    let unfit = |error: Error| Error::input(error.message().to_owned());
    Embedding::checked(values, dimension).map_err(unfit)
}

/// The one record with an id.
fn only<T>(mut found: Vec<T>, kind: &str, id: &Id) -> Result<Option<T>> {
    if found.len() > 1 {
        return Err(Error::scope(format!(
            "{} scopes hold a {kind} with this id; ids that callers choose must be unique in the \
             store for verbs that name no scope",
            found.len()
        ))
        .with("id", id));
    }
    Ok(found.pop())
}

fn missing(kind: &str, id: &Id) -> Error {
    Error::not_found(format!("the store holds no such {kind}")).with("id", id)
}
