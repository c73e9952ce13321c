//! What happens to files: several processes, copies, strangers, kills.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod refused;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use memu::ErrorKind;
use memu::sqlite::{Options, SqliteStore};
use memu_core::conformance::block_on;
use memu_core::records::{Id, MemoryCategory, Meta};
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{Query, Severity, Store, Write, WriteBatch};
use memu_core::time::Timestamp;
use memu_testkit::skip;

/// Tells a child process of these tests which file to work on.
const FILE: &str = "MEMU_TEST_CHILD_FILE";

fn open(path: &Path) -> memu::Result<SqliteStore> {
    block_on(SqliteStore::open(Options::file(path)))
}

fn alice() -> Scope {
    ScopeSchema::default()
        .scope([("user_id", "alice")])
        .unwrap()
}

/// A batch of `count` categories whose names begin with `name`.
fn batch(name: &str, count: usize) -> WriteBatch {
    let mut batch = WriteBatch::new(alice(), None);
    for number in 0..count {
        batch.writes.push(Write::Category(MemoryCategory {
            meta: Meta::new(
                Id::from(format!("{name}-{number}")),
                alice(),
                Timestamp::from_micros(1),
            ),
            name: format!("{name}-{number}"),
            description: "x".repeat(500),
            summary: None,
        }));
    }
    batch
}

fn names(store: &SqliteStore) -> Vec<String> {
    let page = block_on(store.categories(&Query::scope(&alice()))).unwrap();
    page.records
        .into_iter()
        .map(|category| category.name)
        .collect()
}

fn assert_sound(store: &SqliteStore) {
    let report = block_on(store.check(false)).unwrap();
    assert_eq!(report.severity(), Severity::Ok, "{report:?}");
}

/// Runs one test of this binary in a process of its own.
fn child(test: &str, file: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FILE, file)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn child_opens_and_writes() {
    let Ok(file) = std::env::var(FILE) else {
        return;
    };
    let store = open(Path::new(&file)).unwrap();
    let name = format!("p{}", std::process::id());
    block_on(store.commit(batch(&name, 1))).unwrap();
    block_on(store.close()).unwrap();
}

#[test]
fn eight_processes_may_open_the_same_new_file_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/er/memu.db");
        let children: Vec<Child> = (0..8)
            .map(|_| child("child_opens_and_writes", &file))
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
        }
        let store = open(&file).unwrap();
        assert_eq!(names(&store).len(), 8, "every process left its mark");
        assert_sound(&store);
    }
}

#[test]
fn child_commits_until_it_is_killed() {
    let Ok(file) = std::env::var(FILE) else {
        return;
    };
    let store = open(Path::new(&file)).unwrap();
    for round in 0..100_000 {
        let name = format!("p{}-{round}", std::process::id());
        block_on(store.commit(batch(&name, 20))).unwrap();
    }
}

#[test]
fn a_process_that_is_killed_leaves_whole_commits_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    block_on(open(&file).unwrap().close()).unwrap();
    let mut last = 0;
    for round in 0..10_u64 {
        let mut child = child("child_commits_until_it_is_killed", &file);
        std::thread::sleep(Duration::from_millis(40 + round * 17 % 60));
        child.kill().unwrap();
        child.wait().unwrap();
        let store = open(&file).unwrap();
        assert_sound(&store);
        let found = names(&store).len();
        assert_eq!(found % 20, 0, "round {round} left a part of a commit");
        assert!(found >= last, "round {round} lost what was there");
        last = found;
        block_on(store.close()).unwrap();
    }
    assert!(last > 0, "no child had time to commit");
}

#[test]
fn a_copy_of_an_idle_store_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let (file, copy) = (folder.path().join("memu.db"), folder.path().join("copy.db"));
    let store = open(&file).unwrap();
    for round in 0..5 {
        block_on(store.commit(batch(&format!("r{round}"), 30))).unwrap();
        // Readers are busy too, but not in the middle of anything.
        assert_eq!(names(&store).len(), 30 * (round + 1));
        std::fs::copy(&file, &copy).unwrap();
        let copied = open(&copy).unwrap();
        assert_eq!(names(&copied), names(&store));
        assert_sound(&copied);
        block_on(copied.close()).unwrap();
        for name in ["copy.db", "copy.db-wal", "copy.db-shm"] {
            let _ = std::fs::remove_file(folder.path().join(name));
        }
    }
}

