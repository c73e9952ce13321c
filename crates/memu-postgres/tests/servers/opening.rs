//! What is not opened, and what is said about it; nothing of it changes.

use memu_core::ErrorKind;
use memu_core::conformance::fixtures::{Maker, World, user};
use memu_core::scope::ScopeSchema;
use memu_core::store::Store;
use memu_postgres::Options;
use memu_testkit::postgres::{Database, Server, database};

use crate::support::{assert_sound, connect, open, open_with, refused, told};

/// Everything that is in the current schema, in words: columns with their types and defaults,
/// indexes, constraints, sequences, policies.
fn inside(database: &Database) -> Vec<Vec<Option<String>>> {
    database.rows(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull \
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
         WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 ORDER BY 1, 2; \
         SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1; \
         SELECT conname, conrelid::regclass::text FROM pg_constraint \
         WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2; \
         SELECT * FROM pg_policies; \
         SELECT relname, relrowsecurity FROM pg_class ORDER BY 1",
    )
}

fn checked(database: &Database) -> Options {
    let mut options = Options::new(database.as_plain_user());
    options.create = false;
    options
}

/// A database with a store in which there is something.
async fn filled(test: &str) -> Option<Database> {
    let database = database(test)?;
    let store = open(database.as_plain_user()).await;
    let make = Maker::new(user("ann").unwrap(), 1);
    let world = World::new(&make).unwrap();
    store.commit(make.batch(world.writes())).await.unwrap();
    store.close().await.unwrap();
    Some(database)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_where_tables_are_only_checked() {
    let Some(database) = database("opening::nothing_is_made_where_tables_are_only_checked") else {
        return;
    };
    let before = inside(&database);
    let error = refused(checked(&database)).await;
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    assert!(told(&error).contains("ddl_mode"), "{error:?}");
    assert_eq!(inside(&database), before);
    drop(open(database.as_plain_user()).await);
    drop(open_with(checked(&database)).await);
}

/// Each of these is done to a store and undone afterwards; what the refusal names.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "ALTER TABLE memory_items RENAME COLUMN summary TO gist",
        "memory_items lacks the column summary",
    ),
    (
        "ALTER TABLE memu_meta RENAME COLUMN value TO worth",
        "memu_meta lacks the column value",
    ),
    (
        "ALTER TABLE memu_embedding_sets RENAME COLUMN set_state TO standing",
        "memu_embedding_sets lacks the column set_state",
    ),
    (
        "ALTER TABLE memu_scopes RENAME COLUMN user_id TO user_name",
        "memu_scopes lacks the column user_id",
    ),
    (
        "ALTER TABLE resources ALTER segment_count TYPE integer",
        "resources.segment_count is integer where bigint is expected",
    ),
    (
        "ALTER TABLE memory_categories ALTER description TYPE text COLLATE \"default\"",
        "memory_categories.description is in the order default where C is expected",
    ),
    (
        "ALTER TABLE memu_vectors_1 ALTER embedding TYPE vector",
        "memu_vectors_1.embedding is vector where vector(4) is expected",
    ),
    (
        "DROP TABLE memu_vectors_1",
        "the table memu_vectors_1 is missing",
    ),
    ("DROP TABLE memu_unread", "the table memu_unread is missing"),
    (
        "DROP INDEX resources_url",
        "resources lacks the index resources_url",
    ),
    (
        "DROP INDEX category_items_pair",
        "category_items lacks the unique index category_items_pair",
    ),
    (
        "ALTER TABLE memu_changes DROP CONSTRAINT memu_changes_pkey",
        "memu_changes lacks the primary key",
    ),
    (
        "ALTER TABLE memory_items DROP CONSTRAINT memory_items_scope_key_resource_id_fkey",
        "memory_items lacks the reference of (scope_key, resource_id) to resources",
    ),
    (
        "ALTER TABLE memory_items ADD COLUMN owner text; \
         UPDATE memory_items SET owner = ''; ALTER TABLE memory_items ALTER owner SET NOT NULL",
        "memory_items demands a column owner",
    ),
    (
        "ALTER TABLE memory_items ALTER extra DROP NOT NULL",
        "memory_items.extra may be null",
    ),
    (
        "ALTER TABLE memory_items ALTER resource_id SET NOT NULL",
        "memory_items.resource_id may not be null",
    ),
    (
        "DROP SEQUENCE memu_places",
        "the sequence memu_places is missing",
    ),
    (
        "ALTER TABLE memory_items ENABLE ROW LEVEL SECURITY",
        "row security of memory_items is off for its owner where off is expected",
    ),
    (
        "ALTER TABLE memu_changes ADD CONSTRAINT few CHECK (seq < 1000)",
        "memu_changes has a rule few",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_differ_are_refused_and_every_difference_is_told() {
    let test = "opening::tables_that_differ_are_refused_and_every_difference_is_told";
    for (change, named) in DIFFERENCES {
        let Some(database) = filled(test).await else {
            return;
        };
        // `resource_id` is null somewhere.
        database.rows("UPDATE memory_items SET resource_id = (SELECT id FROM resources LIMIT 1)");
        drop(open_with(checked(&database)).await);
        database.rows(change);
        let before = inside(&database);
        let error = refused(checked(&database)).await;
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{change}: {error:?}");
        assert!(error.message().contains(named), "{change}: {error:?}");
        assert_eq!(inside(&database), before, "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_differences_are_all_told() {
    let Some(database) = filled("opening::several_differences_are_all_told").await else {
        return;
    };
    database.rows(
        "ALTER TABLE memory_items RENAME summary TO gist; DROP TABLE memu_blobs; \
         ALTER TABLE memu_embedding_sets RENAME model TO name",
    );
    let error = refused(checked(&database)).await;
    for named in [
        "memory_items lacks the column summary",
        "the table memu_blobs is missing",
        "memu_embedding_sets lacks the column model",
    ] {
        assert!(error.message().contains(named), "{error:?}");
    }
}

/// What others add for themselves does no harm.
#[tokio::test(flavor = "multi_thread")]
async fn additions_that_demand_nothing_are_left_alone() {
    let Some(database) = filled("opening::additions_that_demand_nothing_are_left_alone").await
    else {
        return;
    };
    database.rows(
        "ALTER TABLE memory_items ADD note text, ADD marked boolean NOT NULL DEFAULT false; \
         CREATE INDEX ours ON memory_items (memory_type); CREATE TABLE other (id text); \
         CREATE VIEW seen AS SELECT * FROM memory_items",
    );
    let store = open_with(checked(&database)).await;
    let make = Maker::new(user("bob").unwrap(), 2);
    let world = World::new(&make).unwrap();
    store.commit(make.batch(world.writes())).await.unwrap();
    assert_sound(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_fields_and_newer_versions_are_refused() {
    let test = "opening::other_fields_and_newer_versions_are_refused";
    let Some(database) = filled(test).await else {
        return;
    };
    for create in [true, false] {
        let mut options = checked(&database);
        options.create = create;
        options.schema = Some(ScopeSchema::new(["user_id", "agent_id"]).unwrap());
        let error = refused(options).await;
        assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
        assert!(told(&error).contains("user_id, agent_id"), "{error:?}");
    }
    database.rows("UPDATE memu_meta SET value = '99' WHERE key = 'schema_version'");
    let before = inside(&database);
    for create in [true, false] {
        let mut options = checked(&database);
        options.create = create;
        let error = refused(options).await;
        assert_eq!(error.kind(), ErrorKind::TooNew, "{error:?}");
        assert!(told(&error).contains("99"), "{error:?}");
    }
    assert_eq!(inside(&database), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_another_program_is_left_alone() {
    let test = "opening::what_belongs_to_another_program_is_left_alone";
    for (foreign, named) in [
        ("CREATE TABLE resources (number integer)", "resources"),
        (
            "CREATE VIEW memory_items AS SELECT 1 AS one",
            "memory_items",
        ),
        ("CREATE SEQUENCE memu_places", "memu_places"),
        (
            "CREATE TABLE other (number integer); CREATE INDEX resources_url ON other (number)",
            "resources_url",
        ),
    ] {
        let Some(database) = database(test) else {
            return;
        };
        database.rows(foreign);
        let before = inside(&database);
        let error = refused(Options::new(database.as_plain_user())).await;
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
        assert!(told(&error).contains(named), "{error:?}");
        assert!(told(&error).contains("search_path"), "{error:?}");
        assert_eq!(inside(&database), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_rights_is_told_so() {
    let Some(database) = database("opening::a_user_without_rights_is_told_so") else {
        return;
    };
    let role = database.name();
    // Who owns the database may do everything in it; it is the superuser's for now.
    database.rows(&format!(
        "ALTER DATABASE {role} OWNER TO CURRENT_USER; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    ));
    let error = refused(Options::new(database.as_plain_user())).await;
    assert_eq!(error.kind(), ErrorKind::Permission, "{error:?}");
    assert!(told(&error).contains("permission denied"), "{error:?}");
    let store = open(database.dsn()).await;
    let make = Maker::new(user("ann").unwrap(), 1);
    let world = World::new(&make).unwrap();
    store.commit(make.batch(world.writes())).await.unwrap();
    // Tables of another user, who has given no rights.
    for create in [true, false] {
        let mut options = checked(&database);
        options.create = create;
        let error = refused(options).await;
        assert_eq!(error.kind(), ErrorKind::Permission, "{error:?}");
    }
    // With those to read and write, but none to make tables, all goes on but new embedders.
    database.rows(&format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}; \
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
    ));
    let store = open_with(checked(&database)).await;
    let others = Maker::new(user("bob").unwrap(), 2);
    let world = World::new(&others).unwrap();
    store.commit(others.batch(world.writes())).await.unwrap();
    let mut identity = memu_core::conformance::fixtures::identity();
    identity.model = "another".to_owned();
    let error = store.begin_set(&identity).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission, "{error:?}");
    assert_sound(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_used_is_told_without_the_password() {
    let test = "opening::a_server_that_cannot_be_used_is_told_without_the_password";
    let Some(mut server) = Server::builder()
        .setting("max_connections", "6")
        .setting("superuser_reserved_connections", "2")
        .setting("reserved_connections", "0")
        .setting("max_wal_senders", "0")
        .start(test)
    else {
        return;
    };
    let database = tokio::task::block_in_place(|| server.database());
    let dsn = database.as_plain_user().to_owned();
    let config: tokio_postgres::Config = dsn.parse().unwrap();
    let password = String::from_utf8(config.get_password().unwrap().to_vec()).unwrap();
    let wrong = "s3cretword";
    let port = format!(":{}/", config.get_ports()[0]);
    let assert_refused = async |dsn: String, kind, named: &str, retryable| {
        let mut options = Options::new(dsn);
        options.pool_timeout = std::time::Duration::from_secs(5);
        let shown = format!("{options:?}");
        let error = refused(options).await;
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(error.is_retryable(), retryable, "{error:?}");
        let told = format!("{shown} {}", told(&error));
        assert!(told.contains(named), "{error:?}");
        assert!(!told.contains(&password) && !told.contains(wrong), "{told}");
    };
    let denied = ErrorKind::Permission;
    assert_refused(dsn.replace(&password, wrong), denied, "password", false).await;
    let without = dsn.replace(&format!(":{password}@"), "@");
    assert_refused(without, denied, "password", false).await;
    let nobody = dsn.replace(&format!("{}:", database.name()), "nobody:");
    assert_refused(nobody, denied, "password", false).await;
    let elsewhere = dsn.strip_suffix(database.name()).unwrap();
    let elsewhere = format!("{elsewhere}nowhere");
    assert_refused(elsewhere, ErrorKind::Config, "nowhere", false).await;
    let closed = dsn.replace(&port, ":1/");
    assert_refused(closed, ErrorKind::Storage, "refused", true).await;
    let unknown = dsn.replace("127.0.0.1", "no-such-host.invalid");
    assert_refused(unknown, ErrorKind::Storage, "could not be made", true).await;
    for broken in ["port", "99999"] {
        let broken = dsn.replace(&port, &format!(":{broken}/"));
        assert_refused(broken, ErrorKind::Config, "DSN", false).await;
    }
    for query in [
        "sslmode=s3cretish",
        "nonsense=1",
        "sslrootcert=/nowhere&sslmode=verify-ca",
    ] {
        let odd = format!("{dsn}?{query}");
        assert_refused(odd, ErrorKind::Config, "", false).await;
    }

    // All connections that ordinary users may have are taken.
    let store = open(&dsn).await;
    assert!(!format!("{store:?}").contains(&password), "{store:?}");
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(connect(&dsn).await);
    }
    assert_refused(dsn.clone(), ErrorKind::Busy, "max_connections", true).await;
    drop(taken);
    assert_sound(&store).await;
    tokio::task::block_in_place(|| server.kill());
    assert_refused(dsn.clone(), ErrorKind::Storage, "could not be made", true).await;
}
