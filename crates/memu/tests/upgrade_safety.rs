//! Upgrades of files of memU 1.x: once, by whoever comes first, all of it or nothing.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use memu::ErrorKind;
use memu::sqlite::{Options, SqliteStore, preview_upgrade};
use memu_core::conformance::block_on;
use memu_core::scope::ScopeSchema;
use memu_core::store::Store;
use support::original::{
    assert_sound, insert, item, items, open, original, rows, scope, small, upgraded,
};

/// Tells a child process of these tests which file to open.
const FILE: &str = "MEMU_TEST_UPGRADE_FILE";

#[test]
fn an_upgrade_happens_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = small(folder.path(), "memu_");
    let (store, _) = upgraded(&path);
    block_on(store.close()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(preview_upgrade(&path, None).unwrap(), None);
    let store = open(&path);
    assert_eq!(store.upgraded(), None);
    block_on(store.close()).unwrap();
    assert!(std::fs::read(&path).unwrap() == bytes);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "the file and its backup"
    );
}

#[test]
fn a_backup_never_overwrites_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = small(folder.path(), "memu_");
    let first = folder.path().join("memu.db.memu-1.x.bak");
    std::fs::write(&first, "precious").unwrap();
    let (store, report) = upgraded(&path);
    block_on(store.close()).unwrap();
    assert_eq!(std::fs::read(&first).unwrap(), b"precious");
    let second = folder.path().join("memu.db.memu-1.x-2.bak");
    assert_eq!(report.backup, Some(second.display().to_string()));
    assert_eq!(rows(&second, "SELECT id FROM memu_memory_items").len(), 1);
}

#[test]
fn an_upgrade_that_is_refused_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = small(folder.path(), "memu_");
    let bytes = std::fs::read(&path).unwrap();
    let refuse = |options: Options, kind: ErrorKind, says: &str| {
        let error = block_on(SqliteStore::open(options)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.message().contains(says), "{error:?}");
        assert!(std::fs::read(&path).unwrap() == bytes);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    };
    let options = Options::file(&path);
    let other = Some(ScopeSchema::new(["user_id", "agent_id"]).unwrap());
    refuse(
        Options {
            schema: other,
            ..options.clone()
        },
        ErrorKind::Config,
        "this memory of memU 1.x has the scope fields [\"user_id\"]",
    );
    refuse(
        Options {
            create: false,
            ..options
        },
        ErrorKind::Unsupported,
        "run memu upgrade",
    );
}

#[test]
fn a_damaged_file_is_not_upgraded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memu.db");
    let connection = original(&path, "memu_", &["user_id"]);
    for number in 0..500 {
        insert(
            &connection,
            "memu_memory_items",
            &item(&format!("tea {number}"), "alice"),
        );
    }
    connection.close().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 3000].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    let error = block_on(SqliteStore::open(Options::file(&path))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    assert!(std::fs::read(&path).unwrap() == bytes);
}

/// A child process: opens the file that the variable names.
#[test]
fn child_that_upgrades() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let store = open(Path::new(&path));
    assert_eq!(items(&store, &scope(&[("user_id", "alice")])).len(), 3000);
    block_on(store.close()).unwrap();
}

fn child(path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child_that_upgrades", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// A file with 3,000 items of alice.
fn large(folder: &Path) -> PathBuf {
    let path = folder.join("memu.db");
    let connection = original(&path, "memu_", &["user_id"]);
    connection.execute_batch("BEGIN").unwrap();
    for number in 0..3000 {
        let mut row = item(&format!("tea {number}"), "alice");
        row["embedding_json"] = format!("[{number}.5, 1.0]").into();
        insert(&connection, "memu_memory_items", &row);
    }
    connection.execute_batch("COMMIT").unwrap();
    path
}

#[test]
fn processes_that_open_one_file_at_once_upgrade_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = large(folder.path());
    let children: Vec<_> = (0..4).map(|_| child(&path).spawn().unwrap()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let backups = std::fs::read_dir(folder.path()).unwrap();
    let names: Vec<_> = backups.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn a_kill_in_the_middle_leaves_the_old_file_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = large(folder.path());
    let before = std::fs::read(&path).unwrap();
    let mut old = 0;
    for round in 0..12 {
        std::fs::write(&path, &before).unwrap();
        let mut child = child(&path).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(10 + 25 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let store = open(&path);
        old += usize::from(store.upgraded().is_some());
        assert_eq!(items(&store, &scope(&[("user_id", "alice")])).len(), 3000);
        assert_sound(&store);
        block_on(store.close()).unwrap();
    }
    assert!(old > 0, "some kill came before the end");
}
