//! Large files through the binary: kept beside the database, named when they are
//! missing, gone with whom they belonged to.

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

use support::Home;

/// Memorizes a film of more than 1 MiB for a user; returns its id and its file.
fn film(home: &Home, user: &str) -> (String, PathBuf) {
    let bytes: Vec<u8> = (0..3_u32 << 19).map(|at| (at % 253) as u8).collect();
    home.write("walk.mp4", &bytes);
    home.ok(&[
        "memorize",
        "walk.mp4",
        "--modality",
        "video",
        "--caption",
        "Nora walks her greyhound along the harbour.",
        "--user",
        user,
    ]);
    let page = home.json(&["list", "resources", "--user", user]);
    let resource = &page["resources"][0];
    let folder = home.path("data/resources/memu.db");
    let file = folder.join(resource["local_path"].as_str().unwrap());
    assert!(std::fs::read(&file).unwrap() == bytes);
    (resource["id"].as_str().unwrap().to_owned(), file)
}

#[test]
fn forgetting_one_user_removes_that_users_copy_alone() {
    let home = Home::new();
    let (_, of_alice) = film(&home, "alice");
    let (_, of_bob) = film(&home, "bob");
    assert_ne!(of_alice, of_bob);
    home.ok(&["forget", "--user", "alice", "--yes"]);
    assert!(!of_alice.exists());
    assert!(of_bob.exists());
    let report = home.ok(&["doctor"]);
    assert!(
        report.contains("1 large files are as they were stored"),
        "{report}"
    );
}

#[test]
fn show_and_doctor_name_a_file_that_is_missing() {
    let home = Home::new();
    let (id, file) = film(&home, "alice");
    std::fs::remove_file(&file).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let shown = home.json(&["show", &id, "--user", "alice"]);
    let defect = shown["content_defect"].as_str().unwrap();
    assert!(
        defect.starts_with("the file ") && defect.ends_with(&format!("{name} is missing")),
        "{defect}"
    );
    assert!(
        home.ok(&["show", &id, "--user", "alice"])
            .contains("is missing")
    );
    let doctor = home.run(&["doctor"]);
    assert_eq!(doctor.code, Some(1));
    assert!(
        doctor
            .stdout
            .contains(&format!("is missing (resource {id}, walk.mp4)")),
        "{doctor:?}"
    );
}
