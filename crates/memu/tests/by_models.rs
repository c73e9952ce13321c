//! Memorizing and answering by models: what they are asked, what is made of their answers, and
//! what becomes of it when they misbehave.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use memu::core::records::{ModelReply, ReplyState};
use memu::core::scope::ScopeSchema;
use memu::core::store::Query;
use memu::providers::{Pause, Surroundings};
use memu::settings::{Layers, Settings};
use memu::{
    Error, ErrorKind, Id, ListRequest, MemorizeRequest, MemorizeResponse, MemoryService,
    MemoryServiceBuilder, Modality, Result, RetrieveRequest,
};
use memu_testkit::models::{Answer, Asked, FakeProvider, Fault};
use serde_json::json;
use support::user;

const KEY: &str = "sk-secret-of-nora";

/// Answers that come at once: nobody waits for a second attempt.
#[derive(Debug)]
struct NoPause;

#[async_trait]
impl Pause for NoPause {
    async fn pause(&self, _: Duration) {}
}

/// A model that understands our requests: one memory of every message, filed under the first
/// category, and summaries that say what they were given.
fn model(asked: &Asked) -> String {
    let schema = asked.schema.clone().unwrap_or_default();
    let properties = &schema["properties"];
    if properties.get("caption").is_some() {
        let numbers = asked.prompt.lines().filter_map(|line| {
            let line = line.trim_start().strip_prefix('[')?;
            let (number, text) = line.split_once("] ")?;
            Some((number.parse::<u32>().ok()?, text.to_owned()))
        });
        let items = numbers.map(|(number, text)| {
            json!({
                "memory_type": "event",
                "content": format!("Somebody said {text}"),
                "message_numbers": [number],
                "categories": ["activities"],
                "happened_at": null,
            })
        });
        let items: Vec<_> = items.collect();
        return json!({"caption": "a talk", "items": items}).to_string();
    }
    if properties.get("summaries").is_some() {
        let entry = &properties["summaries"]["items"]["properties"]["category"];
        let names = entry["enum"].as_array().cloned().unwrap_or_default();
        let summaries = names
            .iter()
            .map(|name| json!({"category": name, "summary": "What was said, in short."}));
        return json!({"summaries": summaries.collect::<Vec<_>>()}).to_string();
    }
    if properties.get("needs_retrieval").is_some() {
        return json!({"needs_retrieval": true, "rewritten_query": "what was said"}).to_string();
    }
    if properties.get("sufficient").is_some() {
        return json!({"sufficient": false, "next_query": null}).to_string();
    }
    panic!("nobody knows what this asks: {schema}\n{}", asked.prompt)
}

fn settings(server: &FakeProvider) -> Settings {
    let profile = json!({
        "base_url": format!("{}/v1", server.base_url()),
        "api_key": KEY,
        "chat_model": "one",
        "embed_model": "two",
        "dimension": 8,
        "max_retries": 1,
        "timeout_s": 5.0,
    });
    Layers::new()
        .value(json!({"llm_profiles": {"default": profile}}))
        .settings()
        .unwrap()
}

async fn service(path: &Path, settings: Settings) -> MemoryService {
    let surroundings = Surroundings {
        pause: Arc::new(NoPause),
        ..Surroundings::default()
    };
    MemoryServiceBuilder::new()
        .settings(settings)
        .surroundings(surroundings)
        .database(&path.display().to_string())
        .build()
        .await
        .unwrap()
}

/// A hundred messages about five things.
fn conversation() -> String {
    let topics = [
        "the harbour and the boats in it",
        "a violin that needs new strings",
        "the garden with its old apple trees",
        "a train journey over the mountains",
        "bread, flour and the oven that smokes",
    ];
    let messages = (0..100).map(|number| {
        let topic = topics[number / 20];
        json!({
            "role": if number % 2 == 0 { "user" } else { "assistant" },
            "content": format!("Number {number} is about {topic}"),
            "created_at": format!("2026-03-{:02}T{:02}:{:02}:00", 1 + number / 20, 9, number % 20),
        })
    });
    json!({"id": "talk", "messages": messages.collect::<Vec<_>>()}).to_string()
}

async fn memorize(service: &MemoryService) -> Result<MemorizeResponse> {
    let bytes = conversation().into_bytes();
    let request = MemorizeRequest::content(bytes, "talk.json", Modality::Conversation);
    let request = request.user("user_id", "nora");
    service.memorize(request).await
}

/// One message that is new.
async fn memorize_parrot(service: &MemoryService) -> Result<MemorizeResponse> {
    let text = br#"[{"role": "user", "content": "I have a parrot since Friday"}]"#;
    let request = MemorizeRequest::content(text.to_vec(), "new.json", Modality::Conversation);
    service.memorize(request.user("user_id", "nora")).await
}

async fn replies(service: &MemoryService) -> Vec<ModelReply> {
    let scope = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
    let query = Query::scope(&scope);
    service.store().model_replies(&query).await.unwrap().records
}

async fn kept_by_step(service: &MemoryService, step: &str) -> usize {
    let replies = replies(service).await;
    replies.iter().filter(|reply| reply.step == step).count()
}

async fn counts(service: &MemoryService) -> [usize; 4] {
    let stats = service.stats(&user("nora"), false).await.unwrap();
    [
        stats.resources,
        stats.segments,
        stats.items,
        stats.categories,
    ]
}

