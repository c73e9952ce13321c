//! What others do to the files of a memory, and files as others left them.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use memu::backup::{Place, back_up};
use memu::{ErrorKind, MemoryService};
use memu_core::store::Severity;
use memu_testkit::skip;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::disk::Fault;
use crate::machine::{Machine, Work, open, run, sound};
use crate::original::{insert, item, original};
use crate::workload::{Change, Random, make, picture};

/// Tells a child process of these tests which file to work on.
const FILE: &str = "MEMU_TEST_FAULTS_FILE";

/// A memory with something in it.
async fn memory() -> (TempDir, PathBuf, MemoryService) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().canonicalize().unwrap().join("memu.db");
    let service = open(&file).await.unwrap();
    let mut work = Work::default();
    work.go_on(&service, &mut Random::new(3), 12).await;
    make(&service, "ann", &tea()).await.unwrap();
    (folder, file, service)
}

fn tea() -> Change {
    Change::Create("I like green tea.".to_owned())
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", file.display()))
}

/// Demands that nothing is acknowledged or answered any more, for this reason.
async fn refuses(service: &MemoryService, reason: &str) {
    let wrote = make(service, "ann", &Change::Create("I like milk.".to_owned())).await;
    let read = picture(service, "ann").await.map(drop);
    for error in [wrote.unwrap_err(), read.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Storage, "{error:?}");
        let start = format!("{reason} while it was open, so nothing more can be stored in it");
        assert!(error.message().starts_with(&start), "{error:?}");
    }
}

#[test]
fn nothing_is_acknowledged_after_the_file_was_deleted() {
    run(async {
        let (_folder, file, service) = memory().await;
        std::fs::remove_file(&file).unwrap();
        refuses(&service, "the database file was deleted or moved away").await;
    });
}

#[test]
fn nothing_is_acknowledged_after_the_file_was_replaced() {
    run(async {
        let (folder, file, service) = memory().await;
        let other = folder.path().join("other.db");
        open(&other).await.unwrap().close().await.unwrap();
        std::fs::rename(&other, &file).unwrap();
        refuses(&service, "the database file was replaced by another one").await;
    });
}

#[test]
fn nothing_is_acknowledged_after_the_file_was_emptied() {
    run(async {
        let (_folder, file, service) = memory().await;
        // Not opened and closed in this process, which would let go of its locks.
        let emptied = Command::new("truncate")
            .args(["-s", "0"])
            .arg(&file)
            .status();
        assert!(emptied.unwrap().success());
        refuses(&service, "the database file was emptied by another program").await;
    });
}

#[test]
fn nothing_is_acknowledged_after_the_log_was_deleted() {
    run(async {
        let (_folder, file, service) = memory().await;
        std::fs::remove_file(beside(&file, "-wal")).unwrap();
        let reason = "the write-ahead log of the database (the file ending in -wal) was deleted \
                      or replaced";
        refuses(&service, reason).await;
    });
}

#[test]
fn a_program_that_moves_to_another_folder_keeps_its_memory() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        std::env::set_current_dir(folder.path()).unwrap();
        let service = memu::open("memu.db").await.unwrap();
        std::env::set_current_dir("/").unwrap();
        for _ in 0..3 {
            make(&service, "ann", &tea()).await.unwrap();
        }
        sound(&service).await.unwrap();
    });
}

#[test]
fn child_wants_the_file_for_itself() {
    let Ok(file) = std::env::var(FILE) else {
        return;
    };
    let connection = Connection::open(file).unwrap();
    let mode = connection.query_row("PRAGMA journal_mode = DELETE", [], |row| {
        row.get::<_, String>(0)
    });
    assert!(mode.is_err(), "nobody else has the file open");
}

#[test]
fn opening_and_copying_a_file_once_more_lets_go_of_no_lock() {
    run(async {
        let (folder, file, service) = memory().await;
        open(&file).await.unwrap().close().await.unwrap();
        let copy = folder.path().join("copy.db");
        let place = Place {
            database: file.clone(),
            resources_dir: "resources".into(),
            key: None,
            wait: Duration::from_secs(1),
        };
        back_up(&place, copy, Arc::new(|_, _| {})).await.unwrap();
        let child = this_test("files::child_wants_the_file_for_itself", &file).output();
        let child = child.unwrap();
        assert!(child.status.success(), "{child:?}");
        make(&service, "ann", &tea()).await.unwrap();
    });
}

fn this_test(name: &str, file: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", name, "--nocapture"])
        .env(FILE, file);
    command
}

