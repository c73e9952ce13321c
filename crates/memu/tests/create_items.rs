//! Storing many memories at once.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use memu::core::records::ToolCall;
use memu::core::scope::ScopeSchema;
use memu::core::store::Query;
use memu::{
    CreateItem, CreateItems, ErrorKind, ListRequest, MemoryService, NewItem, RetrieveRequest,
};
use support::{everything, service, stores, user};

fn new_item(content: &str) -> NewItem {
    NewItem {
        memory_type: "profile".to_owned(),
        content: content.to_owned(),
        categories: Vec::new(),
        extra: serde_json::Map::new(),
    }
}

fn many(count: usize) -> CreateItems {
    let content = |number| format!("I own {number} red kayaks and {} quilts", number * 7);
    CreateItems {
        items: (0..count)
            .map(|number| new_item(&content(number)))
            .collect(),
        user: user("nora"),
        propagate: false,
    }
}

async fn summaries(service: &MemoryService) -> Vec<String> {
    let request = ListRequest {
        filter: user("nora"),
        ..ListRequest::default()
    };
    let listed = service.list_memory_items(request).await.unwrap().records;
    listed.into_iter().map(|item| item.summary).collect()
}

#[tokio::test]
async fn many_memories_are_stored_in_order_and_found() {
    for store in stores() {
        let fixture = service(store).await;
        let request = many(2_500);
        let contents: Vec<String> = request
            .items
            .iter()
            .map(|item| item.content.clone())
            .collect();
        let response = fixture.service.create_memory_items(request).await.unwrap();
        let returned: Vec<&str> = response
            .memory_items
            .iter()
            .map(|item| &*item.summary)
            .collect();
        assert_eq!(returned, contents, "{store}");
        assert_eq!(summaries(&fixture.service).await, contents, "{store}");
        let question = RetrieveRequest::question("Who owns 1234 red kayaks?");
        let question = question.matching("user_id", "nora");
        let answer = fixture.service.retrieve(question).await.unwrap();
        assert_eq!(answer.items[0].item.summary, contents[1_234], "{store}");
    }
}

#[tokio::test]
async fn many_at_once_are_what_one_after_the_other_would_be() {
    for store in stores() {
        let (at_once, one_by_one) = (service(store).await, service(store).await);
        let mut request = many(20);
        request.items[3].categories = vec!["goals".to_owned(), "habits".to_owned()];
        request.propagate = true;
        at_once
            .service
            .create_memory_items(request.clone())
            .await
            .unwrap();
        for item in request.items {
            let single = CreateItem {
                memory_type: item.memory_type,
                content: item.content,
                categories: item.categories,
                user: user("nora"),
                propagate: true,
                extra: serde_json::Map::new(),
            };
            one_by_one.service.create_memory_item(single).await.unwrap();
        }
        let shown = |all: serde_json::Value| {
            let all = all.as_object().unwrap();
            let texts = |kind: &str, fields: &[&str]| -> Vec<String> {
                let records = all[kind].as_array().unwrap().iter();
                let text = |record: &serde_json::Value| -> String {
                    let texts = fields.iter().map(|field| record[field].to_string());
                    texts.collect::<Vec<_>>().join(" ")
                };
                records.map(text).collect()
            };
            let references = regex_free(texts("categories", &["name", "summary"]));
            (texts("items", &["summary", "memory_type"]), references)
        };
        let (a, b) = (
            everything(&at_once.service, "nora").await,
            everything(&one_by_one.service, "nora").await,
        );
        assert_eq!(shown(a), shown(b), "{store}");
    }
}

/// Summaries cite items by their ids, which differ.
fn regex_free(texts: Vec<String>) -> Vec<String> {
    let without = |text: String| {
        let parts = text.split("[ref:").enumerate();
        parts
            .map(|(at, part)| match at {
                0 => part.to_owned(),
                _ => part.split_once(']').map_or("", |(_, rest)| rest).to_owned(),
            })
            .collect()
    };
    texts.into_iter().map(without).collect()
}

#[tokio::test]
async fn one_bad_memory_is_named_and_nothing_is_stored() {
    for store in stores() {
        let fixture = service(store).await;
        let mut request = many(3_000);
        request.items[2_999].content = "  ".to_owned();
        let error = fixture
            .service
            .create_memory_items(request)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.to_string().contains("item: 2999"), "{error}");
        assert_eq!(summaries(&fixture.service).await, Vec::<String>::new());

        let mut request = many(3_000);
        request.items[2_500].categories = vec!["no such".to_owned()];
        let error = fixture
            .service
            .create_memory_items(request)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert_eq!(summaries(&fixture.service).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn writers_of_a_new_scope_make_its_categories_once() {
    let fixture = service("sqlite").await;
    let path = fixture.folder.path().join("memu.db");
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let path = path.display().to_string();
            tokio::spawn(async move {
                let service = memu::open(&path).await.unwrap();
                service.create_memory_items(many(10)).await.unwrap();
                service.close().await.unwrap();
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let all = everything(&fixture.service, "nora").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 40);
    assert_eq!(all["categories"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn uses_of_a_tool_are_noted_with_its_memory_and_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memu.db").display().to_string();
    let service = memu::open(&path).await.unwrap();
    let nora = user("nora");
    let request = CreateItems {
        items: ["tool", "event"]
            .map(|memory_type| NewItem {
                memory_type: memory_type.to_owned(),
                content: format!("The tide table is asked by harbour ({memory_type})"),
                categories: Vec::new(),
                extra: serde_json::Map::new(),
            })
            .to_vec(),
        user: nora.clone(),
        propagate: false,
    };
    let items = service
        .create_memory_items(request)
        .await
        .unwrap()
        .memory_items;
    let (tool, event) = (items[0].meta.id.clone(), items[1].meta.id.clone());
    for success in [true, false] {
        let mut call = ToolCall::new("tides");
        call.success = success;
        service.add_tool_call(&tool, call, &nora).await.unwrap();
    }
    let refused = service
        .add_tool_call(&event, ToolCall::new("tides"), &nora)
        .await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Input);
    let others = service
        .add_tool_call(&tool, ToolCall::new("tides"), &user("bob"))
        .await;
    assert_eq!(others.unwrap_err().kind(), ErrorKind::NotFound);
    service.close().await.unwrap();
    let service = memu::open(&path).await.unwrap();
    let query = Query::scope(&ScopeSchema::default().scope([("user_id", "nora")]).unwrap());
    let stored = service.store().items(&query).await.unwrap().records;
    let statistics = stored[0].tool_statistics(20);
    assert_eq!((statistics.total_calls, statistics.success_rate), (2, 0.5));
    assert!(stored[0].tool_calls()[0].created_at.ends_with('Z'));
    assert!(stored[1].extra.get("tool_calls").is_none());
}
