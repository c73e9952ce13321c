//! Who can open an encrypted file, and what the others are told.

use memu::backup::back_up;
use memu::{ErrorKind, RetrieveRequest};
use memu_core::store::Severity;

use super::{Home, SECRET, by_hand, change, quiet, refusal, talk};

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
fn locks(path: &std::path::Path) -> usize {
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
