//! What memorize promises, over every store.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod conversations;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;

use memu::core::records::Role;
use memu::core::store::Query;
use memu::{ErrorKind, MemorizeRequest, MemorizeStatus, Modality, RetrieveRequest};
use serde_json::json;
use support::{TALK, conversation, everything, memorize, service, service_with, stores};

#[tokio::test]
async fn relative_dates_are_resolved_against_the_message() {
    let fixture = service("inmemory").await;
    let response = fixture.memorize(conversation("c", &TALK), "alice").await;
    let exam = response
        .items
        .iter()
        .find(|item| item.summary.contains("nursing exam"))
        .expect("the exam is an item");
    let when = exam.happened.expect("it has a date");
    assert_eq!(when.start.date().to_string(), "2026-01-31");
}

#[tokio::test]
async fn a_memory_met_again_is_reinforced_and_salience_ranks_it_first() {
    for store in stores() {
        let fixture = service_with(
            store,
            json!({
                "memorize_config": {"enable_item_reinforcement": true},
                "retrieve_config": {"item": {"ranking": "salience"}},
            }),
        )
        .await;
        let talk = |id: &str, text: &str| conversation(id, &[("Nora", text)]);
        for (id, text) in [
            ("1", "I love green tea with honey."),
            ("2", "I love black tea with lemon."),
            ("3", "I love black tea with lemon."),
        ] {
            let mut request = memorize(talk(id, text), "alice");
            request.source = memu::Source::Content {
                bytes: talk(id, text).into(),
                url: format!("{id}.json"),
            };
            fixture.service.memorize(request).await.unwrap();
        }
        let question = RetrieveRequest::question("Which tea?").matching("user_id", "alice");
        let answer = fixture.service.retrieve(question).await.unwrap();
        let first = &answer.items[0].item;
        assert!(
            first.summary.contains("black tea"),
            "{store}: {}",
            first.summary
        );
        assert_eq!(first.reinforcement_count(), 2);
        assert_eq!(first.extra["last_reinforced_at"], "2026-03-01T12:00:00Z");
        assert_eq!(first.segment_ids.len(), 2, "both messages are its evidence");
    }
}

