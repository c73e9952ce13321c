mod sets;
mod state;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use jiff::civil;

use self::state::State;
use super::data::ScopeData;
use super::{
    BuiltScope, BuiltVector, Capabilities, Cleared, Committed, LogPosition, Page, Query, RecordIds,
    RecordSet, Report, ScopeOutline, ScopeState, Select, Store, VectorHit, VectorQuery, WriteBatch,
};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::ranking::outline::PASSAGE_WORDS;
use crate::records::{
    Blob, CategoryItem, Change, ContentHash, EmbedderIdentity, EmbeddingSet, Id, MemoryCategory,
    MemoryItem, ModelReply, ModelUsage, OwnedEmbedding, OwnerKind, Resource, Segment,
};
use crate::scope::{Scope, ScopeSchema};

/// A store that forgets everything when it is dropped: plain, obviously correct,
/// and the model that other stores are compared with.
#[derive(Debug)]
pub struct InMemoryStore {
    schema: ScopeSchema,
    state: RwLock<State>,
}

impl InMemoryStore {
    /// An empty store with these scope fields.
    pub fn new(schema: ScopeSchema) -> Self {
        Self {
            schema,
            state: RwLock::default(),
        }
    }

    // A panic while the lock is held cannot leave a batch half applied: `apply`
    // has no step that panics. So a poisoned lock is taken over.
    fn read(&self) -> Result<RwLockReadGuard<'_, State>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.check_open()?;
        Ok(state)
    }

    fn write(&self) -> Result<RwLockWriteGuard<'_, State>> {
        let state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.check_open()?;
        Ok(state)
    }
}

impl Default for InMemoryStore {
    fn default() -> Self {
        Self::new(ScopeSchema::default())
    }
}

