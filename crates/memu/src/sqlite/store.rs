//! The store's operations, each as a job for one of its threads.

use std::sync::Arc;

use async_trait::async_trait;
use memu_core::Result;
use memu_core::environment::{Executor, offload};
use memu_core::filter::Filter;
use memu_core::records::{
    Blob, CategoryItem, Change, ContentHash, EmbedderIdentity, EmbeddingSet, Id, MemoryCategory,
    MemoryItem, ModelReply, ModelUsage, OwnedEmbedding, OwnerKind, Resource, Segment,
};
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{
    BuiltScope, BuiltVector, Capabilities, Cleared, Committed, LogPosition, Page, Query, RecordIds,
    RecordSet, Report, ScopeOutline, ScopeState, Store, VectorHit, VectorQuery, WriteBatch, rules,
};
use memu_core::time::civil;
use rusqlite::Connection;

use super::connection::write;
use super::{
    SqliteStore, check, clear, codes, commit, outlines, read, scopes, sets, usage, vectors,
};
use crate::TokioExecutor;

#[async_trait]
impl Store for SqliteStore {
    fn capabilities(&self) -> Capabilities {
        let durable = self.shared.path.is_some();
        Capabilities {
            provider: "sqlite",
            durable,
            multi_process: durable,
            exact_search: self.shared.exact_search,
        }
    }

    fn schema(&self) -> &ScopeSchema {
        &self.schema
    }

    async fn scopes(&self, filter: &Filter, limit: usize) -> Result<Vec<ScopeState>> {
        let (schema, filter) = (self.schema.clone(), filter.clone());
        self.read(move |connection| scopes::scopes(connection, &schema, &filter, limit))
            .await
    }

    async fn log_position(&self, scope: &Scope) -> Result<LogPosition> {
        let scope = scope.clone();
        self.read(move |connection| {
            Ok(scopes::log_position(scopes::scope_row(connection, &scope)?))
        })
        .await
    }

    async fn resources(&self, query: &Query) -> Result<Page<Resource>> {
        let query = query.clone();
        self.read(move |connection| read::page(connection, &query))
            .await
    }

    async fn segments(&self, query: &Query) -> Result<Page<Segment>> {
        let query = query.clone();
        self.read(move |connection| read::page(connection, &query))
            .await
    }

    async fn items(&self, query: &Query) -> Result<Page<MemoryItem>> {
        let query = query.clone();
        self.read(move |connection| read::item_page(connection, &query))
            .await
    }

    async fn categories(&self, query: &Query) -> Result<Page<MemoryCategory>> {
        let query = query.clone();
        self.read(move |connection| read::page(connection, &query))
            .await
    }

    async fn relations(&self, query: &Query) -> Result<Page<CategoryItem>> {
        let query = query.clone();
        self.read(move |connection| read::page(connection, &query))
            .await
    }

    async fn model_replies(&self, query: &Query) -> Result<Page<ModelReply>> {
        let query = query.clone();
        self.read(move |connection| read::page(connection, &query))
            .await
    }

    async fn model_usage(&self, scope: &Scope, since: civil::Date) -> Result<Vec<ModelUsage>> {
        let scope = scope.clone();
        self.read(move |connection| usage::model_usage(connection, &scope, since))
            .await
    }

    async fn blob(&self, scope: &Scope, hash: &ContentHash) -> Result<Option<Blob>> {
        let (scope, hash) = (scope.clone(), *hash);
        self.read(move |connection| read::blob(connection, &scope, &hash))
            .await
    }

    async fn embeddings(
        &self,
        scope: &Scope,
        identity: &EmbedderIdentity,
        kind: OwnerKind,
        owners: &[Id],
    ) -> Result<Vec<OwnedEmbedding>> {
        let (scope, identity, owners) = (scope.clone(), identity.clone(), owners.to_vec());
        self.read(move |connection| {
            vectors::embeddings(connection, &scope, &identity, kind, &owners)
        })
        .await
    }

    async fn embedding_sets(&self) -> Result<Vec<EmbeddingSet>> {
        self.read(read::embedding_sets).await
    }

    async fn changes(&self, scope: &Scope, after: u64, limit: usize) -> Result<Vec<Change>> {
        let scope = scope.clone();
        self.read(move |connection| scopes::changes(connection, &scope, after, limit))
            .await
    }

    async fn search(&self, query: &VectorQuery) -> Result<Vec<VectorHit>> {
        let (query, shared) = (query.clone(), self.shared.clone());
        self.read(move |connection| {
            codes::search(connection, &shared.codes, shared.exact_search, &query)
        })
        .await
    }

