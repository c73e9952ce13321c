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

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use memu::core::records::{MemoryCategory, ModelReply, ReplyState};
use memu::{Error, ErrorKind, ListRequest, MemoryService};
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
        ("a time-out", Fault::Delay(Duration::from_secs(30))),
        ("a reset", Fault::ResetBeforeHeaders),
        (
            "a reset in the middle of the body",
            Fault::ResetAfterHeaders,
        ),
        ("an empty reply", Fault::Empty),
        ("a page instead of JSON", Fault::Garbage),
        ("half of the JSON", Fault::Truncated),
    ]
}

/// A server whose summaries go wrong unless it is healthy.
fn failing(fault: &Fault, healthy: &Arc<AtomicBool>) -> FakeProvider {
    let (fault, healthy) = (fault.clone(), healthy.clone());
    FakeProvider::builder()
        .chat(model)
        .fault_when(move |request| {
            let schema = request.asked().schema.unwrap_or_default();
            let summary = schema["properties"].get("summaries").is_some();
            let ill = !healthy.load(Ordering::SeqCst);
            (summary && ill).then(|| fault.clone())
        })
        .start()
}

async fn service_of(path: &Path, server: &FakeProvider, fault: &Fault) -> MemoryService {
    let mut settings = settings(server);
    if matches!(fault, Fault::Delay(_)) {
        settings.llm_profiles.get_mut("default").unwrap().timeout_s = Some(1.0);
    }
    service(path, settings).await
}

/// That an error says who failed at what, and not by which key.
fn check_error(name: &str, error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Model, "{name}: {error}");
    let told = told(error);
    for expected in ["profile=default", "model=openai/one", "step=persist_index"] {
        assert!(told.contains(expected), "{name}: {told}");
    }
    assert!(!told.contains(KEY), "{name}: {told}");
}

/// That what came is kept as it came, where anything did.
fn check_kept(name: &str, fault: &Fault, kept: &[ModelReply]) {
    let failed = kept.iter().filter(|one| one.state == ReplyState::Failed);
    let bodies: Vec<&str> = failed.map(|one| one.text.as_str()).collect();
    match fault {
        Fault::Garbage => {
            let page = "<html><body>Bad gateway</body></html>";
            assert!(!bodies.is_empty(), "{name}");
            assert!(
                bodies.iter().all(|body| *body == page),
                "{name}: {bodies:?}"
            );
        }
        Fault::Truncated => {
            let part = |body: &&str| body.starts_with('{') && !body.ends_with('}');
            assert!(!bodies.is_empty(), "{name}");
            assert!(bodies.iter().all(part), "{name}: {bodies:?}");
        }
        Fault::Body(text) => {
            assert!(!bodies.is_empty(), "{name}");
            assert!(bodies.iter().all(|body| body == text), "{name}: {bodies:?}");
        }
        _ => assert!(bodies.is_empty(), "{name}: {bodies:?}"),
    }
}

#[tokio::test]
async fn when_a_model_misbehaves_nothing_is_half_written_and_the_next_run_is_cheaper() {
    for (name, fault) in misbehaviours() {
        let folder = tempfile::tempdir().unwrap();
        // All summaries fail: what was extracted before was paid for.
        let healthy = Arc::new(AtomicBool::new(false));
        let server = failing(&fault, &healthy);
        let service = service_of(&folder.path().join("memu.db"), &server, &fault).await;
        check_error(name, &memorize(&service).await.unwrap_err());
        assert_eq!(counts(&service).await, [0; 4], "{name}");
        check_kept(name, &fault, &replies(&service).await);
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
async fn when_a_model_misbehaves_what_was_good_before_stays_as_it_was() {
    let whole = {
        let folder = tempfile::tempdir().unwrap();
        let server = FakeProvider::builder().chat(model).start();
        let service = service(&folder.path().join("memu.db"), settings(&server)).await;
        memorize_parrot(&service).await.unwrap();
        chats(&server)
    };
    for (name, fault) in misbehaviours() {
        let folder = tempfile::tempdir().unwrap();
        let healthy = Arc::new(AtomicBool::new(true));
        let server = failing(&fault, &healthy);
        let service = service_of(&folder.path().join("memu.db"), &server, &fault).await;
        memorize(&service).await.unwrap();
        let before = (counts(&service).await, categories(&service).await);
        assert!(before.1.iter().any(|one| one.summary.is_some()), "{name}");
        healthy.store(false, Ordering::SeqCst);
        check_error(name, &memorize_parrot(&service).await.unwrap_err());
        let after = (counts(&service).await, categories(&service).await);
        assert_eq!(after, before, "{name}");
        check_kept(name, &fault, &replies(&service).await);
        server.forget_requests();
        healthy.store(true, Ordering::SeqCst);
        memorize_parrot(&service).await.unwrap();
        assert!(chats(&server) < whole, "{name}: {} chats", chats(&server));
        assert_eq!(counts(&service).await[2], 101, "{name}");
    }
}

/// Another server may run another model under the same name.
#[tokio::test]
async fn what_one_server_answered_is_not_taken_for_the_answer_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memu.db");
    let healthy = Arc::new(AtomicBool::new(false));
    let first = failing(&Fault::status(500), &healthy);
    let asked_first = service(&path, settings(&first)).await;
    memorize(&asked_first).await.unwrap_err();
    let kept = kept_by_step(&asked_first, "extract_items").await;
    asked_first.close().await.unwrap();
    let second = failing(&Fault::status(500), &healthy);
    let asked_second = service(&path, settings(&second)).await;
    memorize(&asked_second).await.unwrap_err();
    let extracting = |server: &FakeProvider| {
        let requests = server.requests();
        let schemas = requests.iter().filter_map(|one| one.asked().schema);
        let extracting = schemas.filter(|one| one["properties"].get("caption").is_some());
        extracting.count()
    };
    assert_eq!(extracting(&second), kept);
    asked_second.close().await.unwrap();
    // The first one is known where it was.
    first.forget_requests();
    healthy.store(true, Ordering::SeqCst);
    memorize(&service(&path, settings(&first)).await)
        .await
        .unwrap();
    assert_eq!(extracting(&first), 0);
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
    let categories = categories(&service).await;
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

async fn categories(service: &MemoryService) -> Vec<MemoryCategory> {
    let request = ListRequest {
        filter: user("nora"),
        ..ListRequest::default()
    };
    let page = service.list_memory_categories(request).await.unwrap();
    page.records
}

fn told(error: &Error) -> String {
    let context = error.context().iter();
    let context: Vec<String> = context
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!("{error} {}", context.join(" "))
}
