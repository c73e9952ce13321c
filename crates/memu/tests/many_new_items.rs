//! What is derived from many new items while they are written is what their rows say,
//! whatever else the same batch does.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::ops::Range;

use memu::settings::EmbeddingFormat;
use memu::sqlite::{Options, SqliteStore};
use memu_core::conformance::block_on;
use memu_core::records::{
    EmbedderIdentity, Embedding, Id, MemoryItem, Meta, OwnedEmbedding, OwnerKind,
};
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{Severity, Store, Write, WriteBatch};
use memu_core::time::Timestamp;
use tempfile::TempDir;

fn ann() -> Scope {
    ScopeSchema::default().scope([("user_id", "ann")]).unwrap()
}

fn id(number: usize) -> Id {
    Id::from_uuid_bytes((number as u128 * 0x9e37_79b9_7f4a_7c15).to_be_bytes())
}

fn item(number: usize) -> MemoryItem {
    MemoryItem {
        meta: Meta::new(id(number), ann(), Timestamp::from_micros(7)),
        resource_id: None,
        memory_type: "knowledge".to_owned(),
        summary: format!("kayak {number} is red, kayak {} is not", number % 90),
        happened: None,
        extra: serde_json::Map::new(),
        segment_ids: Vec::new(),
    }
}

fn items(numbers: Range<usize>) -> Vec<Write> {
    numbers.map(|number| Write::Item(item(number))).collect()
}

/// Vectors of these items.
fn vectors(numbers: impl IntoIterator<Item = usize>, turn: f32) -> Write {
    let identity = EmbedderIdentity {
        provider: "test".to_owned(),
        model: "waves".to_owned(),
        dimension: 24,
    };
    let owned = numbers.into_iter().map(|number| {
        let number_at = |at: usize| (number as f32 * 0.37 + at as f32 * turn).sin();
        OwnedEmbedding {
            kind: OwnerKind::Item,
            owner: id(number),
            vector: Embedding::checked((0..24).map(number_at).collect(), 24).unwrap(),
        }
    });
    Write::Embeddings(identity, owned.collect())
}

fn open(folder: &TempDir, format: EmbeddingFormat) -> SqliteStore {
    let mut options = Options::file(folder.path().join("memu.db"));
    options.embedding_format = format;
    block_on(SqliteStore::open(options)).unwrap()
}

fn commit(store: &SqliteStore, writes: Vec<Write>) {
    let mut batch = WriteBatch::new(ann(), None);
    batch.writes = writes;
    block_on(store.commit(batch)).unwrap();
}

fn assert_sound(store: &SqliteStore, what: &str) {
    let report = block_on(store.check(false)).unwrap();
    assert_eq!(report.severity(), Severity::Ok, "{what}: {report:?}");
}

#[test]
fn batches_of_any_size_follow_each_other() {
    for format in [EmbeddingFormat::F32, EmbeddingFormat::F16] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder, format);
        let mut from = 0;
        for size in [300, 1, 255, 700, 2, 1_000, 256, 512] {
            let numbers = from..from + size;
            let mut writes = items(numbers.clone());
            writes.push(vectors(numbers, 0.11));
            commit(&store, writes);
            assert_sound(&store, &format!("{size} after {from}, {format:?}"));
            from += size;
        }
    }
}

#[test]
fn the_order_of_vectors_and_other_changes_of_the_batch_do_not_matter() {
    let changed = |number: usize| {
        let mut item = item(number);
        item.meta.revision = 1;
        item.summary = "a green canoe".to_owned();
        Write::Item(item)
    };
    let new = 400..1_200;
    let cases: [(&str, Vec<Write>); 6] = [
        ("backwards", vec![vectors(new.clone().rev(), 0.2)]),
        (
            "twice",
            vec![vectors(new.clone(), 0.2), vectors(500..900, 0.3)],
        ),
        (
            "one of them twice at once",
            vec![vectors(new.clone().chain([1_199]), 0.2)],
        ),
        ("some", vec![vectors(new.clone().step_by(3), 0.2)]),
        (
            "with those of earlier items",
            vec![vectors((10..20).chain(390..1_200), 0.2)],
        ),
        (
            "of items that change at once",
            vec![vectors(new.clone(), 0.2), changed(410), changed(7)],
        ),
    ];
    for (what, writes) in cases {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder, EmbeddingFormat::F32);
        let mut before = items(0..400);
        before.push(vectors(0..400, 0.1));
        commit(&store, before);
        commit(
            &store,
            items(new.clone()).into_iter().chain(writes).collect(),
        );
        assert_sound(&store, what);
    }
}

#[test]
fn a_batch_that_also_deletes_is_derived_from_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, EmbeddingFormat::F32);
    let mut writes = items(0..600);
    writes.push(vectors(0..600, 0.1));
    writes.push(Write::DeleteItem(id(300)));
    commit(&store, writes);
    assert_sound(&store, "deleted at once");
}

#[test]
fn a_batch_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, EmbeddingFormat::F32);
    let mut batch = WriteBatch::new(ann(), None);
    batch.writes = items(0..600);
    batch.writes.push(vectors(0..601, 0.1));
    block_on(store.commit(batch)).unwrap_err();
    let report = block_on(store.check(false)).unwrap();
    assert_eq!((report.items, report.embeddings), (0, 0));
    let mut writes = items(0..600);
    writes.push(vectors(0..600, 0.1));
    commit(&store, writes);
    assert_sound(&store, "after one that failed");
}

/// Rows of two scopes lie between each other.
#[test]
fn items_that_come_one_by_one_are_outlined_in_few_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, EmbeddingFormat::F32);
    let bob = ScopeSchema::default().scope([("user_id", "bob")]).unwrap();
    for number in 0..150 {
        commit(&store, items(number..number + 1));
        let mut batch = WriteBatch::new(bob.clone(), None);
        let mut theirs = item(number);
        theirs.meta = Meta::new(id(1_000 + number), bob.clone(), Timestamp::from_micros(7));
        batch.writes.push(Write::Item(theirs));
        block_on(store.commit(batch)).unwrap();
    }
    assert_sound(&store, "one by one");
    block_on(store.close()).unwrap();
    let file = rusqlite::Connection::open(folder.path().join("memu.db")).unwrap();
    let mut statement = file
        .prepare("SELECT count(*) FROM memu_outlines GROUP BY scope_id")
        .unwrap();
    let counts = statement.query_map([], |row| row.get(0)).unwrap();
    let counts: Vec<i64> = counts.map(Result::unwrap).collect();
    // 150 of each: 64 + 64 + 16 + 4 + 1 + 1, or a few more, for bytes are what is alike.
    assert!(
        counts.len() == 2 && counts.iter().all(|count| *count <= 8),
        "{counts:?}"
    );
}
