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

use support::{Home, SETTINGS, compare_with_readme};

#[test]
fn the_first_screen_of_the_readme_is_what_the_tool_prints() {
    let home = Home::new();
    home.write("friends.json", include_bytes!("../samples/friends.json"));
    assert_eq!(compare_with_readme(&home, "# MemU in Rust\n"), 2);
}

/// Otherwise the tests read and change the memory of whoever runs them.
#[test]
fn no_test_sees_the_settings_of_whoever_runs_it() {
    let home = Home::new();
    for command in [home.command(&["doctor"]), home.shell("memu doctor")] {
        for name in SETTINGS {
            let mut kept = command.get_envs();
            assert!(kept.any(|(found, value)| found == name && value.is_none()));
        }
    }
}