#[async_trait]
impl Store for InMemoryStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            provider: "inmemory",
            durable: false,
            multi_process: false,
            exact_search: true,
        }
    }

    fn schema(&self) -> &ScopeSchema {
        &self.schema
    }

    async fn scopes(&self, filter: &Filter, limit: usize) -> Result<Vec<ScopeState>> {
        let filter = filter.scope_part();
        let state = self.read()?;
        Ok(state
            .order
            .iter()
            .filter_map(|key| state.scopes.get(key))
            .filter(|data| data.is_listed() && filter.matches(data.scope()))
            .take(limit)
            .map(|data| ScopeState {
                scope: data.scope().clone(),
                seq: data.seq(),
            })
            .collect())
    }

    async fn log_position(&self, scope: &Scope) -> Result<LogPosition> {
        let state = self.read()?;
        let data = state.scope(scope);
        Ok(data.map_or_else(LogPosition::default, ScopeData::log_position))
    }

    async fn resources(&self, query: &Query) -> Result<Page<Resource>> {
        self.read()?.page(query)
    }

    async fn segments(&self, query: &Query) -> Result<Page<Segment>> {
        self.read()?.page(query)
    }

    async fn items(&self, query: &Query) -> Result<Page<MemoryItem>> {
        self.read()?.page(query)
    }

    async fn categories(&self, query: &Query) -> Result<Page<MemoryCategory>> {
        self.read()?.page(query)
    }

    async fn relations(&self, query: &Query) -> Result<Page<CategoryItem>> {
        self.read()?.page(query)
    }

    async fn model_replies(&self, query: &Query) -> Result<Page<ModelReply>> {
        self.read()?.page(query)
    }

    async fn model_usage(&self, scope: &Scope, since: civil::Date) -> Result<Vec<ModelUsage>> {
        let state = self.read()?;
        let data = state.scope(scope);
        let usage = data.into_iter().flat_map(|data| data.model_usage(since));
        Ok(usage.cloned().collect())
    }

    async fn blob(&self, scope: &Scope, hash: &ContentHash) -> Result<Option<Blob>> {
        let state = self.read()?;
        Ok(state.scope(scope).and_then(|data| data.blob(hash)).cloned())
    }

    async fn embeddings(
        &self,
        scope: &Scope,
        identity: &EmbedderIdentity,
        kind: OwnerKind,
        owners: &[Id],
    ) -> Result<Vec<OwnedEmbedding>> {
        let state = self.read()?;
        let Some(data) = state.scope(scope) else {
            return Ok(Vec::new());
        };
        Ok(owners
            .iter()
            .filter_map(|owner| {
                Some(OwnedEmbedding {
                    kind,
                    owner: owner.clone(),
                    vector: data.vector(identity, kind, owner)?.clone(),
                })
            })
            .collect())
    }

    async fn embedding_sets(&self) -> Result<Vec<EmbeddingSet>> {
        Ok(self.read()?.sets.clone())
    }

    async fn changes(&self, scope: &Scope, after: u64, limit: usize) -> Result<Vec<Change>> {
        let state = self.read()?;
        let lines = state
            .scope(scope)
            .map_or(&[][..], |data| data.changes(after));
        Ok(lines.iter().take(limit).cloned().collect())
    }

    async fn search(&self, query: &VectorQuery) -> Result<Vec<VectorHit>> {
        self.read()?.search(query)
    }

    async fn outline(
        &self,
        scope: &Scope,
        known: Option<Arc<ScopeOutline>>,
    ) -> Result<Arc<ScopeOutline>> {
        let state = self.read()?;
        let Some(data) = state.scope(scope) else {
            return Ok(Arc::default());
        };
        let position = data.log_position();
        if let Some(known) = known
            && known.position == position
        {
            return Ok(known);
        }
        let outline = data.outline(PASSAGE_WORDS);
        Ok(Arc::new(ScopeOutline { position, outline }))
    }

    async fn ids(&self, kind: OwnerKind, query: &Query) -> Result<Vec<Id>> {
        let query = Query {
            after: None,
            limit: usize::MAX,
            ..query.clone()
        };
        let state = self.read()?;
        Ok(match kind {
            OwnerKind::Resource => ids(state.page::<Resource>(&query)?, |one| one.meta.id),
            OwnerKind::Segment => ids(state.page::<Segment>(&query)?, |one| one.meta.id),
            OwnerKind::Item => ids(state.page::<MemoryItem>(&query)?, |one| one.meta.id),
            OwnerKind::Category => ids(state.page::<MemoryCategory>(&query)?, |one| one.meta.id),
        })
    }

    async fn records(&self, scope: &Scope, ids: &RecordIds) -> Result<RecordSet> {
        let state = self.read()?;
        let by_id = |ids: &Vec<Id>| Query::scope(scope).select(Select::Ids(ids.clone()));
        Ok(RecordSet {
            resources: state.page(&by_id(&ids.resources))?.records,
            segments: state.page(&by_id(&ids.segments))?.records,
            items: state.page(&by_id(&ids.items))?.records,
            categories: state.page(&by_id(&ids.categories))?.records,
        })
    }

    async fn commit(&self, batch: WriteBatch) -> Result<Committed> {
        if *batch.scope.schema() != self.schema {
            return Err(Error::scope(format!(
                "the scope has the fields {:?}; this store has {:?}",
                batch.scope.schema(),
                self.schema
            )));
        }
        self.write()?.commit(&batch)
    }

    async fn clear(&self, scopes: &[Scope]) -> Result<Cleared> {
        Ok(self.write()?.clear(scopes))
    }

    async fn adopt_set(&self, identity: &EmbedderIdentity) -> Result<bool> {
        Ok(self.write()?.adopt_set(identity))
    }

    async fn begin_set(&self, identity: &EmbedderIdentity) -> Result<()> {
        self.write()?.begin_set(identity)
    }

    async fn build_vectors(
        &self,
        scope: &Scope,
        identity: &EmbedderIdentity,
        vectors: Vec<BuiltVector>,
    ) -> Result<usize> {
        self.write()?.build_vectors(scope, identity, vectors)
    }

    async fn activate_set(
        &self,
        identity: &EmbedderIdentity,
        built: Vec<BuiltScope>,
    ) -> Result<Vec<Scope>> {
        self.write()?.activate_set(identity, &built)
    }

    async fn drop_replaced(&self, limit: usize) -> Result<usize> {
        Ok(self.write()?.drop_replaced(limit))
    }

    async fn check(&self, _repair: bool) -> Result<Report> {
        Ok(self.read()?.report())
    }

    async fn close(&self) -> Result<()> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *state = State {
            closed: true,
            ..State::default()
        };
        Ok(())
    }
}

fn ids<T>(page: Page<T>, id: fn(T) -> Id) -> Vec<Id> {
    page.records.into_iter().map(id).collect()
}
