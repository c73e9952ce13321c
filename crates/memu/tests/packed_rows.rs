//! Packed rows, as programs of memU 1.x see them and as ours do.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use std::path::Path;

use memu::sqlite::{Options, SqliteStore};
use memu_core::conformance::block_on;
use memu_core::records::{CategoryItem, Id, MemoryCategory, MemoryItem, Meta};
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{Query, Select, Store, Write, WriteBatch};
use memu_core::time::Timestamp;
use serde_json::{Map, json};

const ITEM: &str = "0a1b2c3d-4e5f-4a6b-8c7d-9e8f7a6b5c4d";
const CATEGORY: &str = "ffeeddcc-bbaa-4998-8776-655443322110";

fn ann() -> Scope {
    ScopeSchema::default().scope([("user_id", "ann")]).unwrap()
}

fn open(path: &Path) -> SqliteStore {
    block_on(SqliteStore::open(Options::file(path))).unwrap()
}

fn meta(id: &str, created: i64, updated: i64) -> Meta {
    let created_at = Timestamp::from_micros(created);
    let mut meta = Meta::new(Id::from(id), ann(), created_at);
    meta.updated_at = Timestamp::from_micros(updated);
    meta
}

fn item(id: &str, (created, updated): (i64, i64), extra: serde_json::Value) -> MemoryItem {
    let extra: Map<String, serde_json::Value> = serde_json::from_value(extra).unwrap();
    MemoryItem {
        meta: meta(id, created, updated),
        resource_id: None,
        memory_type: "knowledge".to_owned(),
        summary: format!("about {id}"),
        happened: None,
        extra,
        segment_ids: Vec::new(),
    }
}

fn category(id: &str) -> MemoryCategory {
    MemoryCategory {
        meta: meta(id, 0, 0),
        name: id.to_owned(),
        description: String::new(),
        summary: None,
    }
}

fn relation(id: &str, item: &str, category: &str) -> CategoryItem {
    CategoryItem {
        meta: meta(id, 1, 1),
        item_id: Id::from(item),
        category_id: Id::from(category),
    }
}

fn commit(store: &SqliteStore, writes: Vec<Write>) {
    let mut batch = WriteBatch::new(ann(), None);
    batch.writes = writes;
    block_on(store.commit(batch)).unwrap();
}

/// Items with every form of id, time and extra, and relations with and without an id of
/// their own.
fn items() -> Vec<MemoryItem> {
    let hash = json!({"content_hash": "00ff10203040506f"});
    let (now, later) = (1_790_000_000_123_456, 1_790_000_000_123_457);
    vec![
        item(ITEM, (now, later), hash.clone()),
        item("tea", (-1, 0), json!({})),
        item(&ITEM.to_uppercase(), (-62_000_000_000_000_001, 5), hash),
        item(
            "b",
            (0, 0),
            json!({"content_hash": "00FF10203040506F", "n": 1.5}),
        ),
        item("c", (now, now - 1), json!({"content_hash": "00ff"})),
    ]
}

fn relations() -> Vec<CategoryItem> {
    let made = CategoryItem::id_for(&Id::from(ITEM), &Id::from(CATEGORY)).unwrap();
    vec![
        relation(made.as_str(), ITEM, CATEGORY),
        relation("5a5a5a5a-0000-4000-8000-5a5a5a5a5a5a", ITEM, "drinks"),
        relation("own", "tea", CATEGORY),
    ]
}

fn filled(path: &Path) -> SqliteStore {
    let store = open(path);
    let mut writes: Vec<Write> = ["drinks", CATEGORY]
        .map(|id| Write::Category(category(id)))
        .to_vec();
    writes.extend(items().into_iter().map(Write::Item));
    writes.extend(relations().into_iter().map(Write::Relation));
    commit(&store, writes);
    store
}

