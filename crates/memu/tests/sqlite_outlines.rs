//! Outlines are derived: whatever happens to them, answers stay, and nothing that was
//! removed stays in them.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use std::path::PathBuf;

use memu::{
    CreateItem, CreateItems, ListRequest, MemorizeRequest, MemoryService, Modality, NewItem,
    RetrieveRequest,
};
use memu_core::store::Severity;
use rusqlite::Connection;
use serde_json::Value;
use support::{Fixture, TALK, conversation, service};

async fn talked() -> Fixture {
    let fixture = service("sqlite").await;
    memorize(&fixture.service, "first").await;
    fixture
}

async fn memorize(service: &MemoryService, id: &str) {
    let content = conversation(id, &TALK);
    let request = MemorizeRequest::content(content, format!("{id}.json"), Modality::Conversation);
    service
        .memorize(request.user("user_id", "alice"))
        .await
        .unwrap();
}

/// A file that no service has open.
async fn closed() -> (Fixture, PathBuf, Connection) {
    let fixture = talked().await;
    fixture.service.close().await.unwrap();
    let file = fixture.folder.path().join("memu.db");
    let connection = Connection::open(&file).unwrap();
    (fixture, file, connection)
}

async fn answer(service: &MemoryService) -> Value {
    let request = RetrieveRequest {
        explain: true,
        ..RetrieveRequest::question("Where did Theo move, and what is Nora allergic to?")
    };
    let answer = service.retrieve(request).await.unwrap();
    assert!(answer.segments.len() > 2);
    serde_json::to_value(answer).unwrap()
}

/// Runs statements on the file of a service, and lets a new service answer.
async fn answer_after(fixture: &Fixture, sql: &str) -> Value {
    let file = fixture.folder.path().join("memu.db");
    Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    let again = memu::open(&file.display().to_string()).await.unwrap();
    let answer = answer(&again).await;
    again.close().await.unwrap();
    answer
}

#[tokio::test]
async fn damaged_or_missing_outlines_are_made_anew() {
    let fixture = talked().await;
    let expected = answer(&fixture.service).await;
    fixture.service.close().await.unwrap();
    for damage in [
        "SELECT 1",
        "UPDATE memu_outlines SET body = substr(body, 1, length(body) - 1)",
        "UPDATE memu_outlines SET body = x'00'",
        "UPDATE memu_scopes SET derived_seq = 1",
        "DELETE FROM memu_outlines; UPDATE memu_scopes SET derived_seq = 0",
    ] {
        assert_eq!(answer_after(&fixture, damage).await, expected, "{damage}");
    }
}

/// Statements that bring outlines into the form of schema 3, with a row more.
fn as_in_schema_3(strict: &str, row: &str) -> String {
    format!(
        "PRAGMA foreign_keys = OFF;
        ALTER TABLE memu_outlines RENAME TO others;
        CREATE TABLE memu_outlines (scope_id INTEGER NOT NULL
            REFERENCES memu_scopes (scope_id) ON DELETE CASCADE, owner_kind INTEGER NOT NULL,
            first_row INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (scope_id, owner_kind, first_row)) {strict} WITHOUT ROWID;
        INSERT INTO memu_outlines SELECT * FROM others;
        INSERT INTO memu_outlines VALUES ({row});
        DROP TABLE others;
        PRAGMA user_version = 3"
    )
}

#[tokio::test]
async fn outlines_of_the_schema_before_are_taken_over() {
    let fixture = talked().await;
    let expected = answer(&fixture.service).await;
    fixture.service.close().await.unwrap();
    let orphan = "(SELECT max(scope_id) + 1 FROM memu_scopes), 1, 1, 1, x'00'";
    let before = as_in_schema_3("STRICT,", orphan);
    assert_eq!(answer_after(&fixture, &before).await, expected);
    let file = fixture.folder.path().join("memu.db");
    let connection = Connection::open(&file).unwrap();
    let number = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(number("PRAGMA user_version"), 4);
    assert!(number("SELECT count(*) FROM memu_outlines") > 0);
    let in_index = "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%WITHOUT ROWID%'
        AND name IN ('memu_outlines', 'old_outlines')";
    assert_eq!(number(in_index), 0);
    let orphans = "SELECT count(*) FROM memu_outlines
        WHERE scope_id NOT IN (SELECT scope_id FROM memu_scopes)";
    assert_eq!(number(orphans), 0);

    // What cannot be taken over stays where it is, and hinders nobody.
    let unreadable = "(SELECT min(scope_id) FROM memu_scopes), 99, 1, 'no number', x'00'";
    let before = as_in_schema_3("", unreadable);
    assert_eq!(answer_after(&fixture, &before).await, expected);
    assert_eq!(number("PRAGMA user_version"), 4);
    assert_eq!(number(in_index), 1);
    assert_eq!(
        number("SELECT count(*) FROM memu_outlines WHERE owner_kind = 99"),
        1
    );
    let service = memu::open(&file.display().to_string()).await.unwrap();
    memorize(&service, "second").await;
    service.close().await.unwrap();
}

