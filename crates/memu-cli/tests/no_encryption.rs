//! A build without encryption says so, and never leaves a legible file in place of an
//! encrypted one.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg(not(feature = "sqlcipher"))]

mod support;

use support::{Home, finished};

const CANNOT: &str = "this build cannot encrypt files; build it with the feature sqlcipher";

#[test]
fn a_key_is_refused_and_no_file_is_made() {
    let home = Home::new();
    let add = ["add", "Ann likes tea", "--user", "ann"];
    let mut command = home.command(&add);
    let run = finished(command.env("MEMU_KEY", "a passphrase").output().unwrap());
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains(CANNOT), "{run:?}");
    home.write(
        "memu.toml",
        "[database_config.metadata_store]\nencryption_key = \"a passphrase\"\n",
    );
    let run = home.run(&add);
    assert!(run.stderr.contains(CANNOT), "{run:?}");
    assert!(!run.stderr.contains("a passphrase"), "{run:?}");
    assert!(!home.path("memu.db").exists());
}

#[test]
fn a_memory_cannot_be_encrypted_and_stays_as_it_is() {
    let home = Home::new();
    home.ok(&["add", "Ann likes tea", "--user", "ann"]);
    let before = std::fs::read(home.path("memu.db")).unwrap();
    let mut command = home.command(&["rekey"]);
    let run = finished(command.env("MEMU_NEW_KEY", "new").output().unwrap());
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains(CANNOT), "{run:?}");
    assert!(std::fs::read(home.path("memu.db")).unwrap() == before);
}

#[test]
fn an_encrypted_file_is_told_from_one_that_is_damaged() {
    let home = Home::new();
    // As good as random: every byte of a linear congruential generator's high bits.
    let mut state = 7_u64;
    let bytes: Vec<u8> = (0..16_384)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    home.write("memu.db", &bytes);
    let run = home.run(&["list", "items", "--user", "ann"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let message = "if it is encrypted, it takes a build with the feature sqlcipher";
    assert!(run.stderr.contains(message), "{run:?}");
    assert!(std::fs::read(home.path("memu.db")).unwrap() == bytes);
    home.write("memu.db", [0; 16_384]);
    let run = home.run(&["list", "items", "--user", "ann"]);
    assert!(
        run.stderr
            .contains("error: the file is not a SQLite database"),
        "{run:?}"
    );
}
