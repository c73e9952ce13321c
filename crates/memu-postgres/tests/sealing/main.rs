//! What the PostgreSQL store seals is what its records say, whatever becomes of them.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod compare;
mod memory;

use std::sync::Arc;

use memu_core::ErrorKind;
use memu_core::conformance::fixtures::user;
use memu_core::records::OwnerKind;
use memu_core::store::{LogPosition, SealedScope, Severity, Store, Write};
use memu_postgres::{Options, PostgresStore};
use memu_testkit::postgres::{Database, database};

use crate::compare::assert_true;
use crate::memory::Memory;

fn options(database: &Database) -> Options {
    let mut options = Options::new(database.as_plain_user());
    options.part_records = 8;
    options
}

async fn open(options: Options) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::open(options).await.unwrap())
}

/// How many parts there are of segments and of items.
fn parts(sealed: &SealedScope) -> [usize; 2] {
    [OwnerKind::Segment, OwnerKind::Item].map(|kind| {
        let of = sealed.parts.iter().filter(|part| part.name.kind == kind);
        of.count()
    })
}

/// How many rows of what is sealed there are.
fn rows(database: &Database) -> [u64; 3] {
    ["memu_parts", "memu_postings", "memu_entries"].map(|table| {
        let count = database.value(&format!("SELECT count(*) FROM {table}"));
        count.parse().unwrap()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_older_records_of_a_large_scope_are_sealed() {
    let Some(database) = database("the_older_records_of_a_large_scope_are_sealed") else {
        return;
    };
    let store = open(options(&database)).await;
    let mut memory = Memory::new(store.clone(), "ann", 1);
    let scope = memory.scope().clone();
    let mut sealed = None;
    let mut most = [0; 2];
    for round in 0..40 {
        memory.add_resource(12).await;
        memory.add_items(7).await;
        sealed = assert_true(&store, &scope, sealed).await;
        // Sixty-four are there.
        assert_eq!(sealed.is_some(), 12 * (round + 1) >= 64, "{round}");
        if let Some(sealed) = &sealed {
            let now = parts(sealed);
            most = [0, 1].map(|at| most[at].max(now[at]));
        }
    }
    let sealed = sealed.unwrap();
    assert!(most.iter().all(|most| *most >= 4), "{most:?}");
    let largest = sealed.parts.iter().map(|part| part.summary.records).max();
    assert!(largest >= Some(128), "{largest:?}: parts become one");
    assert!(sealed.open.segment_count() < 8 * 4);
    assert!(sealed.open.item_count() < 8 * 4);
    // What does not change is not read again.
    memory.add_items(1).await;
    let at = Store::sealed(&*store).unwrap();
    let next = at.sealed(&scope, Some(sealed.clone())).await.unwrap();
    let next = next.1.unwrap();
    for (before, now) in sealed.parts.iter().zip(&next.parts) {
        assert!(Arc::ptr_eq(before, now));
    }
    for (before, now) in sealed.open.segments.iter().zip(&next.open.segments) {
        assert!(Arc::ptr_eq(before, now));
    }
    let same = at.sealed(&scope, Some(next.clone())).await.unwrap();
    assert!(Arc::ptr_eq(&same.1.unwrap(), &next));
    let mut gone = sealed.parts[0].name;
    gone.first_place += 1;
    assert!(at.buckets(&scope, &[(gone, 0)]).await.unwrap().is_none());
    let other = user("bob").unwrap();
    let (position, nothing) = at.sealed(&other, None).await.unwrap();
    assert!(position == LogPosition::default() && nothing.is_none());
    store.clear(std::slice::from_ref(&scope)).await.unwrap();
    assert_eq!(rows(&database), [0, 0, 0]);
    let (position, nothing) = at.sealed(&scope, Some(next)).await.unwrap();
    assert!(position == LogPosition::default() && nothing.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_sealed_as_a_whole() {
    let Some(database) = database("a_session_is_sealed_as_a_whole") else {
        return;
    };
    let store = open(options(&database)).await;
    let mut memory = Memory::new(store.clone(), "ann", 1);
    let scope = memory.scope().clone();
    memory.add_sessions(300, 0).await;
    assert!(assert_true(&store, &scope, None).await.is_none());
    memory.add_resource(7).await;
    assert!(assert_true(&store, &scope, None).await.is_none());
    memory.add_sessions(1, 0).await;
    let sealed = assert_true(&store, &scope, None).await.unwrap();
    assert_eq!(parts(&sealed), [1, 0]);
    assert_eq!(sealed.parts[0].summary.records, 300);
    assert_eq!(sealed.open.segment_count(), 8);
}

/// So many that all is read and written in pieces.
#[tokio::test(flavor = "multi_thread")]
async fn a_very_large_scope_is_sealed_piece_by_piece() {
    let Some(database) = database("a_very_large_scope_is_sealed_piece_by_piece") else {
        return;
    };
    let mut options = options(&database);
    options.part_records = 1 << 20;
    let store = open(options.clone()).await;
    let mut memory = Memory::new(store, "ann", 1);
    let scope = memory.scope().clone();
    for _ in 0..4 {
        memory.add_sessions(1500, 20).await;
        memory.add_items(1500).await;
    }
    options.part_records = 256;
    let store = open(options).await;
    assert!(assert_true(&store, &scope, None).await.is_none());
    memory.store = store.clone();
    memory.add_sessions(40, 20).await;
    memory.add_items(40).await;
    let sealed = assert_true(&store, &scope, None).await.unwrap();
    let largest = sealed.parts.iter().map(|part| part.summary.records).max();
    assert!(largest > Some(4096), "{largest:?}");
    assert!(parts(&sealed).iter().all(|parts| *parts > 1));
    let resource = memory.resources().await.remove(0);
    memory
        .commit(vec![Write::DeleteResource(resource.meta.id)])
        .await;
    assert!(assert_true(&store, &scope, Some(sealed)).await.is_some());
}

/// `MEMU_RANDOM_SEQUENCES=4000` makes the full run.
fn seeds() -> u64 {
    let asked = std::env::var("MEMU_RANDOM_SEQUENCES").ok();
    asked.map_or(1, |asked| asked.parse().expect("a number of sequences"))
}

async fn changes_by_chance(test: &str, row_security: bool) {
    let Some(database) = database(test) else {
        return;
    };
    for seed in 1..=seeds() {
        let mut options = options(&database);
        options.row_security = Some(row_security);
        let store = open(options).await;
        let mut memory = Memory::new(store.clone(), &format!("ann {seed}"), seed);
        let scope = memory.scope().clone();
        memory.fill(6).await;
        let mut known = assert_true(&store, &scope, None).await;
        assert!(known.is_some());
        for _ in 0..120 {
            memory.step().await;
            known = assert_true(&store, &scope, known).await;
        }
        // Little by little all goes.
        while let Some(resource) = memory.resources().await.pop() {
            memory
                .commit(vec![Write::DeleteResource(resource.meta.id)])
                .await;
            known = assert_true(&store, &scope, known).await;
        }
        let items = memory.items().await.into_iter();
        let items: Vec<Write> = items.map(|item| Write::DeleteItem(item.meta.id)).collect();
        memory.commit(items).await;
        assert!(assert_true(&store, &scope, known).await.is_none());
        assert_eq!(rows(&database), [0, 0, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_and_goes_does_so_in_what_is_sealed() {
    changes_by_chance("what_changes_and_goes_does_so_in_what_is_sealed", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_keeps_what_is_sealed_to_its_scope() {
    changes_by_chance("the_server_keeps_what_is_sealed_to_its_scope", true).await;
}

/// What breaks something that is sealed.
const DAMAGE: [&str; 9] = [
    "DELETE FROM memu_postings WHERE ctid = (SELECT min(ctid) FROM memu_postings)",
    "UPDATE memu_postings SET words = substr(words, 2)",
    "UPDATE memu_postings SET lists = substr(lists, 2)",
    "UPDATE memu_postings SET first_place = first_place + 1",
    "UPDATE memu_parts SET summary = substr(summary, 2)",
    "DELETE FROM memu_parts WHERE ctid = (SELECT max(ctid) FROM memu_parts)",
    "DELETE FROM memu_entries WHERE ctid = (SELECT min(ctid) FROM memu_entries)",
    "UPDATE memu_entries SET whole = substr(whole, 2) WHERE owner_kind = 1",
    "UPDATE memu_entries SET bare = whole, length = 3 WHERE owner_kind = 2",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_check_finds_what_is_damaged_and_mends_it() {
    let Some(database) = database("a_check_finds_what_is_damaged_and_mends_it") else {
        return;
    };
    let store = open(options(&database)).await;
    let mut memory = Memory::new(store.clone(), "ann", 3);
    let scope = memory.scope().clone();
    memory.fill(8).await;
    assert!(assert_true(&store, &scope, None).await.is_some());
    for damage in DAMAGE {
        database.rows(damage);
        let report = store.check(false).await.unwrap();
        assert_eq!(report.severity(), Severity::Error, "{damage}");
        let report = store.check(true).await.unwrap();
        let mended = |finding: &memu_core::store::Finding| {
            finding.severity == Severity::Ok || finding.repaired
        };
        assert!(report.findings.iter().all(mended), "{damage}: {report:?}");
        assert!(assert_true(&store, &scope, None).await.is_some());
    }
}

/// Whatever is damaged, writing goes on, and what it comes by is made anew.
#[tokio::test(flavor = "multi_thread")]
async fn writing_does_not_stop_at_what_is_damaged() {
    let Some(database) = database("writing_does_not_stop_at_what_is_damaged") else {
        return;
    };
    let store = open(options(&database)).await;
    let mut memory = Memory::new(store.clone(), "ann", 4);
    let scope = memory.scope().clone();
    memory.fill(8).await;
    for damage in DAMAGE {
        database.rows(damage);
        let resource = memory.resources().await.remove(0);
        memory
            .commit(vec![Write::DeleteResource(resource.meta.id)])
            .await;
        memory.add_resource(20).await;
        store.check(true).await.unwrap();
        assert!(assert_true(&store, &scope, None).await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_write_to_what_is_sealed() {
    let Some(database) = database("many_may_write_to_what_is_sealed") else {
        return;
    };
    let mut writers = Vec::new();
    for seed in 0..4 {
        let store = open(options(&database)).await;
        writers.push(tokio::spawn(async move {
            let mut memory = Memory::new(store, "ann", 100 + seed);
            for _ in 0..25 {
                memory.add_resource(6).await;
                memory.add_items(5).await;
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let store = open(options(&database)).await;
    let sealed = assert_true(&store, &user("ann").unwrap(), None).await;
    assert!(parts(&sealed.unwrap()).iter().all(|parts| *parts > 0));
}

async fn before_version_2(test: &str, row_security: bool) {
    let Some(database) = database(test) else {
        return;
    };
    let mut with = options(&database);
    with.row_security = Some(row_security);
    let store = open(with.clone()).await;
    let mut memory = Memory::new(store.clone(), "ann", 5);
    let scope = memory.scope().clone();
    memory.fill(8).await;
    store.close().await.unwrap();
    database.rows(
        "DROP TABLE memu_parts, memu_postings, memu_entries; \
         UPDATE memu_meta SET value = '1' WHERE key = 'schema_version'",
    );
    let mut checked = with.clone();
    checked.create = false;
    let error = PostgresStore::open(checked.clone()).await.map(drop);
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    assert!(error.to_string().contains("its schema is 1"), "{error}");
    // Row security stays as it is.
    with.row_security = None;
    let (one, other) = tokio::join!(open(with.clone()), open(with));
    other.close().await.unwrap();
    assert_eq!(
        database.value("SELECT value FROM memu_meta WHERE key = 'schema_version'"),
        "2"
    );
    assert!(assert_true(&one, &scope, None).await.is_none());
    memory.store = one.clone();
    memory.add_resource(2).await;
    memory.add_items(1).await;
    let sealed = assert_true(&one, &scope, None).await.unwrap();
    assert!(parts(&sealed).iter().all(|parts| *parts > 0));
    drop(open(checked).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_an_earlier_version_begins_to_seal() {
    before_version_2("a_store_of_an_earlier_version_begins_to_seal", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_does_one_whose_scopes_the_server_keeps_apart() {
    before_version_2("so_does_one_whose_scopes_the_server_keeps_apart", true).await;
}
