//! Where a memory has more messages and items than `embedded_in_memory`, their vectors stay in
//! the store, which is asked for the nearest: on every store, for one scope and for several,
//! also while the memory grows.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::collections::HashMap;
use std::sync::Arc;

use memu::{CreateItems, MemoryService, NewItem, RetrieveRequest, RetrieveResponse};
use memu_testkit::postgres::database;
use serde_json::{Value, json};
use support::dice::Dice;
use support::shared_words::SharedWords;
use support::{conversation, memorize, reproducible, stores, user};

/// So many messages of one.
fn talk(dice: &mut Dice, messages: usize) -> Vec<u8> {
    let texts: Vec<String> = (0..messages).map(|_| dice.text()).collect();
    let said: Vec<(&str, &str)> = texts.iter().map(|text| ("Nora", &**text)).collect();
    conversation(&format!("talk {}", dice.below(1 << 30)), &said)
}

/// Adds so many memories that cite nothing.
async fn add(service: &MemoryService, dice: &mut Dice, count: usize, who: &str) {
    let items = (0..count).map(|_| NewItem {
        memory_type: "event".into(),
        content: dice.text(),
        categories: Vec::new(),
        extra: serde_json::Map::new(),
    });
    let request = CreateItems {
        items: items.collect(),
        user: user(who),
        ..CreateItems::default()
    };
    service.create_memory_items(request).await.unwrap();
}

/// A service that ranks like this; ids and the clock are reproducible.
async fn open(database: &str, ranking: Value) -> MemoryService {
    let settings = json!({"retrieve_config": {"ranking": ranking, "item": {"diversity": 0}}});
    reproducible(database, settings)
        .embedder(Arc::new(SharedWords::new()))
        .build()
        .await
        .unwrap()
}

async fn answer(service: &MemoryService, question: &str, user: Option<&str>) -> RetrieveResponse {
    let mut request = RetrieveRequest {
        top_k: Some(50),
        explain: true,
        ..RetrieveRequest::question(question)
    };
    request.all_scopes = user.is_none();
    if let Some(user) = user {
        request = request.matching("user_id", user);
    }
    service.retrieve(request).await.unwrap()
}

/// What two users say in so many messages and memories each time, and what is answered to questions to one and to both.
async fn answers(database: &str, ranking: Value, messages: usize) -> Vec<RetrieveResponse> {
    let service = open(database, ranking).await;
    let mut dice = Dice::new(3);
    for user in ["alice", "bob", "alice"] {
        let said = memorize(talk(&mut dice, messages), user);
        service.memorize(said).await.unwrap();
        add(&service, &mut dice, messages, user).await;
    }
    let mut answers = Vec::new();
    for number in 0..12 {
        let user = [Some("alice"), None][number % 2];
        let answer = answer(&service, &dice.text(), user).await;
        assert!(!answer.segments.is_empty() && !answer.items.is_empty());
        answers.push(answer);
    }
    service.close().await.unwrap();
    answers
}

/// The scores of the messages and the items of an answer, by id.
fn scores(answer: &RetrieveResponse) -> HashMap<String, f32> {
    let segments = answer.segments.iter();
    let segments = segments.map(|hit| (hit.segment.meta.id.to_string(), hit.score));
    let items = answer.items.iter();
    let items = items.map(|hit| (hit.item.meta.id.to_string(), hit.score));
    segments.chain(items).collect()
}

#[tokio::test]
async fn what_the_store_finds_counts_as_what_is_held() {
    // What items add to the average is not known where they are not held.
    let ranking = |held: usize| json!({"embedded_in_memory": held, "embedded_item": 0.0});
    // The store is asked for more than there are.
    let messages = 10;
    let held = answers("inmemory", ranking(8_192), messages).await;
    let without = json!({"embedded": 0.0, "item_embedded": 0.0});
    let without = answers("inmemory", without, messages).await;
    for store in stores() {
        let folder = tempfile::tempdir().unwrap();
        let server = (store == "postgres").then(|| database(store).unwrap());
        let file = folder.path().join("memu.db").display().to_string();
        let dsn = match store {
            "sqlite" => &*file,
            "postgres" => server.as_ref().unwrap().dsn(),
            other => other,
        };
        let asked = answers(dsn, ranking(0), messages).await;
        let (mut compared, mut changed) = (0, 0);
        for ((held, asked), without) in held.iter().zip(&asked).zip(&without) {
            let (held, without) = (scores(held), scores(without));
            for (id, score) in scores(asked) {
                // Held vectors are rounded to bytes.
                if let Some(held) = held.get(&id) {
                    assert!((held - score).abs() < 0.02, "{store}: {held} {score}");
                    compared += 1;
                }
                let without = without.get(&id);
                changed += usize::from(without.is_some_and(|without| score - without > 0.1));
            }
        }
        assert!(compared > 700, "{store}: {compared}");
        assert!(changed > 100, "{store}: {changed}");
    }
}

