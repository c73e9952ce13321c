//! Encrypted files: what can be read in them, and who can open them.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg(feature = "sqlcipher")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use memu::backup::{Place, RekeyReport, back_up, rekey, restore};
use memu::sqlite::{Key, Options, SqliteStore, preview_upgrade};
use memu::{
    Error, ErrorKind, MemorizeRequest, MemoryService, MemoryServiceBuilder, Modality,
    RetrieveRequest,
};
use memu_core::store::{Severity, Store};
use rusqlite::Connection;
use serde_json::json;
use support::original::small;
use support::{TALK, conversation, everything, memorize, user};
use tempfile::TempDir;

const SECRET: &str = "it's a \"secret\" \u{1f511}";

/// What may be in no file.
const LEGIBLE: [&str; 8] = [
    "SQLite format 3",
    "CREATE TABLE",
    "memu_items",
    "greyhound",
    "Lisbon",
    "walnut",
    "alice",
    "secret",
];

struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn builder(&self, name: &str, key: Option<&str>) -> MemoryServiceBuilder {
        let settings = json!({"database_config": {"metadata_store": {"encryption_key": key}}});
        let settings = memu::settings::Layers::new().value(settings).settings();
        MemoryServiceBuilder::new()
            .settings(settings.unwrap())
            .database(&self.path(name).display().to_string())
    }

    async fn open(&self, name: &str, key: Option<&str>) -> memu::Result<MemoryService> {
        self.builder(name, key).build().await
    }

    fn place(&self, name: &str, key: Option<&str>) -> Place {
        self.builder(name, key).place().unwrap()
    }

    /// A memory with a talk in it, closed.
    async fn talked(&self, name: &str, key: Option<&str>) {
        let service = self.open(name, key).await.unwrap();
        talk(&service).await;
        service.close().await.unwrap();
    }

    /// Every file in the folder and below, with its bytes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.folder.path(), &mut files);
        files
    }

    fn assert_illegible(&self) {
        for (path, bytes) in self.files() {
            for word in LEGIBLE {
                let found = bytes
                    .windows(word.len())
                    .any(|window| window.eq_ignore_ascii_case(word.as_bytes()));
                assert!(!found, "{} holds {word:?}", path.display());
            }
        }
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.insert(path.clone(), std::fs::read(path).unwrap());
        }
    }
}

async fn talk(service: &MemoryService) {
    let request = memorize(conversation("c", &TALK), "alice");
    service.memorize(request).await.unwrap();
}

async fn refusal(home: &Home, name: &str, key: Option<&str>) -> Error {
    home.open(name, key).await.unwrap_err()
}

async fn change(place: &Place, new: Option<&str>) -> memu::Result<RekeyReport> {
    rekey(place, new.map(|key| Key::new(key).unwrap())).await
}

/// As any program with SQLCipher opens the file.
fn by_hand(path: &Path, key: &str) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "key", key).unwrap();
    connection
        .pragma_update(None, "cipher_page_size", 8192)
        .unwrap();
    connection
}

fn quiet() -> memu::backup::Progress {
    Arc::new(|_, _| {})
}

#[tokio::test]
async fn nothing_is_legible_in_the_file_its_log_or_a_copy() {
    let home = Home::new();
    let service = home.open("memu.db", Some(SECRET)).await.unwrap();
    // Who reads keeps the log.
    let reader = by_hand(&home.path("memu.db"), SECRET);
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM memu_items")
        .unwrap();
    talk(&service).await;
    let files = home.files();
    assert!(!files[&home.path("memu.db-wal")].is_empty());
    home.assert_illegible();
    let copy = home.path("copies/memu.db");
    let place = home.place("memu.db", Some(SECRET));
    back_up(&place, copy.clone(), quiet()).await.unwrap();
    home.assert_illegible();
    drop(reader);
    let now = everything(&service, "alice").await;
    service.close().await.unwrap();
    home.assert_illegible();

    let copied = home.open("copies/memu.db", Some(SECRET)).await.unwrap();
    assert_eq!(everything(&copied, "alice").await, now);
    let report = copied.check(false).await.unwrap();
    assert!(
        !report
            .findings
            .iter()
            .any(|one| one.severity == Severity::Error)
    );
    copied.close().await.unwrap();
    let error = refusal(&home, "copies/memu.db", None).await;
    assert_eq!(error.kind(), ErrorKind::Permission);
}

