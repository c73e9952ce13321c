//! Opening the store that a DSN names.

use std::sync::Arc;
use std::time::Duration;

use memu_core::scope::ScopeSchema;
use memu_core::store::{InMemoryStore, Store};
use memu_core::{Error, Result};
use memu_postgres::PostgresStore;

use crate::Dsn;
use crate::settings::{DatabaseConfig, DdlMode, VectorProvider};
use crate::sqlite::{self, SqliteStore, UpgradeReport};

/// What a store is opened with.
pub(crate) struct Opening<'o> {
    pub(crate) config: &'o DatabaseConfig,
    /// The scope fields that it must have.
    pub(crate) schema: Option<ScopeSchema>,
    /// Those of one that does not exist yet.
    pub(crate) default_schema: Option<ScopeSchema>,
    pub(crate) key: Option<sqlite::Key>,
}

impl Opening<'_> {
    /// Opens it. Whether that upgraded it is told to `on_upgrade`.
    pub(crate) async fn open(
        self,
        dsn: Dsn,
        on_upgrade: &(dyn Fn(&UpgradeReport) + Send + Sync),
    ) -> Result<Arc<dyn Store>> {
        let pgvector = self.config.vector_index.provider == Some(VectorProvider::Pgvector);
        if pgvector && !matches!(dsn, Dsn::Postgres(_)) {
            return Err(Error::unsupported(
                "vector_index.provider = \"pgvector\" needs PostgreSQL; use \"bruteforce\"",
            ));
        }
        match dsn {
            Dsn::InMemory => Ok(Arc::new(InMemoryStore::new(
                self.schema.unwrap_or_default(),
            ))),
            Dsn::SqliteMemory => self.sqlite(None, on_upgrade).await,
            Dsn::Sqlite(path) => self.sqlite(Some(path), on_upgrade).await,
            Dsn::Postgres(dsn) => {
                let store = PostgresStore::open(self.postgres(dsn)).await?;
                if let Some(report) = store.upgraded() {
                    on_upgrade(report);
                }
                Ok(Arc::new(store))
            }
        }
    }

    fn may_create(&self) -> bool {
        self.config.metadata_store.ddl_mode == DdlMode::Create
    }

    async fn sqlite(
        self,
        path: Option<std::path::PathBuf>,
        on_upgrade: &(dyn Fn(&UpgradeReport) + Send + Sync),
    ) -> Result<Arc<dyn Store>> {
        let config = &self.config.metadata_store;
        let options = sqlite::Options {
            path,
            busy_timeout: Duration::from_secs_f64(config.busy_timeout_s),
            pool_size: config.pool_size,
            create: self.may_create(),
            embedding_format: config.embedding_format,
            exact_search: self.config.vector_index.exact,
            schema: self.schema,
            default_schema: self.default_schema,
            key: self.key,
        };
        let store = SqliteStore::open(options).await?;
        if let Some(report) = store.upgraded() {
            on_upgrade(report);
        }
        Ok(Arc::new(store))
    }

    /// How a server is opened.
    pub(crate) fn postgres(self, dsn: String) -> memu_postgres::Options {
        let config = &self.config.metadata_store;
        let index = match self.config.vector_index.provider {
            None | Some(VectorProvider::Pgvector) => true,
            Some(VectorProvider::Bruteforce | VectorProvider::None) => false,
        };
        memu_postgres::Options {
            create: self.may_create(),
            pool_size: config.pool_size,
            pool_timeout: Duration::from_secs_f64(config.pool_timeout_s),
            busy_timeout: Duration::from_secs_f64(config.busy_timeout_s),
            statement_timeout: Duration::from_secs_f64(config.statement_timeout_s),
            exact_search: self.config.vector_index.exact,
            index,
            row_security: config.row_security,
            part_records: config.part_records,
            schema: self.schema,
            default_schema: self.default_schema,
            ..memu_postgres::Options::new(dsn)
        }
    }
}
