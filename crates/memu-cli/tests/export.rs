//! A memory as JSON Lines, and back.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use serde_json::Value;
use support::{Home, long_conversation};

/// Two users' memories in `old.db`, with a film beside it, whose content is no UTF-8.
fn home() -> Home {
    let home = Home::new();
    home.write("chat.json", long_conversation(40));
    let film: Vec<u8> = (0..3_u32 << 19).map(|at| (at % 253) as u8).collect();
    home.write("walk.mp4", film);
    for user in ["alice", "bob"] {
        home.ok(&["--db", "old.db", "memorize", "chat.json", "--user", user]);
    }
    let film = [
        "memorize",
        "walk.mp4",
        "--modality",
        "video",
        "--caption",
        "A walk.",
    ];
    home.ok(&[&["--db", "old.db"], &film[..], &["--user", "bob"]].concat());
    home
}

#[test]
fn what_is_exported_comes_back_as_it_was() {
    let home = home();
    let export = ["--db", "old.db", "export", "all.jsonl", "--all-scopes"];
    let text = home.ok(&export);
    assert!(
        text.starts_with("Exported to all.jsonl (2 scopes, "),
        "{text}"
    );
    let lines = std::fs::read_to_string(home.path("all.jsonl")).unwrap();
    let records = lines.lines().count() - 2;
    let put = format!("Imported {records} records ({records} put, the others were there)\n");
    assert_eq!(home.ok(&["--db", "new.db", "import", "all.jsonl"]), put);
    assert_eq!(home.sums("new.db"), home.sums("old.db"));
    home.ok(&["--db", "new.db", "doctor"]);
    let again = home.json(&["--db", "new.db", "import", "all.jsonl"]);
    assert_eq!(again["put"], 0);

    // One user's, through a pipe; then another's in addition.
    let script = "memu --db old.db export --user bob | memu --db part.db import - &&
        memu --db old.db export --user alice | memu --db part.db import -";
    let output = home.shell(script).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let all = home.sums("old.db");
    assert_eq!(
        home.sums("part.db"),
        Value::from(vec![all[1].clone(), all[0].clone()])
    );
}

#[test]
fn one_users_memories_become_a_memory_of_their_own() {
    let home = home();
    let export = ["--db", "old.db", "export", "bob.db", "--format", "sqlite"];
    let text = home.ok(&[&export[..], &["--user", "bob"]].concat());
    assert!(text.starts_with("Exported to bob.db (1 scope, "), "{text}");
    let all = home.sums("old.db");
    assert_eq!(home.sums("bob.db"), Value::from(vec![all[1].clone()]));
    home.ok(&["--db", "bob.db", "doctor"]);
    let again = home.run(&[&export[..], &["--user", "bob"]].concat());
    assert!(again.stderr.contains("is there already"), "{again:?}");
    let out = home.run(&[
        "--db", "old.db", "export", "--format", "sqlite", "--user", "bob",
    ]);
    assert!(out.stderr.contains("name a file"), "{out:?}");
}

