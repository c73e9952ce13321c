use std::path::PathBuf;
use std::time::Duration;

use memu_core::scope::ScopeSchema;

use super::key::Key;
use crate::settings::EmbeddingFormat;

/// How to open a SQLite store.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file, created with its folders where it does not exist; `None` for a
    /// database in memory.
    pub path: Option<PathBuf>,
    /// The scope fields that the store must have; `None` takes those it has.
    pub schema: Option<ScopeSchema>,
    /// The scope fields of a store that is created and for which `schema` says
    /// nothing; `None` for `user_id`.
    pub default_schema: Option<ScopeSchema>,
    /// How long a writer waits for others. Default 30 s.
    pub busy_timeout: Duration,
    /// How many readers may read at once. Default 4.
    pub pool_size: usize,
    /// Whether files and tables may be created.
    pub create: bool,
    /// Whether a vector search must never miss one of the nearest. Default false: it
    /// misses fewer than one in a thousand, and is faster.
    pub exact_search: bool,
    /// The key of an encrypted file. Default `None`: it is not encrypted.
    pub key: Option<Key>,
    /// How vectors are stored from now on. Default `f32`.
    pub embedding_format: EmbeddingFormat,
}

impl Options {
    /// A file with default settings.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            path: Some(path.into()),
            ..Self::in_memory()
        }
    }

    /// A database in memory, gone with the store.
    pub fn in_memory() -> Self {
        Self {
            path: None,
            schema: None,
            default_schema: None,
            busy_timeout: Duration::from_secs(30),
            pool_size: 4,
            create: true,
            exact_search: false,
            key: None,
            embedding_format: EmbeddingFormat::F32,
        }
    }
}
