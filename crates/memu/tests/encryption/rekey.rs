//! Encrypting a memory, changing its key, and decrypting it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use memu::ErrorKind;
use memu::sqlite::{Key, Options, SqliteStore, preview_upgrade};
use memu_core::store::{Severity, Store};
use serde_json::json;

use super::support::everything;
use super::support::original::small;
use super::{Home, SECRET, change, keep_picture, refusal, talk};

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
    assert_ne!(report.severity(), Severity::Error);
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
    assert_ne!(report.severity(), Severity::Error);
}

/// Whoever has a database alone leaves its write-ahead log, which the next one to open it makes
/// anew; the head of the file tells which of them was last.
fn without_journal_mode(mut files: BTreeMap<PathBuf, Vec<u8>>) -> BTreeMap<PathBuf, Vec<u8>> {
    for (path, bytes) in &mut files {
        if path.ends_with("memu.db") {
            for changed in [18..20, 24..28, 92..96] {
                bytes[changed].fill(0);
            }
        }
    }
    files
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
    let before = without_journal_mode(home.files());
    let error = change(&place, Some(SECRET)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(
        error.message(),
        "a large file is damaged; memu doctor tells more"
    );
    assert!(without_journal_mode(home.files()) == before);
    assert!(home.open("memu.db", None).await.is_ok());
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
async fn the_large_files_of_others_in_a_shared_folder_stay() {
    let home = Home::new();
    for resources_dir in [home.path("together"), "../together".into()] {
        let [ann, ben] = ["ann/memu.db", "ben/memu.db"].map(|name| {
            let mut place = home.place(name, None);
            place.resources_dir.clone_from(&resources_dir);
            place
        });
        // Even the same one, of the same scope.
        let picture = home.pictured(&ann).await;
        assert_eq!(home.pictured(&ben).await.local_path, picture.local_path);
        let file = ben.files().join(&picture.local_path);
        assert!(file.is_file());

        let report = change(&ann, Some(SECRET)).await.unwrap();
        assert_eq!(report.files_taken_in, 1);
        assert!(file.is_file(), "{report:?}");
        let left = [ann.files().join(&picture.local_path)];
        assert_eq!(report.files_left, left);
        assert_eq!(report.problems, Vec::<String>::new());
        std::fs::remove_dir_all(home.path("ann")).unwrap();
        std::fs::remove_dir_all(home.path("ben")).unwrap();
        std::fs::remove_dir_all(home.path("together")).unwrap();
    }
}

#[tokio::test]
async fn what_lies_in_the_folder_and_was_not_taken_in_stays_and_is_told() {
    let home = Home::new();
    let place = home.place("memu.db", None);
    let picture = home.pictured(&place).await;
    let kept = place.files().join(&picture.local_path);
    let stray = kept.with_file_name("0".repeat(64));
    let theirs = place.files().join("notes.txt");
    for file in [&stray, &theirs] {
        std::fs::write(file, "a greyhound").unwrap();
    }
    let report = change(&place, Some(SECRET)).await.unwrap();
    assert_eq!(report.files_left, std::slice::from_ref(&stray));
    assert!(!kept.exists() && stray.exists() && theirs.exists());
    let encrypted = home.place("memu.db", Some(SECRET));
    assert_eq!(encrypted.legible_files().unwrap(), [stray]);
    // Nothing that another change of keys could do without.
    let report = change(&encrypted, Some("second")).await.unwrap();
    assert_eq!(report.files_left.len(), 1);
    let report = change(&home.place("memu.db", Some("second")), None).await;
    assert_eq!(report.unwrap().files_left.len(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_leads_to_the_memory_with_its_new_key_and_no_other_is_left() {
    let home = Home::new();
    std::fs::create_dir(home.path("far")).unwrap();
    std::os::unix::fs::symlink("far/real.db", home.path("memu.db")).unwrap();
    let place = home.place("memu.db", None);
    home.talked("memu.db", None).await;
    let picture = home.pictured(&place).await;
    let beside = home.place("far/real.db", None).files();
    assert!(beside.join(&picture.local_path).is_file());

    let report = change(&place, Some(SECRET)).await.unwrap();
    assert_eq!(report.database, home.path("memu.db"));
    assert_eq!((report.files_taken_in, report.files_left.len()), (1, 0));
    home.assert_illegible();
    assert!(home.path("memu.db").is_symlink());
    let files: Vec<_> = home.files().into_keys().collect();
    assert_eq!(files, [home.path("far/real.db"), home.path("memu.db")]);
    assert!(home.open("far/real.db", Some(SECRET)).await.is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_others_may_not_read_stays_so_with_every_key() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::new();
    home.talked("memu.db", None).await;
    for mode in [0o600, 0o640] {
        let path = home.path("memu.db");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        for (old, new) in [(None, Some(SECRET)), (Some(SECRET), None)] {
            change(&home.place("memu.db", old), new).await.unwrap();
            let now = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(now & 0o777, mode, "{new:?}");
        }
    }
}