#[tokio::test]
async fn every_store_finds_the_same() {
    let ranking = || json!({"embedded_in_memory": 0});
    let told = |answers: Vec<RetrieveResponse>| serde_json::to_value(answers).unwrap();
    let expected = told(answers("inmemory", ranking(), 70).await);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db").display().to_string();
    assert!(told(answers(&file, ranking(), 70).await) == expected);
    if let Some(server) = database("every_store_finds_the_same") {
        assert!(told(answers(server.dsn(), ranking(), 70).await) == expected);
    }
}

#[tokio::test]
async fn what_a_filter_lets_through_is_found_among_many_that_are_nearer() {
    for store in ["inmemory", "sqlite"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("memu.db").display().to_string();
        let dsn = if store == "sqlite" { &*file } else { store };
        let service = open(
            dsn,
            json!({"embedded_in_memory": 0, "embedded_item": 0, "lexical": 0, "semantic": 0}),
        )
        .await;
        let mut dice = Dice::new(4);
        let said = vec![("Nora", "I painted a kayak"); 90];
        let near = conversation("near", &said);
        service.memorize(memorize(near, "alice")).await.unwrap();
        let far = [("Nora", "I painted a violin"), ("Nora", "I sold it")];
        let far = service
            .memorize(memorize(conversation("far", &far), "alice"))
            .await
            .unwrap();
        // They are what makes the others nearer than the average.
        let others = talk(&mut dice, 300);
        service.memorize(memorize(others, "alice")).await.unwrap();
        let request = RetrieveRequest::question("Who painted the kayak")
            .matching("user_id", "alice")
            .matching("resource_id", far.resource.meta.id.to_string());
        let request = RetrieveRequest {
            explain: true,
            ..request
        };
        let found = service.retrieve(request).await.unwrap();
        let first = &found.segments[0];
        assert_eq!(first.segment.text, "I painted a violin", "{store}");
        assert!(first.explanation.unwrap().embedded > 0.0, "{store}");
    }
}

/// Compares, while a memory grows from so many messages, a service that has answered before with
/// one that opens it anew.
async fn grows(in_memory: usize, mut messages: usize, items: usize, until: usize) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db").display().to_string();
    let ranking = || json!({"embedded_in_memory": in_memory});
    let writer = open(&file, ranking()).await;
    let asked_before = open(&file, ranking()).await;
    let mut dice = Dice::new(9);
    let said = memorize(talk(&mut dice, messages), "alice");
    writer.memorize(said).await.unwrap();
    add(&writer, &mut dice, items, "alice").await;
    for step in 0.. {
        let question = dice.text();
        let here = answer(&asked_before, &question, Some("alice")).await;
        let anew = open(&file, ranking()).await;
        let anew = answer(&anew, &question, Some("alice")).await;
        let told = |answer: &RetrieveResponse| serde_json::to_value(answer).unwrap();
        assert!(told(&here) == told(&anew), "step {step}: {question}");
        if messages > until {
            break;
        }
        let count = 3 + dice.below(9);
        messages += count;
        let said = memorize(talk(&mut dice, count), "alice");
        writer.memorize(said).await.unwrap();
        add(&writer, &mut dice, step % 3, "alice").await;
    }
}

#[tokio::test]
async fn a_memory_that_outgrows_what_is_held_answers_like_one_that_is_opened_anew() {
    grows(120, 10, 0, 150).await;
}

#[tokio::test]
async fn so_does_one_of_which_only_the_newest_tell_the_average_from_then_on() {
    grows(120, 1_010, 1_020, 1_060).await;
}
