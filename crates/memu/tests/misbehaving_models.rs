//! What becomes of memories when models misbehave: nothing is half written, and nothing that was
//! paid for is lost.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use memu::core::records::ReplyState;
use memu::{Error, ErrorKind, ListRequest};
use memu_testkit::models::{Asked, FakeProvider, Fault};
use support::models::{
    KEY, chats, counts, embeddings, kept_by_step, memorize, memorize_parrot, model, replies,
    service, settings,
};
use support::user;

/// Every way in which the answers to chats go wrong, until told otherwise.
fn misbehaviours() -> Vec<(&'static str, Fault)> {
    vec![
        ("refused as too many", Fault::status(429).retry_after("0")),
        ("an error of the server", Fault::status(500)),
        ("a reset", Fault::ResetBeforeHeaders),
        ("an empty reply", Fault::Empty),
        ("a page instead of JSON", Fault::Garbage),
        ("half of the JSON", Fault::Truncated),
    ]
}

#[tokio::test]
async fn when_a_model_misbehaves_nothing_is_half_written_and_the_next_run_is_cheaper() {
    for (name, fault) in misbehaviours() {
        let folder = tempfile::tempdir().unwrap();
        // All summaries fail: what was extracted before was paid for.
        let spoiled = fault.clone();
        let healthy = Arc::new(AtomicBool::new(false));
        let is_healthy = healthy.clone();
        let server = FakeProvider::builder()
            .chat(model)
            .fault_when(move |request| {
                let asked = request.asked();
                let schema = asked.schema.clone().unwrap_or_default();
                let summary = schema["properties"].get("summaries").is_some();
                let ill = !is_healthy.load(Ordering::SeqCst);
                (summary && ill).then(|| spoiled.clone())
            })
            .start();
        let service = service(&folder.path().join("memu.db"), settings(&server)).await;
        let error = memorize(&service).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Model, "{name}: {error}");
        let told = told(&error);
        for expected in ["profile=default", "model=openai/one", "step=persist_index"] {
            assert!(told.contains(expected), "{name}: {told}");
        }
        assert!(!told.contains(KEY), "{name}: {told}");
        assert_eq!(counts(&service).await, [0; 4], "{name}");
        let extracted = kept_by_step(&service, "extract_items").await;
        assert!(extracted >= 5, "{name}: {extracted} replies are kept");
        server.forget_requests();
        healthy.store(true, Ordering::SeqCst);
        memorize(&service).await.unwrap();
        assert!(chats(&server) <= 2, "{name}: {} chats", chats(&server));
        assert_eq!(counts(&service).await[2], 100, "{name}");
    }
}

#[tokio::test]
async fn a_good_summary_stays_when_the_next_one_is_useless() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder()
        .chat(|asked: &Asked| {
            let is_summary = asked
                .schema
                .as_ref()
                .is_some_and(|schema| schema["properties"].get("summaries").is_some());
            if is_summary && asked.prompt.contains("a parrot") {
                return "As you wish.".to_owned();
            }
            model(asked)
        })
        .start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    memorize(&service).await.unwrap();
    let before = counts(&service).await;
    let error = memorize_parrot(&service).await.unwrap_err();
    assert!(told(&error).contains("answers=3"), "{}", told(&error));
    assert_eq!(counts(&service).await, before);
    let request = ListRequest {
        filter: user("nora"),
        ..ListRequest::default()
    };
    let categories = service
        .list_memory_categories(request)
        .await
        .unwrap()
        .records;
    let activities = categories
        .iter()
        .find(|one| one.name == "activities")
        .unwrap();
    assert_eq!(
        activities.summary.as_deref(),
        Some("What was said, in short.")
    );
    let failed = replies(&service).await;
    let failed: Vec<_> = failed
        .iter()
        .filter(|one| one.state == ReplyState::Failed)
        .collect();
    assert_eq!(failed.len(), 3);
    assert!(
        failed
            .iter()
            .all(|one| one.text.contains("As you wish.") && one.error.is_some())
    );
    let stats = service.stats(&user("nora"), false).await.unwrap();
    let summaries = stats
        .model_calls
        .iter()
        .find(|one| one.step == "persist_index")
        .unwrap();
    assert_eq!(summaries.unusable, 3);
    assert!(summaries.input_tokens > 0);
}

#[tokio::test]
async fn vectors_that_are_none_are_refused_and_nothing_is_written() {
    for (name, fault) in [
        ("a wrong dimension", Fault::WrongDimension),
        ("not a number", Fault::NotANumber),
        ("all zeros", Fault::Zeros),
        ("one is missing", Fault::MissingVector),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let ill = Arc::new(AtomicBool::new(true));
        let is_ill = ill.clone();
        let server = FakeProvider::builder()
            .chat(model)
            .fault_when(move |request| {
                let spoil = request.asked().is_embedding() && is_ill.load(Ordering::SeqCst);
                spoil.then(|| fault.clone())
            })
            .start();
        let service = service(&folder.path().join("memu.db"), settings(&server)).await;
        let error = memorize(&service).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Model, "{name}: {error}");
        assert_eq!(counts(&service).await, [0; 4], "{name}");
        let kept = replies(&service).await;
        let failed = kept.iter().filter(|one| one.state == ReplyState::Failed);
        assert!(failed.count() > 0, "{name}: what came is kept");
        server.forget_requests();
        ill.store(false, Ordering::SeqCst);
        memorize(&service).await.unwrap();
        assert_eq!(chats(&server), 0, "{name}: what chats answered is known");
    }
}

#[tokio::test]
async fn vectors_that_came_before_others_failed_are_not_paid_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let ill: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
    let of_one = ill.clone();
    let cured = Arc::new(AtomicBool::new(false));
    let is_cured = cured.clone();
    let server = FakeProvider::builder()
        .chat(model)
        .fault_when(move |request| {
            if !request.asked().is_embedding() || is_cured.load(Ordering::SeqCst) {
                return None;
            }
            // All attempts of the call that comes first.
            let mut ill = of_one.lock().unwrap();
            let ill = ill.get_or_insert_with(|| request.body.clone());
            (*ill == request.body).then(|| Fault::status(500))
        })
        .start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    let error = memorize(&service).await.unwrap_err();
    for part in [
        "step=embed_memories",
        "profile=default",
        "model=openai/two",
        "attempts=2",
    ] {
        assert!(told(&error).contains(part), "{}", told(&error));
    }
    assert_eq!(counts(&service).await, [0; 4]);
    assert_eq!(kept_by_step(&service, "embed_memories").await, 2);
    server.forget_requests();
    cured.store(true, Ordering::SeqCst);
    memorize(&service).await.unwrap();
    assert_eq!((chats(&server), embeddings(&server)), (0, 1));
    // The vectors are stored; their replies said nothing else.
    assert_eq!(kept_by_step(&service, "embed_memories").await, 0);
    let stats = service.stats(&user("nora"), false).await.unwrap();
    let embedded = stats
        .model_calls
        .iter()
        .find(|one| one.step == "embed_memories");
    let embedded = embedded.unwrap();
    assert_eq!((embedded.calls, embedded.unusable), (3, 0));
    assert!(embedded.input_tokens > 0);
}

fn told(error: &Error) -> String {
    let context = error.context().iter();
    let context: Vec<String> = context
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!("{error} {}", context.join(" "))
}
