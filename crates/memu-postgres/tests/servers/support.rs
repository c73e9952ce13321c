//! What the tests share.

use std::time::Duration;

use memu_core::conformance::fixtures::Maker;
use memu_core::records::{CategoryItem, Change, MemoryCategory, MemoryItem};
use memu_core::scope::Scope;
use memu_core::store::{Query, Severity, Store, Write, WriteBatch};
use memu_core::{Error, ErrorKind};
use memu_postgres::{Options, PostgresStore};
use tokio_postgres::NoTls;

/// A store of the database of a DSN.
pub(crate) async fn open(dsn: &str) -> PostgresStore {
    open_with(Options::new(dsn)).await
}

pub(crate) async fn open_with(options: Options) -> PostgresStore {
    match PostgresStore::open(options).await {
        Ok(store) => store,
        Err(error) => panic!("the store does not open: {error:?}"),
    }
}

/// The error with which a store is not opened.
pub(crate) async fn refused(options: Options) -> Error {
    match PostgresStore::open(options).await {
        Ok(_) => panic!("the store opens"),
        Err(error) => error,
    }
}

/// An error with all that it tells: message, circumstances, causes.
pub(crate) fn told(error: &Error) -> String {
    format!("{error} {error:?} {}", error.to_json())
}

/// Panics unless trying again may help and the store or others are to blame.
pub(crate) fn assert_passing(error: &Error) {
    assert!(error.is_retryable(), "{error:?}");
    let kind = error.kind();
    assert!(
        matches!(kind, ErrorKind::Storage | ErrorKind::Busy),
        "{error:?}"
    );
}

/// An item in a category of its own: three records that belong together.
pub(crate) struct Three {
    pub(crate) item: MemoryItem,
    pub(crate) category: MemoryCategory,
    pub(crate) relation: CategoryItem,
}

impl Three {
    pub(crate) fn new(make: &Maker, name: &str) -> Self {
        let item = make.item("event", &format!("{name} happened"));
        let category = make.category(name);
        Self {
            relation: make.relation(&item, &category),
            item,
            category,
        }
    }

    pub(crate) fn batch(&self, make: &Maker) -> WriteBatch {
        make.batch(vec![
            Write::Item(self.item.clone()),
            Write::Category(self.category.clone()),
            Write::Relation(self.relation.clone()),
        ])
    }
}

/// How many items, categories and relations a scope holds.
pub(crate) async fn counts(store: &PostgresStore, scope: &Scope) -> [usize; 3] {
    let all = Query::scope(scope);
    [
        store.items(&all).await.unwrap().records.len(),
        store.categories(&all).await.unwrap().records.len(),
        store.relations(&all).await.unwrap().records.len(),
    ]
}

/// Panics unless the store finds nothing wrong with itself.
pub(crate) async fn assert_sound(store: &PostgresStore) {
    let report = store.check(false).await.unwrap();
    assert_eq!(report.severity(), Severity::Ok, "{report:?}");
}

/// The change log of a scope, which must have no gaps.
pub(crate) async fn whole_log(store: &PostgresStore, scope: &Scope) -> Vec<Change> {
    let log = store.changes(scope, 0, usize::MAX).await.unwrap();
    for (expected, change) in (1..).zip(&log) {
        assert_eq!(change.seq, expected, "a gap in the log");
    }
    let position = store.log_position(scope).await.unwrap();
    assert_eq!(position.seq, log.len() as u64);
    log
}

/// A connection without the store, for statements that a test makes up.
pub(crate) async fn connect(dsn: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(dsn, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Numbers from a seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub(crate) fn milliseconds(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}