#[tokio::test]
async fn a_torn_page_of_outlines_keeps_no_file_of_the_schema_before_from_being_opened() {
    let (_fixture, file, connection) = closed().await;
    let row = "(SELECT min(scope_id) FROM memu_scopes), 99, 1, 1, x'00'";
    connection
        .execute_batch(&as_in_schema_3("STRICT,", row))
        .unwrap();
    let number = |sql: &str| -> usize {
        let number: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        usize::try_from(number).unwrap()
    };
    let page = number("SELECT rootpage FROM sqlite_schema WHERE name = 'memu_outlines'");
    let size = number("PRAGMA page_size");
    connection.close().unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[(page - 1) * size..page * size].fill(0x5A);
    std::fs::write(&file, bytes).unwrap();

    let service = memu::open(&file.display().to_string()).await.unwrap();
    let report = service.check(false).await.unwrap();
    assert_eq!(report.severity(), Severity::Error, "{report:#?}");
    let listed = ListRequest {
        all_scopes: true,
        ..ListRequest::default()
    };
    let listed = service.list_memory_items(listed).await.unwrap();
    assert!(!listed.records.is_empty());
    service.close().await.unwrap();
}

#[tokio::test]
async fn the_next_write_mends_them() {
    let (_fixture, file, connection) = closed().await;
    connection
        .execute_batch("DELETE FROM memu_outlines; UPDATE memu_scopes SET derived_seq = 0")
        .unwrap();
    let service = memu::open(&file.display().to_string()).await.unwrap();
    memorize(&service, "second").await;
    service.close().await.unwrap();
    let (outlined, seq): (i64, i64) = connection
        .query_row("SELECT derived_seq, seq FROM memu_scopes", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(outlined, seq);
    let kinds: i64 = connection
        .query_row(
            "SELECT count(DISTINCT owner_kind) FROM memu_outlines",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(kinds, 2, "segments and items");
}

#[tokio::test]
async fn a_deleted_memory_leaves_no_word_behind() {
    let fixture = talked().await;
    let user = [("user_id".to_owned(), Value::from("alice"))];
    let user = user.into_iter().collect();
    let request = CreateItem {
        content: "Nora collects xylophones and quernstones.".to_owned(),
        memory_type: "profile".to_owned(),
        user: Clone::clone(&user),
        categories: Vec::new(),
        propagate: true,
        extra: serde_json::Map::new(),
    };
    let created = fixture.service.create_memory_item(request).await.unwrap();
    let file = fixture.folder.path().join("memu.db");
    let holds = |word: &str| {
        let bytes = std::fs::read(&file).unwrap();
        bytes
            .windows(word.len())
            .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
    };
    assert!(holds("quernstones"));
    fixture
        .service
        .delete_memory_item(&created.memory_item.meta.id, &user, true)
        .await
        .unwrap();
    fixture.service.close().await.unwrap();
    assert!(!holds("quernstones") && !holds("xylophones"));
    assert!(holds("greyhound"), "the rest is still there");
}

#[tokio::test]
async fn a_forgotten_user_leaves_no_word_in_the_file_or_its_log() {
    let fixture = talked().await;
    let elsewhere = [
        ("Vera", "I restore harpsichords in Ghent."),
        ("Odo", "My brother Casimir breeds alpacas near Tromso."),
    ];
    let bobs = conversation("bobs", &elsewhere);
    let bobs = MemorizeRequest::content(bobs, "bobs.json", Modality::Conversation);
    let bobs = bobs.user("user_id", "bob");
    fixture.service.memorize(bobs).await.unwrap();
    let holds = |word: &str| {
        let files = std::fs::read_dir(fixture.folder.path()).unwrap();
        let mut files = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
        files.any(|bytes| {
            let mut windows = bytes.windows(word.len());
            windows.any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
        })
    };
    let words = [
        "greyhound",
        "Pixel",
        "Lisbon",
        "archivist",
        "walnut",
        "nursing",
        "cello",
        "Beatriz",
        "supervisor",
        "alice",
    ];
    for word in words {
        assert!(holds(word), "{word}");
    }
    let user = [("user_id".to_owned(), Value::from("alice"))];
    let user = user.into_iter().collect();
    fixture.service.clear_memory(&user, false).await.unwrap();
    // While it is open: the log is there.
    for word in words {
        assert!(!holds(word), "{word} is still there");
    }
    assert!(
        holds("harpsichord") && holds("Casimir"),
        "the rest is still there"
    );
}

/// Changes the file behind the store's back.
fn tamper(file: &std::path::Path, sql: &str) {
    let connection = Connection::open(file).unwrap();
    connection
        .execute_batch("PRAGMA foreign_keys = OFF")
        .unwrap();
    let changed = connection.execute(sql, []).unwrap();
    assert!(changed > 0, "{sql}");
}

#[tokio::test]
async fn doctor_finds_and_mends_every_drift_of_what_is_derived() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let service = memu::open(file.to_str().unwrap()).await.unwrap();
    let items = (0..600).map(|number| NewItem {
        memory_type: "profile".to_owned(),
        content: format!("Ann owns {number} kayaks and {} quilts", number % 7),
        categories: Vec::new(),
        extra: serde_json::Map::new(),
    });
    let user = serde_json::Map::from_iter([("user_id".to_owned(), "ann".into())]);
    let request = CreateItems {
        items: items.collect(),
        user: user.clone(),
        propagate: true,
    };
    service.create_memory_items(request).await.unwrap();
    let ask = async || {
        let question = RetrieveRequest::question("Who owns 123 kayaks?");
        let service = memu::open(file.to_str().unwrap()).await.unwrap();
        let answer = service
            .retrieve(question.matching("user_id", "ann"))
            .await
            .unwrap();
        service.close().await.unwrap();
        serde_json::to_value(answer).unwrap()
    };
    let expected = ask().await;
    let sound = service.check(false).await.unwrap();
    assert_eq!(sound.severity(), Severity::Ok, "{sound:?}");
    for (sql, check) in [
        (
            "UPDATE memu_items SET summary = summary || ' twice' WHERE row = 300",
            "indexes",
        ),
        (
            "DELETE FROM memu_outlines WHERE first_row = (SELECT min(first_row) FROM memu_outlines)",
            "indexes",
        ),
        (
            "DELETE FROM memu_outlines WHERE first_row = (SELECT max(first_row) FROM memu_outlines)",
            "indexes",
        ),
        (
            "UPDATE memu_outlines SET body = substr(body, 1, 99)",
            "indexes",
        ),
        ("UPDATE memu_scopes SET derived_seq = 3", "indexes"),
        ("DELETE FROM memu_vector_codes WHERE row = 1", "indexes"),
        (
            "UPDATE memu_vector_low_bits SET body = zeroblob(length(body))",
            "indexes",
        ),
        (
            "UPDATE memu_embeddings SET vector = randomblob(length(vector)) WHERE row = 5",
            "",
        ),
        (
            "UPDATE memu_embeddings SET vector = zeroblob(length(vector)) WHERE row = 7",
            "numbers",
        ),
        (
            "UPDATE memu_embeddings SET vector = unhex(replace(hex(zeroblob(256)), '0000', '7fc0'))
              WHERE row = 9",
            "",
        ),
        (
            "UPDATE memu_embeddings SET vector = substr(vector, 1, 8) WHERE row = 11",
            "vectors",
        ),
        ("DELETE FROM memu_relations WHERE row = 4", "indexes"),
    ] {
        tamper(&file, sql);
        let found = service.check(false).await.unwrap();
        assert_eq!(found.severity(), Severity::Error, "{sql}: {found:?}");
        let of_check = |name: &str| {
            let named = found.findings.iter().find(|finding| finding.check == name);
            named.is_some_and(|finding| finding.severity == Severity::Error)
        };
        assert!(check.is_empty() || of_check(check), "{sql}: {found:?}");
        let mended = service.check(true).await.unwrap();
        assert_eq!(mended.severity(), Severity::Ok, "{sql}: {mended:?}");
        let again = service.check(false).await.unwrap();
        assert_eq!(again.severity(), Severity::Ok, "{sql}: {again:?}");
        assert!(again.findings.iter().all(|finding| !finding.repaired));
    }
    tamper(
        &file,
        "UPDATE memu_items SET summary = replace(summary, ' twice', '')",
    );
    service.check(true).await.unwrap();
    assert_eq!(
        ask().await["items"][0]["summary"],
        expected["items"][0]["summary"]
    );
    service.close().await.unwrap();
}
