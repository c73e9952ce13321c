//! A process that is killed leaves all of a memory or nothing of it.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]
#![cfg(unix)]

mod support;

use std::hash::{BuildHasher, RandomState};
use std::process::Stdio;
use std::time::Instant;

use support::{Home, long_conversation};

const ROUNDS: u32 = 50;

#[test]
fn killed_at_fifty_moments_a_memorize_never_leaves_a_part_of_it() {
    let whole = Home::new();
    whole.write("chat.json", long_conversation(1500));
    let started = Instant::now();
    whole.ok(&["memorize", "chat.json", "--user", "alice"]);
    let undisturbed = started.elapsed();
    let expected = counts(&whole);

    let home = Home::new();
    home.write("chat.json", long_conversation(1500));
    home.ok(&["add", "Ann likes tea", "--user", "bob"]);
    let (mut nothing, mut all) = (0, 0);
    for round in 0..ROUNDS {
        let mut child = home
            .command(&["memorize", "chat.json", "--user", "alice"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // At random, from the start of the process to a little beyond its end.
        let random = RandomState::new().hash_one(round) as f64 / u64::MAX as f64;
        std::thread::sleep(undisturbed.mul_f64(random * 1.1));
        child.kill().unwrap();
        child.wait().unwrap();
        let found = counts(&home);
        if found == expected {
            all += 1;
            home.ok(&["forget", "--user", "alice", "--yes"]);
        } else {
            assert_eq!(found, (0, 0, 0, 0), "round {round} left a part");
            nothing += 1;
        }
        let report = home.json(&["doctor"]);
        assert!(
            report["findings"]
                .as_array()
                .unwrap()
                .iter()
                .all(|finding| finding["severity"] == "ok"),
            "round {round}: {report}"
        );
    }
    assert!(nothing > 0, "no round was killed in time: {all} whole");
    home.ok(&["memorize", "chat.json", "--user", "alice"]);
    assert_eq!(counts(&home), expected, "and it can be done again");
}

/// Resources, items, categories with a summary, and segments of alice.
fn counts(home: &Home) -> (usize, usize, usize, usize) {
    let list = |kind: &str| {
        let page = home.json(&["list", kind, "--user", "alice", "--limit", "10000"]);
        page[kind].as_array().unwrap().clone()
    };
    let resources = list("resources");
    let categories = list("categories");
    let segments = resources
        .iter()
        .map(|resource| resource["segment_count"].as_u64().unwrap() as usize)
        .sum();
    (
        resources.len(),
        list("items").len(),
        categories
            .iter()
            .filter(|category| category["summary"].is_string())
            .count(),
        segments,
    )
}
