//! The store's operations.

mod sealed;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::GenericClient as _;
use memu_core::Result;
use memu_core::filter::Filter;
use memu_core::original::UpgradeReport;
use memu_core::records::{
    Blob, CategoryItem, Change, ContentHash, EmbedderIdentity, EmbeddingSet, Id, MemoryCategory,
    MemoryItem, ModelReply, ModelUsage, OwnedEmbedding, OwnerKind, Resource, Segment,
};
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{
    BuiltScope, BuiltVector, Capabilities, Cleared, Committed, LogPosition, Page, Query, RecordIds,
    RecordSet, Report, ScopeOutline, ScopeState, SealedStore, Store, VectorHit, VectorQuery,
    WriteBatch, rules,
};
use memu_core::time::civil;

use crate::attempts::{reading, writing};
use crate::connect::{Connections, Reach};
use crate::error::is_lost;
use crate::index::{self, Index};
use crate::options::Options;
use crate::rows::Record;
use crate::sets::Tables;
use crate::{check, clear, commit, open, outlines, read, scopes, search, sets, vectors};

/// A store in a PostgreSQL database with pgvector.
///
/// Any number of processes may use one database at once. Writers of one scope come one after
/// the other; those of different scopes, and readers, do not wait for each other. It needs a
/// tokio runtime with time and I/O.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    connections: Connections,
    schema: ScopeSchema,
    exact_search: bool,
    tables: Tables,
    index: Arc<Index>,
    upgraded: Option<UpgradeReport>,
}

impl PostgresStore {
    /// Connects to a database and opens the store in its current schema, which is made where
    /// there is none. Tables of memU 1.x are upgraded, which [`Self::upgraded`] tells about;
    /// they themselves stay in a schema of their own.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config) for a DSN that cannot be read and
    /// for other scope fields than the store's;
    /// [`ErrorKind::Permission`](memu_core::ErrorKind::Permission) when the server refuses
    /// the user; [`ErrorKind::Storage`](memu_core::ErrorKind::Storage) when it cannot be
    /// reached; [`ErrorKind::Unsupported`](memu_core::ErrorKind::Unsupported) when it is too
    /// old, lacks pgvector, or tables of another program are in the way;
    /// [`ErrorKind::TooNew`](memu_core::ErrorKind::TooNew) for tables of a newer version;
    /// [`ErrorKind::Corrupt`](memu_core::ErrorKind::Corrupt) for tables that differ, where
    /// they may only be checked.
    pub async fn open(options: Options) -> Result<Self> {
        let connections = Connections::new(&options)?;
        let opened = open::open(&connections, &options).await?;
        let part_records = options.part_records;
        let connections = connections
            .with_row_security(opened.row_security)
            .with_cluster(opened.cluster);
        let used = options.index && !options.exact_search;
        let index = Index::new(connections.clone(), used, options.index && options.create);
        Ok(Self {
            shared: Arc::new(Shared {
                connections,
                schema: opened.schema,
                exact_search: !used,
                tables: Tables {
                    row_security: opened.row_security,
                    cluster: opened.cluster,
                    part_records,
                },
                index: Arc::new(index),
                upgraded: opened.upgraded,
            }),
        })
    }

    /// What opening the store did with tables of memU 1.x; `None` when there were none.
    pub fn upgraded(&self) -> Option<&UpgradeReport> {
        self.shared.upgraded.as_ref()
    }

    async fn page<T: Record>(&self, query: &Query) -> Result<Page<T>> {
        reading!(self, Reach::Scopes(&query.scopes), |on| read::page(
            on, query
        ))
    }

