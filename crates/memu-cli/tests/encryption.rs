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

use support::{Home, Run, finished, long_conversation};

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
        for word in ["SQLite format 3", "quince", "medlar", "teapot", "ann"] {
            assert!(!holds(&path, word), "{} holds {word}", path.display());
        }
    }
    assert!(!home.path("data").exists());
}

#[test]
fn another_key_or_none_opens_nothing_and_says_why() {
    let home = Home::new();
    ok(&home, &["add", "Ann keeps a quince tree", "--user", "ann"]);
    home.write("plain.toml", "");
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

#[test]
fn a_writer_that_is_killed_leaves_an_encrypted_file_that_opens() {
    let home = Home::new();
    home.write("chat.json", long_conversation(200));
    for round in 0..4_u64 {
        let mut command = home.command(&["memorize", "chat.json", "--user", "ann"]);
        command
            .env("MEMU_KEY", KEY)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(150 + 150 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        if home.path("memu.db").exists() {
            assert!(ok(&home, &["doctor"]).contains("ok      integrity"));
        }
    }
    ok(&home, &["memorize", "chat.json", "--user", "ann"]);
    assert!(ok(&home, &["doctor"]).contains("200 segments"));
}

const README: &str = include_str!("../../../README.md");

/// What a person reads first: ids and sizes differ from run to run.
fn in_short(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with("  because:"));
    let short = lines.map(|line| {
        let words = line.split(' ').map(|word| {
            let number = word.trim_start_matches('(').parse::<u32>().is_ok();
            let is_id = word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
            if number || is_id { "…" } else { word }
        });
        words.collect::<Vec<_>>().join(" ")
    });
    short.collect()
}

#[test]
fn the_readme_shows_what_the_tool_prints() {
    let home = Home::new();
    let (_, section) = README.split_once("## Encrypted\n").unwrap();
    let (_, rest) = section.split_once("```console\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    let folder = Path::new(env!("CARGO_BIN_EXE_memu")).parent().unwrap();
    let others = std::env::var("PATH").unwrap();
    let path = format!("{}:{others}", folder.display());
    let steps: Vec<&str> = block.split("$ ").filter(|step| !step.is_empty()).collect();
    assert_eq!(steps.len(), 4);
    for step in steps {
        let (command, expected) = step.split_once('\n').unwrap();
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &format!("{command} 2>&1")]);
        shell
            .current_dir(home.folder.path())
            .env("NO_COLOR", "1")
            .env("PATH", &path);
        let found = finished(shell.output().unwrap()).stdout;
        assert_eq!(in_short(&found), in_short(expected), "{command}");
    }
}
