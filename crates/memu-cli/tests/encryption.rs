//! Encrypted memories through the binary: every verb takes the key, and nothing shows it.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg(feature = "sqlcipher")]

mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use support::{Home, Run, compare_with_readme, finished, long_conversation};

const KEY: &str = "correct horse 4711";

/// Runs with these variables.
fn run(home: &Home, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
    let mut command = home.command(arguments);
    command.envs(variables.iter().copied());
    let run = finished(command.output().unwrap());
    for (_, key) in variables {
        assert!(
            !run.stdout.contains(key) && !run.stderr.contains(key),
            "{run:?}"
        );
    }
    run
}

/// Runs with the key and demands success.
fn ok(home: &Home, arguments: &[&str]) -> String {
    let run = run(home, &[("MEMU_KEY", KEY)], arguments);
    assert_eq!(run.code, Some(0), "{arguments:?}: {run:?}");
    run.stdout
}

fn holds(file: &Path, word: &str) -> bool {
    let bytes = std::fs::read(file).unwrap();
    bytes
        .windows(word.len())
        .any(|window| window == word.as_bytes())
}

#[test]
fn every_verb_works_with_the_key() {
    let home = Home::new();
    home.write("chat.json", long_conversation(40));
    ok(&home, &["memorize", "chat.json", "--user", "ann"]);
    ok(&home, &["add", "Ann keeps a quince tree", "--user", "ann"]);
    ok(&home, &["add", "Bob keeps a medlar tree", "--user", "bob"]);
    let answer = ok(&home, &["retrieve", "Which tree?", "--user", "ann"]);
    assert!(answer.contains("quince"), "{answer}");
    assert!(ok(&home, &["list", "items", "--user", "ann"]).contains("quince"));
    assert!(ok(&home, &["doctor"]).contains("ok      integrity"));
    let upgrade = ok(&home, &["upgrade"]);
    assert_eq!(upgrade, "memu.db needs no upgrade.\n");
    ok(&home, &["reembed"]);
    ok(&home, &["backup", "copy.db"]);
    ok(&home, &["backup", "copy.db"]);
    ok(&home, &["forget", "--user", "ann", "--yes"]);
    let left = ok(&home, &["--json", "list", "items", "--all-scopes"]);
    assert!(
        left.contains("medlar") && !left.contains("quince"),
        "{left}"
    );
    ok(&home, &["restore", "copy.db", "--force"]);
    assert!(ok(&home, &["list", "items", "--user", "ann"]).contains("quince"));
    for entry in std::fs::read_dir(home.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() || path.ends_with("chat.json") {
            continue;
        }
        // Long enough not to be found in random bytes.
        for word in [
            "SQLite format 3",
            "a quince tree",
            "a medlar tree",
            "telescope",
        ] {
            assert!(!holds(&path, word), "{} holds {word}", path.display());
        }
    }
    assert!(!home.path("data").exists());
}

#[test]
fn another_key_or_none_opens_nothing_and_says_why() {
    let home = Home::new();
    ok(&home, &["add", "Ann keeps a quince tree", "--user", "ann"]);
    let before = std::fs::read(home.path("memu.db")).unwrap();
    for (variables, message) in [
        (vec![], "can be read without a key"),
        (
            vec![("MEMU_KEY", "another key")],
            "the key does not open this database",
        ),
        (vec![("MEMU_KEY", "")], "the encryption key is empty"),
    ] {
        for verb in [
            vec!["list", "items", "--user", "ann"],
            vec!["doctor"],
            vec!["backup", "copy.db"],
            vec!["upgrade"],
        ] {
            let mut command = home.command(&verb);
            command.envs(variables.iter().copied());
            let run = finished(command.output().unwrap());
            assert!(matches!(run.code, Some(1 | 2)), "{verb:?} {run:?}");
            assert!(run.stderr.contains(message), "{verb:?} {run:?}");
        }
    }
    assert!(!home.path("copy.db").exists());
    assert!(std::fs::read(home.path("memu.db")).unwrap() == before);
}

#[test]
fn the_configuration_file_may_hold_the_key_and_the_variable_wins() {
    let home = Home::new();
    home.write(
        "memu.toml",
        "[database_config.metadata_store]\nencryption_key = \"from the file\"\n",
    );
    home.ok(&["add", "Ann keeps a quince tree", "--user", "ann"]);
    let key = [("MEMU_KEY", "from the file")];
    std::fs::remove_file(home.path("memu.toml")).unwrap();
    assert_eq!(run(&home, &key, &["doctor"]).code, Some(0));
    home.write(
        "memu.toml",
        "[database_config.metadata_store]\nencryption_key = \"wrong\"\n",
    );
    assert_eq!(run(&home, &key, &["doctor"]).code, Some(0));
}

