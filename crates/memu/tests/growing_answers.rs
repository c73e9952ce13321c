//! A service that has answered before and sees a memory grow answers like one that opens
//! the file as it is now.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;
use std::sync::Arc;

use memu::core::environment::FixedClock;
use memu::core::records::Id;
use memu::core::time::Timestamp;
use memu::{CreateItem, CreateItems, MemoryService, MemoryServiceBuilder, RetrieveRequest};
use memu::{NewItem, UpdateItem};
use serde_json::Value;
use support::dice::Dice;
use support::{conversation, memorize, user};

const CATEGORIES: [&str; 3] = ["goals", "habits", "opinions"];

async fn open(file: &Path) -> MemoryService {
    let builder = MemoryServiceBuilder::new().database(&file.display().to_string());
    let now = Timestamp::parse("2026-03-01 12:00:00").unwrap();
    builder
        .clock(Arc::new(FixedClock(now)))
        .build()
        .await
        .unwrap()
}

async fn answer(service: &MemoryService, question: &str) -> Value {
    let request = RetrieveRequest {
        top_k: Some(40),
        explain: true,
        ..RetrieveRequest::question(question)
    };
    let answer = service.retrieve(request.matching("user_id", "alice")).await;
    serde_json::to_value(answer.unwrap()).unwrap()
}

/// Changes the memory in one of the ways there are; most only add to it.
async fn change(service: &MemoryService, dice: &mut Dice, known: &mut Vec<Id>) {
    match dice.below(12) {
        0..4 => {
            let request = CreateItem {
                memory_type: "event".into(),
                content: dice.text(),
                categories: Vec::new(),
                user: user("alice"),
                propagate: false,
                extra: serde_json::Map::new(),
            };
            let created = service.create_memory_item(request).await.unwrap();
            known.push(created.memory_item.meta.id);
        }
        4..9 => {
            let texts: Vec<String> = (0..=dice.below(6)).map(|_| dice.text()).collect();
            let said: Vec<(&str, &str)> = texts.iter().map(|text| ("Nora", &**text)).collect();
            let id = format!("talk {}", dice.below(1 << 30));
            let bytes = conversation(&id, &said);
            service.memorize(memorize(bytes, "alice")).await.unwrap();
        }
        9 => {
            let request = UpdateItem {
                id: known[dice.below(known.len())].clone(),
                memory_type: None,
                content: None,
                categories: Some(vec![CATEGORIES[dice.below(3)].to_owned()]),
                user: user("alice"),
                propagate: false,
                extra: serde_json::Map::new(),
            };
            service.update_memory_item(request).await.unwrap();
        }
        10 => {
            let request = UpdateItem {
                id: known[dice.below(known.len())].clone(),
                memory_type: None,
                content: Some(dice.text()),
                categories: None,
                user: user("alice"),
                propagate: false,
                extra: serde_json::Map::new(),
            };
            service.update_memory_item(request).await.unwrap();
        }
        _ => {
            let id = known.swap_remove(dice.below(known.len()));
            let alice = user("alice");
            let deleted = service.delete_memory_item(&id, &alice, false);
            deleted.await.unwrap();
        }
    }
}

#[tokio::test]
async fn answers_do_not_depend_on_what_was_asked_before() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memu.db");
    let mut dice = Dice::new(5);
    // So many that what is counted does not change with each of them.
    let items = (0..700).map(|_| NewItem {
        memory_type: "event".into(),
        content: dice.text(),
        categories: Vec::new(),
        extra: serde_json::Map::new(),
    });
    let request = CreateItems {
        items: items.collect(),
        user: user("alice"),
        ..CreateItems::default()
    };
    let writer = open(&file).await;
    let created = writer.create_memory_items(request).await.unwrap();
    let mut known: Vec<Id> = created
        .memory_items
        .into_iter()
        .map(|item| item.meta.id)
        .collect();
    let texts: Vec<String> = (0..600).map(|_| dice.text()).collect();
    let said: Vec<(&str, &str)> = texts.iter().map(|text| ("Theo", &**text)).collect();
    let bytes = conversation("long", &said);
    writer.memorize(memorize(bytes, "alice")).await.unwrap();

    let asked_before = open(&file).await;
    for step in 0..60 {
        change(&writer, &mut dice, &mut known).await;
        let question = dice.text();
        let here = answer(&asked_before, &question).await;
        let anew = answer(&open(&file).await, &question).await;
        assert_eq!(here["items"].as_array().unwrap().len(), 40);
        assert!(here == anew, "step {step}: {question}");
    }
}
