//! Moving house at the shell: everything arrives, nothing else is touched, and whoever is
//! killed in the middle goes on.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod cut_off;
#[path = "../support/mod.rs"]
mod support;

use memu_testkit::postgres::database;
use memu_testkit::skip_unless_set;
use serde_json::Value;
use support::{Home, compare_with_readme, long_conversation};

/// A film of more than 1 MiB, which lies beside the database.
fn film() -> Vec<u8> {
    (0..3_u32 << 19).map(|at| (at % 253) as u8).collect()
}

/// Two users' memories in `old.db`, of text and of a film, with an edit and a deletion.
fn home() -> Home {
    let home = Home::new();
    home.write("chat.json", long_conversation(60));
    home.write(
        "notes.md",
        "# Boats\n\nGlue dries faster when the wood is warm.\n",
    );
    home.write("walk.mp4", film());
    let run = |arguments: &[&str]| {
        let mut all = vec!["--db", "old.db"];
        all.extend(arguments);
        home.ok(&all)
    };
    for user in ["alice", "bob"] {
        run(&["memorize", "chat.json", "--user", user]);
        run(&["memorize", "notes.md", "--user", user]);
    }
    let caption = "Nora walks her greyhound along the harbour.";
    run(&[
        "memorize",
        "walk.mp4",
        "--modality",
        "video",
        "--caption",
        caption,
        "--user",
        "bob",
    ]);
    run(&["add", "Bob keeps bees", "--user", "bob"]);
    let page: Value =
        serde_json::from_str(&run(&["--json", "list", "items", "--user", "alice"])).unwrap();
    let ids: Vec<&str> = (0..2)
        .map(|at| page["items"][at]["id"].as_str().unwrap())
        .collect();
    run(&[
        "edit",
        ids[0],
        "--text",
        "Nora once had a teapot",
        "--user",
        "alice",
    ]);
    run(&["delete", ids[1], "--user", "alice"]);
    home
}

/// Every user's memories, as the verbs tell them: scopes are moved one after the other, so only
/// the order within each is kept. A server orders the keys of details in its own way, and keeps
/// what lies beside a file.
fn everything(home: &Home, database: &str) -> Vec<Value> {
    let mut told = Vec::new();
    for user in ["alice", "bob", "carol", "dave"] {
        for kind in ["items", "categories", "resources"] {
            let list = ["--db", database, "list", kind, "--user", user];
            let mut list = home.json(&[&list[..], &["--limit", "10000"]].concat());
            for resource in list["resources"].as_array_mut().into_iter().flatten() {
                resource["local_path"] = Value::Null;
            }
            told.push(list);
        }
    }
    told
}

#[test]
fn the_readme_shows_what_a_move_prints() {
    let home = Home::new();
    home.write("friends.json", include_bytes!("../../samples/friends.json"));
    assert_eq!(compare_with_readme(&home, "## Moving house\n"), 2);
}