#[test]
fn a_memory_is_encrypted_gets_another_key_and_is_decrypted() {
    let home = Home::new();
    home.ok(&["add", "Ann keeps a quince tree", "--user", "ann"]);
    assert!(holds(&home.path("memu.db"), "quince"));
    let list = ["list", "items", "--user", "ann"];
    let plain = home.ok(&list);

    let one = run(&home, &[("MEMU_NEW_KEY", "one-4711")], &["rekey"]);
    assert_eq!(one.code, Some(0), "{one:?}");
    assert!(one.stdout.starts_with("Encrypted memu.db ("), "{one:?}");
    assert!(!holds(&home.path("memu.db"), "quince"));
    assert_eq!(run(&home, &[("MEMU_KEY", "one-4711")], &list).stdout, plain);

    let both = [("MEMU_KEY", "one-4711"), ("MEMU_NEW_KEY", "two-4711")];
    let two = run(&home, &both, &["rekey"]);
    assert!(
        two.stdout.starts_with("Changed the key of memu.db ("),
        "{two:?}"
    );
    assert_eq!(run(&home, &[("MEMU_KEY", "one-4711")], &list).code, Some(1));
    assert_eq!(run(&home, &[("MEMU_KEY", "two-4711")], &list).stdout, plain);

    let none = run(&home, &[("MEMU_KEY", "two-4711")], &["rekey", "--remove"]);
    assert!(none.stdout.starts_with("Decrypted memu.db ("), "{none:?}");
    assert_eq!(home.ok(&list), plain);
    for wrong in [vec!["rekey"], vec!["rekey", "--remove"]] {
        assert!(matches!(home.run(&wrong).code, Some(1 | 2)));
    }
    assert_eq!(home.ok(&list), plain);
    assert_eq!(std::fs::read_dir(home.folder.path()).unwrap().count(), 1);
}

#[test]
fn a_large_file_that_lies_beside_an_encrypted_memory_is_named() {
    let home = Home::new();
    home.write("film.mp4", vec![7; (1 << 20) + 1]);
    let film = ["memorize", "film.mp4", "--modality", "video"];
    let about = ["--caption", "A film of tea", "--user", "ann"];
    home.ok(&[film, about].concat());
    let folder = home.path("data/resources/memu.db");
    let mut scopes = std::fs::read_dir(&folder).unwrap().flatten();
    let scope = scopes.find(|entry| entry.path().is_dir()).unwrap();
    let stray = scope.path().join("0".repeat(64));
    std::fs::write(&stray, "a film of figs").unwrap();

    let done = run(&home, &[("MEMU_NEW_KEY", KEY)], &["rekey"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        done.stdout.contains(", with 1 large file, verified"),
        "{done:?}"
    );
    let told = format!(
        "  still legible: ./data/resources/memu.db/{}/{}",
        scope.file_name().display(),
        "0".repeat(64)
    );
    assert!(done.stdout.contains(&told), "{told}: {done:?}");
    let doctor = ok(&home, &["doctor"]);
    assert!(
        doctor.contains("warning files         1 large files lie legible in "),
        "{doctor}"
    );
    std::fs::remove_file(stray).unwrap();
    assert!(!ok(&home, &["doctor"]).contains("warning"));
}

#[test]
fn processes_make_and_fill_one_encrypted_file_at_once() {
    let home = Home::new();
    let texts: Vec<String> = (0..8).map(|at| format!("Ann owns {at} kayaks")).collect();
    let children = texts.iter().map(|text| {
        let mut command = home.command(&["add", text, "--user", "ann"]);
        command
            .env("MEMU_KEY", KEY)
            .stderr(Stdio::piped())
            .stdout(Stdio::null());
        command.spawn().unwrap()
    });
    let children: Vec<_> = children.collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let items = ok(&home, &["list", "items", "--user", "ann"]);
    for text in &texts {
        assert!(items.contains(text), "{text}: {items}");
    }
    assert!(ok(&home, &["doctor"]).contains("8 items"));
}

#[cfg(unix)]
#[test]
fn a_writer_that_is_killed_leaves_an_encrypted_file_that_opens() {
    use std::os::unix::process::ExitStatusExt;

    let home = Home::new();
    home.write("chat.json", long_conversation(200));
    let mut killed = 0;
    for round in 0..4_u64 {
        let mut command = home.command(&["memorize", "chat.json", "--user", "ann"]);
        command
            .env("MEMU_KEY", KEY)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let begun = || std::fs::metadata(home.path("memu.db")).is_ok_and(|file| file.len() > 0);
        while !begun() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(100 * round));
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().signal().is_some());
        assert!(ok(&home, &["doctor"]).contains("ok      integrity"));
    }
    assert!(killed > 0, "every writer was done before it was killed");
    ok(&home, &["memorize", "chat.json", "--user", "ann"]);
    assert!(ok(&home, &["doctor"]).contains("200 segments"));
}

#[test]
fn the_readme_shows_what_the_tool_prints() {
    let home = Home::new();
    assert_eq!(compare_with_readme(&home, "## Encrypted\n"), 4);
}
