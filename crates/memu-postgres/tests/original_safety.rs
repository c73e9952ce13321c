//! Upgrading tables of memU 1.x: all or nothing, once, and only what is the original's.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use memu_core::ErrorKind;
use memu_core::scope::ScopeSchema;
use memu_core::store::{Query, Store, StoreExt};
use memu_postgres::{Options, PostgresStore, preview_upgrade};
use memu_testkit::postgres::{Database, database};
use support::{
    assert_sound, catalog, everything, insert, item, open, options, original, scope, upgraded,
};

/// Tables with vectors of two lengths, so that a second set is made in the middle.
fn small(database: &Database) {
    original(database, &["user_id"]);
    item(database, "tea", "alice", &[("embedding", "'[1,2]'")]);
    item(database, "milk", "alice", &[("embedding", "'[1,2,3]'")]);
    item(database, "football", "bob", &[]);
}

/// Opening is refused, and the database is as it was.
async fn refused(database: &Database, options: Options, kind: ErrorKind, says: &str) {
    let before = (catalog(database), everything(database, "public"));
    let error = PostgresStore::open(options).await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(format!("{error:?}").contains(says), "{error:?}");
    assert_eq!((catalog(database), everything(database, "public")), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_one_upgrades_and_the_other_waits() {
    let test = "of_two_at_once_one_upgrades_and_the_other_waits";
    let Some(database) = database(test) else {
        return;
    };
    small(&database);
    // Less than an upgrade takes: whoever waits for one is patient.
    let mut impatient = options(&database);
    impatient.busy_timeout = std::time::Duration::from_millis(1);
    let opened = futures_util::future::join_all((0..4).map(|_| {
        let options = impatient.clone();
        tokio::spawn(PostgresStore::open(options))
    }))
    .await;
    let stores: Vec<PostgresStore> = opened
        .into_iter()
        .map(|one| one.unwrap().unwrap())
        .collect();
    let upgraded = stores.iter().filter(|store| store.upgraded().is_some());
    assert_eq!(upgraded.count(), 1);
    for store in stores {
        let alice = Query::scope(&scope(&[("user_id", "alice")]));
        assert_eq!(store.all_items(&alice).await.unwrap().len(), 2);
        assert_sound(&store, false).await;
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_the_middle_leaves_everything_as_it_was() {
    let test = "a_failure_in_the_middle_leaves_everything_as_it_was";
    let Some(database) = database(test) else {
        return;
    };
    small(&database);
    // The table of the second set is made after rows were taken over.
    for failure in [
        "RAISE EXCEPTION 'the disk is on fire'",
        "PERFORM pg_terminate_backend(pg_backend_pid())",
    ] {
        database.rows(&format!(
            "CREATE FUNCTION fail() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ \
             BEGIN IF to_regclass('memu_vectors_2') IS NOT NULL THEN {failure}; END IF; END $$; \
             CREATE EVENT TRIGGER fail ON ddl_command_end EXECUTE FUNCTION fail();"
        ));
        let before = (catalog(&database), everything(&database, "public"));
        for preview in [false, true] {
            let error = if preview {
                preview_upgrade(&options(&database)).await.unwrap_err()
            } else {
                PostgresStore::open(options(&database)).await.unwrap_err()
            };
            assert_eq!(error.kind(), ErrorKind::Storage, "{error:?}");
            let after = (catalog(&database), everything(&database, "public"));
            assert_eq!(after, before, "{failure}");
        }
        database.rows("DROP EVENT TRIGGER fail; DROP FUNCTION fail;");
    }
    let (store, report) = upgraded(&database).await;
    assert_eq!((report.items, report.vectors.len()), (3, 2));
    assert_sound(&store, false).await;
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_that_is_refused_changes_nothing() {
    let Some(database) = database("an_upgrade_that_is_refused_changes_nothing") else {
        return;
    };
    small(&database);
    let mut only_checked = options(&database);
    only_checked.create = false;
    let says = "memu upgrade --db postgresql://";
    refused(&database, only_checked, ErrorKind::Unsupported, says).await;

    let mut others = options(&database);
    others.schema = Some(ScopeSchema::new(["team"]).unwrap());
    let says = "this memory of memU 1.x has the scope fields [\"user_id\"]";
    refused(&database, others, ErrorKind::Config, says).await;

    // Somebody uses the tables and does not end.
    let mut impatient = options(&database);
    impatient.busy_timeout = std::time::Duration::from_millis(50);
    let (client, connection) = tokio_postgres::connect(database.dsn(), tokio_postgres::NoTls)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    client
        .batch_execute("BEGIN; SELECT count(*) FROM category_items")
        .await
        .unwrap();
    refused(&database, impatient, ErrorKind::Busy, "busy_timeout_s").await;
    drop(client);
    let _ = connection.await;

    let role = database.name();
    database.rows("ALTER TABLE memory_items OWNER TO CURRENT_USER");
    refused(
        &database,
        options(&database),
        ErrorKind::Permission,
        "must own",
    )
    .await;
    database.rows(&format!("ALTER TABLE memory_items OWNER TO {role}"));

    // The user may not make a schema. One that is there will do.
    database.rows(&format!(
        "ALTER DATABASE {role} OWNER TO CURRENT_USER; GRANT ALL ON SCHEMA public TO {role}"
    ));
    let says = "GRANT CREATE ON DATABASE";
    refused(&database, options(&database), ErrorKind::Permission, says).await;
    database.rows(&format!("CREATE SCHEMA memu_1x AUTHORIZATION {role}"));
    let (store, report) = upgraded(&database).await;
    assert_eq!(report.backup.as_deref(), Some("memu_1x"));
    store.close().await.unwrap();
    // Whose it was before, for the role to be dropped with it.
    database.rows(&format!("ALTER DATABASE {role} OWNER TO {role}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_moved_are_never_overwritten() {
    let Some(database) = database("tables_that_moved_are_never_overwritten") else {
        return;
    };
    let role = database.name();
    database.rows(&format!(
        "CREATE SCHEMA memu_1x AUTHORIZATION {role}; \
         CREATE TABLE memu_1x.resources AS SELECT 'precious' AS url"
    ));
    small(&database);
    database.rows("INSERT INTO alembic_version VALUES ('another program''s')");
    let (store, report) = upgraded(&database).await;
    assert_eq!(report.backup.as_deref(), Some("memu_1x_2"));
    assert_eq!(
        database.value("SELECT url FROM memu_1x.resources"),
        "precious"
    );
    assert_eq!(
        database.value("SELECT count(*) FROM memu_1x_2.memory_items"),
        "3"
    );
    let version = database.value("SELECT version_num FROM public.alembic_version");
    assert_eq!(version, "another program's");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_program_made_is_refused() {
    let Some(database) = database("what_another_program_made_is_refused") else {
        return;
    };
    let role = database.name();
    let refuse = async |says: &str| {
        let before = catalog(&database);
        let preview = preview_upgrade(&options(&database)).await.unwrap();
        assert_eq!(preview, None);
        let error = PostgresStore::open(options(&database)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
        assert!(error.message().contains(says), "{error:?}");
        assert_eq!(catalog(&database), before);
    };
    database.rows("CREATE TABLE resources (id VARCHAR PRIMARY KEY, url TEXT, modality TEXT)");
    refuse("resources is in the way").await;
    database.rows("DROP TABLE resources");
    small(&database);
    // Nearly the original's tables, but not quite.
    for (change, back) in [
        ("RENAME embedding TO vector", "RENAME vector TO embedding"),
        ("ADD revision INT", "DROP revision"),
        (
            "ALTER embedding TYPE TEXT",
            "ALTER embedding TYPE VECTOR USING embedding::vector",
        ),
    ] {
        database.rows(&format!("ALTER TABLE memory_items {change}"));
        refuse("belongs to another program").await;
        database.rows(&format!("ALTER TABLE memory_items {back}"));
    }
    database.rows(&format!(
        "ALTER TABLE memory_categories RENAME TO categories_{role}"
    ));
    refuse("belongs to another program").await;
    database.rows(&format!(
        "ALTER TABLE categories_{role} RENAME TO memory_categories"
    ));
    let (store, _) = upgraded(&database).await;
    store.close().await.unwrap();
    // A database without any table needs no upgrade, and gets none by a preview.
    database.rows("DROP SCHEMA public CASCADE; DROP SCHEMA memu_1x CASCADE");
    database.rows(&format!(
        "CREATE SCHEMA public AUTHORIZATION {role}; CREATE EXTENSION IF NOT EXISTS vector"
    ));
    let before = catalog(&database);
    assert_eq!(preview_upgrade(&options(&database)).await.unwrap(), None);
    assert_eq!(catalog(&database), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn row_security_holds_from_the_upgrade_on() {
    let Some(database) = database("row_security_holds_from_the_upgrade_on") else {
        return;
    };
    small(&database);
    // Something that is kept aside, of a user.
    let row = [
        ("id", "'m'"),
        ("user_id", "'bob'"),
        ("url", "'x'"),
        ("modality", "'smell'"),
        ("local_path", "''"),
    ];
    insert(&database, "resources", &row);
    let mut guarded = options(&database);
    guarded.row_security = Some(true);
    let store = PostgresStore::open(guarded).await.unwrap();
    assert_eq!(store.upgraded().unwrap().unread.len(), 1);
    assert_sound(&store, true).await;
    let unguarded = "SELECT count(*) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' \
        AND a.attname = 'scope_key' AND NOT c.relforcerowsecurity";
    assert_eq!(database.value(unguarded), "0");
    for (user, count) in [("alice", 2), ("bob", 1)] {
        let scope = Query::scope(&scope(&[("user_id", user)]));
        assert_eq!(store.all_items(&scope).await.unwrap().len(), count);
    }
    store.close().await.unwrap();
    let again = open(&database).await;
    assert_eq!(again.upgraded(), None);
    again.close().await.unwrap();
}
