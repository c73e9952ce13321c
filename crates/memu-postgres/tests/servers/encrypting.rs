//! What `sslmode` asks for, on a server that speaks TLS and on one that does not.

use std::path::PathBuf;

use memu_core::ErrorKind;
use memu_core::conformance::fixtures::{Maker, World, user};
use memu_core::store::Store;
use memu_postgres::Options;
use memu_testkit::postgres::{TlsFront, certificate_authority, database};

use crate::support::{assert_sound, open, refused, told};

/// A certificate by which nobody's is signed.
fn stranger() -> PathBuf {
    certificate_authority().with_file_name("server.pem")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_tls_gets_what_sslmode_says() {
    let Some(database) = database("encrypting::a_server_with_tls_gets_what_sslmode_says") else {
        return;
    };
    let front = TlsFront::before(database.as_plain_user());
    let dsn = front.dsn();
    let named = dsn.split('?').next().unwrap();
    // The same place under a name that the certificate has not.
    let unnamed = named.replace("@localhost:", "@127.0.0.1:");
    let ours = certificate_authority().display().to_string();
    let theirs = stranger().display().to_string();
    for good in [
        format!("{named}?sslmode=prefer"),
        named.to_owned(),
        format!("{named}?sslmode=require"),
        format!("{named}?sslmode=require&sslnegotiation=direct"),
        format!("{unnamed}?sslmode=require"),
        format!("{unnamed}?sslmode=require&sslrootcert={ours}"),
        format!("{unnamed}?sslmode=verify-ca&sslrootcert={ours}"),
        format!("{named}?sslmode=verify-full&sslrootcert={ours}"),
    ] {
        let store = open(&good).await;
        store.close().await.unwrap();
    }
    for (bad, kind, said) in [
        (
            format!("{named}?sslmode=disable"),
            ErrorKind::Permission,
            "sslmode",
        ),
        (
            format!("{unnamed}?sslmode=verify-full&sslrootcert={ours}"),
            ErrorKind::Config,
            "not valid for name",
        ),
        (
            format!("{named}?sslmode=verify-full&sslrootcert={theirs}"),
            ErrorKind::Config,
            "UnknownIssuer",
        ),
        (
            format!("{named}?sslmode=verify-ca&sslrootcert={theirs}"),
            ErrorKind::Config,
            "UnknownIssuer",
        ),
        (
            format!("{named}?sslmode=require&sslrootcert={theirs}"),
            ErrorKind::Config,
            "UnknownIssuer",
        ),
        // The system does not know it.
        (
            format!("{named}?sslmode=verify-full&sslrootcert=system"),
            ErrorKind::Config,
            "certificate",
        ),
        (
            format!("{named}?sslmode=verify-ca&sslrootcert=/no/such/file"),
            ErrorKind::Config,
            "/no/such/file",
        ),
        (
            format!("{named}?sslmode=verify-ca&sslrootcert=/dev/null"),
            ErrorKind::Config,
            "/dev/null",
        ),
    ] {
        let error = refused(Options::new(&bad)).await;
        assert_eq!(error.kind(), kind, "{bad}: {error:?}");
        assert!(!error.is_retryable(), "{bad}: {error:?}");
        assert!(told(&error).contains(said), "{bad}: {error:?}");
    }
    // All goes on through it.
    let store = open(&format!("{named}?sslmode=verify-full&sslrootcert={ours}")).await;
    let make = Maker::new(user("ann").unwrap(), 1);
    let world = World::new(&make).unwrap();
    store.commit(make.batch(world.writes())).await.unwrap();
    assert_sound(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_not_told_secrets_that_need_it() {
    let test = "encrypting::a_server_without_tls_is_not_told_secrets_that_need_it";
    let Some(database) = database(test) else {
        return;
    };
    let dsn = database.as_plain_user();
    if database.value("SHOW ssl") != "off" {
        memu_testkit::skip(test, "the server speaks TLS");
        return;
    }
    for mode in ["disable", "prefer"] {
        drop(open(&format!("{dsn}?sslmode={mode}")).await);
    }
    let ours = certificate_authority().display().to_string();
    for mode in ["require", "verify-ca", "verify-full"] {
        let query = format!("sslmode={mode}&sslrootcert={ours}");
        let error = refused(Options::new(format!("{dsn}?{query}"))).await;
        assert_eq!(error.kind(), ErrorKind::Config, "{error:?}");
        assert!(error.message().contains("speaks no TLS"), "{error:?}");
    }
}