#[tokio::test]
async fn a_future_that_is_dropped_leaves_all_or_nothing() {
    use std::future::Future;
    use std::task::{Context, Waker};

    for polls in 1..40 {
        let fixture = service("sqlite").await;
        let request = memorize(conversation("c", &TALK), "alice");
        {
            let mut future = std::pin::pin!(fixture.service.memorize(request.clone()));
            for _ in 0..polls {
                let waker = Waker::noop();
                if future
                    .as_mut()
                    .poll(&mut Context::from_waker(waker))
                    .is_ready()
                {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        }
        let left = everything(&fixture.service, "alice").await;
        let resources = left["resources"].as_array().unwrap().len();
        assert!(resources <= 1);
        let again = fixture.service.memorize(request).await.unwrap();
        assert_eq!(
            again.status == MemorizeStatus::Unchanged,
            resources == 1,
            "{polls}"
        );
        let all = everything(&fixture.service, "alice").await;
        if resources == 1 {
            assert_eq!(all, left, "what was there was whole");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_to_one_scope_all_land() {
    for store in stores() {
        let fixture = service(store).await;
        let service = Arc::new(fixture.service.clone());
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let service = service.clone();
                tokio::spawn(async move {
                    for at in 0..5 {
                        let id = format!("{task}-{at}");
                        let text = format!("I visited the town number{task}{at} last week.");
                        let bytes = conversation(&id, &[("Nora", text.as_str())]);
                        let url = format!("{id}.json");
                        let request = MemorizeRequest::content(bytes, url, Modality::Conversation)
                            .user("user_id", "alice");
                        service.memorize(request).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let all = everything(&fixture.service, "alice").await;
        assert_eq!(all["resources"].as_array().unwrap().len(), 40, "{store}");
        assert_eq!(all["items"].as_array().unwrap().len(), 40, "{store}");
        let mut names: Vec<_> = all["categories"]
            .as_array()
            .unwrap()
            .iter()
            .map(|category| category["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 10, "no category was made twice");
    }
}

#[tokio::test]
async fn equal_input_gives_equal_answers_on_every_store() {
    let mut answers = Vec::new();
    for store in stores().iter().chain(&stores()) {
        let fixture = service(store).await;
        fixture.memorize(conversation("c", &TALK), "alice").await;
        let question = RetrieveRequest {
            explain: true,
            ..RetrieveRequest::question("What did Theo say about Lisbon and the cello?")
                .matching("user_id", "alice")
        };
        let answer = fixture.service.retrieve(question).await.unwrap();
        answers.push(serde_json::to_string_pretty(&answer).unwrap());
    }
    for answer in &answers[1..] {
        assert_eq!(*answer, answers[0]);
    }
}

#[tokio::test]
async fn small_talk_needs_no_memory() {
    let fixture = service("inmemory").await;
    fixture.memorize(conversation("c", &TALK), "alice").await;
    let question = RetrieveRequest::question("Good morning!").matching("user_id", "alice");
    let answer = fixture.service.retrieve(question).await.unwrap();
    assert!(!answer.needs_retrieval);
    assert!(answer.items.is_empty() && answer.segments.is_empty());
}

#[tokio::test]
async fn an_image_needs_a_caption_and_is_found_by_it() {
    let fixture = service("inmemory").await;
    let image = || {
        MemorizeRequest::content(&b"\x89PNG\r\n"[..], "cat.png", Modality::Image)
            .user("user_id", "alice")
    };
    let error = fixture.service.memorize(image()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.message(),
        "the local provider cannot look at or listen to a resource of modality image; hand in a \
         caption or transcript, or configure a model that can in llm_profiles \
         (memorize_config.preprocess_llm_profile)"
    );
    assert_eq!(
        everything(&fixture.service, "alice").await["resources"],
        json!([])
    );
    let mut captioned = image();
    captioned.caption = Some("A grey cat asleep on a keyboard.".to_owned());
    fixture.service.memorize(captioned).await.unwrap();
    let question =
        RetrieveRequest::question("Where does the cat sleep?").matching("user_id", "alice");
    let answer = fixture.service.retrieve(question).await.unwrap();
    assert_eq!(
        answer.segments[0].segment.text,
        "A grey cat asleep on a keyboard."
    );
    assert_eq!(answer.segments[0].segment.role, None::<Role>);
    assert_eq!(answer.resources[0].resource.url, "cat.png");
}

#[tokio::test]
async fn a_scope_that_another_process_forgot_and_filled_again_is_read_anew() {
    let fixture = service("sqlite").await;
    let file = fixture.folder.path().join("memu.db").display().to_string();
    let other = memu::open(&file).await.unwrap();
    let add = |content: &str| memu::CreateItem {
        memory_type: "profile".to_owned(),
        content: content.to_owned(),
        categories: Vec::new(),
        user: serde_json::from_value(json!({"user_id": "alice"})).unwrap(),
        propagate: true,
        extra: serde_json::Map::new(),
    };
    let known = || async {
        let question = RetrieveRequest::question("What does Ann like?");
        let question = question.matching("user_id", "alice");
        let answer = fixture.service.retrieve(question).await.unwrap();
        let items = answer.items.into_iter();
        items.map(|hit| hit.item.summary).collect::<Vec<_>>()
    };
    fixture
        .service
        .create_memory_item(add("Ann likes tea"))
        .await
        .unwrap();
    assert_eq!(known().await, ["Ann likes tea"]);
    let alice = serde_json::from_value(json!({"user_id": "alice"})).unwrap();
    other.clear_memory(&alice, false).await.unwrap();
    other
        .create_memory_item(add("Ann likes rye"))
        .await
        .unwrap();
    // As many changes as before: only the life tells that these are others.
    assert_eq!(known().await, ["Ann likes rye"]);
}

#[tokio::test]
async fn a_follow_up_finds_what_it_refers_to() {
    let fixture = service("sqlite").await;
    let chat = conversation(
        "trips",
        &[
            ("Nora", "On Monday I visited the lighthouse with my sister."),
            ("Theo", "I spent Monday at the dentist."),
            (
                "Nora",
                "After the lighthouse we went to the fish market and ate herring.",
            ),
            ("Theo", "After the dentist I went home and slept."),
        ],
    );
    let request = MemorizeRequest::content(chat, "trips.json", Modality::Conversation);
    fixture
        .service
        .memorize(request.user("user_id", "alice"))
        .await
        .unwrap();
    let query = |text: &str| memu::Message {
        role: Role::User,
        text: text.to_owned(),
    };
    let request = RetrieveRequest {
        queries: vec![
            query("When did Nora visit the lighthouse?"),
            query("And where did she go after that?"),
        ],
        ..RetrieveRequest::default()
    };
    let answer = fixture.service.retrieve(request).await.unwrap();
    assert_eq!(answer.original_query, "And where did she go after that?");
    assert_eq!(
        answer.rewritten_query,
        "And where did she go after that? (nora visit lighthouse)"
    );
    let first_two = answer.segments.iter().take(2);
    assert!(
        first_two
            .clone()
            .any(|hit| hit.segment.text.contains("fish market")),
        "{:#?}",
        answer.segments
    );
    assert!(
        first_two
            .clone()
            .all(|hit| hit.segment.speaker.as_deref() == Some("Nora"))
    );
    // On its own the same question could mean either.
    let alone = RetrieveRequest::question("And where did she go after that?");
    let alone = fixture.service.retrieve(alone).await.unwrap();
    assert_eq!(alone.rewritten_query, alone.original_query);
}
