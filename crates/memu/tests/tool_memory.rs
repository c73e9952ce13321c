//! What memories say beside their words, and how tools were used.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use memu::core::records::{Id, ToolCall};
use memu::core::service::Record;
use memu::{CreateItem, CreateItems, ErrorKind, MemoryItem, MemoryService, NewItem, UpdateItem};
use serde_json::{Map, Value, json};
use support::user;

fn extra(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(extra) => extra,
        other => panic!("{other} is no object"),
    }
}

fn tool(details: Value) -> CreateItem {
    CreateItem {
        memory_type: "tool".to_owned(),
        content: "The tide table is asked by harbour".to_owned(),
        categories: Vec::new(),
        extra: extra(details),
        user: user("nora"),
        propagate: true,
    }
}

fn change(id: &Id, details: Value) -> UpdateItem {
    UpdateItem {
        id: id.clone(),
        memory_type: None,
        content: None,
        categories: None,
        extra: extra(details),
        user: user("nora"),
        propagate: true,
    }
}

async fn shown(service: &MemoryService, id: &Id) -> (MemoryItem, Value) {
    let record = service.show(id, &user("nora"), false).await.unwrap();
    let json = serde_json::to_value(&record).unwrap();
    let Record::Item { item, .. } = record else {
        panic!("{json} is no item");
    };
    (item, json)
}

#[tokio::test]
async fn details_are_stored_changed_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memu.db").display().to_string();
    let service = memu::open(&path).await.unwrap();
    let details = json!({
        "when_to_use": "Before somebody sails",
        "metadata": {"tool_name": "tides", "avg_success_rate": 0.5},
        "own": [1, 2],
    });
    let created = service.create_memory_item(tool(details.clone())).await;
    let item = created.unwrap().memory_item;
    for (name, value) in extra(details) {
        assert_eq!(item.extra[&name], value, "{name}");
    }
    assert!(item.extra.contains_key("content_hash"));
    let id = item.meta.id;
    let details = json!({"when_to_use": "At low tide", "metadata": null});
    service
        .update_memory_item(change(&id, details))
        .await
        .unwrap();
    service.close().await.unwrap();
    let service = memu::open(&path).await.unwrap();
    let (item, json) = shown(&service, &id).await;
    assert_eq!(item.extra["when_to_use"], "At low tide");
    assert_eq!(item.extra["own"], json!([1, 2]));
    assert!(!item.extra.contains_key("metadata"));
    assert_eq!(json.get("tool_statistics"), None);
}

#[tokio::test]
async fn details_of_another_form_are_refused_and_change_nothing() {
    let service = memu::open("inmemory").await.unwrap();
    let kept = service.create_memory_item(tool(json!({"own": 1}))).await;
    let item = kept.unwrap().memory_item;
    for (details, expected) in [
        (json!({"content_hash": "a"}), "MemU keeps content_hash"),
        (json!({"ref_id": "a"}), "MemU keeps ref_id"),
        (
            json!({"reinforcement_count": 2}),
            "MemU keeps reinforcement_count",
        ),
        (
            json!({"when_to_use": ["a"]}),
            "when_to_use of a memory must be a text",
        ),
        (
            json!({"metadata": "a"}),
            "metadata of a memory must be an object",
        ),
        (
            json!({"tool_calls": [{"tool_name": "a", "score": 3}]}),
            "from 0 to 1",
        ),
    ] {
        let mut refused = Vec::new();
        refused.extend(
            service
                .create_memory_item(tool(details.clone()))
                .await
                .err(),
        );
        let new = NewItem {
            memory_type: "tool".to_owned(),
            content: "Another".to_owned(),
            categories: Vec::new(),
            extra: extra(details.clone()),
        };
        let several = CreateItems {
            items: vec![new],
            user: user("nora"),
            propagate: false,
        };
        refused.extend(service.create_memory_items(several).await.err());
        let update = change(&item.meta.id, details.clone());
        refused.extend(service.update_memory_item(update).await.err());
        assert_eq!(refused.len(), 3, "{details}");
        for error in refused {
            assert_eq!(error.kind(), ErrorKind::Input);
            assert!(error.message().contains(expected), "{details}: {error}");
        }
    }
    let (same, _) = shown(&service, &item.meta.id).await;
    assert_eq!(same, item);
    let stats = service.stats(&user("nora"), false).await.unwrap();
    assert_eq!(stats.items, 1);
}

#[tokio::test]
async fn statistics_are_shown_with_the_memory() {
    let service = memu::open("inmemory").await.unwrap();
    let item = service.create_memory_item(tool(json!({}))).await.unwrap();
    let id = item.memory_item.meta.id;
    for number in 0..22 {
        let call = ToolCall {
            success: number >= 12,
            time_cost: 2.0,
            token_cost: if number < 21 { 100 } else { -1 },
            score: 0.5,
            ..ToolCall::new("tides")
        };
        service
            .add_tool_call(&id, call, &user("nora"))
            .await
            .unwrap();
    }
    let (_, json) = shown(&service, &id).await;
    let expected = json!({
        "total_calls": 22,
        "recent_calls_analyzed": 20,
        "avg_time_cost": 2.0,
        "success_rate": 0.5,
        "avg_score": 0.5,
        "avg_token_cost": 100.0,
    });
    assert_eq!(json["tool_statistics"], expected);
}
