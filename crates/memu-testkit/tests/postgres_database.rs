//! Databases on a shared server: apart from each other, made by several processes at once, gone
//! afterwards; and what happens without a server.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what should not happen"
)]

use std::env;
use std::fs;
use std::process::{Command, Output};

use memu_testkit::SKIP_LOG;
use memu_testkit::postgres::{self, Database, REQUIRED, SHARED, Server};

/// Set for a copy of a test that is run by the test.
const INNER: &str = "MEMU_TESTKIT_INNER";

fn copy_of(test: &str) -> Command {
    let mut copy = Command::new(env::current_exe().unwrap());
    copy.args(["--exact", test, "--nocapture"])
        .env(INNER, "1")
        .env_remove(SHARED)
        .env_remove(REQUIRED)
        .env_remove(SKIP_LOG);
    copy
}

fn told(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .concat()
}

fn exists(on: &Database, database: &str) -> bool {
    let databases = on.rows(&format!(
        "SELECT FROM pg_database WHERE datname = '{database}'"
    ));
    let roles = on.rows(&format!(
        "SELECT FROM pg_roles WHERE rolname = '{database}'"
    ));
    assert_eq!(databases.len(), roles.len(), "{database}");
    databases.len() == 1
}

#[test]
fn a_database_is_new_and_goes_with_its_role() {
    let test = "a_database_is_new_and_goes_with_its_role";
    let (Some(first), Some(second)) = (postgres::database(test), postgres::database(test)) else {
        return;
    };
    first.rows("CREATE TABLE here (number integer)");
    let tables = "SELECT FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(first.rows(tables).len(), 1);
    assert_eq!(second.rows(tables).len(), 0);
    let name = first.name().to_owned();
    assert!(exists(&second, &name));
    drop(first);
    assert!(!exists(&second, &name));
}

#[test]
fn a_plain_user_owns_the_database_and_no_more() {
    let test = "a_plain_user_owns_the_database_and_no_more";
    let Some(database) = postgres::database(test) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let dsn = database.as_plain_user();
        let connected = tokio_postgres::connect(dsn, tokio_postgres::NoTls).await;
        let (client, connection) = connected.unwrap();
        tokio::spawn(connection);
        let sql = "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb
            FROM pg_roles WHERE rolname = current_user";
        let row = client.query_one(sql, &[]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), database.name());
        assert!(!row.get::<_, bool>(1));
        let sql = "CREATE TABLE mine (scope integer, place vector(2));
            INSERT INTO mine VALUES (1, '[1,2]'), (2, '[3,4]');
            ALTER TABLE mine ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY one ON mine USING (scope = 1)";
        client.batch_execute(sql).await.unwrap();
        let row = client
            .query_one("SELECT count(*) FROM mine", &[])
            .await
            .unwrap();
        assert_eq!(row.get::<_, i64>(0), 1);
        // What a caller inside a runtime may do, too.
        assert_eq!(database.value("SELECT count(*) FROM mine"), "2");
    });
}

/// Runs itself several times at once, on a server that has made no database yet.
#[test]
fn processes_make_databases_at_once() {
    let test = "processes_make_databases_at_once";
    if env::var_os(INNER).is_some() {
        for _ in 0..3 {
            let database = postgres::database(test).unwrap();
            assert_eq!(database.value("SELECT '[1]'::vector"), "[1]");
        }
        return;
    }
    let Some(server) = Server::start(test) else {
        return;
    };
    let copies: Vec<_> = (0..6)
        .map(|_| {
            let mut copy = copy_of(test);
            copy.env(SHARED, server.dsn());
            std::thread::spawn(move || copy.output().unwrap())
        })
        .collect();
    for copy in copies {
        let output = copy.join().unwrap();
        assert!(output.status.success(), "{}", told(&output));
    }
    let left = "SELECT datname FROM pg_database WHERE datname LIKE 'memu_test_%'
        AND NOT datistemplate AND datname <> current_database()";
    assert_eq!(server.database().rows(left).len(), 0);
}

/// Runs itself as a test that finds no server.
#[test]
fn without_a_server_a_test_is_skipped_or_fails() {
    let test = "without_a_server_a_test_is_skipped_or_fails";
    if env::var_os(INNER).is_some() {
        assert!(postgres::database(test).is_none());
        assert!(Server::start(test).is_none());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("skips");
    let without = || {
        let mut copy = copy_of(test);
        copy.env_remove(postgres::PROGRAMS).env(SKIP_LOG, &log);
        copy
    };
    let skipped = without().output().unwrap();
    assert!(skipped.status.success(), "{}", told(&skipped));
    assert_eq!(
        fs::read_to_string(&log).unwrap(),
        format!("{test}\tMEMU_TEST_POSTGRES is not set\n{test}\tMEMU_POSTGRES_BIN is not set\n")
    );
    fs::remove_file(&log).unwrap();

    let failed = without().env(REQUIRED, "1").output().unwrap();
    assert!(!failed.status.success(), "{}", told(&failed));
    assert!(told(&failed).contains("needs PostgreSQL: MEMU_TEST_POSTGRES is not set"));
    assert!(!log.exists());

    // Nobody listens at port 1: named and not there, a server is missing whatever is required.
    let mut silent = without();
    silent.env(SHARED, "postgresql://ann:secret@127.0.0.1:1/house");
    let failed = silent.output().unwrap();
    assert!(!failed.status.success(), "{}", told(&failed));
    assert!(told(&failed).contains("no database can be made on the test server"));
    assert!(!told(&failed).contains("secret"));
    assert!(!log.exists());
}
