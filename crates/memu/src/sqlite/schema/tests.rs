use rusqlite::Connection;

use super::*;

fn database() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let schema = ScopeSchema::new(["user_id", "agent_id"]).unwrap();
    connection.execute_batch(&create(&schema)).unwrap();
    connection
}

#[test]
fn migrations_lead_to_the_schema_of_this_version() {
    let migrations = i32::try_from(MIGRATIONS.len()).unwrap();
    assert_eq!(migrations + 1, READABLE_SINCE);
    assert_eq!(
        (READABLE_SINCE + 1, OUTLINES_BESIDE_THEIR_INDEX),
        (VERSION, VERSION)
    );
}

fn texts(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Tables with rows of scopes.
fn scoped_tables(connection: &Connection) -> Vec<String> {
    texts(
        connection,
        "SELECT m.name FROM sqlite_schema m WHERE m.type = 'table' AND m.name <> 'memu_scopes'
         AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE name = 'scope_id')",
    )
}

#[test]
fn every_index_begins_with_the_scope() {
    let connection = database();
    for table in scoped_tables(&connection) {
        let first_columns = texts(
            &connection,
            &format!(
                "SELECT i.name FROM pragma_index_list('{table}') l, pragma_index_info(l.name) i
                 WHERE i.seqno = 0"
            ),
        );
        assert!(!first_columns.is_empty(), "{table} has no index");
        assert!(
            first_columns.iter().all(|name| name == "scope_id"),
            "{table}: {first_columns:?}"
        );
    }
}

/// Otherwise SQLite reads the whole table for each row that is removed from the
/// other.
#[test]
fn every_reference_is_found_by_an_index() {
    let connection = database();
    let mut references = 0;
    for table in scoped_tables(&connection) {
        let keys = texts(
            &connection,
            &format!(
                "SELECT group_concat(\"from\") FROM (SELECT * FROM
                 pragma_foreign_key_list('{table}') ORDER BY id, seq)
                 WHERE \"table\" <> 'memu_embedding_sets' GROUP BY id"
            ),
        );
        let indexes = texts(
            &connection,
            &format!(
                "SELECT (SELECT group_concat(name) FROM pragma_index_info(l.name))
                 FROM pragma_index_list('{table}') l"
            ),
        );
        for key in keys {
            let covers = |index: &String| format!("{index},").starts_with(&format!("{key},"));
            assert!(indexes.iter().any(covers), "{table} ({key}): {indexes:?}");
            references += 1;
        }
    }
    assert!(references > 10, "only {references} references were found");
}

#[test]
fn a_page_of_a_scope_is_read_in_order_from_an_index() {
    let connection = database();
    for table in RECORD_TABLES.iter().chain([&"memu_segments"]) {
        let mut statement = connection
            .prepare(&format!(
                "EXPLAIN QUERY PLAN SELECT t.* FROM {table} t
                 WHERE t.scope_id IN (3) AND t.row > ?1 ORDER BY t.row LIMIT 9"
            ))
            .unwrap();
        let steps: Vec<String> = statement
            .query_map([1], |row| row.get(3))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(steps.len(), 1, "{steps:?}");
        assert!(
            steps[0].ends_with("(scope_id=? AND row>?)"),
            "{table}: {steps:?}"
        );
    }
}

#[test]
fn no_scope_field_can_take_the_name_of_a_column() {
    let connection = database();
    let fields = ["user_id", "agent_id"];
    let tables = texts(
        &connection,
        "SELECT m.name FROM sqlite_schema m WHERE m.type IN ('table', 'view') AND EXISTS
         (SELECT 1 FROM pragma_table_info(m.name) WHERE name = 'agent_id')",
    );
    assert!(tables.len() > RECORD_TABLES.len(), "{tables:?}");
    for table in tables {
        let sql = format!("SELECT name FROM pragma_table_info('{table}')");
        for column in texts(&connection, &sql) {
            if !fields.contains(&column.as_str()) {
                assert!(ScopeSchema::new([&column]).is_err(), "{table}.{column}");
            }
        }
    }
}