fn chats(server: &FakeProvider) -> usize {
    let requests = server.requests();
    let asked = requests.iter().filter(|one| !one.asked().is_embedding());
    asked.count()
}

fn embeddings(server: &FakeProvider) -> usize {
    server.request_count() - chats(server)
}

#[tokio::test]
async fn a_hundred_messages_take_a_dozen_calls_and_memories_know_where_they_are_from() {
    let folder = tempfile::tempdir().unwrap();
    let latency = Duration::from_millis(200);
    let server = FakeProvider::builder().chat(model).latency(latency);
    let server = server.start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    let done = memorize(&service).await.unwrap();
    assert_eq!(done.items.len(), 100);
    assert!(chats(&server) <= 12, "{} chats", chats(&server));
    assert!(
        embeddings(&server) <= 3,
        "{} embeddings",
        embeddings(&server)
    );
    // Topics are asked about at the same time.
    let extracting = kept_by_step(&service, "extract_items").await;
    assert_eq!(extracting, 5);
    assert!(server.most_under_way() > 1);
    let kept = replies(&service).await;
    assert_eq!(kept.len(), chats(&server));
    assert!(kept.iter().all(|reply| reply.state == ReplyState::Parsed));
    let activities = done.categories.iter().find(|one| one.name == "activities");
    let summary = activities.unwrap().summary.as_deref();
    assert_eq!(summary, Some("What was said, in short."));
    let request = RetrieveRequest::question("violin strings").matching("user_id", "nora");
    let found = service.retrieve(request).await.unwrap();
    let hit = &found.items[0];
    assert!(hit.item.summary.ends_with(&hit.evidence[0].text), "{hit:?}");
    let scope = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
    let segments = service
        .store()
        .segments(&Query::scope(&scope))
        .await
        .unwrap();
    let captions = segments
        .records
        .iter()
        .filter(|one| one.topic_caption.as_deref() == Some("a talk"));
    assert_eq!(captions.count(), extracting);
}

#[tokio::test]
async fn the_same_content_again_asks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model).start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    memorize(&service).await.unwrap();
    server.forget_requests();
    memorize(&service).await.unwrap();
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn an_answer_with_everything_off_takes_no_chat_and_one_embedding() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model).start();
    let mut settings = settings(&server);
    settings.retrieve_config.route_intention = false;
    settings.retrieve_config.sufficiency_check = false;
    let service = service(&folder.path().join("memu.db"), settings).await;
    memorize(&service).await.unwrap();
    for _ in 0..2 {
        server.forget_requests();
        let request = RetrieveRequest::question("violin strings").matching("user_id", "nora");
        service.retrieve(request).await.unwrap();
        assert_eq!(chats(&server), 0);
        assert_eq!(embeddings(&server), 1);
    }
}

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
        let kept = replies(&service).await;
        let extracted = kept
            .iter()
            .filter(|one| one.step == "extract_items")
            .count();
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
        server.forget_requests();
        ill.store(false, Ordering::SeqCst);
        memorize(&service).await.unwrap();
        assert_eq!(chats(&server), 0, "{name}: what chats answered is known");
    }
}

#[tokio::test]
async fn prompts_of_users_take_the_place_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder()
        .chat(|asked: &Asked| {
            if asked.prompt.contains("Only tell of parrots")
                || asked.system.contains("Only tell of parrots")
            {
                return json!({"items": [{
                    "content": "A parrot came on Friday", "message_numbers": [1],
                    "categories": ["opinions"], "happened_at": null,
                }]})
                .to_string();
            }
            if asked.prompt.contains("As a sailor would")
                || asked.system.contains("As a sailor would")
            {
                return "Ahoy, a parrot.".to_owned();
            }
            model(asked)
        })
        .start();
    let mut settings = settings(&server);
    let own = json!({
        "memory_types": ["event", "knowledge"],
        "memory_type_prompts": {"knowledge": "Only tell of parrots."},
        "memory_categories": [
            {"name": "activities"},
            {"name": "opinions", "summary_prompt": "As a sailor would."},
        ],
    });
    settings.memorize_config = serde_json::from_value(own).unwrap();
    settings.validate().unwrap();
    let service = service(&folder.path().join("memu.db"), settings).await;
    let done = memorize_parrot(&service).await.unwrap();
    let types: Vec<&str> = done
        .items
        .iter()
        .map(|one| one.memory_type.as_str())
        .collect();
    assert_eq!(types, ["event", "knowledge"]);
    let opinions = done
        .categories
        .iter()
        .find(|one| one.name == "opinions")
        .unwrap();
    assert_eq!(opinions.summary.as_deref(), Some("Ahoy, a parrot."));
    assert_eq!(chats(&server), 4);
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_not_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    // It never gets further than the answer to six messages.
    let server = FakeProvider::builder().chat(|asked: &Asked| {
        let whole = model(asked);
        match whole.match_indices("\"memory_type\"").nth(6) {
            Some((end, _)) => Answer::from(&whole[..end]).cut_off(),
            None => Answer::from(whole),
        }
    });
    let server = server.start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    let done = memorize(&service).await.unwrap();
    assert_eq!(done.items.len(), 100);
    let cited: HashSet<&str> = done
        .items
        .iter()
        .flat_map(|item| item.segment_ids.iter().map(Id::as_str))
        .collect();
    assert_eq!(cited.len(), 100);
}

fn told(error: &Error) -> String {
    let context = error.context().iter();
    let context: Vec<String> = context
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!("{error} {}", context.join(" "))
}
