//! Documents, and words for what nobody can see or hear, from the shell.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use std::path::Path;

use support::{Home, compare_with_readme};

fn home() -> Home {
    let home = Home::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../memu-documents/tests/fixtures");
    for (fixture, name) in [
        ("libreoffice.docx", "harbour.docx"),
        ("scanned.pdf", "scanned.pdf"),
    ] {
        home.write(name, std::fs::read(fixtures.join(fixture)).unwrap());
    }
    home.write("jetty.jpg", b"\xFF\xD8\xFF\xE0 not much of a picture");
    home
}

#[test]
fn the_readme_shows_what_becomes_of_documents_and_pictures() {
    let heading = "## Pictures, recordings and videos\n";
    assert_eq!(compare_with_readme(&home(), heading), 4);
}

#[test]
fn a_caption_may_come_from_a_file() {
    let home = home();
    home.write("jetty.txt", "Ines stands on a jetty in the rain.\n");
    let done = home.json(&[
        "memorize",
        "jetty.jpg",
        "--caption-file",
        "jetty.txt",
        "--user",
        "ann",
    ]);
    assert_eq!(done["resource"]["modality"], "image");
    assert_eq!(
        done["resource"]["caption"],
        "Ines stands on a jetty in the rain.\n"
    );
    home.write("empty.txt", " \n");
    for (file, message) in [
        (
            "empty.txt",
            "error: the caption is empty\n  file: empty.txt\n",
        ),
        (
            "gone.txt",
            "error: the caption cannot be read\n  file: gone.txt\n",
        ),
    ] {
        let run = home.run(&[
            "memorize",
            "jetty.jpg",
            "--transcript-file",
            file,
            "--user",
            "bob",
        ]);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.starts_with(message), "{}", run.stderr);
    }
    let both = [
        "memorize",
        "jetty.jpg",
        "--caption",
        "x",
        "--caption-file",
        "jetty.txt",
    ];
    assert_eq!(home.run(&both).code, Some(2));
}

#[test]
fn a_document_that_is_piped_in_is_known_by_its_bytes() {
    let home = home();
    let bytes = std::fs::read(home.path("harbour.docx")).unwrap();
    let run = home.run_with_input(&["memorize", "-", "--user", "ann", "--json"], &bytes);
    let done: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(done["resource"]["modality"], "document");
    let found = home.ok(&["retrieve", "Which berth has Albatross?", "--user", "ann"]);
    assert!(found.contains("C3"), "{found}");
}