#[test]
fn child_may_only_read() {
    let Ok(file) = std::env::var(FILE) else {
        return;
    };
    run(async {
        let service = open(Path::new(&file)).await.unwrap();
        let (items, _) = picture(&service, "ann").await.unwrap();
        assert!(items.contains(&"I like green tea.".to_owned()), "{items:?}");
        let question = memu::RetrieveRequest::question("Who likes tea?");
        let answer = service
            .retrieve(question.matching("user_id", "ann"))
            .await
            .unwrap();
        assert!(!answer.items.is_empty());
        sound(&service).await.unwrap();
        let error = make(&service, "ann", &tea()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permission, "{error:?}");
        service.close().await.unwrap();
    });
}

/// Runs a child as a user who may not write what is read-only: not as the administrator.
fn restricted(test: &str, child: &str, file: &Path) -> bool {
    let mut command = this_test(child, file);
    let probe = file.with_file_name("probe");
    if std::fs::write(&probe, "").is_ok() {
        std::fs::remove_file(&probe).unwrap();
        command.uid(65_534).gid(65_534);
    }
    match command.output() {
        Ok(output) => {
            assert!(output.status.success(), "{output:?}");
            true
        }
        Err(error) => {
            skip(
                test,
                &format!("a process without rights cannot be started: {error}"),
            );
            false
        }
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_read_only_file_in_a_read_only_folder_can_be_read() {
    run(async {
        let (folder, file, service) = memory().await;
        service.close().await.unwrap();
        let before = std::fs::read(&file).unwrap();
        set_mode(&file, 0o444);
        set_mode(folder.path(), 0o555);
        let test = "faults::files::a_read_only_file_in_a_read_only_folder_can_be_read";
        restricted(test, "files::child_may_only_read", &file);
        set_mode(folder.path(), 0o755);
        assert!(std::fs::read(&file).unwrap() == before);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    });
}

#[test]
fn child_is_refused() {
    let Ok(file) = std::env::var(FILE) else {
        return;
    };
    let error = run(open(Path::new(&file))).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Permission | ErrorKind::Storage),
        "{error:?}"
    );
}

/// Without locks, what is in the log would be missing.
#[test]
fn a_read_only_file_with_a_log_is_refused_behind_a_link_too() {
    run(async {
        let (folder, file, service) = memory().await;
        // Who reads keeps the log.
        let reader = Connection::open(&file).unwrap();
        reader
            .execute_batch("BEGIN; SELECT count(*) FROM memu_items")
            .unwrap();
        make(&service, "ann", &tea()).await.unwrap();
        let copies = folder.path().join("copies");
        std::fs::create_dir(&copies).unwrap();
        let copy = copies.join("copy.db");
        for ending in ["", "-wal"] {
            let target = beside(&copy, ending);
            std::fs::copy(beside(&file, ending), &target).unwrap();
            assert!(target.metadata().unwrap().len() > 0);
            set_mode(&target, 0o444);
        }
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&copy, &link).unwrap();
        set_mode(&copies, 0o555);
        set_mode(folder.path(), 0o555);
        let test = "faults::files::a_read_only_file_with_a_log_is_refused_behind_a_link_too";
        for path in [copy, link] {
            restricted(test, "files::child_is_refused", &path);
        }
        set_mode(folder.path(), 0o755);
        set_mode(&copies, 0o755);
    });
}

#[test]
fn child_is_refused_by_the_reason() {
    let Ok(file) = std::env::var(FILE) else {
        return;
    };
    let error = run(open(Path::new(&file))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission, "{error:?}");
    assert_eq!(
        error.message(),
        "the database cannot be read: permission denied"
    );
}

#[test]
fn a_file_that_may_not_be_read_is_refused_by_the_reason() {
    run(async {
        let (folder, file, service) = memory().await;
        service.close().await.unwrap();
        set_mode(&file, 0o000);
        set_mode(folder.path(), 0o555);
        let test = "faults::files::a_file_that_may_not_be_read_is_refused_by_the_reason";
        restricted(test, "files::child_is_refused_by_the_reason", &file);
        set_mode(folder.path(), 0o755);
    });
}

