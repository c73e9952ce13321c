//! Where the older records of a large memory are sealed, as on a server, questions find what they
//! find where all is in memory.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::sync::Arc;

use memu::core::records::{Id, OwnerKind};
use memu::core::scope::ScopeSchema;
use memu::core::store::Store;
use memu::postgres::{Options, PostgresStore};
use memu::{CreateItems, MemoryService, NewItem, RetrieveRequest, RetrieveResponse, UpdateItem};
use memu_testkit::postgres::database;
use serde_json::{Value, json};
use support::dice::Dice;
use support::shared_words::SharedWords;
use support::{conversation, memorize, reproducible, user};

/// So few records become a part that a small memory has many.
const PART: usize = 16;

/// A service that asks parts; ids and the clock are reproducible.
async fn open(database: &str, with_vectors: bool) -> MemoryService {
    let settings = json!({
        "database_config": {"metadata_store": {"part_records": PART}},
        "retrieve_config": {
            "ranking": {"candidates": 40, "average_of": PART, "embedded_in_memory": 0},
        },
    });
    let builder = reproducible(database, settings);
    let builder = if with_vectors {
        builder.embedder(Arc::new(SharedWords::new()))
    } else {
        builder
    };
    builder.build().await.unwrap()
}

/// Adds a talk, with what is made of it, and some memories that cite nothing.
async fn tell(service: &MemoryService, dice: &mut Dice, who: &str) {
    let texts: Vec<String> = (0..4 + dice.below(12)).map(|_| dice.text()).collect();
    let speakers = ["Nora", "Ben"];
    let said: Vec<(&str, &str)> = texts
        .iter()
        .enumerate()
        .map(|(number, text)| (speakers[number % 2], &**text))
        .collect();
    let talk = conversation(&format!("talk {}", dice.below(1 << 30)), &said);
    service.memorize(memorize(talk, who)).await.unwrap();
    let count = dice.below(9);
    note(service, dice, who, count).await;
}

/// Adds so many memories that cite nothing.
async fn note(service: &MemoryService, dice: &mut Dice, who: &str, count: usize) {
    let items = (0..count).map(|number| NewItem {
        memory_type: ["event", "profile"][number % 2].into(),
        content: dice.text(),
        categories: vec![["habits", "goals"][number % 2].into()],
        extra: serde_json::Map::new(),
    });
    let request = CreateItems {
        items: items.collect(),
        user: user(who),
        ..CreateItems::default()
    };
    service.create_memory_items(request).await.unwrap();
}

async fn ask(
    service: &MemoryService,
    question: String,
    users: &[&str],
    only: Option<&str>,
) -> RetrieveResponse {
    let mut request = RetrieveRequest {
        explain: true,
        top_k: Some(12),
        ..RetrieveRequest::question(question)
    };
    request
        .filter
        .insert("user_id__in".to_owned(), json!(users));
    if let Some(only) = only {
        request = request.matching("memory_type", only);
    }
    service.retrieve(request).await.unwrap()
}

/// What is answered while a memory grows, changes and shrinks.
async fn answers(database: &str, with_vectors: bool) -> Vec<Value> {
    let service = open(database, with_vectors).await;
    let mut dice = Dice::new(11);
    let mut answers = Vec::new();
    let mut seen: Vec<Id> = Vec::new();
    for step in 0..40 {
        tell(&service, &mut dice, "alice").await;
        // Another's memory is none of hers.
        if step % 5 == 0 {
            tell(&service, &mut dice, "bob").await;
        }
        if step < 20 {
            continue;
        }
        let question = format!("What did Nora say: {}", dice.text());
        let only = [None, Some("profile")][step % 2];
        // Of what Bob says nothing is sealed.
        let users: &[&str] = [&["alice"][..], &["alice", "bob"]][step % 3 / 2];
        let answer = ask(&service, question, users, only).await;
        let own = answer.items.iter().map(|hit| &hit.item.meta);
        let own = own.filter(|meta| meta.scope.iter().any(|(_, user)| user == Some("alice")));
        seen.extend(own.map(|meta| meta.id.clone()));
        answers.push(serde_json::to_value(answer).unwrap());
        // Of what was found one is edited, and one goes.
        let one = seen.swap_remove(dice.below(seen.len()));
        let edit = UpdateItem {
            id: one,
            memory_type: None,
            content: Some(dice.text()),
            categories: None,
            extra: serde_json::Map::new(),
            user: user("alice"),
            propagate: true,
        };
        service.update_memory_item(edit).await.unwrap();
        let other = seen.swap_remove(dice.below(seen.len()));
        seen.retain(|id| *id != other);
        let alice = user("alice");
        let gone = service.delete_memory_item(&other, &alice, true);
        gone.await.unwrap();
    }
    // Carol says so little that all of it may be shown, and has many memories.
    tell(&service, &mut dice, "carol").await;
    note(&service, &mut dice, "carol", 20 * PART).await;
    for _ in 0..4 {
        let answer = ask(&service, dice.text(), &["carol"], None).await;
        answers.push(serde_json::to_value(answer).unwrap());
    }
    service.close().await.unwrap();
    answers
}

/// Whether two answers are the same but for the rounding of their scores.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() < 1e-4
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Whether messages and memories of a user are sealed on a server.
async fn sealed(dsn: &str, user: &str) -> [bool; 2] {
    let store = PostgresStore::open(Options::new(dsn)).await.unwrap();
    let scope = ScopeSchema::default().scope([("user_id", user)]).unwrap();
    let (_, sealed) = store.sealed().unwrap().sealed(&scope, None).await.unwrap();
    store.close().await.unwrap();
    let parts = sealed.map_or_else(Vec::new, |sealed| sealed.parts.clone());
    [OwnerKind::Segment, OwnerKind::Item]
        .map(|kind| parts.iter().any(|part| part.name.kind == kind))
}

async fn compare(with_vectors: bool) {
    let Some(server) = database(&format!("sealed_parts_{with_vectors}")) else {
        return;
    };
    let expected = answers("inmemory", with_vectors).await;
    let found = answers(server.dsn(), with_vectors).await;
    assert_eq!(expected.len(), 24);
    assert_eq!(sealed(server.dsn(), "alice").await, [true, true]);
    assert_eq!(sealed(server.dsn(), "bob").await, [false, false]);
    assert_eq!(sealed(server.dsn(), "carol").await, [false, true]);
    for (expected, found) in expected.iter().zip(&found) {
        assert!(!expected["segments"].as_array().unwrap().is_empty());
        assert!(same(expected, found), "{expected:#}\n\n{found:#}");
    }
}

#[tokio::test]
async fn a_server_answers_from_its_parts_what_memory_answers_from_everything() {
    compare(false).await;
}

#[tokio::test]
async fn so_it_does_where_an_embedder_makes_vectors_of_messages() {
    compare(true).await;
}
