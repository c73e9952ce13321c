//! The PostgreSQL store does what every store must do: with and without row security, and on
//! a cluster where `MEMU_TEST_CITUS` names one.

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
    /// About how many records are sealed together; `None` for as many as usual.
    part_records: Option<usize>,
    runtime: Runtime,
    /// A database of the shared server; none on a cluster.
    database: Mutex<Option<Database>>,
    /// The DSN of a cluster's coordinator.
    cluster: Option<String>,
    made: AtomicUsize,
    /// The stores that were opened, with their schemas in the database.
    opened: Mutex<Vec<(Arc<dyn Store>, String)>>,
}

impl Postgres {
    fn new(row_security: bool) -> Self {
        Self {
            row_security,
            part_records: None,
            runtime: Runtime::new().unwrap(),
            database: Mutex::default(),
            cluster: None,
            made: AtomicUsize::new(0),
            opened: Mutex::default(),
        }
    }

    fn dsn(&self, name: &str) -> String {
        let database = self.database.lock().unwrap();
        let dsn = match &self.cluster {
            Some(cluster) => cluster,
            None => database.as_ref().expect("a database").as_plain_user(),
        };
        let joint = if dsn.contains('?') { '&' } else { '?' };
        let role = match &self.cluster {
            Some(_) if self.row_security => format!("%20-crole%3D{CLUSTER_ROLE}"),
            _ => String::new(),
        };
        format!("{dsn}{joint}options=-csearch_path%3D{name},public{role}")
    }

    async fn open(&self, name: String, schema: &ScopeSchema) -> memu_core::Result<Arc<dyn Store>> {
        let mut options = Options::new(self.dsn(&name));
        options.schema = Some(schema.clone());
        options.exact_search = true;
        options.row_security = Some(self.row_security);
        options.part_records = self.part_records.unwrap_or(options.part_records);
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
        if self.cluster.is_some() {
            return true;
        }
        let made = database(test);
        let there = made.is_some();
        *self.database.lock().unwrap() = made;
        there
    }

    async fn fresh(&self, schema: &ScopeSchema) -> memu_core::Result<Arc<dyn Store>> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let name = format!("store_{}_{number}", std::process::id());
        if let Some(cluster) = &self.cluster {
            make_schema(cluster, &name, self.row_security).await;
        } else {
            let database = self.database.lock().unwrap();
            let database = database.as_ref().expect("a database");
            // The user that the store connects as owns the database.
            let user = database.value(
                "SELECT pg_get_userbyid(datdba) FROM pg_database \
                 WHERE datname = current_database()",
            );
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

/// Who is bound by row security on a cluster, which a superuser is not.
const CLUSTER_ROLE: &str = "memu_test_cluster";

/// Makes a schema of a cluster, which stays: whoever lends a cluster throws it away.
async fn make_schema(dsn: &str, name: &str, row_security: bool) {
    let connected = tokio_postgres::connect(dsn, tokio_postgres::NoTls).await;
    let (client, connection) = connected.expect("the cluster answers");
    let connection = tokio::spawn(connection);
    let owner = if row_security {
        let there = format!("SELECT 1 FROM pg_roles WHERE rolname = '{CLUSTER_ROLE}'");
        if client.query(&there, &[]).await.unwrap().is_empty() {
            let make = format!("CREATE ROLE {CLUSTER_ROLE} LOGIN");
            client.batch_execute(&make).await.unwrap();
        }
        format!("AUTHORIZATION {CLUSTER_ROLE}")
    } else {
        String::new()
    };
    for statement in [
        "CREATE EXTENSION IF NOT EXISTS vector".to_owned(),
        format!("CREATE SCHEMA {name} {owner}"),
    ] {
        client.batch_execute(&statement).await.unwrap();
    }
    drop(client);
    connection.await.unwrap().unwrap();
}

memu_core::conformance_tests!(Postgres::new(false));

/// Nearly all that the suite stores is sealed here.
mod with_row_security {
    memu_core::conformance_tests!(super::Postgres {
        part_records: Some(2),
        ..super::Postgres::new(true)
    });
}

/// `MEMU_TEST_CITUS` is the DSN of a superuser of the coordinator of a cluster with Citus and
/// pgvector, whose servers let any user of it in.
fn cluster_passes_the_suite(test: &str, row_security: bool) {
    let dsn = std::env::var("MEMU_TEST_CITUS").unwrap_or_default();
    if dsn.is_empty() {
        memu_testkit::skip(test, "MEMU_TEST_CITUS is not set");
        return;
    }
    let harness = Postgres {
        cluster: Some(dsn),
        ..Postgres::new(row_security)
    };
    let outcome = harness
        .runtime
        .block_on(memu_core::conformance::run_all(&harness));
    assert!(outcome.failed.is_empty(), "{outcome}");
    assert!(outcome.passed.len() > 60, "{outcome}");
}

#[test]
fn a_cluster_passes_the_suite() {
    cluster_passes_the_suite("a_cluster_passes_the_suite", false);
}

#[test]
fn a_cluster_passes_the_suite_with_row_security() {
    cluster_passes_the_suite("a_cluster_passes_the_suite_with_row_security", true);
}
