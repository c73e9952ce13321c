//! A filter changes which items and messages are shown, not how they score: however many score,
//! and however few of them it lets through, an answer shows the best of these.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use memu::{
    CreateItems, MemorizeRequest, MemoryService, Modality, NewItem, RetrieveRequest,
    RetrieveResponse,
};
use serde_json::json;
use support::dice::Dice;
use support::{conversation, memorize, service_with, stores, user};

/// More than the store is asked about in one round.
const ITEMS: usize = 2_600;

/// Memories that all have words in common, of different lengths; of each type there are the
/// fewer the rarer it is.
async fn fill(service: &MemoryService) {
    let mut dice = Dice::new(5);
    let items = (0..ITEMS).map(|number| {
        let memory_type = match number {
            1_300 => "behavior",
            _ if number % 40 == 7 => "event",
            _ => "knowledge",
        };
        let about = ["canoe", "kayak", "river", "paddle"];
        let words: Vec<&str> = (0..=dice.below(9)).map(|_| about[dice.below(4)]).collect();
        NewItem {
            memory_type: memory_type.to_owned(),
            content: format!("Nora, {number}: {} and a canoe", words.join(" ")),
            categories: vec![["goals", "habits"][number % 2].to_owned()],
            extra: serde_json::Map::new(),
        }
    });
    let request = CreateItems {
        items: items.collect(),
        user: user("nora"),
        propagate: false,
    };
    service.create_memory_items(request).await.unwrap();
    service.memorize(memorize(talk(60), "nora")).await.unwrap();
}

/// So many messages.
fn talk(count: usize) -> Vec<u8> {
    let said: Vec<String> = (0..count)
        .map(|number| format!("I take canoe number {number} to the river"))
        .collect();
    let said: Vec<(&str, &str)> = said.iter().map(|text| ("Nora", &**text)).collect();
    conversation("talk", &said)
}

async fn ask(service: &MemoryService, top_k: usize, memory_type: Option<&str>) -> RetrieveResponse {
    let mut request = RetrieveRequest::question("Which river has Nora's canoe and paddle?");
    request = request.matching("user_id", "nora");
    if let Some(memory_type) = memory_type {
        request = request.matching("memory_type", memory_type);
    }
    request.top_k = Some(top_k);
    service.retrieve(request).await.unwrap()
}

/// The items of an answer: their words and scores.
fn shown(answer: &RetrieveResponse, of: Option<&str>) -> Vec<(String, f32)> {
    let items = answer.items.iter();
    let items = items.filter(|hit| of.is_none_or(|of| hit.item.memory_type == of));
    items
        .map(|hit| (hit.item.summary.clone(), hit.score))
        .collect()
}

#[tokio::test]
async fn the_best_of_what_a_filter_lets_through_are_shown_wherever_they_stand() {
    for store in stores() {
        // All of them match, and are compared.
        let ranking = json!({"candidates": 10_000});
        let settings = json!({"retrieve_config": {"item": {"diversity": 0}, "ranking": ranking}});
        let fixture = service_with(store, settings).await;
        let service = &fixture.service;
        fill(service).await;
        let all = ask(service, ITEMS + 200, None).await;
        assert!(all.items.len() > ITEMS, "{store}: {}", all.items.len());
        for (memory_type, count) in [("event", 20), ("event", 1), ("knowledge", 50)] {
            let mut expected = shown(&all, Some(memory_type));
            expected.truncate(count);
            let found = shown(&ask(service, count, Some(memory_type)).await, None);
            assert_eq!(found, expected, "{store}: {memory_type}");
        }
        let rare = shown(&ask(service, 10, Some("behavior")).await, None);
        assert_eq!(rare, shown(&all, Some("behavior")), "{store}");
        assert_eq!(rare.len(), 1, "{store}");
        let none = ask(service, 10, Some("tool")).await;
        assert!(none.items.is_empty() && none.segments.is_empty(), "{store}");
        assert!(
            none.categories.is_empty() && none.resources.is_empty(),
            "{store}"
        );
    }
}

#[tokio::test]
async fn a_filter_that_all_pass_changes_neither_items_nor_messages() {
    for store in stores() {
        let fixture = service_with(store, json!({})).await;
        let service = &fixture.service;
        fill(service).await;
        for who in ["ole", "pia"] {
            let request = MemorizeRequest::content(talk(80), "talk.json", Modality::Conversation);
            service
                .memorize(request.user("user_id", who))
                .await
                .unwrap();
        }
        for users in [&["nora"][..], &["ole", "nora", "pia"]] {
            let ask = async |filter: bool| {
                let mut request =
                    RetrieveRequest::question("Which river has Nora's canoe and paddle?");
                request
                    .filter
                    .insert("user_id__in".to_owned(), json!(users));
                if filter {
                    let since = json!("2001-01-01");
                    request.filter.insert("created_at__gte".to_owned(), since);
                }
                request.top_k = Some(30);
                let answer = service.retrieve(request).await.unwrap();
                let segments = answer.segments.iter();
                let segments: Vec<_> = segments
                    .map(|hit| (hit.segment.text.clone(), hit.score))
                    .collect();
                (shown(&answer, None), segments)
            };
            let (without, with) = (ask(false).await, ask(true).await);
            assert_eq!(with, without, "{store}: {users:?}");
            assert!(
                with.0.len() == 30 && with.1.len() == 30,
                "{store}: {users:?}"
            );
        }
    }
}
