//! The binary on a PostgreSQL server: the same commands print the same as on a file.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use memu_testkit::postgres::database;
use serde_json::Value;
use support::Home;

const CHAT: &str = r#"{"id": "talk", "messages": [
    {"id": "m1", "name": "Nora", "content": "I adopted a greyhound called Pixel last week.", "created_at": "2026-02-01T10:00:00"},
    {"id": "m2", "name": "Theo", "content": "How wonderful! I moved to Lisbon in January.", "created_at": "2026-02-01T10:01:00"},
    {"id": "m3", "name": "Nora", "content": "I'm allergic to walnuts, so please bake without them.", "created_at": "2026-02-01T10:02:00"}
]}"#;

/// What a run printed, without what is different every time.
fn masked(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                let ids = value
                    .as_array()
                    .is_some_and(|all| all.iter().all(Value::is_string));
                let differs = key == "id"
                    || key == "items" && ids
                    || key.ends_with("_id")
                    || key.ends_with("_ids")
                    || key.ends_with("_at") && key != "happened_at"
                    || ["path", "database", "bytes"].contains(&key.as_str());
                if differs {
                    *value = Value::Null;
                } else {
                    masked(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(masked),
        _ => {}
    }
}

/// Runs every verb that reads or writes memories, and tells what each printed.
fn told(home: &Home, db: &str) -> Vec<Value> {
    home.write("chat.json", CHAT);
    let steps: &[&[&str]] = &[
        &["memorize", "chat.json", "--user", "nora"],
        &["memorize", "chat.json", "--user", "nora"],
        &["add", "likes kayaks", "--user", "theo", "--type", "profile"],
        &["list", "items", "--user", "nora"],
        &["list", "categories", "--user", "theo"],
        &["list", "resources", "--all-scopes"],
        &["retrieve", "Which pet did Nora adopt?", "--user", "nora"],
        &[
            "retrieve",
            "What does Theo like?",
            "--user",
            "theo",
            "--explain",
        ],
        &["stats", "--all-scopes"],
        &["forget", "--user", "theo", "--yes"],
        &["list", "items", "--all-scopes"],
    ];
    steps
        .iter()
        .map(|step| {
            let mut value = home.json(&[&["--db", db], *step].concat());
            masked(&mut value);
            value
        })
        .collect()
}

#[test]
fn every_verb_prints_what_it_prints_on_a_file() {
    let Some(database) = database("every_verb_prints_what_it_prints_on_a_file") else {
        return;
    };
    let home = Home::new();
    let expected = told(&home, "memu.db");
    let found = told(&home, database.dsn());
    for (step, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found, expected, "step {step}");
    }
    let doctor = home.json(&["--db", database.dsn(), "doctor"]);
    let findings = doctor["findings"].as_array().unwrap();
    assert!(findings.len() > 5, "{doctor}");
    assert!(
        findings.iter().all(|finding| finding["severity"] == "ok"),
        "{doctor}"
    );
}

#[test]
fn verbs_about_files_say_what_a_server_has_instead() {
    let Some(database) = database("verbs_about_files_say_what_a_server_has_instead") else {
        return;
    };
    let home = Home::new();
    home.ok(&[
        "--db",
        database.dsn(),
        "add",
        "likes kayaks",
        "--user",
        "nora",
    ]);
    let refused = home.run(&["--db", database.dsn(), "backup", "copy.db"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("pg_dump"), "{refused:?}");
    assert!(refused.stderr.contains("memu migrate"), "{refused:?}");
    assert!(!home.path("copy.db").exists());
}

#[test]
fn a_server_that_is_not_there_is_an_error_without_the_password() {
    let home = Home::new();
    let dsn = "postgresql://nora:s3cret@127.0.0.1:1/memu?connect_timeout=2";
    let failed = home.run(&["--db", dsn, "list", "items"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stderr.contains("could not be made"), "{failed:?}");
    assert!(!failed.stderr.contains("s3cret"), "{failed:?}");
}

#[test]
fn a_small_benchmark_of_a_server_leaves_it_empty() {
    let Some(database) = database("a_small_benchmark_of_a_server_leaves_it_empty") else {
        return;
    };
    let home = Home::new();
    let arguments = [
        "bench",
        "--json",
        "--large",
        "600",
        "--postgres",
        database.dsn(),
    ];
    let text = home.ok(&arguments);
    let rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 14, "{text}");
    for row in &rows {
        assert!(
            row["name"].as_str().unwrap().starts_with("PostgreSQL: "),
            "{row}"
        );
        assert!(row["value"].as_f64().unwrap() > 0.0, "{row}");
    }
    assert_eq!(database.value("SELECT count(*) FROM memory_items"), "0");
}

#[test]
fn a_benchmark_refuses_a_database_that_is_in_use() {
    let Some(database) = database("a_benchmark_refuses_a_database_that_is_in_use") else {
        return;
    };
    let home = Home::new();
    home.ok(&[
        "--db",
        database.dsn(),
        "add",
        "likes kayaks",
        "--user",
        "nora",
    ]);
    let refused = home.run(&["bench", "--large", "600", "--postgres", database.dsn()]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("not empty"), "{refused:?}");
    assert_eq!(database.value("SELECT count(*) FROM memory_items"), "1");
}
