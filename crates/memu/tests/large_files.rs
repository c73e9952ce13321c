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
use std::sync::Arc;
use std::time::Duration;

use memu::core::service::Record;
use memu::core::store::{Finding, Severity};
use memu::{ErrorKind, MemorizeRequest, Modality};
use support::{Fixture, service, service_with, user};

/// Tells a child process of these tests which folder to work in.
const FOLDER: &str = "MEMU_TEST_CHILD_FOLDER";

/// Two MiB of a picture.
fn picture() -> Vec<u8> {
    (0..2_u32 << 20).map(|at| (at % 251) as u8).collect()
}

fn request(bytes: Vec<u8>, name: &str) -> MemorizeRequest {
    let mut request = MemorizeRequest::content(bytes, "cat.png", Modality::Image);
    request.caption = Some("A grey cat asleep on a keyboard.".to_owned());
    request.user("user_id", name)
}

async fn memorize(fixture: &Fixture, bytes: Vec<u8>, user: &str) -> memu::Resource {
    let response = fixture.service.memorize(request(bytes, user)).await;
    response.unwrap().resource
}

fn place(fixture: &Fixture, resource: &memu::Resource) -> PathBuf {
    let folder = fixture.folder.path().join("data/resources/memu.db");
    folder.join(&resource.local_path)
}

async fn files_findings(fixture: &Fixture, repair: bool) -> Vec<Finding> {
    let report = fixture.service.check(repair).await.unwrap();
    let findings = report.findings.into_iter();
    findings.filter(|one| one.check == "files").collect()
}

async fn files_finding(fixture: &Fixture, repair: bool) -> Finding {
    let mut findings = files_findings(fixture, repair).await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

async fn forget(fixture: &Fixture, name: &str) {
    let forgotten = fixture.service.clear_memory(&user(name), false).await;
    forgotten.unwrap();
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
async fn what_was_memorized_is_read_back_as_it_was() {
    for store in support::stores() {
        let fixture = service(store).await;
        for bytes in [picture(), b"\x89PNG".to_vec()] {
            let resource = memorize(&fixture, bytes.clone(), "alice").await;
            let (id, service) = (&resource.meta.id, &fixture.service);
            let content = service.resource_content(id, &user("alice")).await;
            assert!(*content.unwrap() == *bytes, "{store}");
            let of_bob = service.resource_content(id, &user("bob")).await;
            assert_eq!(of_bob.unwrap_err().kind(), ErrorKind::NotFound);
        }
    }
}

#[tokio::test]
async fn strays_are_reported_and_removed() {
    let fixture = service("sqlite").await;
    let file = place(&fixture, &memorize(&fixture, picture(), "alice").await);
    let stray = file.parent().unwrap().join(".unfinished-1-0");
    std::fs::write(&stray, "half").unwrap();
    let finding = files_finding(&fixture, false).await;
    assert_eq!(
        (finding.severity, finding.message.as_str()),
        (Severity::Warning, "1 large files belong to no resource")
    );
    assert!(stray.exists(), "a check changes nothing");
    assert!(files_finding(&fixture, true).await.repaired);
    assert!(!stray.exists() && file.exists());
    assert_eq!(files_finding(&fixture, false).await.severity, Severity::Ok);
}

#[tokio::test]
async fn damaged_and_missing_files_are_named_wherever_they_are_met() {
    let fixture = service("sqlite").await;
    let resource = memorize(&fixture, picture(), "alice").await;
    let file = place(&fixture, &resource);
    for (left, what) in [
        (Some("other"), "is damaged: its bytes are not those stored"),
        (None, "is missing"),
    ] {
        match left {
            Some(text) => std::fs::write(&file, text).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        let expected = format!("the file {} {what}", file.display());
        let finding = files_finding(&fixture, true).await;
        assert_eq!(
            (finding.severity, finding.repaired),
            (Severity::Error, false)
        );
        assert_eq!(
            finding.message,
            format!("{expected} (resource {}, cat.png)", resource.meta.id)
        );
        let id = &resource.meta.id;
        let record = fixture.service.show(id, &user("alice"), false).await;
        let Record::Resource { content_defect, .. } = record.unwrap() else {
            panic!("{id} is no resource");
        };
        assert_eq!(content_defect.as_deref(), Some(expected.as_str()));
        let content = fixture.service.resource_content(id, &user("alice")).await;
        let error = content.unwrap_err();
        assert_eq!(
            (error.kind(), error.message()),
            (ErrorKind::Corrupt, expected.as_str())
        );
    }
}

#[tokio::test]
async fn a_memorize_that_fails_leaves_no_file() {
    let settings = serde_json::json!({
        "database_config": {"metadata_store": {"busy_timeout_s": 0.1}}
    });
    let fixture = service_with("sqlite", settings).await;
    memorize(&fixture, b"\x89PNG".to_vec(), "alice").await;
    let other = rusqlite::Connection::open(fixture.folder.path().join("memu.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let result = fixture.service.memorize(request(picture(), "alice")).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Busy);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(
        files_finding(&fixture, false).await.message,
        "0 large files are as they were stored"
    );
    let resource = memorize(&fixture, picture(), "alice").await;
    assert!(place(&fixture, &resource).is_file());
}

#[tokio::test(flavor = "multi_thread")]
async fn repairing_beside_writers_takes_nothing_that_is_theirs() {
    let fixture = Arc::new(service("sqlite").await);
    let writers: Vec<_> = (0..4_u8)
        .map(|writer| {
            let fixture = fixture.clone();
            tokio::spawn(async move {
                for round in 0..4_u8 {
                    let mut bytes = picture();
                    bytes.extend([writer, round]);
                    memorize(&fixture, bytes, &format!("user{writer}")).await;
                }
            })
        })
        .collect();
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        let findings = files_findings(&fixture, true).await;
        let fine = |one: &Finding| one.severity == Severity::Ok;
        assert!(findings.iter().all(fine), "{findings:?}");
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(
        files_finding(&fixture, false).await.message,
        "16 large files are as they were stored"
    );
}

#[tokio::test]
async fn child_memorizes_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let file = PathBuf::from(folder).join("memu.db").display().to_string();
    let service = memu::open(&file).await.unwrap();
    for round in 0_u32.. {
        let mut bytes = picture();
        bytes.extend(round.to_le_bytes());
        bytes.extend(std::process::id().to_le_bytes());
        service.memorize(request(bytes, "alice")).await.unwrap();
        if round % 3 == 2 {
            service.clear_memory(&user("alice"), false).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_process_that_is_killed_leaves_no_reference_without_its_file() {
    let fixture = service("sqlite").await;
    let (mut strays, mut sound) = (0, 0);
    for round in 0..12_u64 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "child_memorizes_until_it_is_killed",
                "--nocapture",
            ])
            .env(FOLDER, fixture.folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(150 + round * 37 % 120));
        child.kill().unwrap();
        child.wait().unwrap();
        for finding in files_findings(&fixture, true).await {
            assert_ne!(finding.severity, Severity::Error, "{finding:?}");
            strays += u32::from(finding.repaired);
            sound += u32::from(finding.severity == Severity::Ok);
        }
        let finding = files_finding(&fixture, false).await;
        assert_eq!(finding.severity, Severity::Ok, "round {round}: {finding:?}");
    }
    println!("{strays} rounds left strays, {sound} left none");
    forget(&fixture, "alice").await;
    let left = files_finding(&fixture, false).await.message;
    assert_eq!(left, "0 large files are as they were stored");
}
