//! What the original got wrong between users and scopes, with the opposite outcome. The other
//! lines of the table in docs/compatibility.md are in `behaviours_of_the_original.rs`.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use memu::{ErrorKind, ListRequest, RetrieveRequest, UpdateItem};
use serde_json::{Map, Value, json};
use support::{TALK, conversation, created, everything, service, stores, user};

#[tokio::test]
async fn two_users_never_see_each_others_anything() {
    for store in stores() {
        let fixture = service(store).await;
        let mut secret = TALK;
        secret[0].1 = "I hide my diary under the third floorboard.";
        fixture.memorize(conversation("c", &secret), "alice").await;
        fixture.memorize(conversation("c", &TALK), "bob").await;
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
    for store in stores() {
        let ask = RetrieveRequest {
            explain: true,
            ..RetrieveRequest::question("Who is allergic to walnuts?").matching("user_id", "alice")
        };
        let fixture = service(store).await;
        fixture.memorize(conversation("c", &TALK), "alice").await;
        let alone = fixture.service.retrieve(ask.clone()).await.unwrap();
        for at in 0..5 {
            let bytes = conversation(
                "x",
                &[("Ann", format!("walnuts {at} walnuts walnuts").as_str())],
            );
            fixture.memorize(bytes, "bob").await;
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
    for store in stores() {
        let fixture = service(store).await;
        fixture
            .service
            .create_memory_item(created("Ann likes tea", "alice"))
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
    for store in stores() {
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
            .create_memory_item(created("Ann likes tea", "alice"))
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
            .create_memory_item(created("Ben likes tea", "bob"))
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
    for store in stores() {
        let fixture = service(store).await;
        let item = fixture
            .service
            .create_memory_item(created("Ann likes tea", "alice"))
            .await
            .unwrap();
        let id = item.memory_item.meta.id;
        fixture
            .service
            .create_memory_item(created("Ben likes jam", "bob"))
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
            extra: Map::new(),
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
async fn forgetting_a_user_leaves_nothing_and_the_next_memory_is_stored_as_ever() {
    for store in stores() {
        let fixture = service(store).await;
        fixture.memorize(conversation("c", &TALK), "alice").await;
        fixture.memorize(conversation("c", &TALK), "bob").await;
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
        let again = fixture.memorize(conversation("c", &TALK), "alice").await;
        assert_eq!(again.new_segments, TALK.len());
    }
}

#[tokio::test]
async fn forgetting_without_a_scope_is_refused() {
    for store in stores() {
        let fixture = service(store).await;
        fixture
            .service
            .create_memory_item(created("Ann likes tea", "alice"))
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