#[tokio::test]
async fn sqlcipher_opens_the_file_with_the_same_passphrase() {
    let home = Home::new();
    home.talked("memu.db", Some(SECRET)).await;
    let connection = by_hand(&home.path("memu.db"), SECRET);
    let users: String = connection
        .query_row("SELECT user_id FROM memu_scopes", [], |row| row.get(0))
        .unwrap();
    assert_eq!(users, "alice");
}

#[tokio::test]
async fn a_raw_key_opens_a_file() {
    let home = Home::new();
    let raw = format!("x'{}'", "2b".repeat(32));
    home.talked("memu.db", Some(&raw)).await;
    home.assert_illegible();
    let service = home.open("memu.db", Some(&raw)).await.unwrap();
    let question = RetrieveRequest::question("What kind of dog is Pixel?");
    let answer = service
        .retrieve(question.matching("user_id", "alice"))
        .await;
    assert!(!answer.unwrap().items.is_empty());
    let other = refusal(&home, "memu.db", Some(&raw.replace("2b", "2c"))).await;
    assert_eq!(other.kind(), ErrorKind::Permission);
}

#[tokio::test]
async fn whoever_lacks_the_key_is_told_so_and_leaves_the_files_as_they_are() {
    let home = Home::new();
    // With a log beside it, as a process that was killed leaves it.
    let service = home.open("open.db", Some(SECRET)).await.unwrap();
    let reader = by_hand(&home.path("open.db"), SECRET);
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM memu_items")
        .unwrap();
    talk(&service).await;
    for ending in ["", "-wal"] {
        let from = home.path(&format!("open.db{ending}"));
        std::fs::copy(from, home.path(&format!("left.db{ending}"))).unwrap();
    }
    drop(reader);
    service.close().await.unwrap();
    home.talked("closed.db", Some(SECRET)).await;
    home.talked("plain.db", None).await;
    let before = home.files();
    for (name, key, message) in [
        (
            "left.db",
            Some("another"),
            "the key does not open this database",
        ),
        (
            "closed.db",
            Some("another"),
            "the key does not open this database",
        ),
        (
            "left.db",
            None,
            "the file is no database that can be read without a key",
        ),
        (
            "closed.db",
            None,
            "the file is no database that can be read without a key",
        ),
        (
            "plain.db",
            Some(SECRET),
            "the database is not encrypted, but a key is given",
        ),
    ] {
        let error = refusal(&home, name, key).await;
        assert_eq!(error.kind(), ErrorKind::Permission, "{name}: {error}");
        assert!(error.message().starts_with(message), "{name}: {error}");
        let shown = format!("{error:?} {error}");
        assert!(
            !shown.contains(SECRET) && !shown.contains("another'"),
            "{shown}"
        );
        let mut now = home.files();
        // What processes share while a log is read holds no content.
        now.remove(&home.path("left.db-shm"));
        assert!(now == before, "{name} {message}");
    }
    assert!(home.open("left.db", Some(SECRET)).await.is_ok());
    assert!(home.open("plain.db", None).await.is_ok());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_not_taken_for_an_encrypted_one() {
    let home = Home::new();
    std::fs::write(home.path("text.db"), "All work and no play. ".repeat(1024)).unwrap();
    std::fs::write(home.path("zeros.db"), [0; 16384]).unwrap();
    for name in ["text.db", "zeros.db"] {
        for key in [None, Some(SECRET)] {
            let error = refusal(&home, name, key).await;
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{name} {key:?}: {error}");
            assert_eq!(error.message(), "the file is not a SQLite database");
        }
    }
}

#[tokio::test]
async fn a_damaged_page_is_found() {
    let home = Home::new();
    home.talked("memu.db", Some(SECRET)).await;
    let mut bytes = std::fs::read(home.path("memu.db")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(home.path("memu.db"), bytes).unwrap();
    let service = home.open("memu.db", Some(SECRET)).await.unwrap();
    let report = service.check(false).await.unwrap();
    let broken = report
        .findings
        .iter()
        .find(|one| one.severity == Severity::Error);
    assert_eq!(broken.unwrap().check, "integrity", "{report:?}");
    drop(service);
    let place = home.place("memu.db", Some(SECRET));
    let error = back_up(&place, home.path("copy.db"), quiet())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    let error = change(&place, Some("new")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert_eq!(home.files().len(), 1);
}

/// The locks of this process on a file, as the system lists them.
#[cfg(target_os = "linux")]
fn locks(path: &Path) -> usize {
    use std::os::unix::fs::MetadataExt;
    let number = format!(":{} ", std::fs::metadata(path).unwrap().ino());
    let of_this = format!(" {} ", std::process::id());
    let listed = std::fs::read_to_string("/proc/locks").unwrap();
    let ours = listed
        .lines()
        .filter(|line| line.contains(&number) && line.contains(&of_this));
    ours.count()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_refusal_lets_go_of_no_lock_of_a_store_that_is_open() {
    let home = Home::new();
    let service = home.open("memu.db", Some(SECRET)).await.unwrap();
    talk(&service).await;
    let path = home.path("memu.db");
    let before = locks(&path);
    assert!(before > 0);
    refusal(&home, "memu.db", None).await;
    refusal(&home, "memu.db", Some("another")).await;
    assert_eq!(locks(&path), before);
}

#[tokio::test]
async fn large_files_lie_in_the_encrypted_database() {
    let home = Home::new();
    let service = home.open("memu.db", Some(SECRET)).await.unwrap();
    let resource = keep_picture(&service).await;
    assert_eq!(resource.local_path, "");
    let read = service.check(false).await.unwrap();
    assert!(
        !read
            .findings
            .iter()
            .any(|one| one.severity == Severity::Error)
    );
    service.close().await.unwrap();
    home.assert_illegible();
    assert_eq!(home.files().len(), 1);
}

/// Two MiB with words in them.
fn picture() -> Vec<u8> {
    b"a greyhound in Lisbon ".repeat(100_000)
}

async fn keep_picture(service: &MemoryService) -> memu::Resource {
    let mut request = MemorizeRequest::content(picture(), "dog.png", Modality::Image);
    request.caption = Some("A greyhound asleep on a keyboard.".to_owned());
    let kept = service.memorize(request.user("user_id", "alice")).await;
    kept.unwrap().resource
}

#[tokio::test]
async fn a_plain_memory_is_encrypted_with_its_large_files_and_decrypted_again() {
    let home = Home::new();
    let service = home.open("memu.db", None).await.unwrap();
    talk(&service).await;
    let resource = keep_picture(&service).await;
    let mut before = everything(&service, "alice").await;
    let place = home.place("memu.db", None);
    service.close().await.unwrap();

    let report = change(&place, Some(SECRET)).await.unwrap();
    assert_eq!(report.files_taken_in, 1);
    home.assert_illegible();
    assert_eq!(home.files().len(), 1, "nothing else is left");

    let service = home.open("memu.db", Some(SECRET)).await.unwrap();
    for resource in before["resources"].as_array_mut().unwrap() {
        resource["local_path"] = json!("");
    }
    assert_eq!(everything(&service, "alice").await, before);
    let report = service.check(false).await.unwrap();
    assert!(
        !report
            .findings
            .iter()
            .any(|one| one.severity == Severity::Error)
    );
    // It goes on as before: what is known is known.
    assert_eq!(keep_picture(&service).await.meta.id, resource.meta.id);
    service.close().await.unwrap();

    let encrypted = home.place("memu.db", Some(SECRET));
    let report = change(&encrypted, Some("second")).await.unwrap();
    assert!(report.was_encrypted && report.is_encrypted);
    home.assert_illegible();
    let error = refusal(&home, "memu.db", Some(SECRET)).await;
    assert_eq!(error.kind(), ErrorKind::Permission);

    let report = change(&home.place("memu.db", Some("second")), None).await;
    assert!(!report.unwrap().is_encrypted);
    let service = home.open("memu.db", None).await.unwrap();
    assert_eq!(everything(&service, "alice").await, before);
    let report = service.check(false).await.unwrap();
    assert!(
        !report
            .findings
            .iter()
            .any(|one| one.severity == Severity::Error)
    );
}

#[tokio::test]
async fn a_change_of_keys_that_cannot_be_made_leaves_the_memory_as_it_is() {
    let home = Home::new();
    let service = home.open("memu.db", None).await.unwrap();
    let mut place = home.place("memu.db", None);
    place.wait = Duration::ZERO;
    let error = change(&place, Some(SECRET)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    let resource = keep_picture(&service).await;
    service.close().await.unwrap();
    let before = home.files();
    for (place, new, kind) in [
        (
            home.place("memu.db", Some("a")),
            Some("b"),
            ErrorKind::Permission,
        ),
        (
            home.place("memu.db", Some("a")),
            None,
            ErrorKind::Permission,
        ),
        (home.place("memu.db", None), None, ErrorKind::Input),
        (home.place("gone.db", None), Some("a"), ErrorKind::NotFound),
    ] {
        let error = change(&place, new).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(home.files() == before, "{error}");
    }
    let picture = place.files().join(&resource.local_path);
    std::fs::write(picture, "another").unwrap();
    let error = change(&place, Some(SECRET)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(
        error.message(),
        "a large file is damaged; memu doctor tells more"
    );
    assert!(home.open("memu.db", None).await.is_ok());
}

#[tokio::test]
async fn a_copy_comes_back_with_its_key_only() {
    let home = Home::new();
    home.talked("memu.db", Some(SECRET)).await;
    let place = home.place("memu.db", Some(SECRET));
    let copy = home.path("copy.db");
    back_up(&place, copy.clone(), quiet()).await.unwrap();
    let before = home.files();
    let wrong = home.place("memu.db", Some("another"));
    for place in [&wrong, &home.place("memu.db", None)] {
        let error = restore(copy.clone(), place, true, quiet()).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Permission);
        assert!(home.files() == before);
    }
    // A copy never takes the place of a memory that it cannot read.
    home.talked("plain.db", None).await;
    let mixed = home.place("memu.db", None);
    let error = restore(home.path("plain.db"), &mixed, true, quiet()).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission, "{error}");
    let report = restore(copy, &place, true, quiet()).await.unwrap();
    assert!(report.replaced.is_some());
    assert!(home.open("memu.db", Some(SECRET)).await.is_ok());
}

#[tokio::test]
async fn a_file_of_the_original_is_upgraded_first_and_encrypted_then() {
    let home = Home::new();
    let path = small(home.folder.path(), "memu_");
    let name = path.file_name().unwrap().to_str().unwrap();
    let before = home.files();
    let key = Key::new(SECRET).unwrap();
    let error = refusal(&home, name, Some(SECRET)).await;
    let preview = preview_upgrade(&path, Some(&key)).unwrap_err();
    for error in [error, preview] {
        assert_eq!(error.kind(), ErrorKind::Permission);
        assert_eq!(
            error.message(),
            "this file was written by memU 1.x and is not encrypted, but a key is given: upgrade \
             it without MEMU_KEY and encryption_key (memu upgrade), then encrypt it (memu rekey)"
        );
    }
    assert!(home.files() == before);
    let error = change(&home.place(name, None), Some(SECRET)).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(home.files() == before);

    home.open(name, None).await.unwrap().close().await.unwrap();
    change(&home.place(name, None), Some(SECRET)).await.unwrap();
    assert_eq!(preview_upgrade(&path, Some(&key)).unwrap(), None);
    let mut options = Options::file(&path);
    options.key = Some(key);
    let store = SqliteStore::open(options).await.unwrap();
    assert!(store.capabilities().durable);
}

#[tokio::test]
async fn a_forgotten_user_is_gone_and_the_rest_stays() {
    let home = Home::new();
    let service = home.open("memu.db", Some(SECRET)).await.unwrap();
    talk(&service).await;
    let bobs = memorize(conversation("b", &TALK), "bob");
    service.memorize(bobs).await.unwrap();
    let bob = everything(&service, "bob").await;
    service.clear_memory(&user("alice"), false).await.unwrap();
    let alice = everything(&service, "alice").await;
    assert_eq!(
        alice,
        json!({"items": [], "categories": [], "resources": []})
    );
    assert_eq!(everything(&service, "bob").await, bob);
}

#[tokio::test]
async fn a_change_of_keys_that_nobody_waits_for_any_more_changes_nothing() {
    let home = Home::new();
    home.talked("memu.db", None).await;
    let place = home.place("memu.db", None);
    let given_up = tokio::time::timeout(Duration::ZERO, change(&place, Some("given up")));
    assert!(given_up.await.is_err());
    // As soon as the other lets go, this one finds what was there before.
    let mut changed = change(&place, Some(SECRET)).await;
    while matches!(&changed, Err(error) if error.kind() == ErrorKind::Busy) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        changed = change(&place, Some(SECRET)).await;
    }
    changed.unwrap();
    assert!(home.open("memu.db", Some(SECRET)).await.is_ok());
}
