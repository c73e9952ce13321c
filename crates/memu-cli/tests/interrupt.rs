//! Ctrl-C at any moment leaves the store as it was.
#![cfg(unix)]
// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use std::process::{Command, Stdio};
use std::time::Duration;

use support::{Home, long_conversation};

#[test]
fn interrupted_at_many_moments_a_memorize_leaves_all_or_nothing() {
    let home = Home::new();
    home.ok(&["add", "Ann likes tea", "--user", "alice"]);
    home.write("long.json", long_conversation(4_000));
    let before = home.everything();
    let mut interrupted = 0;
    for milliseconds in (0..24).map(|step| 3 + step * step * 2) {
        let child = home
            .command(&["memorize", "long.json", "--user", "alice"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        let sent = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            // It was done before the signal came.
            break;
        }
        assert!(sent.success());
        // Before the program listens, the signal ends it as it ends any other.
        if output.status.code().is_some() {
            assert_eq!(output.status.code(), Some(1));
            assert_eq!(
                String::from_utf8(output.stderr).unwrap(),
                "error: interrupted; what was not finished has left no trace\n"
            );
            interrupted += 1;
        }
        if home.everything() != before {
            // The commit was under way: then all of it is there.
            break;
        }
    }
    assert!(interrupted > 0, "no memorize was caught in the act");
    home.ok(&["memorize", "long.json", "--user", "alice"]);
    let resources = home.json(&["list", "resources", "--user", "alice"]);
    assert_eq!(resources["resources"][0]["segment_count"], 4_000);
    assert_eq!(resources["resources"].as_array().unwrap().len(), 1);
    home.ok(&["doctor"]);
}
