//! Files as memU 1.x wrote them, and opening them.

use std::path::{Path, PathBuf};

use memu::sqlite::{Options, SqliteStore, UpgradeReport};
use memu_core::conformance::block_on;
use memu_core::records::MemoryItem;
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{Query, Severity, Store, StoreExt};
use rusqlite::Connection;
use serde_json::json;

/// The tables as the original makes them, for a user model with these fields.
pub(crate) fn original(path: &Path, prefix: &str, fields: &[&str]) -> Connection {
    let connection = Connection::open(path).unwrap();
    let fields = fields.iter().fold(String::new(), |fields, field| {
        fields + "\"" + field + "\" VARCHAR, "
    });
    let meta = "id VARCHAR NOT NULL, created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, \
                updated_at DATETIME NOT NULL";
    connection
        .execute_batch(&format!(
            "CREATE TABLE {prefix}resources ({meta}, url VARCHAR NOT NULL, modality VARCHAR NOT NULL,
               local_path VARCHAR NOT NULL, caption TEXT, embedding_json TEXT, {fields}PRIMARY KEY (id));
             CREATE TABLE {prefix}memory_categories ({meta}, name VARCHAR NOT NULL,
               description TEXT NOT NULL, summary TEXT, embedding_json TEXT, {fields}PRIMARY KEY (id));
             CREATE TABLE {prefix}memory_items ({meta}, resource_id VARCHAR, memory_type VARCHAR NOT NULL,
               summary TEXT NOT NULL, happened_at DATETIME, extra JSON, embedding_json TEXT,
               {fields}PRIMARY KEY (id));
             CREATE INDEX ix_{prefix}memory_items_id ON {prefix}memory_items (id);
             CREATE TABLE {prefix}category_items ({meta}, item_id VARCHAR NOT NULL,
               category_id VARCHAR NOT NULL, {fields}PRIMARY KEY (id));
             CREATE UNIQUE INDEX idx_sqlite_category_items_unique
               ON {prefix}category_items (item_id, category_id);"
        ))
        .unwrap();
    connection
}

pub(crate) const T: &str = "2026-11-22 12:26:07.575130";

pub(crate) fn insert(connection: &Connection, table: &str, row: &serde_json::Value) {
    let object = row.as_object().unwrap();
    let mut names = vec!["created_at".to_owned(), "updated_at".to_owned()];
    let mut values = vec![Some(T.to_owned()), Some(T.to_owned())];
    for (name, value) in object {
        let value = match value {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        if let Some(at) = names.iter().position(|known| known == name) {
            values[at] = value;
        } else {
            names.push(format!("\"{name}\""));
            values.push(value);
        }
    }
    let marks = vec!["?"; values.len()].join(", ");
    connection
        .execute(
            &format!(
                "INSERT INTO {table} ({}) VALUES ({marks})",
                names.join(", ")
            ),
            rusqlite::params_from_iter(values),
        )
        .unwrap();
}

pub(crate) fn item(id: &str, user: &str) -> serde_json::Value {
    json!({"id": id, "user_id": user, "memory_type": "profile", "summary": format!("{user} likes {id}"),
           "extra": "{}"})
}

/// A file with one item of alice.
pub(crate) fn small(folder: &Path, prefix: &str) -> PathBuf {
    let path = folder.join("memu.db");
    let connection = original(&path, prefix, &["user_id"]);
    insert(
        &connection,
        &format!("{prefix}memory_items"),
        &item("tea", "alice"),
    );
    path
}

pub(crate) fn open(path: &Path) -> SqliteStore {
    block_on(SqliteStore::open(Options::file(path))).unwrap()
}

pub(crate) fn upgraded(path: &Path) -> (SqliteStore, UpgradeReport) {
    let store = open(path);
    let report = store.upgraded().expect("an upgrade").clone();
    (store, report)
}

pub(crate) fn scope(fields: &[(&str, &str)]) -> Scope {
    let schema = ScopeSchema::new(fields.iter().map(|(field, _)| field)).unwrap();
    schema.scope(fields.iter().copied()).unwrap()
}

pub(crate) fn items(store: &SqliteStore, scope: &Scope) -> Vec<MemoryItem> {
    block_on(store.all_items(&Query::scope(scope))).unwrap()
}

pub(crate) fn assert_sound(store: &SqliteStore) {
    let report = block_on(store.check(false)).unwrap();
    assert_eq!(report.severity(), Severity::Ok, "{report:?}");
}

/// All rows of a query, as text.
pub(crate) fn rows(path: &Path, sql: &str) -> Vec<Vec<Option<String>>> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect());
    rows.unwrap().map(Result::unwrap).collect()
}
