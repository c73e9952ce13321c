//! Files of memU 1.x at the shell.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use memu_testkit::skip_unless_set;
use support::Home;

fn home_with_sample(test: &str) -> Option<Home> {
    let data = skip_unless_set("MEMU_SAMPLE_DATA", test)?;
    let home = Home::new();
    home.write(
        "memu.db",
        std::fs::read(data.join("memu-1.5.1/scoped.db")).unwrap(),
    );
    Some(home)
}

#[test]
fn upgrade_tells_what_it_would_do_and_what_it_did() {
    let name = "upgrade_tells_what_it_would_do_and_what_it_did";
    let Some(home) = home_with_sample(name) else {
        return;
    };
    let before = std::fs::read(home.path("memu.db")).unwrap();
    let preview = home.json(&["upgrade", "memu.db", "--dry-run"]);
    assert_eq!(preview["needed"], true);
    assert_eq!(preview["report"]["items"], 66);
    assert_eq!(preview["report"]["backup"], serde_json::Value::Null);
    assert!(std::fs::read(home.path("memu.db")).unwrap() == before);

    let text = home.ok(&["upgrade"]);
    for part in [
        "memu.db upgraded from memU 1.x",
        "backup      memu.db.memu-1.x.bak",
        "scopes      3, by user_id, agent_id",
        "taken over  6 resources, 66 items, 30 categories, 60 relations",
        "of 384 dimensions, of an unknown embedder",
        "kept aside  nothing: all of it could be read",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let backup = home.json(&["upgrade", "memu.db.memu-1.x.bak", "--dry-run"]);
    for part in ["items", "vectors", "unread"] {
        assert_eq!(backup["report"][part], preview["report"][part]);
    }
    assert_eq!(
        home.ok(&["upgrade", "memu.db"]),
        "memu.db needs no upgrade.\n"
    );
    let missing = home.run(&["upgrade", "other.db"]);
    assert_eq!(missing.code, Some(3), "{missing:?}");
    assert!(!home.path("other.db").exists());
}

#[test]
fn every_verb_upgrades_and_says_so_once() {
    let Some(home) = home_with_sample("every_verb_upgrades_and_says_so_once") else {
        return;
    };
    let list = ["list", "items", "--user", "alice", "--scope", "agent_id=a1"];
    let run = home.run(&list);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("Good morning"), "{run:?}");
    let said = "upgraded memu.db from memU 1.x: 6 resources, 66 items, 30 categories, 60 relations; \
                the file as it was is memu.db.memu-1.x.bak\n";
    assert_eq!(run.stderr, said);
    let again = home.run(&list);
    assert_eq!((again.stdout, again.stderr), (run.stdout, String::new()));
}
