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
use memu::{CreateItem, ErrorKind, ListRequest, RetrieveRequest, UpdateItem};
use serde_json::{Map, Value, json};
use support::{STORES, TALK, conversation, everything, memorize, service, service_with, user};

fn create(content: &str, name: &str) -> CreateItem {
    CreateItem {
        memory_type: "profile".to_owned(),
        content: content.to_owned(),
        categories: Vec::new(),
        user: user(name),
        propagate: true,
    }
}

#[tokio::test]
async fn two_users_never_see_each_others_anything() {
    for store in STORES {
        let fixture = service(store).await;
        let mut secret = TALK;
        secret[0].1 = "I hide my diary under the third floorboard.";
        fixture
            .service
            .memorize(memorize(conversation("c", &secret), "alice"))
            .await
            .unwrap();
        fixture
            .service
            .memorize(memorize(conversation("c", &TALK), "bob"))
            .await
            .unwrap();
        let bobs = everything(&fixture.service, "bob").await.to_string();
        assert!(
            !bobs.contains("diary") && !bobs.contains("alice"),
            "{store}"
        );
        let question = RetrieveRequest::question("Where is the diary hidden?");
        let answer = fixture
            .service
            .retrieve(question.matching("user_id", "bob"))
            .await
            .unwrap();
        let shown = serde_json::to_string(&answer.items).unwrap()
            + &serde_json::to_string(&answer.segments).unwrap()
            + &serde_json::to_string(&answer.categories).unwrap();
        assert!(!shown.contains("diary under"), "{store}: {shown}");
    }
}

#[tokio::test]
async fn what_one_user_writes_does_not_change_how_another_is_answered() {
    for store in STORES {
        let ask = RetrieveRequest {
            explain: true,
            ..RetrieveRequest::question("Who is allergic to walnuts?").matching("user_id", "alice")
        };
        let fixture = service(store).await;
        fixture
            .service
            .memorize(memorize(conversation("c", &TALK), "alice"))
            .await
            .unwrap();
        let alone = fixture.service.retrieve(ask.clone()).await.unwrap();
        for at in 0..5 {
            let bytes = conversation(
                "x",
                &[("Ann", format!("walnuts {at} walnuts walnuts").as_str())],
            );
            fixture
                .service
                .memorize(memorize(bytes, "bob"))
                .await
                .unwrap();
        }
        assert_eq!(
            fixture.service.retrieve(ask).await.unwrap(),
            alone,
            "{store}"
        );
    }
}

#[tokio::test]
async fn a_filter_by_null_is_refused() {
    for store in STORES {
        let fixture = service(store).await;
        fixture
            .service
            .create_memory_item(create("Ann likes tea", "alice"))
            .await
            .unwrap();
        let question = RetrieveRequest::question("tea").matching("user_id", Value::Null);
        let error = fixture.service.retrieve(question).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Filter);
        assert_eq!(
            error.message(),
            "user_id is null; leave the field out, or use user_id__is_null"
        );
    }
}

#[tokio::test]
async fn without_a_scope_one_answers_and_several_refuse() {
    for store in STORES {
        let fixture = service(store).await;
        let list = |all_scopes| ListRequest {
            all_scopes,
            ..ListRequest::default()
        };
        assert_eq!(
            fixture
                .service
                .list_memory_items(list(false))
                .await
                .unwrap()
                .records,
            []
        );
        fixture
            .service
            .create_memory_item(create("Ann likes tea", "alice"))
            .await
            .unwrap();
        let page = fixture
            .service
            .list_memory_items(list(false))
            .await
            .unwrap();
        assert_eq!(page.records.len(), 1, "{store}");
        fixture
            .service
            .create_memory_item(create("Ben likes tea", "bob"))
            .await
            .unwrap();
        let error = fixture
            .service
            .list_memory_items(list(false))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Scope);
        assert_eq!(
            error.message(),
            "the store holds 2 scopes and none was named; pass user_id, or ask for all scopes"
        );
        let error = fixture
            .service
            .retrieve(RetrieveRequest::question("tea"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Scope);
        let page = fixture.service.list_memory_items(list(true)).await.unwrap();
        assert_eq!(page.records.len(), 2);
        let answer = RetrieveRequest {
            all_scopes: true,
            ..RetrieveRequest::question("tea")
        };
        assert_eq!(
            fixture.service.retrieve(answer).await.unwrap().items.len(),
            2
        );
    }
}

