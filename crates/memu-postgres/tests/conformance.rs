//! The PostgreSQL store does what every store must do, with and without row security.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use memu_core::conformance::{BoxFuture, Harness};
use memu_core::scope::ScopeSchema;
use memu_core::store::Store;
use memu_postgres::{Options, PostgresStore};
use memu_testkit::postgres::{Database, database};
use tokio::runtime::Runtime;

struct Postgres {
    row_security: bool,
    runtime: Runtime,
    database: Mutex<Option<Database>>,
    made: AtomicUsize,
    /// The stores that were opened, with their schemas in the database.
    opened: Mutex<Vec<(Arc<dyn Store>, String)>>,
}

impl Postgres {
    fn new(row_security: bool) -> Self {
        Self {
            row_security,
            runtime: Runtime::new().unwrap(),
            database: Mutex::default(),
            made: AtomicUsize::new(0),
            opened: Mutex::default(),
        }
    }

    fn dsn(&self, name: &str) -> String {
        let database = self.database.lock().unwrap();
        let database = database.as_ref().expect("a database");
        let dsn = database.as_plain_user();
        let joint = if dsn.contains('?') { '&' } else { '?' };
        format!("{dsn}{joint}options=-csearch_path%3D{name},public")
    }

    async fn open(&self, name: String, schema: &ScopeSchema) -> memu_core::Result<Arc<dyn Store>> {
        let mut options = Options::new(self.dsn(&name));
        options.schema = Some(schema.clone());
        options.exact_search = true;
        options.row_security = Some(self.row_security);
        let store: Arc<dyn Store> = Arc::new(PostgresStore::open(options).await?);
        self.opened.lock().unwrap().push((store.clone(), name));
        Ok(store)
    }

    fn name_of(&self, store: &Arc<dyn Store>) -> String {
        let opened = self.opened.lock().unwrap();
        let known = opened.iter().find(|(known, _)| Arc::ptr_eq(known, store));
        known
            .map(|(_, name)| name.clone())
            .expect("a store of this harness")
    }
}

#[async_trait::async_trait]
impl Harness for Postgres {
    fn is_there(&self, test: &str) -> bool {
        let made = database(test);
        let there = made.is_some();
        *self.database.lock().unwrap() = made;
        there
    }

    async fn fresh(&self, schema: &ScopeSchema) -> memu_core::Result<Arc<dyn Store>> {
        let name = format!("store_{}", self.made.fetch_add(1, Ordering::Relaxed));
        {
            let database = self.database.lock().unwrap();
            let database = database.as_ref().expect("a database");
            // The user that the store connects as owns it.
            let user = database.value("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()");
            database.rows(&format!("CREATE SCHEMA {name} AUTHORIZATION \"{user}\""));
        }
        self.open(name, schema).await
    }

    async fn another(&self, store: &Arc<dyn Store>) -> memu_core::Result<Option<Arc<dyn Store>>> {
        let name = self.name_of(store);
        self.open(name, store.schema()).await.map(Some)
    }

    async fn reopen(&self, store: Arc<dyn Store>) -> memu_core::Result<Option<Arc<dyn Store>>> {
        let name = self.name_of(&store);
        self.open(name, store.schema()).await.map(Some)
    }

    /// `MEMU_RANDOM_SEQUENCES=4000` makes the full run.
    fn sequences(&self) -> u64 {
        let asked = std::env::var("MEMU_RANDOM_SEQUENCES").ok();
        asked.map_or(2, |asked| asked.parse().expect("a number of sequences"))
    }

    fn block_on(&self, future: BoxFuture<'_, ()>) {
        self.runtime.block_on(future);
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) {
        self.runtime.spawn(future);
    }
}

memu_core::conformance_tests!(Postgres::new(false));

mod with_row_security {
    memu_core::conformance_tests!(super::Postgres::new(true));
}