#[test]
fn a_file_system_without_shared_memory_is_refused_and_a_file_on_it_can_be_read() {
    run(async {
        let machine = Machine::new();
        machine.disk.set(Fault::NoSharedMemory);
        let error = machine.open().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
        assert!(
            error.message().ends_with("put it on a local disk"),
            "{error:?}"
        );

        let (_folder, file, service) = memory().await;
        service.close().await.unwrap();
        let files = BTreeMap::from([(file.clone(), std::fs::read(&file).unwrap())]);
        let machine = Machine::with(&files);
        machine.disk.set(Fault::NoSharedMemory);
        let service = machine.open().await.unwrap();
        let (items, _) = picture(&service, "ann").await.unwrap();
        assert!(items.contains(&"I like green tea.".to_owned()), "{items:?}");
        let error = make(&service, "ann", &tea()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permission, "{error:?}");
    });
}

/// A file and its journal, as a program leaves them that is killed in a transaction.
fn killed_in_a_transaction(from: &Path, to: &Path, change: &str) {
    let connection = Connection::open(from).unwrap();
    // So little memory that changed pages must be written before the commit.
    connection
        .execute_batch("PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; BEGIN IMMEDIATE")
        .unwrap();
    connection.execute_batch(change).unwrap();
    for ending in ["", "-journal"] {
        std::fs::copy(beside(from, ending), beside(to, ending)).unwrap();
    }
    connection.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn a_hot_journal_is_rolled_back_before_a_file_of_the_original_is_upgraded() {
    let folder = tempfile::tempdir().unwrap();
    let (old, file) = (folder.path().join("old.db"), folder.path().join("memu.db"));
    let connection = original(&old, "memu_", &["user_id"]);
    for number in 0..300 {
        insert(
            &connection,
            "memu_memory_items",
            &item(&format!("{number:0>400}"), "ann"),
        );
    }
    drop(connection);
    let change = "UPDATE memu_memory_items SET summary = 'half done' || hex(zeroblob(200))";
    killed_in_a_transaction(&old, &file, change);
    assert!(
        std::fs::read(&file)
            .unwrap()
            .windows(9)
            .any(|at| at == b"half done")
    );
    run(async {
        let service = open(&file).await.unwrap();
        let (items, _) = picture(&service, "ann").await.unwrap();
        assert_eq!(items.len(), 300);
        assert!(items.iter().all(|item| item.starts_with("ann likes 0")));
        sound(&service).await.unwrap();
        service.close().await.unwrap();
    });
    let backup = Connection::open(beside(&file, ".memu-1.x.bak")).unwrap();
    let half_done = "SELECT count(*) FROM memu_memory_items WHERE summary LIKE 'half done%'";
    let count: i64 = backup.query_row(half_done, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 0);
}

/// Where the first page of a table or index lies in a file.
fn page_of(file: &Path, name: &str) -> std::ops::Range<usize> {
    let connection = Connection::open(file).unwrap();
    let pages = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page: u32 = connection
        .query_row(pages, [name], |row| row.get(0))
        .unwrap();
    let start = (page as usize - 1) * 8192;
    start..start + 8192
}

#[test]
fn a_torn_page_is_reported_with_its_table_and_never_answered_from() {
    run(async {
        let (_folder, file, service) = memory().await;
        service.close().await.unwrap();
        let page = page_of(&file, "memu_items");
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[page][..4096].fill(0x5A);
        std::fs::write(&file, bytes).unwrap();
        let service = open(&file).await.unwrap();
        let error = picture(&service, "ann").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
        let report = service.check(false).await.unwrap();
        assert_eq!(report.severity(), Severity::Error);
        let named = |finding: &memu_core::store::Finding| {
            finding.check == "integrity" && finding.message.starts_with("memu_items: ")
        };
        assert!(report.findings.iter().any(named), "{report:#?}");
    });
}

#[test]
fn an_index_page_that_never_reached_the_disk_is_found_and_mended() {
    run(async {
        let (_folder, file, service) = memory().await;
        service.close().await.unwrap();
        let earlier = std::fs::read(&file).unwrap();
        let service = open(&file).await.unwrap();
        make(&service, "ann", &Change::Create("I like milk.".to_owned()))
            .await
            .unwrap();
        let before = picture(&service, "ann").await.unwrap();
        service.close().await.unwrap();
        let page = page_of(&file, "sqlite_autoindex_memu_items_2");
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[page.clone()].copy_from_slice(&earlier[page]);
        std::fs::write(&file, bytes).unwrap();

        let service = open(&file).await.unwrap();
        let found = service.check(false).await.unwrap();
        assert_eq!(found.severity(), Severity::Error, "{found:#?}");
        let mended = service.check(true).await.unwrap();
        assert_eq!(mended.severity(), Severity::Ok, "{mended:#?}");
        assert_eq!(picture(&service, "ann").await.unwrap(), before);
        sound(&service).await.unwrap();
    });
}
