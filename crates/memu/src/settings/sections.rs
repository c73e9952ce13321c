use std::fmt;

use memu_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::Secret;
use crate::dsn::without_password;

/// Where large files are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BlobConfig {
    /// Only `local`: folders on this machine.
    pub provider: String,
    /// The folder for files of more than 1 MiB that are not text. A relative one is
    /// beside the database file (the one that a symbolic link leads to); in it, each database
    /// has a folder of its name. Default `./data/resources`.
    pub resources_dir: String,
}

impl Default for BlobConfig {
    fn default() -> Self {
        Self {
            provider: "local".to_owned(),
            resources_dir: "./data/resources".to_owned(),
        }
    }
}

impl BlobConfig {
    pub(super) fn validate(&self) -> Result<()> {
        if self.provider == "local" {
            return Ok(());
        }
        Err(Error::config(format!(
            "blob_config.provider is {:?}; there is only \"local\"",
            self.provider
        )))
    }
}

/// Where memories are kept, and how vectors are searched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DatabaseConfig {
    /// The store.
    pub metadata_store: MetadataStoreConfig,
    /// The vector index.
    pub vector_index: VectorIndexConfig,
}

impl DatabaseConfig {
    pub(super) fn validate(&self) -> Result<()> {
        let store = &self.metadata_store;
        for (name, value, most) in [
            ("busy_timeout_s", store.busy_timeout_s, 3_600.0),
            ("pool_timeout_s", store.pool_timeout_s, 3_600.0),
            ("statement_timeout_s", store.statement_timeout_s, 86_400.0),
        ] {
            if !(value.is_finite() && (0.0..=most).contains(&value)) {
                return Err(Error::config(format!(
                    "database_config.metadata_store.{name} is {value}; it must be from 0 to {most}"
                )));
            }
        }
        if !(1..=256).contains(&store.pool_size) {
            return Err(Error::config(format!(
                "database_config.metadata_store.pool_size is {}; it must be from 1 to 256",
                store.pool_size
            )));
        }
        if !(8..=1_000_000).contains(&store.part_records) {
            return Err(Error::config(format!(
                "database_config.metadata_store.part_records is {}; it must be from 8 to 1000000",
                store.part_records
            )));
        }
        Ok(())
    }
}

/// The store.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MetadataStoreConfig {
    /// The kind of store. Default `inmemory`; a `dsn` alone implies its own.
    pub provider: Option<MetadataProvider>,
    /// `sqlite:///relative.db`, `sqlite:////absolute.db`, `sqlite:///:memory:` or
    /// `postgresql://user:password@host:port/database`.
    pub dsn: Option<String>,
    /// Whether tables are created and upgraded, or only checked. Default `create`.
    pub ddl_mode: DdlMode,
    /// The key of an encrypted file; `MEMU_KEY` gives it, too, and wins. Needs a build with the
    /// feature `sqlcipher`. Default none: files are not encrypted.
    pub encryption_key: Option<Secret>,
    /// How vectors are stored in a file. Default `f32`.
    pub embedding_format: EmbeddingFormat,
    /// How long a writer waits for others, in seconds, 0 to 3600. Default 30.
    pub busy_timeout_s: f64,
    /// How many readers may read at once, or how many connections to a server there may be, 1
    /// to 256. Default 4.
    pub pool_size: usize,
    /// How long a reader waits for its turn, or anybody for a connection, in seconds, 0 to
    /// 3600. Default 30.
    pub pool_timeout_s: f64,
    /// How long a statement may run on a server, in seconds, 0 to 86400; 0 for as long as it
    /// takes. Default 60.
    pub statement_timeout_s: f64,
    /// Whether a server itself keeps every transaction to the scopes that it is for. Needs
    /// PostgreSQL, and a user who is no superuser. Default: as it is in the database, which is
    /// off at first.
    pub row_security: Option<bool>,
    /// About how many records of a kind a server seals at once, 8 to 1,000,000: from eight times
    /// as many in a scope on, questions look up their words instead of reading all. Default
    /// 4,096.
    pub part_records: usize,
}

/// Without a password in the DSN, and without the key.
impl fmt::Debug for MetadataStoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dsn = self.dsn.as_deref().map(without_password);
        f.debug_struct("MetadataStoreConfig")
            .field("provider", &self.provider)
            .field("dsn", &dsn)
            .field("ddl_mode", &self.ddl_mode)
            .field("encryption_key", &self.encryption_key)
            .field("embedding_format", &self.embedding_format)
            .field("busy_timeout_s", &self.busy_timeout_s)
            .field("pool_size", &self.pool_size)
            .field("pool_timeout_s", &self.pool_timeout_s)
            .field("statement_timeout_s", &self.statement_timeout_s)
            .field("row_security", &self.row_security)
            .field("part_records", &self.part_records)
            .finish()
    }
}

impl Default for MetadataStoreConfig {
    fn default() -> Self {
        Self {
            provider: None,
            dsn: None,
            ddl_mode: DdlMode::Create,
            encryption_key: None,
            embedding_format: EmbeddingFormat::F32,
            busy_timeout_s: 30.0,
            pool_size: 4,
            pool_timeout_s: 30.0,
            statement_timeout_s: 60.0,
            row_security: None,
            part_records: 4_096,
        }
    }
}

/// How vectors are stored. It holds for those that are written from now on; vectors of
/// every format are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmbeddingFormat {
    /// Four bytes a number.
    #[default]
    F32,
    /// Two bytes a number, with three significant digits.
    F16,
    /// As `f32`, and beside it as JSON text in the column `embedding_json`, for programs
    /// that read the tables of memU 1.x.
    Json,
}

/// The kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetadataProvider {
    /// In this process, gone with it.
    Inmemory,
    /// One file.
    Sqlite,
    /// A server.
    #[serde(alias = "postgresql")]
    Postgres,
}

/// What may be done to tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DdlMode {
    /// Create and upgrade them.
    #[default]
    Create,
    /// Only check them.
    Validate,
}

/// How vectors are searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VectorIndexConfig {
    /// Default `bruteforce`, a scan of the scope; on PostgreSQL `pgvector`, which is an index
    /// (HNSW) for sets of more than 20,000 vectors.
    pub provider: Option<VectorProvider>,
    /// Whether a search must never miss one of the nearest vectors. Default false: a scan
    /// misses fewer than one in a thousand and an index of PostgreSQL a few in a hundred, and
    /// both are faster.
    pub exact: bool,
}

/// The kind of vector index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VectorProvider {
    /// A scan of all vectors of the scope.
    Bruteforce,
    /// PostgreSQL's.
    Pgvector,
    /// No index is made.
    None,
}

/// The fields of a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserConfig {
    /// The names of the fields, in order. Default: those of the store when it
    /// exists, otherwise `["user_id"]`.
    pub model: Option<Vec<String>>,
}