    async fn outline(
        &self,
        scope: &Scope,
        known: Option<Arc<ScopeOutline>>,
    ) -> Result<Arc<ScopeOutline>> {
        let scope = scope.clone();
        self.read(move |connection| outlines::outline(connection, &scope, known))
            .await
    }

    async fn ids(&self, kind: OwnerKind, query: &Query) -> Result<Vec<Id>> {
        let query = query.clone();
        self.read(move |connection| read::ids(connection, kind, &query))
            .await
    }

    async fn records(&self, scope: &Scope, ids: &RecordIds) -> Result<RecordSet> {
        let (scope, ids) = (scope.clone(), ids.clone());
        self.read(move |connection| read::records(connection, &scope, ids))
            .await
    }

    async fn commit(&self, batch: WriteBatch) -> Result<Committed> {
        self.write(move |connection, shared, cancelled| {
            let (schema, columns) = (&shared.schema, &shared.columns);
            commit::commit(connection, schema, columns, shared.wait, cancelled, &batch)
        })
        .await
    }

    async fn clear(&self, scopes: &[Scope]) -> Result<Cleared> {
        let scopes = scopes.to_vec();
        self.write(move |connection, shared, cancelled| {
            let cleared = clear::clear(connection, shared.wait, cancelled, &scopes)?;
            // After a write that it follows closely the log would stay until the next rest, and
            // with it what was forgotten.
            shared.tidy().at_rest(connection);
            Ok(cleared)
        })
        .await
    }

    async fn adopt_set(&self, identity: &EmbedderIdentity) -> Result<bool> {
        let identity = identity.clone();
        // Most stores have nothing to adopt, and one that is only read cannot.
        let sets = self.embedding_sets().await?;
        if rules::adoptable(&sets, &identity).is_none() {
            return Ok(false);
        }
        self.write(move |connection, shared, cancelled| {
            write(connection, shared.wait, cancelled, || {
                sets::adopt(connection, &identity)
            })
        })
        .await
    }

    async fn begin_set(&self, identity: &EmbedderIdentity) -> Result<()> {
        let identity = identity.clone();
        self.write(move |connection, shared, cancelled| {
            write(connection, shared.wait, cancelled, || {
                sets::begin(connection, &identity)
            })
        })
        .await
    }

    async fn build_vectors(
        &self,
        scope: &Scope,
        identity: &EmbedderIdentity,
        vectors: Vec<BuiltVector>,
    ) -> Result<usize> {
        let (scope, identity) = (scope.clone(), identity.clone());
        self.write(move |connection, shared, cancelled| {
            write(connection, shared.wait, cancelled, || {
                let format = shared.columns.format();
                sets::build(connection, format, &scope, &identity, &vectors)
            })
        })
        .await
    }

    async fn activate_set(
        &self,
        identity: &EmbedderIdentity,
        built: Vec<BuiltScope>,
    ) -> Result<Vec<Scope>> {
        let identity = identity.clone();
        self.write(move |connection, shared, cancelled| {
            write(connection, shared.wait, cancelled, || {
                sets::activate(connection, &shared.schema, &identity, &built)
            })
        })
        .await
    }

    async fn drop_replaced(&self, limit: usize) -> Result<usize> {
        self.write(move |connection, shared, cancelled| {
            write(connection, shared.wait, cancelled, || {
                sets::drop_replaced(connection, shared.columns.format(), limit)
            })
        })
        .await
    }

    async fn check(&self, repair: bool) -> Result<Report> {
        let shared = self.shared.clone();
        let look = move |connection: &Connection, cancelled: &dyn Fn() -> bool| {
            let (schema, path) = (&shared.schema, shared.path.as_deref());
            check::check(connection, schema, path, shared.wait, cancelled, repair)
        };
        if repair {
            return self
                .write(move |connection, _, cancelled| look(connection, cancelled))
                .await;
        }
        // Nothing is written: that can be done to any file.
        let readers = self.readers.as_ref().unwrap_or(&self.writer);
        readers.run(look).await
    }

    async fn settle(&self) -> Result<()> {
        let shared = self.shared.clone();
        self.writer
            .run(move |connection, _| {
                shared.tidy().at_rest(connection);
                Ok(())
            })
            .await
    }

    async fn close(&self) -> Result<()> {
        let (readers, writer) = (self.readers.clone(), self.writer.clone());
        offload(&TokioExecutor as &dyn Executor, move || {
            // The writer last and alone: the last connection removes the empty write-ahead
            // log, unless another one is closing at the same time.
            for workers in readers.iter().chain([&writer]) {
                workers.close();
                workers.join();
            }
        })
        .await
    }
}
