//! What can be read in an encrypted file, and beside it.

use memu::ErrorKind;
use memu::backup::back_up;
use memu_core::store::Severity;
use serde_json::json;

use super::support::{TALK, conversation, everything, memorize, user};
use super::{Home, SECRET, by_hand, keep_picture, quiet, refusal, talk};

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
    assert_ne!(report.severity(), Severity::Error);
    copied.close().await.unwrap();
    let error = refusal(&home, "copies/memu.db", None).await;
    assert_eq!(error.kind(), ErrorKind::Permission);
}

#[tokio::test]
async fn large_files_lie_in_the_encrypted_database() {
    let home = Home::new();
    let service = home.open("memu.db", Some(SECRET)).await.unwrap();
    let resource = keep_picture(&service).await;
    assert_eq!(resource.local_path, "");
    let read = service.check(false).await.unwrap();
    assert_ne!(read.severity(), Severity::Error);
    service.close().await.unwrap();
    home.assert_illegible();
    assert_eq!(home.files().len(), 1);
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
