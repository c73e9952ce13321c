//! Files of memU 1.x at the shell.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use memu_testkit::postgres::{Database, database};
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

/// Tables as memU 1.x makes them on a server, with two users' memories.
fn tables_of_the_original(database: &Database) {
    let meta = "id VARCHAR PRIMARY KEY, created_at TIMESTAMPTZ DEFAULT now() NOT NULL, \
                updated_at TIMESTAMPTZ DEFAULT now() NOT NULL, user_id VARCHAR";
    database.rows(&format!(
        "SET ROLE {};
         CREATE TABLE resources ({meta}, url VARCHAR NOT NULL, modality VARCHAR NOT NULL,
           local_path VARCHAR NOT NULL, caption TEXT, embedding VECTOR);
         CREATE TABLE memory_items ({meta}, resource_id VARCHAR REFERENCES resources (id),
           memory_type VARCHAR NOT NULL, summary TEXT NOT NULL, embedding VECTOR,
           happened_at TIMESTAMP, extra JSONB);
         CREATE TABLE memory_categories ({meta}, name VARCHAR NOT NULL, description TEXT NOT NULL,
           embedding VECTOR, summary TEXT);
         CREATE TABLE category_items ({meta}, item_id VARCHAR NOT NULL REFERENCES memory_items (id),
           category_id VARCHAR NOT NULL REFERENCES memory_categories (id));
         INSERT INTO memory_items (id, user_id, memory_type, summary, embedding, extra) VALUES
           ('tea', 'alice', 'profile', 'Drinks jasmine tea', '[1,2,3]', '{{}}'),
           ('milk', 'bob', 'profile', 'Drinks milk', '[0,0,0]', '[]');
         INSERT INTO memory_categories (id, user_id, name, description) VALUES
           ('c1', 'alice', 'drinks', ''), ('c2', 'alice', 'drinks', '');
         INSERT INTO category_items (id, user_id, item_id, category_id) VALUES
           ('r', 'alice', 'tea', 'c1');",
        database.name()
    ));
}

#[test]
fn tables_on_a_server_are_upgraded_as_files_are() {
    let Some(database) = database("tables_on_a_server_are_upgraded_as_files_are") else {
        return;
    };
    tables_of_the_original(&database);
    let (home, db) = (Home::new(), database.as_plain_user());
    for args in [
        ["migrate", "--from", db, "--to", "new.db"],
        ["migrate", "--to", db, "--from", "new.db"],
    ] {
        home.ok(&["--db", "new.db", "add", "likes tea", "--user", "ann"]);
        let refused = home.run(&args);
        assert_ne!(refused.code, Some(0), "{refused:?}");
        assert!(
            refused.stderr.contains("holds tables of memU 1.x"),
            "{refused:?}"
        );
    }
    home.write(
        "memu.toml",
        "[database_config.metadata_store]\nddl_mode = \"validate\"\n",
    );
    let refused = home.run(&["--db", db, "list", "items", "--user", "alice"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("memu upgrade --db postgresql://"),
        "{refused:?}"
    );
    let preview = home.json(&["--db", db, "upgrade", "--dry-run"]);
    assert_eq!(preview["report"]["items"], 2);
    assert_eq!(database.value("SELECT count(*) FROM category_items"), "1");
    assert_eq!(database.value("SELECT to_regclass('memu_meta')"), "");

    let text = home.ok(&["--db", db, "upgrade"]);
    for part in [
        " upgraded from memU 1.x",
        "old tables  in the schema memu_1x",
        "scopes      2, by user_id",
        "taken over  0 resources, 2 items, 2 categories, 1 relations",
        "vectors     1 of 3 dimensions, of an unknown embedder",
        "same names  1 categories",
        "kept aside  2 values or rows",
        "memory_items milk  embedding: ",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(
        database.value("SELECT count(*) FROM memu_1x.category_items"),
        "1"
    );
    let again = home.ok(&["upgrade", db]);
    assert!(again.ends_with(" needs no upgrade.\n"), "{again}");
    let password = db.split(':').nth(2).unwrap().split('@').next().unwrap();
    assert!(!text.contains(password) && !again.contains(password));
}

#[test]
fn every_verb_upgrades_tables_on_a_server_and_says_so_once() {
    let test = "every_verb_upgrades_tables_on_a_server_and_says_so_once";
    let Some(database) = database(test) else {
        return;
    };
    tables_of_the_original(&database);
    let (home, db) = (Home::new(), database.as_plain_user());
    let list = ["--db", db, "list", "items", "--user", "alice"];
    let run = home.run(&list);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("Drinks jasmine tea"), "{run:?}");
    for part in [
        "from memU 1.x: 0 resources, 2 items, 2 categories, 1 relations; its tables as they were \
         are in the schema memu_1x\n",
        "2 values or rows could not be read and are kept in the table memu_unread",
    ] {
        assert!(run.stderr.contains(part), "{part}: {run:?}");
    }
    let again = home.run(&list);
    assert_eq!((again.stdout, again.stderr), (run.stdout, String::new()));
}
