//! What the original got wrong, with the opposite outcome. One test per line of the
//! table in docs/compatibility.md.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use memu::core::records::Id;
use memu::core::store::Query;
use memu::{CreateItem, ListRequest, RetrieveRequest};
use serde_json::{Value, json};
use support::{
    TALK, conversation, created, everything, memorize, service, service_with, stores, user,
};

#[tokio::test]
async fn top_k_of_zero_is_refused() {
    for store in stores() {
        let fixture = service(store).await;
        fixture
            .service
            .create_memory_item(created("Ann likes tea", "alice"))
            .await
            .unwrap();
        let question = RetrieveRequest {
            top_k: Some(0),
            ..RetrieveRequest::question("tea").matching("user_id", "alice")
        };
        let error = fixture.service.retrieve(question).await.unwrap_err();
        assert_eq!(error.message(), "top_k is 0; it must be from 1 to 10000");
    }
}

#[tokio::test]
async fn comparison_operators_compare_and_unknown_ones_are_refused() {
    for store in stores() {
        let fixture = service(store).await;
        for content in ["Ann likes tea", "Ann likes jam"] {
            fixture
                .service
                .create_memory_item(created(content, "alice"))
                .await
                .unwrap();
        }
        let list = |key: &str, value: Value| ListRequest {
            filter: user("alice")
                .into_iter()
                .chain([(key.to_owned(), value)])
                .collect(),
            ..ListRequest::default()
        };
        let after = list("created_at__gt", json!("2030"));
        assert_eq!(
            fixture
                .service
                .list_memory_items(after)
                .await
                .unwrap()
                .records,
            []
        );
        let before = list("created_at__lt", json!("2030"));
        assert_eq!(
            fixture
                .service
                .list_memory_items(before)
                .await
                .unwrap()
                .records
                .len(),
            2
        );
        let error = fixture
            .service
            .list_memory_items(list("user_id__like", json!("a")))
            .await;
        assert!(
            error
                .unwrap_err()
                .message()
                .starts_with("unknown operator \"__like\"")
        );
    }
}

#[tokio::test]
async fn an_item_that_fits_no_category_is_kept() {
    for store in stores() {
        let fixture = service_with(store, json!({
            "memorize_config": {"memory_categories": [{"name": "sailing", "description": "Boats"}]},
        }))
        .await;
        fixture.memorize(conversation("c", &TALK), "alice").await;
        let list = ListRequest {
            filter: user("alice")
                .into_iter()
                .chain([("category__is_null".to_owned(), json!(true))])
                .collect(),
            ..ListRequest::default()
        };
        let unfiled = fixture
            .service
            .list_memory_items(list)
            .await
            .unwrap()
            .records;
        assert!(!unfiled.is_empty(), "{store}");
        let question =
            RetrieveRequest::question("Who is allergic to walnuts?").matching("user_id", "alice");
        let answer = fixture.service.retrieve(question).await.unwrap();
        assert!(answer.items[0].item.summary.contains("walnuts"), "{store}");
    }
}

#[tokio::test]
async fn braces_nul_and_emoji_are_kept_as_they_are() {
    for store in stores() {
        let fixture = service(store).await;
        let text = "My template is {name} and {{x}}\u{0} with 🦀 and \u{202e}marks.";
        let bytes = conversation("c", &[("Nora", text)]);
        for at in 0..2 {
            let request = memorize(bytes.clone(), &format!("user{at}"));
            let scope = fixture
                .service
                .memorize(request)
                .await
                .unwrap()
                .resource
                .meta
                .scope;
            let stored = fixture
                .service
                .store()
                .segments(&Query::scope(&scope))
                .await
                .unwrap();
            assert_eq!(stored.records[0].text, text, "{store}");
        }
    }
}

#[tokio::test]
async fn a_deleted_item_leaves_the_summaries_it_was_in() {
    for store in stores() {
        let fixture = service(store).await;
        fixture.memorize(conversation("c", &TALK), "alice").await;
        let request = CreateItem {
            categories: vec!["preferences".to_owned()],
            ..created("Nora prefers her zebra mug for coffee.", "alice")
        };
        let created = fixture.service.create_memory_item(request).await.unwrap();
        assert_eq!(created.category_updates.len(), 1);
        let id: Id = created.memory_item.meta.id;
        let shown = everything(&fixture.service, "alice").await["categories"].to_string();
        assert!(shown.contains("zebra mug"), "{store}: {shown}");
        fixture
            .service
            .delete_memory_item(&id, &user("alice"), true)
            .await
            .unwrap();
        let shown = everything(&fixture.service, "alice").await.to_string();
        assert!(!shown.contains("zebra mug"), "{store}: {shown}");
    }
}

#[tokio::test]
async fn summaries_of_untouched_categories_are_not_rewritten() {
    let fixture = service("sqlite").await;
    fixture.memorize(conversation("c", &TALK), "alice").await;
    let stored = everything(&fixture.service, "alice").await["categories"].clone();
    let request = CreateItem {
        categories: vec!["opinions".to_owned()],
        ..created(
            "Theo believes that ferries are the best way to travel.",
            "alice",
        )
    };
    let response = fixture.service.create_memory_item(request).await.unwrap();
    let names: Vec<_> = response
        .category_updates
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(names, ["opinions"]);
    let now = everything(&fixture.service, "alice").await["categories"].clone();
    for (before, after) in stored
        .as_array()
        .unwrap()
        .iter()
        .zip(now.as_array().unwrap())
    {
        if before["name"] != "opinions" {
            assert_eq!(before, after);
        }
    }
}

#[tokio::test]
async fn an_unknown_category_or_type_is_refused_with_the_valid_ones() {
    let fixture = service("inmemory").await;
    let request = CreateItem {
        categories: vec!["hobbys".to_owned()],
        ..created("Ann likes tea", "alice")
    };
    let error = fixture
        .service
        .create_memory_item(request)
        .await
        .unwrap_err();
    assert!(
        error
            .message()
            .starts_with("unknown category \"hobbys\"; use personal_info, ")
    );
    let request = CreateItem {
        memory_type: "rumour".to_owned(),
        ..created("Ann likes tea", "alice")
    };
    let error = fixture
        .service
        .create_memory_item(request)
        .await
        .unwrap_err();
    assert_eq!(
        error.message(),
        "unknown memory type \"rumour\"; use profile, event, knowledge, behavior, skill, tool"
    );
    assert_eq!(
        everything(&fixture.service, "alice").await["items"],
        json!([])
    );
}

#[tokio::test]
async fn files_with_one_name_do_not_overwrite_each_other() {
    for store in stores() {
        let fixture = service(store).await;
        fixture
            .memorize(conversation("a", &TALK[..4]), "alice")
            .await;
        fixture
            .memorize(conversation("b", &TALK[4..]), "alice")
            .await;
        let all = everything(&fixture.service, "alice").await;
        let resources = all["resources"].as_array().unwrap();
        assert_eq!(resources.len(), 2, "{store}");
        assert_eq!(resources[0]["url"], resources[1]["url"]);
        let items = all["items"].to_string();
        assert!(
            items.contains("Pixel") && items.contains("cello"),
            "{store}: {items}"
        );
    }
}
