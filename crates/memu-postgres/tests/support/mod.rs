//! Tables as memU 1.5.1 makes them in PostgreSQL, and opening them.

use memu_core::original::UpgradeReport;
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{Severity, Store};
use memu_postgres::{Options, PostgresStore};
use memu_testkit::postgres::Database;

/// The tables of records with the columns that ours have, too.
pub(crate) const SAME: [(&str, &str); 4] = [
    (
        "resources",
        "id, created_at, updated_at, url, modality, local_path, caption",
    ),
    (
        "memory_items",
        "id, created_at, updated_at, resource_id, memory_type, summary, happened_at, \
         coalesce(extra, '{}')",
    ),
    (
        "memory_categories",
        "id, created_at, updated_at, name, description, summary",
    ),
    (
        "category_items",
        "id, created_at, updated_at, item_id, category_id",
    ),
];

pub(crate) const T: &str = "2026-11-22 12:26:07.57513+00";

/// Makes the original's tables, for a user model with these fields. The user that the store
/// connects as owns them, as it would own what it made itself.
pub(crate) fn original(database: &Database, fields: &[&str]) {
    let columns: Vec<String> = fields
        .iter()
        .map(|field| format!(", \"{field}\" VARCHAR"))
        .collect();
    let columns = columns.concat();
    let listed: Vec<String> = fields.iter().map(|field| format!("\"{field}\"")).collect();
    let index = |table: &str| {
        let scope = if fields.is_empty() {
            String::new()
        } else {
            let listed = listed.join(", ");
            format!("CREATE INDEX ix_{table}__scope ON {table} ({listed});")
        };
        format!("{scope} CREATE INDEX ix_{table}_id ON {table} (id);")
    };
    let meta = "id VARCHAR NOT NULL, created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, \
                updated_at TIMESTAMP WITH TIME ZONE NOT NULL";
    database.rows(&format!(
        "SET ROLE {role};
         CREATE TABLE resources ({meta}, url VARCHAR NOT NULL, modality VARCHAR NOT NULL,
           local_path VARCHAR NOT NULL, caption TEXT, embedding VECTOR{columns}, PRIMARY KEY (id));
         CREATE TABLE memory_items ({meta},
           resource_id VARCHAR REFERENCES resources (id) ON DELETE CASCADE,
           memory_type VARCHAR NOT NULL, summary TEXT NOT NULL, embedding VECTOR,
           happened_at TIMESTAMP WITHOUT TIME ZONE, extra JSONB{columns}, PRIMARY KEY (id));
         CREATE TABLE memory_categories ({meta}, name VARCHAR NOT NULL, description TEXT NOT NULL,
           embedding VECTOR, summary TEXT{columns}, PRIMARY KEY (id));
         CREATE INDEX ix_memory_categories_name ON memory_categories (name);
         CREATE TABLE category_items ({meta},
           item_id VARCHAR NOT NULL REFERENCES memory_items (id) ON DELETE CASCADE,
           category_id VARCHAR NOT NULL REFERENCES memory_categories (id) ON DELETE CASCADE{columns},
           PRIMARY KEY (id));
         CREATE UNIQUE INDEX idx_category_items_unique ON category_items (item_id, category_id);
         CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,
           CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
         {} {} {} {} RESET ROLE;",
        index("resources"),
        index("memory_items"),
        index("memory_categories"),
        index("category_items"),
        role = database.name(),
    ));
}

/// A value as SQL writes it.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Inserts a row: columns with what SQL says of their values. Times are added.
pub(crate) fn insert(database: &Database, table: &str, row: &[(&str, &str)]) {
    let time = literal(T);
    let mut all = vec![("created_at", time.as_str()), ("updated_at", time.as_str())];
    all.retain(|(name, _)| row.iter().all(|(own, _)| own != name));
    all.extend(row);
    let (names, values): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    database.rows(&format!(
        "INSERT INTO {table} ({}) VALUES ({})",
        names.join(", "),
        values.join(", ")
    ));
}

/// Inserts an item of a user that says so, with further columns.
pub(crate) fn item(database: &Database, id: &str, user: &str, more: &[(&str, &str)]) {
    let (id_value, user_value) = (literal(id), literal(user));
    let summary = literal(&format!("{user} likes {id}"));
    let mut row = vec![
        ("id", id_value.as_str()),
        ("user_id", user_value.as_str()),
        ("memory_type", "'profile'"),
        ("summary", summary.as_str()),
        ("extra", "'{}'"),
    ];
    row.retain(|(name, _)| more.iter().all(|(own, _)| own != name));
    row.extend(more);
    insert(database, "memory_items", &row);
}

/// Everything in the original's tables in a schema, as text.
pub(crate) fn everything(database: &Database, schema: &str) -> Vec<Vec<Option<String>>> {
    SAME.iter()
        .flat_map(|(table, _)| {
            database.rows(&format!(
                "SELECT t::text FROM {schema}.{table} t ORDER BY id"
            ))
        })
        .collect()
}

/// What the database has: schemas, tables and indexes.
pub(crate) fn catalog(database: &Database) -> Vec<Vec<Option<String>>> {
    database.rows(
        "SELECT n.nspname, c.relname FROM pg_namespace n LEFT JOIN pg_class c \
         ON c.relnamespace = n.oid WHERE n.nspname NOT LIKE 'pg\\_%' \
         AND n.nspname <> 'information_schema' ORDER BY 1, 2",
    )
}

pub(crate) fn options(database: &Database) -> Options {
    Options::new(database.as_plain_user())
}

pub(crate) async fn open(database: &Database) -> PostgresStore {
    PostgresStore::open(options(database)).await.unwrap()
}

pub(crate) async fn upgraded(database: &Database) -> (PostgresStore, UpgradeReport) {
    let store = open(database).await;
    let report = store.upgraded().expect("an upgrade").clone();
    (store, report)
}

pub(crate) fn scope(fields: &[(&str, &str)]) -> Scope {
    let schema = ScopeSchema::new(fields.iter().map(|(field, _)| field)).unwrap();
    schema.scope(fields.iter().copied()).unwrap()
}

/// Nothing is wrong but that rows were kept aside, where `unread` says so.
pub(crate) async fn assert_sound(store: &PostgresStore, unread: bool) {
    let report = store.check(false).await.unwrap();
    for finding in &report.findings {
        let expected = if unread && finding.check == "unread" {
            Severity::Warning
        } else {
            Severity::Ok
        };
        assert_eq!(finding.severity, expected, "{finding:?}");
    }
}
