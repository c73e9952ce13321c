//! Servers of a test's own: started, stopped, killed, started again, spoken to through TLS, and
//! gone with the test.

#![cfg(unix)]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at what should not happen"
)]

use std::env;
use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use memu_testkit::postgres::{self, Server, Stop, TlsFront, certificate_authority};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Set for a copy of a test that is killed, to the file in which it names its port.
const INNER: &str = "MEMU_TESTKIT_INNER";

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{what}: waited for in vain");
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

fn port(dsn: &str) -> u16 {
    dsn.parse::<Config>().unwrap().get_ports()[0]
}

#[test]
fn a_server_answers_and_has_pgvector() {
    let Some(server) = Server::start("a_server_answers_and_has_pgvector") else {
        return;
    };
    let database = server.database();
    assert_eq!(database.value("SELECT 1"), "1");
    assert_eq!(database.value("SELECT '[1,2]'::vector <-> '[1,5]'"), "3");
    let version = database.value("SELECT extversion FROM pg_extension WHERE extname = 'vector'");
    assert!(version.starts_with("0.8"), "{version}");
    assert_eq!(database.value("SHOW server_encoding"), "UTF8");
    let collation = "SELECT datcollate FROM pg_database WHERE datname = current_database()";
    assert_eq!(database.value(collation), "C");
}

#[test]
fn a_server_takes_settings_and_no_wrong_password() {
    let test = "a_server_takes_settings_and_no_wrong_password";
    let server = Server::builder().setting("max_connections", "20");
    let Some(server) = server.start(test) else {
        return;
    };
    let database = server.database();
    assert_eq!(database.value("SHOW max_connections"), "20");
    let mut config: Config = database.dsn().parse().unwrap();
    config.password("wrong");
    let error = block_on(async { config.connect(NoTls).await.err().unwrap() });
    assert_eq!(error.code().unwrap().code(), "28P01");
}

#[test]
fn a_killed_server_keeps_what_was_committed() {
    let test = "a_killed_server_keeps_what_was_committed";
    let Some(mut server) = Server::start(test) else {
        return;
    };
    for round in 1..=3 {
        commit_and_kill(&mut server, round);
    }
}

#[test]
fn a_killed_server_that_waits_for_the_disk_keeps_what_was_committed() {
    let test = "a_killed_server_that_waits_for_the_disk_keeps_what_was_committed";
    let Some(mut server) = Server::builder().durable().start(test) else {
        return;
    };
    assert_eq!(server.database().value("SHOW fsync"), "on");
    commit_and_kill(&mut server, 1);
}