#[test]
fn what_was_cleared_is_in_no_file_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let store = open(&file).unwrap();
    block_on(store.commit(batch("the-secret-name", 1000))).unwrap();
    assert!(holds(folder.path(), b"the-secret-name"));
    let cleared = block_on(store.clear(&[alice()])).unwrap();
    assert_eq!(cleared.categories.len(), 1000);
    assert!(!holds(folder.path(), b"the-secret-name"));
    assert!(!holds(folder.path(), b"alice"));
    assert_sound(&store);
}

#[test]
fn child_forgets_everything_and_fills_it_again() {
    let Ok(file) = std::env::var(FILE) else {
        return;
    };
    let store = open(Path::new(&file)).unwrap();
    block_on(store.clear(&[alice()])).unwrap();
    block_on(store.commit(batch("second", 3))).unwrap();
    block_on(store.close()).unwrap();
}

#[test]
fn a_plan_made_before_another_process_forgot_the_scope_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let store = open(&file).unwrap();
    let first = block_on(store.commit(batch("first", 3))).unwrap();
    let child = child("child_forgets_everything_and_fills_it_again", &file);
    assert!(child.wait_with_output().unwrap().status.success());
    let now = block_on(store.log_position(&alice())).unwrap();
    assert_eq!(now.seq, first.seq, "the log is as long as it was");
    assert_ne!(now.life, first.life);
    let mut plan = batch("late", 1);
    plan.expected_seq = Some(first.seq);
    plan.expected_life = Some(first.life);
    let error = block_on(store.commit(plan)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(names(&store), ["second-0", "second-1", "second-2"]);
    // Lives are numbers of the store: they tell nothing about who was forgotten.
    block_on(store.clear(&[alice()])).unwrap();
    assert!(!holds(folder.path(), b"alice"));
}

/// Whether any file of the folder holds these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[test]
fn a_writer_waits_for_another_and_says_when_it_gives_up() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let patient = open(&file).unwrap();
    block_on(patient.commit(batch("first", 1))).unwrap();
    let mut options = Options::file(&file);
    options.busy_timeout = Duration::from_millis(200);
    let hasty = block_on(SqliteStore::open(options)).unwrap();

    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = Instant::now();
    let error = block_on(hasty.commit(batch("hasty", 1))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.is_retryable());
    assert!(
        error
            .message()
            .starts_with("other processes kept the database locked for 0."),
        "{error}"
    );
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert_eq!(
        names(&hasty),
        ["first-0"],
        "readers do not wait for writers"
    );

    let store = Arc::new(patient);
    let waiting = std::thread::spawn({
        let store = store.clone();
        move || block_on(store.commit(batch("patient", 1)))
    });
    std::thread::sleep(Duration::from_millis(300));
    other.execute_batch("ROLLBACK").unwrap();
    waiting.join().unwrap().unwrap();
    assert_eq!(names(&store), ["first-0", "patient-0"]);
}

#[test]
fn the_file_alone_is_complete_after_each_of_many_quick_writes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let store = open(&file).unwrap();
    let copy = folder.path().join("copy.db");
    for round in 0..40 {
        block_on(store.commit(batch(&format!("r{round}"), 3))).unwrap();
        std::fs::copy(&file, &copy).unwrap();
        let copied = open(&copy).unwrap();
        assert_eq!(names(&copied).len(), 3 * (round + 1), "round {round}");
        let report = block_on(copied.check(false)).unwrap();
        assert_eq!(report.severity(), Severity::Ok, "{report:?}");
        block_on(copied.close()).unwrap();
    }
    // At rest the log is emptied; when the store is closed, it is gone.
    let log = folder.path().join("memu.db-wal");
    let deadline = Instant::now() + Duration::from_secs(30);
    while std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        assert!(Instant::now() < deadline, "the log is never emptied");
        std::thread::sleep(Duration::from_millis(10));
    }
    block_on(store.close()).unwrap();
    assert!(!log.exists());
}
