//! Row security: the server keeps a connection to its scopes, whatever statement it is given.

use memu_core::ErrorKind;
use memu_core::conformance::fixtures::{Maker, World, identity, user};
use memu_core::scope::Scope;
use memu_core::store::{Store, Write};
use memu_postgres::{Options, PostgresStore};
use memu_testkit::postgres::{Database, database};

use crate::support::{assert_sound, connect, counts, open, open_with, refused, told};

async fn open_guarded(database: &Database, row_security: Option<bool>) -> PostgresStore {
    let mut options = Options::new(database.as_plain_user());
    options.row_security = row_security;
    // A few records are enough to be sealed.
    options.part_records = 1;
    open_with(options).await
}

/// Puts something of a scope into every table.
async fn fill(store: &PostgresStore, database: &Database, name: &str, seed: u64) -> Scope {
    let make = Maker::new(user(name).unwrap(), seed);
    let world = World::new(&make).unwrap();
    let mut writes = world.writes();
    writes.push(Write::ModelUsage(make.model_usage(1)));
    let more = (0..8).map(|number| make.item("event", &format!("number {number}")));
    writes.extend(more.map(Write::Item));
    store.commit(make.batch(writes)).await.unwrap();
    let key = make.scope().key();
    // As an upgrade does.
    database.rows(&format!(
        "INSERT INTO memu_unread VALUES ('{key}', 1, 'items', 'one', 'odd', 'text')"
    ));
    make.scope().clone()
}

/// The tables with rows of scopes.
fn scoped_tables(database: &Database) -> Vec<String> {
    let found = database.rows(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' \
         AND a.attname = 'scope_key' ORDER BY 1",
    );
    found.into_iter().flatten().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_one_scope_reaches_no_other() {
    let Some(database) = database("guarding::a_connection_of_one_scope_reaches_no_other") else {
        return;
    };
    let store = open_guarded(&database, Some(true)).await;
    let ann = fill(&store, &database, "ann", 1).await.key();
    let bob = fill(&store, &database, "bob", 2).await.key();
    let mut other = identity();
    other.model = "later".to_owned();
    // The table of a set that comes later holds what it is given.
    store.begin_set(&other).await.unwrap();
    database.rows("INSERT INTO memu_vectors_2 SELECT * FROM memu_vectors_1");
    let mut client = connect(database.as_plain_user()).await;
    let tables = scoped_tables(&database);
    assert_eq!(tables.len(), 18, "{tables:?}");
    for table in &tables {
        let of = |key| format!("SELECT count(*) FROM {table} WHERE scope_key = '{key}'");
        let held: i64 = database.value(&of(ann)).parse().unwrap();
        assert!(
            held > 0 && database.value(&of(bob)) != "0",
            "{table} is empty"
        );
        let transaction = client.transaction().await.unwrap();
        let bind = format!("SET LOCAL memu.scopes = '{ann}'");
        transaction.batch_execute(&bind).await.unwrap();
        let seen: i64 = transaction
            .query_one(&format!("SELECT count(*) FROM {table}"), &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(seen, held, "{table}");
        for statement in [
            format!("UPDATE {table} SET scope_key = scope_key WHERE scope_key = '{bob}'"),
            format!("DELETE FROM {table} WHERE scope_key = '{bob}'"),
        ] {
            let changed = transaction.execute(&statement, &[]).await.unwrap();
            assert_eq!(changed, 0, "{statement}");
        }
        transaction.rollback().await.unwrap();
        for (scopes, statement) in [
            (
                Some(ann),
                format!("UPDATE {table} SET scope_key = '{bob}' WHERE scope_key = '{ann}'"),
            ),
            (Some(ann), copying(table, &bob.to_string())),
            (None, copying(table, &bob.to_string())),
        ] {
            let transaction = client.transaction().await.unwrap();
            if let Some(key) = scopes {
                let bind = format!("SET LOCAL memu.scopes = '{key}'");
                transaction.batch_execute(&bind).await.unwrap();
            }
            let done = transaction.execute(&statement, &[]).await;
            if scopes.is_some() {
                let error = done.unwrap_err().to_string();
                assert!(error.contains("db error"), "{statement}: {error}");
            } else {
                // Nothing is seen that could be copied.
                assert_eq!(done.unwrap(), 0, "{statement}");
            }
            transaction.rollback().await.unwrap();
        }
        // Bound to nothing it sees nothing, and writes nothing.
        let seen: i64 = client
            .query_one(&format!("SELECT count(*) FROM {table}"), &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(seen, 0, "{table}");
        let deleted = client.execute(&format!("DELETE FROM {table}"), &[]).await;
        assert_eq!(deleted.unwrap(), 0, "{table}");
    }
    let written = client
        .execute(
            "INSERT INTO memu_blobs VALUES ($1::text::uuid, '', '')",
            &[&ann.to_string()],
        )
        .await;
    let error = written.unwrap_err();
    let said = error.as_db_error().unwrap().message();
    assert!(said.contains("row-level security"), "{said}");
}

/// Puts a copy of every row that is seen into another scope.
fn copying(table: &str, key: &str) -> String {
    format!(
        "INSERT INTO {table} SELECT (jsonb_populate_record(x, \
         jsonb_build_object('scope_key', '{key}'))).* FROM {table} x"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superuser_is_refused_whom_it_does_not_bind() {
    let Some(database) = database("guarding::a_superuser_is_refused_whom_it_does_not_bind") else {
        return;
    };
    let mut options = Options::new(database.dsn());
    options.row_security = Some(true);
    let error = refused(options.clone()).await;
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    assert!(told(&error).contains("superuser"), "{error:?}");
    assert!(scoped_tables(&database).is_empty(), "something was made");
    // Nor where it is on already.
    drop(open_guarded(&database, Some(true)).await);
    for row_security in [None, Some(true)] {
        options.row_security = row_security;
        let error = refused(options.clone()).await;
        assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_turned_on_and_off_and_stays_so() {
    let Some(database) = database("guarding::it_is_turned_on_and_off_and_stays_so") else {
        return;
    };
    let guarded = || {
        let guarded = "SELECT count(*) FROM pg_class WHERE relrowsecurity AND relforcerowsecurity";
        database.value(guarded)
    };
    let store = open(database.as_plain_user()).await;
    let ann = fill(&store, &database, "ann", 1).await;
    database.rows("DELETE FROM memu_unread");
    let before = counts(&store, &ann).await;
    assert_eq!(guarded(), "0");
    for (wanted, expected) in [
        (Some(true), "17"),
        (None, "17"),
        (Some(true), "17"),
        (Some(false), "0"),
        (None, "0"),
        (Some(true), "17"),
    ] {
        let store = open_guarded(&database, wanted).await;
        assert_eq!(guarded(), expected, "{wanted:?}");
        assert_eq!(counts(&store, &ann).await, before);
        assert_sound(&store).await;
    }
    let mut options = Options::new(database.as_plain_user());
    options.create = false;
    options.row_security = Some(false);
    let error = refused(options.clone()).await;
    assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
    options.row_security = None;
    let store = open_with(options).await;
    // The table of a further set is guarded as well, and one that is not is found.
    let mut other = identity();
    other.model = "later".to_owned();
    store.begin_set(&other).await.unwrap();
    assert_eq!(guarded(), "18");
    assert_sound(&store).await;
    database.rows("ALTER TABLE memu_vectors_2 NO FORCE ROW LEVEL SECURITY");
    let report = store.check(false).await.unwrap();
    assert_eq!(report.severity(), memu_core::store::Severity::Error);
}