    /// Has the server take what was deleted out of its files, as far as it can: it goes on by
    /// itself if this does not succeed.
    async fn sweep(&self) {
        let Ok(client) = self.shared.connections.get().await else {
            return;
        };
        let sql = format!("VACUUM {}, memu_scopes", clear::TABLES.join(", "));
        let _ = client.batch_execute(&sql).await;
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            provider: "postgres",
            durable: true,
            multi_process: true,
            exact_search: self.shared.exact_search,
        }
    }

    fn schema(&self) -> &ScopeSchema {
        &self.shared.schema
    }

    async fn scopes(&self, filter: &Filter, limit: usize) -> Result<Vec<ScopeState>> {
        let schema = &self.shared.schema;
        reading!(self, Reach::Everything, |on| scopes::scopes(
            on, schema, filter, limit
        ))
    }

    async fn log_position(&self, scope: &Scope) -> Result<LogPosition> {
        let reach = std::slice::from_ref(scope);
        let found: Result<_> = reading!(self, Reach::Scopes(reach), |on| scopes::standing(
            on, scope, false
        ));
        Ok(found?.unwrap_or_default().position)
    }

    async fn resources(&self, query: &Query) -> Result<Page<Resource>> {
        self.page(query).await
    }

    async fn segments(&self, query: &Query) -> Result<Page<Segment>> {
        self.page(query).await
    }

    async fn items(&self, query: &Query) -> Result<Page<MemoryItem>> {
        self.page(query).await
    }

    async fn categories(&self, query: &Query) -> Result<Page<MemoryCategory>> {
        self.page(query).await
    }

    async fn relations(&self, query: &Query) -> Result<Page<CategoryItem>> {
        self.page(query).await
    }

    async fn model_replies(&self, query: &Query) -> Result<Page<ModelReply>> {
        self.page(query).await
    }

    async fn model_usage(&self, scope: &Scope, since: civil::Date) -> Result<Vec<ModelUsage>> {
        let reach = std::slice::from_ref(scope);
        reading!(self, Reach::Scopes(reach), |on| scopes::model_usage(
            on, scope, since
        ))
    }

    async fn blob(&self, scope: &Scope, hash: &ContentHash) -> Result<Option<Blob>> {
        let reach = std::slice::from_ref(scope);
        reading!(self, Reach::Scopes(reach), |on| read::blob(on, scope, hash))
    }

    async fn embeddings(
        &self,
        scope: &Scope,
        identity: &EmbedderIdentity,
        kind: OwnerKind,
        owners: &[Id],
    ) -> Result<Vec<OwnedEmbedding>> {
        let reach = std::slice::from_ref(scope);
        reading!(self, Reach::Scopes(reach), |on| vectors::embeddings(
            on, scope, identity, kind, owners
        ))
    }

    async fn embedding_sets(&self) -> Result<Vec<EmbeddingSet>> {
        reading!(self, Reach::Scopes(&[]), |on| read::embedding_sets(on))
    }

    async fn changes(&self, scope: &Scope, after: u64, limit: usize) -> Result<Vec<Change>> {
        let reach = std::slice::from_ref(scope);
        reading!(self, Reach::Scopes(reach), |on| scopes::changes(
            on, scope, after, limit
        ))
    }

    async fn search(&self, query: &VectorQuery) -> Result<Vec<VectorHit>> {
        let index = &self.shared.index;
        reading!(self, Reach::Scopes(&query.scopes), |on| search::search(
            on, index, query
        ))
    }

    async fn outline(
        &self,
        scope: &Scope,
        known: Option<Arc<ScopeOutline>>,
    ) -> Result<Arc<ScopeOutline>> {
        let reach = std::slice::from_ref(scope);
        reading!(self, Reach::Scopes(reach), |on| outlines::outline(
            on,
            scope,
            known.clone()
        ))
    }

    fn sealed(&self) -> Option<&dyn SealedStore> {
        Some(self)
    }

    async fn ids(&self, kind: OwnerKind, query: &Query) -> Result<Vec<Id>> {
        reading!(self, Reach::Scopes(&query.scopes), |on| read::ids(
            on, kind, query
        ))
    }

    async fn records(&self, scope: &Scope, ids: &RecordIds) -> Result<RecordSet> {
        let reach = std::slice::from_ref(scope);
        reading!(self, Reach::Scopes(reach), |on| read::records(
            on,
            scope,
            ids.clone()
        ))
    }

    async fn commit(&self, batch: WriteBatch) -> Result<Committed> {
        commit::check_schema(&self.shared.schema, &batch.scope)?;
        let applied: Result<commit::Applied> = writing!(
            self,
            Reach::Scopes(std::slice::from_ref(&batch.scope)),
            |shared, on| commit::apply(on, &shared.tables, &batch)
        );
        let applied = applied?;
        self.shared.index.note(applied.vectors);
        Ok(applied.committed)
    }

    async fn clear(&self, scopes: &[Scope]) -> Result<Cleared> {
        let scopes = scopes.to_vec();
        let cleared = writing!(self, Reach::Scopes(&scopes), |_shared, on| clear::clear(
            on, &scopes
        ));
        if cleared.is_ok() {
            self.sweep().await;
        }
        cleared
    }

    async fn adopt_set(&self, identity: &EmbedderIdentity) -> Result<bool> {
        // Most stores have nothing to adopt, and need not be alone to know it.
        let sets = self.embedding_sets().await?;
        if rules::adoptable(&sets, identity).is_none() {
            return Ok(false);
        }
        let identity = identity.clone();
        writing!(self, Reach::Everything, |_shared, on| sets::adopt(
            on, &identity
        ))
    }

    async fn begin_set(&self, identity: &EmbedderIdentity) -> Result<()> {
        let identity = identity.clone();
        writing!(self, Reach::Everything, |shared, on| sets::begin(
            on,
            &shared.tables,
            &identity
        ))
    }

    async fn build_vectors(
        &self,
        scope: &Scope,
        identity: &EmbedderIdentity,
        vectors: Vec<BuiltVector>,
    ) -> Result<usize> {
        let (scope, identity) = (scope.clone(), identity.clone());
        let reach = scope.clone();
        let built: Result<usize> = writing!(
            self,
            Reach::Scopes(std::slice::from_ref(&reach)),
            |shared, on| sets::build(on, &shared.tables, &scope, &identity, &vectors)
        );
        let built = built?;
        self.shared.index.note(built);
        Ok(built)
    }

    async fn activate_set(
        &self,
        identity: &EmbedderIdentity,
        built: Vec<BuiltScope>,
    ) -> Result<Vec<Scope>> {
        let identity = identity.clone();
        let behind: Result<Vec<Scope>> = writing!(self, Reach::Everything, |shared, on| {
            sets::activate(on, &shared.schema, &identity, &built)
        });
        // While it was being built it had no index.
        self.shared.index.look();
        behind
    }

    async fn drop_replaced(&self, limit: usize) -> Result<usize> {
        writing!(self, Reach::Everything, |_shared, on| sets::drop_replaced(
            on, limit
        ))
    }

    async fn check(&self, repair: bool) -> Result<Report> {
        let look = |shared: &Shared| check::Look {
            schema: shared.schema.clone(),
            row_security: shared.tables.row_security,
            part_records: shared.tables.part_records,
        };
        let mut report: Report = if repair {
            let look = look(&self.shared);
            let report: Result<_> = writing!(self, Reach::Everything, |_shared, on| check::check(
                on, &look, true
            ));
            report?
        } else {
            let look = look(&self.shared);
            let report: Result<_> =
                reading!(self, Reach::Everything, |on| check::check(on, &look, false));
            report?
        };
        let schema = &self.shared.schema;
        let size: Result<u64> = reading!(self, Reach::Everything, |on| check::size(on, schema));
        report.bytes = Some(size?);
        let missing: Result<Vec<_>> = reading!(self, Reach::Everything, |on| index::missing(on));
        let index = &self.shared.index;
        index::report(index, missing?, repair, &mut report).await?;
        Ok(report)
    }

    async fn close(&self) -> Result<()> {
        if self.shared.connections.is_closed() {
            return Ok(());
        }
        // Who stops now may not come back: what the next one searches by is made before.
        let settled = self.shared.index.settle().await;
        self.shared.connections.close();
        match settled {
            // Without it searches are right, and a check says that it is missing.
            Err(error) if !is_lost(&error) => Err(error),
            _ => Ok(()),
        }
    }
}
