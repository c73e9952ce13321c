//! The demo: a new file, three samples, questions with their evidence.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use support::Home;

#[test]
fn the_demo_answers_its_questions_from_a_file_of_its_own() {
    let home = Home::new();
    let output = home.ok(&["demo", "--db", "demo.db"]);
    assert!(home.path("demo.db").is_file());
    for answer in [
        "moved into the flat in Lisbon",
        "allergic to walnuts",
        "sea star",
        "compost",
    ] {
        assert!(output.contains(answer), "{answer}: {output}");
    }
    // Evidence is quoted under the memories, and the file can be asked further.
    assert!(output.contains("│ “"), "{output}");
    let answer = home.json(&[
        "retrieve",
        "What is Nora allergic to?",
        "--db",
        "demo.db",
        "--all-scopes",
    ]);
    assert!(
        answer["items"][0]["summary"]
            .as_str()
            .unwrap()
            .contains("walnuts"),
        "{answer}"
    );
}

#[test]
fn the_demo_does_not_touch_a_file_that_is_there() {
    let home = Home::new();
    home.ok(&["add", "Ann likes tea", "--user", "alice", "--db", "mine.db"]);
    let before = std::fs::read(home.path("mine.db")).unwrap();
    let run = home.run(&["demo", "--db", "mine.db"]);
    assert_ne!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains("mine.db"), "{run:?}");
    assert_eq!(std::fs::read(home.path("mine.db")).unwrap(), before);
}