fn rows(path: &Path, sql: &str) -> Vec<Vec<String>> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..columns).map(|column| row.get(column)).collect()
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn programs_of_the_original_read_ids_times_and_extra_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memu.db");
    let store = filled(&path);
    let told = rows(
        &path,
        "SELECT id, created_at, updated_at, user_id, extra FROM memu_memory_items ORDER BY row",
    );
    let expected: Vec<Vec<String>> = items()
        .into_iter()
        .map(|item| {
            vec![
                item.meta.id.to_string(),
                item.meta.created_at.to_string(),
                item.meta.updated_at.to_string(),
                "ann".to_owned(),
                serde_json::to_string(&item.extra).unwrap(),
            ]
        })
        .collect();
    assert_eq!(told, expected);
    let told = rows(
        &path,
        "SELECT id, item_id, category_id, user_id, created_at FROM memu_category_items
         ORDER BY row",
    );
    let expected: Vec<Vec<String>> = relations()
        .into_iter()
        .map(|relation| {
            vec![
                relation.meta.id.to_string(),
                relation.item_id.to_string(),
                relation.category_id.to_string(),
                "ann".to_owned(),
                "1970-01-01 00:00:00.000001".to_owned(),
            ]
        })
        .collect();
    assert_eq!(told, expected);
    block_on(store.close()).unwrap();
}

#[test]
fn packed_records_come_back_as_they_were_stored() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("memu.db"));
    let all = Query::scope(&ann());
    let stored = |mut item: MemoryItem| {
        item.meta.revision = 1;
        item
    };
    let expected: Vec<MemoryItem> = items().into_iter().map(stored).collect();
    assert_eq!(block_on(store.items(&all)).unwrap().records, expected);
    let found = block_on(store.relations(&all)).unwrap().records;
    let ids = |relations: &[CategoryItem]| -> Vec<Id> {
        let ids = relations.iter().map(|relation| relation.meta.id.clone());
        ids.collect()
    };
    assert_eq!(ids(&found), ids(&relations()));
    let log = block_on(store.changes(&ann(), 0, 100)).unwrap();
    let logged: Vec<Id> = log.into_iter().skip(7).map(|change| change.id).collect();
    assert_eq!(logged, ids(&relations()));
}

#[test]
fn a_short_reference_finds_ids_of_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("memu.db"));
    let found = |prefix: &str| {
        let query = Query::scope(&ann()).select(Select::IdPrefixes(vec![prefix.to_owned()]));
        let items = block_on(store.items(&query)).unwrap().records;
        let ids = items.iter().map(|item| item.meta.id.to_string());
        ids.collect::<Vec<_>>()
    };
    for length in 1..=ITEM.len() {
        let prefix = &ITEM[..length];
        let mut expected = vec![ITEM.to_owned()];
        let upper = ITEM.to_uppercase();
        expected.extend(upper.starts_with(prefix).then_some(upper));
        assert_eq!(found(prefix), expected, "{prefix}");
    }
    assert_eq!(found("0A"), [ITEM.to_uppercase()]);
    assert_eq!(found("t"), ["tea"]);
    assert_eq!(found("").len(), 5);
    assert!(found("0a1b2c3d4").is_empty() && found("0a1b2c3e").is_empty());
}

#[test]
fn the_log_is_read_from_the_middle_of_what_lies_together() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("memu.db"));
    let id = |number: usize| format!("{number:08x}-0000-4000-8000-000000000000");
    let items = (0..300).map(|number| Write::Item(item(&id(number), (0, 0), json!({}))));
    commit(&store, items.collect());
    commit(&store, vec![Write::DeleteItem(Id::from(id(7)))]);
    let all = block_on(store.changes(&ann(), 0, 1_000)).unwrap();
    assert_eq!(all.len(), 301);
    assert!((1..).zip(&all).all(|(seq, change)| change.seq == seq));
    assert_eq!(all[299].id, Id::from(id(299)));
    assert_eq!(all[300].id, Id::from(id(7)));
    for after in [1, 7, 119, 120, 121, 240, 299, 300, 301, 900] {
        let expected = all.get(after..).unwrap_or_default();
        for limit in [1, 2, 130, 1_000] {
            let found = block_on(store.changes(&ann(), after as u64, limit)).unwrap();
            let expected = &expected[..limit.min(expected.len())];
            assert_eq!(found, expected, "{limit} after {after}");
        }
    }
}

#[test]
fn a_new_item_with_a_taken_id_is_refused_whatever_else_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("memu.db"));
    let mut again = item(ITEM, (0, 0), json!({}));
    again.resource_id = Some(Id::from("nowhere"));
    let mut batch = WriteBatch::new(ann(), None);
    batch.writes.push(Write::Item(again));
    let error = block_on(store.commit(batch)).unwrap_err();
    assert_eq!(error.kind(), memu::ErrorKind::Conflict);
}