/// Commits 100 rows, kills the server in the middle of another transaction, and starts it again.
fn commit_and_kill(server: &mut Server, round: i64) {
    let dsn = server.dsn();
    let kept = "CREATE TABLE IF NOT EXISTS kept (number integer);
        INSERT INTO kept SELECT generate_series(1, 100)";
    let lost = "BEGIN; INSERT INTO kept SELECT generate_series(1, 50)";
    block_on(async {
        let (client, connection) = tokio_postgres::connect(&dsn, NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute(kept).await.unwrap();
        client.batch_execute(lost).await.unwrap();
        server.kill();
        assert!(client.batch_execute("COMMIT").await.is_err());
        assert!(connection.await.unwrap().is_err());
        assert!(TcpStream::connect(("127.0.0.1", port(&dsn))).is_err());
        server.start_again();
        let (client, connection) = tokio_postgres::connect(&dsn, NoTls).await.unwrap();
        tokio::spawn(connection);
        let found = client.query_one("SELECT count(*) FROM kept", &[]).await;
        assert_eq!(found.unwrap().get::<_, i64>(0), round * 100);
    });
}

#[test]
fn a_server_stops_and_starts_again_on_its_port() {
    let test = "a_server_stops_and_starts_again_on_its_port";
    let Some(mut server) = Server::start(test) else {
        return;
    };
    let database = server.database();
    database.rows("CREATE TABLE kept AS SELECT 7 AS number");
    let dsn = server.dsn();
    server.stop(Stop::Fast);
    server.stop(Stop::Fast);
    assert!(TcpStream::connect(("127.0.0.1", port(&dsn))).is_err());
    server.start_again();
    server.start_again();
    assert_eq!(server.dsn(), dsn);
    assert_eq!(database.value("SELECT number FROM kept"), "7");
}

#[test]
fn a_smart_stop_waits_for_clients() {
    let Some(mut server) = Server::start("a_smart_stop_waits_for_clients") else {
        return;
    };
    let dsn = server.dsn();
    block_on(async {
        let (client, connection) = tokio_postgres::connect(&dsn, NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let stopping = std::thread::spawn(move || server.stop(Stop::Smart));
        // New ones are refused, and this one is served.
        while tokio_postgres::connect(&dsn, NoTls).await.is_ok() {}
        client.batch_execute("SELECT 1").await.unwrap();
        assert!(!stopping.is_finished());
        drop(client);
        connection.await.unwrap().unwrap();
        stopping.join().unwrap();
    });
}

/// A process that ends with `SIGKILL`, at the latest when the test fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Runs itself once more, as the test that is killed.
#[test]
fn a_server_ends_with_the_test_that_is_killed() {
    let test = "a_server_ends_with_the_test_that_is_killed";
    if let Some(told) = env::var_os(INNER) {
        let server = Server::start(test).unwrap();
        let unfinished = Path::new(&told).with_extension("new");
        fs::write(&unfinished, port(&server.dsn()).to_string()).unwrap();
        fs::rename(unfinished, told).unwrap();
        loop {
            std::thread::park();
        }
    }
    if postgres::programs(test).is_none() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let (told, servers) = (place.path().join("told"), place.path().join("servers"));
    fs::create_dir(&servers).unwrap();
    // A server may run as another user, who removes its folder from those of temporary files.
    for folder in [place.path(), &servers] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let inner = Command::new(env::current_exe().unwrap())
        .args(["--exact", test])
        .env(INNER, &told)
        .env("TMPDIR", &servers)
        .stdout(Stdio::null())
        .spawn();
    let inner = Killed(inner.unwrap());
    wait_until("a server starts", || told.exists());
    let port: u16 = fs::read_to_string(&told).unwrap().parse().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert_ne!(fs::read_dir(&servers).unwrap().count(), 0);
    drop(inner);
    wait_until("the server ends", || {
        TcpStream::connect(("127.0.0.1", port)).is_err()
    });
    wait_until("its folders are removed", || {
        fs::read_dir(&servers).unwrap().count() == 0
    });
}

/// How a client that trusts `authorities` fares, and what it finds.
fn through_tls(dsn: &str, authorities: RootCertStore) -> Result<bool, String> {
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(authorities)
            .with_no_client_auth();
    block_on(async {
        let connected = tokio_postgres::connect(dsn, MakeRustlsConnect::new(config)).await;
        let (client, connection) = connected.map_err(|error| format!("{error:?}"))?;
        let connection = tokio::spawn(connection);
        let row = client
            .query_one("SELECT count(*) FROM pg_database", &[])
            .await;
        drop(client);
        connection.await.unwrap().unwrap();
        Ok(row.unwrap().get::<_, i64>(0) > 0)
    })
}

#[test]
fn tls_is_spoken_with_a_certificate_for_localhost() {
    let test = "tls_is_spoken_with_a_certificate_for_localhost";
    let Some(server) = Server::start(test) else {
        return;
    };
    let front = TlsFront::before(&server.dsn());
    let mut authorities = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(certificate_authority()).unwrap();
    authorities.add(authority).unwrap();
    assert_eq!(through_tls(&front.dsn(), authorities.clone()), Ok(true));
    let direct = format!("{}&sslnegotiation=direct", front.dsn());
    assert_eq!(through_tls(&direct, authorities.clone()), Ok(true));

    let by_number = front.dsn().replace("localhost", "127.0.0.1");
    let refused = through_tls(&by_number, authorities).unwrap_err();
    assert!(refused.contains("NotValidForName"), "{refused}");
    let refused = through_tls(&front.dsn(), RootCertStore::empty()).unwrap_err();
    assert!(refused.contains("UnknownIssuer"), "{refused}");

    let without = front.dsn().replace("sslmode=require", "sslmode=disable");
    let error = block_on(async {
        tokio_postgres::connect(&without, NoTls)
            .await
            .err()
            .unwrap()
    });
    assert_eq!(error.code().unwrap().code(), "28000", "{error:?}");
}
