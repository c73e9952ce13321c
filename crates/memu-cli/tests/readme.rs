//! The README shows what the tool prints.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use std::process::Command;

use support::Home;

const README: &str = include_str!("../../../README.md");

/// Short ids differ from run to run.
fn without_ids(text: &str) -> String {
    let words = text.split_inclusive([' ', '\n']).map(|word| {
        let bare = word.trim_end();
        let is_id = bare.len() == 6 && bare.bytes().all(|b| b.is_ascii_hexdigit());
        if is_id {
            word.replace(bare, "[id]")
        } else {
            word.to_owned()
        }
    });
    words.collect()
}

#[test]
fn the_first_screen_of_the_readme_is_what_the_tool_prints() {
    let home = Home::new();
    let sample = include_bytes!("../samples/friends.json");
    home.write("friends.json", sample);
    let (_, rest) = README.split_once("```console\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    let mut compared = 0;
    for step in block.split("$ ").filter(|step| !step.is_empty()) {
        let (command, expected) = step.split_once('\n').unwrap();
        if !command.starts_with("memu ") {
            continue;
        }
        let binary = env!("CARGO_BIN_EXE_memu");
        let output = Command::new("sh")
            .args(["-c", &command.replacen("memu", binary, 1)])
            .current_dir(home.folder.path())
            .env("NO_COLOR", "1")
            .env_remove("MEMU_DB")
            .env_remove("MEMU_USER")
            .env_remove("MEMU_CONFIG")
            .output()
            .unwrap();
        let found = String::from_utf8(output.stdout).unwrap();
        assert_eq!(without_ids(&found), without_ids(expected), "{command}");
        compared += 1;
    }
    assert_eq!(compared, 2);
}