#[test]
fn everything_arrives_and_comes_back() {
    let home = home();
    let before = std::fs::read(home.path("old.db")).unwrap();
    let text = home.ok(&["migrate", "--from", "old.db", "--to", "new/memu.db"]);
    for part in [
        "Moved sqlite:///old.db to sqlite:///new/memu.db (",
        "records put, compared)",
        "  scopes        2",
        "  resources     5",
        "  content       5",
        "  vectors of    local/",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(std::fs::read(home.path("old.db")).unwrap() == before);
    assert_eq!(
        everything(&home, "new/memu.db"),
        everything(&home, "old.db")
    );
    home.ok(&["--db", "new/memu.db", "doctor"]);
    let resources = home.json(&["--db", "new/memu.db", "list", "resources", "--user", "bob"]);
    let film_of_bob = resources["resources"][2]["local_path"].as_str().unwrap();
    let kept = home.path("new/data/resources/memu.db").join(film_of_bob);
    assert!(std::fs::read(kept).unwrap() == film());

    let again = home.json(&["migrate", "--from", "old.db", "--to", "new/memu.db"]);
    assert_eq!(again["put"], 0);
    let back = [
        "--db",
        "new/memu.db",
        "migrate",
        "--to",
        "sqlite:///back.db",
    ];
    home.ok(&back);
    assert_eq!(home.sums("back.db"), home.sums("old.db"));
    let question = [
        "--json",
        "retrieve",
        "Which teapot?",
        "--user",
        "alice",
        "--db",
    ];
    let answer = |database| home.ok(&[&question[..], &[database]].concat());
    assert_eq!(answer("back.db"), answer("old.db"));

    // What came meanwhile is all that follows.
    home.ok(&["--db", "old.db", "add", "Alice rows", "--user", "alice"]);
    let more = home.json(&["migrate", "--from", "old.db", "--to", "back.db"]);
    assert!(more["put"].as_u64().unwrap() >= 1, "{}", more["put"]);
    assert_eq!(home.sums("back.db"), home.sums("old.db"));
}

#[test]
fn a_file_of_memu_1_stays_as_it_was_and_arrives() {
    let name = "a_file_of_memu_1_stays_as_it_was_and_arrives";
    let Some(data) = skip_unless_set("MEMU_SAMPLE_DATA", name) else {
        return;
    };
    for (file, counts) in [
        ("sample.db", [4, 44, 20, 40]),
        ("scoped.db", [6, 66, 30, 60]),
    ] {
        let home = Home::new();
        let original = std::fs::read(data.join("memu-1.5.1").join(file)).unwrap();
        home.write("old.db", &original);
        let run = home.run(&["migrate", "--from", "old.db", "--to", "new.db"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(
            run.stderr
                .contains("old.db is a file of memU 1.x; it stays as it is"),
            "{run:?}"
        );
        assert!(std::fs::read(home.path("old.db")).unwrap() == original);
        let mut names: Vec<_> = std::fs::read_dir(home.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["new.db", "old.db"]);
        let moved = home.json(&["migrate", "--from", "new.db", "--to", "third.db"]);
        let found = ["resources", "items", "categories", "relations"]
            .map(|part| moved["totals"][part].as_u64().unwrap());
        assert_eq!(found, counts);
        assert!(moved["totals"]["vectors"].as_u64().unwrap() > 0);
        assert_eq!(moved["embedders"][0]["provider"], "unknown");
        home.write("old2.db", &original);
        home.ok(&["upgrade", "old2.db"]);
        let same = home.json(&["migrate", "--from", "old2.db", "--to", "third.db"]);
        assert_eq!(same["put"], 0, "the upgrade in place gives the same");
        home.ok(&["--db", "new.db", "doctor"]);
    }
}

#[test]
fn what_cannot_be_moved_is_refused_and_nothing_changes() {
    let home = home();
    home.write("notes.txt", "no database");
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
    home.ok(&["--db", "other.db", "add", "Tea", "--user", "alice"]);
    let before = ["old.db", "wide.db", "other.db"].map(|one| everything(&home, one));
    for (from, to, code, expected) in [
        ("none.db", "new.db", 3, "there is no such file"),
        ("old.db", "./old.db", 1, "to be moved to where it is"),
        (
            "inmemory",
            "new.db",
            1,
            "goes with it; name a file or a server",
        ),
        (
            "old.db",
            "sqlite:///:memory:",
            1,
            "goes with it; name a file or a server",
        ),
        ("old.db", "wide.db", 2, "scope fields"),
        ("old.db", "other.db", 1, "the target holds a"),
        ("notes.txt", "new.db", 1, "database"),
        ("mysql://u:secret@h/d", "new.db", 2, "is not a DSN"),
    ] {
        let run = home.run(&["migrate", "--from", from, "--to", to]);
        assert_eq!(run.code, Some(code), "{from} to {to}: {run:?}");
        assert!(run.stderr.contains(expected), "{from} to {to}: {run:?}");
        assert!(!run.stderr.contains("secret"), "{run:?}");
    }
    let after = ["old.db", "wide.db", "other.db"].map(|one| everything(&home, one));
    assert_eq!(after, before);
    assert!(!home.path("none.db").exists() && !home.path("new.db").exists());
    let other = home.run(&["migrate", "--from", "old.db", "--to", "other.db", "--json"]);
    let error: Value = serde_json::from_str(&other.stderr).unwrap();
    assert_eq!(error["error"]["kind"], "conflict");
}

#[test]
fn a_dry_run_tells_what_there_is_and_makes_nothing() {
    let home = home();
    let text = home.ok(&[
        "migrate",
        "--from",
        "old.db",
        "--to",
        "new/memu.db",
        "--dry-run",
    ]);
    assert!(
        text.starts_with("Would move sqlite:///old.db to sqlite:///new/memu.db\n"),
        "{text}"
    );
    assert!(!home.path("new").exists());
}

#[test]
fn a_server_is_a_house_like_any_other() {
    let Some(server) = database("a_server_is_a_house_like_any_other") else {
        return;
    };
    let home = home();
    // Texts, numbers and keys that a server holds in its own way.
    let strange = r#"a=[1e300, 0.1, -0.0, 1e16, 18446744073709551615, {"\u0000": "\u0000"}]"#;
    let add = ["add", "Bob\u{FDD0} likes 🦀", "--user", "bob", "--metadata"];
    home.ok(&[&["--db", "old.db"], &add[..], &[strange]].concat());
    let moved = home.json(&["migrate", "--from", "old.db", "--to", server.dsn()]);
    assert!(moved["put"].as_u64().unwrap() > 300, "{moved}");
    assert_eq!(home.sums(server.dsn()), home.sums("old.db"));
    assert_eq!(everything(&home, server.dsn()), everything(&home, "old.db"));
    let doctor = home.json(&["--db", server.dsn(), "doctor"]);
    let findings = doctor["findings"].as_array().unwrap();
    assert!(
        findings.iter().all(|one| one["severity"] == "ok"),
        "{doctor}"
    );
    let again = home.json(&["migrate", "--from", "old.db", "--to", server.dsn()]);
    assert_eq!(again["put"], 0, "{again}");

    home.ok(&["migrate", "--from", server.dsn(), "--to", "back.db"]);
    assert_eq!(home.sums("back.db"), home.sums("old.db"));
    assert_eq!(everything(&home, "back.db"), everything(&home, "old.db"));
    let question = [
        "--json",
        "retrieve",
        "Which teapot?",
        "--user",
        "alice",
        "--db",
    ];
    let answers = ["old.db", server.dsn(), "back.db"]
        .map(|database| home.ok(&[&question[..], &[database]].concat()));
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
}