#[tokio::test]
async fn deleting_or_editing_another_users_item_finds_nothing() {
    for store in STORES {
        let fixture = service(store).await;
        let item = fixture
            .service
            .create_memory_item(create("Ann likes tea", "alice"))
            .await
            .unwrap();
        let id = item.memory_item.meta.id;
        fixture
            .service
            .create_memory_item(create("Ben likes jam", "bob"))
            .await
            .unwrap();
        let before = everything(&fixture.service, "alice").await;
        let error = fixture
            .service
            .delete_memory_item(&id, &user("bob"), true)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let update = UpdateItem {
            id,
            memory_type: None,
            content: Some("Ann likes poison".to_owned()),
            categories: None,
            user: user("bob"),
            propagate: true,
        };
        let error = fixture
            .service
            .update_memory_item(update)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(
            everything(&fixture.service, "alice").await,
            before,
            "{store}"
        );
    }
}

#[tokio::test]
async fn top_k_of_zero_is_refused() {
    for store in STORES {
        let fixture = service(store).await;
        fixture
            .service
            .create_memory_item(create("Ann likes tea", "alice"))
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
    for store in STORES {
        let fixture = service(store).await;
        for content in ["Ann likes tea", "Ann likes jam"] {
            fixture
                .service
                .create_memory_item(create(content, "alice"))
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
    for store in STORES {
        let fixture = service_with(store, json!({
            "memorize_config": {"memory_categories": [{"name": "sailing", "description": "Boats"}]},
        }))
        .await;
        fixture
            .service
            .memorize(memorize(conversation("c", &TALK), "alice"))
            .await
            .unwrap();
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
    for store in STORES {
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
async fn forgetting_a_user_leaves_nothing_and_the_next_memory_is_stored_as_ever() {
    for store in STORES {
        let fixture = service(store).await;
        fixture
            .service
            .memorize(memorize(conversation("c", &TALK), "alice"))
            .await
            .unwrap();
        fixture
            .service
            .memorize(memorize(conversation("c", &TALK), "bob"))
            .await
            .unwrap();
        let bobs = everything(&fixture.service, "bob").await;
        let cleared = fixture
            .service
            .clear_memory(&user("alice"), false)
            .await
            .unwrap();
        assert_eq!(cleared.deleted_resources.len(), 1);
        assert_eq!(cleared.deleted_segments, TALK.len());
        assert!(!cleared.deleted_items.is_empty() && cleared.deleted_relations > 0);
        assert_eq!(
            everything(&fixture.service, "alice").await,
            json!({"items": [], "categories": [], "resources": []}),
            "{store}"
        );
        assert_eq!(everything(&fixture.service, "bob").await, bobs);
        let again = fixture
            .service
            .memorize(memorize(conversation("c", &TALK), "alice"))
            .await
            .unwrap();
        assert_eq!(again.new_segments, TALK.len());
    }
}

#[tokio::test]
async fn forgetting_without_a_scope_is_refused() {
    for store in STORES {
        let fixture = service(store).await;
        fixture
            .service
            .create_memory_item(create("Ann likes tea", "alice"))
            .await
            .unwrap();
        let error = fixture
            .service
            .clear_memory(&Map::new(), false)
            .await
            .unwrap_err();
        assert_eq!(
            error.message(),
            "name whose memory to forget: pass user_id, or ask for all scopes"
        );
        let narrow = json!({"user_id": "alice", "memory_type": "event"});
        let error = fixture
            .service
            .clear_memory(narrow.as_object().unwrap(), false)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Filter);
        assert_eq!(
            everything(&fixture.service, "alice").await["items"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    }
}

#[tokio::test]
async fn a_deleted_item_leaves_the_summaries_it_was_in() {
    for store in STORES {
        let fixture = service(store).await;
        fixture
            .service
            .memorize(memorize(conversation("c", &TALK), "alice"))
            .await
            .unwrap();
        let request = CreateItem {
            categories: vec!["preferences".to_owned()],
            ..create("Nora prefers her zebra mug for coffee.", "alice")
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
    fixture
        .service
        .memorize(memorize(conversation("c", &TALK), "alice"))
        .await
        .unwrap();
    let stored = everything(&fixture.service, "alice").await["categories"].clone();
    let request = CreateItem {
        categories: vec!["opinions".to_owned()],
        ..create(
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
        ..create("Ann likes tea", "alice")
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
        ..create("Ann likes tea", "alice")
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
    for store in STORES {
        let fixture = service(store).await;
        fixture
            .service
            .memorize(memorize(conversation("a", &TALK[..4]), "alice"))
            .await
            .unwrap();
        fixture
            .service
            .memorize(memorize(conversation("b", &TALK[4..]), "alice"))
            .await
            .unwrap();
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
