//! Large files lie beside the database, are there before anything refers to them, and
//! go with what referred to them.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use std::path::PathBuf;

use memu::core::store::{Finding, Severity};
use memu::{MemorizeRequest, Modality};
use support::{Fixture, service};

/// Two MiB of a picture.
fn picture() -> Vec<u8> {
    (0..2_u32 << 20).map(|at| (at % 251) as u8).collect()
}

async fn memorize(fixture: &Fixture, bytes: Vec<u8>, user: &str) -> memu::Resource {
    let mut request = MemorizeRequest::content(bytes, "cat.png", Modality::Image);
    request.caption = Some("A grey cat asleep on a keyboard.".to_owned());
    let response = fixture
        .service
        .memorize(request.user("user_id", user))
        .await;
    response.unwrap().resource
}

fn place(fixture: &Fixture, resource: &memu::Resource) -> PathBuf {
    let folder = fixture.folder.path().join("data/resources/memu.db");
    folder.join(&resource.local_path)
}

async fn files_finding(fixture: &Fixture, repair: bool) -> Finding {
    let report = fixture.service.check(repair).await.unwrap();
    let mut findings = report.findings.into_iter();
    findings.find(|finding| finding.check == "files").unwrap()
}

async fn forget(fixture: &Fixture, user: &str) {
    let user = serde_json::from_value(serde_json::json!({ "user_id": user })).unwrap();
    fixture.service.clear_memory(&user, false).await.unwrap();
}

#[tokio::test]
async fn a_large_picture_lies_beside_the_database_and_a_small_one_in_it() {
    let fixture = service("sqlite").await;
    let large = memorize(&fixture, picture(), "alice").await;
    let stored = std::fs::read(place(&fixture, &large)).unwrap();
    assert!(stored == picture(), "the bytes are as they were");
    let database = std::fs::metadata(fixture.folder.path().join("memu.db")).unwrap();
    assert!(database.len() < 1 << 20, "{}", database.len());
    let small = memorize(&fixture, b"\x89PNG".to_vec(), "alice").await;
    assert_eq!(small.local_path, "");
    let finding = files_finding(&fixture, false).await;
    assert_eq!(
        (finding.severity, finding.message.as_str()),
        (Severity::Ok, "1 large files are as they were stored")
    );
}

#[tokio::test]
async fn text_of_any_size_stays_in_the_database() {
    let fixture = service("sqlite").await;
    let text = "The harbour was quiet that day. ".repeat(50_000);
    let request = MemorizeRequest::content(text.into_bytes(), "log.txt", Modality::Document);
    let response = fixture
        .service
        .memorize(request.user("user_id", "alice"))
        .await;
    assert_eq!(response.unwrap().resource.local_path, "");
    assert!(!fixture.folder.path().join("data").exists());
}

#[tokio::test]
async fn each_user_has_a_copy_that_goes_with_the_user() {
    let fixture = service("sqlite").await;
    let of_alice = place(&fixture, &memorize(&fixture, picture(), "alice").await);
    let of_bob = place(&fixture, &memorize(&fixture, picture(), "bob").await);
    assert_ne!(of_alice, of_bob);
    forget(&fixture, "alice").await;
    assert!(!of_alice.exists() && !of_alice.parent().unwrap().exists());
    assert!(of_bob.is_file());
}

#[tokio::test]
async fn missing_damaged_and_stray_files_are_reported_and_strays_are_mended() {
    let fixture = service("sqlite").await;
    let file = place(&fixture, &memorize(&fixture, picture(), "alice").await);
    let stray = file.parent().unwrap().join(".unfinished-1-abc");
    std::fs::write(&stray, "half").unwrap();
    let finding = files_finding(&fixture, false).await;
    assert_eq!(finding.severity, Severity::Warning);
    assert!(
        finding
            .message
            .starts_with("of the large files, 1 belong to no resource, first "),
        "{}",
        finding.message
    );
    assert!(stray.exists(), "a check changes nothing");
    assert!(files_finding(&fixture, true).await.repaired);
    assert!(!stray.exists() && file.exists());
    std::fs::write(&file, "other").unwrap();
    let finding = files_finding(&fixture, true).await;
    assert_eq!(
        (finding.severity, finding.repaired),
        (Severity::Error, false)
    );
    assert!(
        finding
            .message
            .starts_with("of the large files, 1 missing or damaged, first "),
        "{}",
        finding.message
    );
    assert!(file.exists(), "nothing that somebody stored is removed");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(
        files_finding(&fixture, false).await.severity,
        Severity::Error
    );
}