#[test]
fn what_cannot_be_read_is_named_by_its_line_and_changes_nothing() {
    let home = home();
    home.ok(&["--db", "old.db", "export", "all.jsonl", "--all-scopes"]);
    let whole = std::fs::read_to_string(home.path("all.jsonl")).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let with = |place: usize, line: &str| {
        let mut changed = lines.clone();
        changed[place] = line;
        changed.join("\n")
    };
    let vector = lines
        .iter()
        .position(|line| line.contains("\"f32\":\""))
        .unwrap();
    let changed = |place: usize, from: &str, to: &str| {
        assert!(lines[place].contains(from), "{}", lines[place]);
        with(place, &lines[place].replacen(from, to, 1))
    };
    let last = lines.len() - 1;
    for (content, line, expected) in [
        (String::new(), 1, "no memory that memu export wrote"),
        ("[1, 2]".to_owned(), 1, "no memory that memu export wrote"),
        (
            changed(0, "\"version\":1", "\"version\":2"),
            1,
            "of version 2",
        ),
        (with(2, "{\"kind\""), 3, "this is no record"),
        (
            changed(2, "\"text\":", "\"colour\":1,\"text\":"),
            3,
            "this is no record",
        ),
        (
            changed(1, "\"user_id\":\"alice\"", "\"tenant\":\"a\""),
            2,
            "unknown scope field",
        ),
        (changed(1, "teapot", "kettle"), 2, "does not have its hash"),
        (
            changed(vector, "\"f32\":\"", "\"f32\":\"!"),
            vector + 1,
            "not base64",
        ),
        (lines[..40].join("\n"), 41, "the file was cut off"),
        (
            changed(last, "{\"records\":", "{\"records\":1"),
            last + 1,
            "the file tells of",
        ),
    ] {
        let _ = std::fs::remove_file(home.path("new.db"));
        home.write("bad.jsonl", &content);
        let run = home.run(&["--db", "new.db", "import", "bad.jsonl"]);
        assert_eq!(
            run.code,
            Some(if line == 2 && expected.contains("scope") {
                2
            } else {
                1
            }),
            "{run:?}"
        );
        assert!(run.stderr.contains(expected), "{expected}: {run:?}");
        assert!(
            run.stderr.contains(&format!("line: {line}\n")),
            "{expected}: {run:?}"
        );
        if line < 40 && home.path("new.db").exists() {
            let stats = home.json(&["--db", "new.db", "stats", "--all-scopes"]);
            assert_eq!([&stats["items"], &stats["resources"]], [0, 0], "{expected}");
        }
    }
    // What was put of a file that was cut off is left alone when the whole one is read.
    home.ok(&["--db", "new.db", "import", "all.jsonl"]);
    assert_eq!(home.sums("new.db"), home.sums("old.db"));
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let home = home();
    home.ok(&["--db", "old.db", "export", "all.jsonl", "--all-scopes"]);
    home.ok(&["--db", "new.db", "import", "all.jsonl"]);
    let list = ["--db", "new.db", "list", "items", "--user", "alice"];
    let page = home.json(&list);
    let id = page["items"][0]["id"].as_str().unwrap();
    home.ok(&[
        "--db",
        "new.db",
        "edit",
        id,
        "--text",
        "Something else",
        "--user",
        "alice",
    ]);
    let before = home.json(&list);
    let run = home.run(&["--db", "new.db", "import", "all.jsonl"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.stderr
            .contains("the store holds another item under this id"),
        "{run:?}"
    );
    assert_eq!(home.json(&list), before);

    home.ok(&[
        "--db",
        "wide.db",
        "add",
        "Tea",
        "--user",
        "alice",
        "--scope",
        "agent_id=a",
    ]);
    for (arguments, code, expected) in [
        (
            &["--db", "wide.db", "import", "all.jsonl"][..],
            2,
            "the file keeps memories by",
        ),
        (
            &["--db", "x.db", "import", "none.jsonl"],
            3,
            "there is no such file",
        ),
        (&["--db", "x.db", "export"], 3, "there is no such file"),
        (
            &["--db", "old.db", "export", "all.jsonl", "--all-scopes"],
            1,
            "is there already",
        ),
        (
            &["--db", "old.db", "export", "one.jsonl"],
            2,
            "the store holds 2 scopes",
        ),
        (
            &[
                "--db",
                "old.db",
                "export",
                "one.jsonl",
                "--all-scopes",
                "-w",
                "memory_type=event",
            ],
            1,
            "whole scopes are exported",
        ),
    ] {
        let run = home.run(arguments);
        assert_eq!(run.code, Some(code), "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(expected), "{arguments:?}: {run:?}");
    }
    assert!(!home.path("x.db").exists() && !home.path("one.jsonl").exists());
}
