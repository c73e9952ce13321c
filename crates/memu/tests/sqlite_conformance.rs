//! The SQLite store does what every store must do.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use memu::sqlite::{Key, Options, SqliteStore};
use memu_core::conformance::Harness;
use memu_core::scope::ScopeSchema;
use memu_core::store::Store;
use tempfile::TempDir;

struct Sqlite {
    folder: TempDir,
    key: Option<Key>,
    /// The stores that were opened, with their files.
    opened: Mutex<Vec<(Arc<dyn Store>, PathBuf)>>,
}

impl Sqlite {
    fn new(key: Option<&str>) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            key: key.map(|key| Key::new(key).unwrap()),
            opened: Mutex::default(),
        }
    }

    async fn open(&self, path: PathBuf, schema: &ScopeSchema) -> memu::Result<Arc<dyn Store>> {
        let mut options = Options::file(&path);
        options.schema = Some(schema.clone());
        options.exact_search = true;
        options.key.clone_from(&self.key);
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(options).await?);
        self.opened.lock().unwrap().push((store.clone(), path));
        Ok(store)
    }

    fn path_of(&self, store: &Arc<dyn Store>) -> PathBuf {
        let opened = self.opened.lock().unwrap();
        let known = opened.iter().find(|(known, _)| Arc::ptr_eq(known, store));
        known
            .map(|(_, path)| path.clone())
            .expect("a store of this harness")
    }
}

#[async_trait::async_trait]
impl Harness for Sqlite {
    async fn fresh(&self, schema: &ScopeSchema) -> memu::Result<Arc<dyn Store>> {
        let number = self.opened.lock().unwrap().len();
        self.open(self.folder.path().join(format!("{number}.db")), schema)
            .await
    }

    async fn another(&self, store: &Arc<dyn Store>) -> memu::Result<Option<Arc<dyn Store>>> {
        let path = self.path_of(store);
        self.open(path, store.schema()).await.map(Some)
    }

    /// `MEMU_RANDOM_SEQUENCES=4000` makes the full run.
    fn sequences(&self) -> u64 {
        let asked = std::env::var("MEMU_RANDOM_SEQUENCES").ok();
        asked.map_or(4, |asked| asked.parse().expect("a number of sequences"))
    }

    async fn reopen(&self, store: Arc<dyn Store>) -> memu::Result<Option<Arc<dyn Store>>> {
        let path = self.path_of(&store);
        self.open(path, store.schema()).await.map(Some)
    }
}

memu_core::conformance_tests!(Sqlite::new(None));

/// A raw key: a passphrase would be hashed once per case.
#[cfg(feature = "sqlcipher")]
mod encrypted {
    const KEY: &str = "x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'";

    memu_core::conformance_tests!(super::Sqlite::new(Some(KEY)));
}
