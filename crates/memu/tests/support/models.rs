//! Services whose models are a server of this machine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use memu::core::records::ModelReply;
use memu::core::scope::ScopeSchema;
use memu::core::store::Query;
use memu::providers::{Pause, Surroundings};
use memu::settings::{Layers, Settings};
use memu::{
    MemorizeRequest, MemorizeResponse, MemoryService, MemoryServiceBuilder, Modality, Result,
};
use memu_testkit::models::{Asked, FakeProvider};
use serde_json::json;

use super::user;

pub(crate) const KEY: &str = "sk-secret-of-nora";

/// Answers that come at once: nobody waits for a second attempt.
#[derive(Debug)]
pub(crate) struct NoPause;

#[async_trait]
impl Pause for NoPause {
    async fn pause(&self, _: Duration) {}
}

/// A model that understands our requests: one memory of every message, filed under the first
/// category, and summaries that say what they were given.
pub(crate) fn model(asked: &Asked) -> String {
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

pub(crate) fn settings(server: &FakeProvider) -> Settings {
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

pub(crate) async fn service(path: &Path, settings: Settings) -> MemoryService {
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
pub(crate) fn conversation() -> String {
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

pub(crate) async fn memorize(service: &MemoryService) -> Result<MemorizeResponse> {
    let bytes = conversation().into_bytes();
    let request = MemorizeRequest::content(bytes, "talk.json", Modality::Conversation);
    let request = request.user("user_id", "nora");
    service.memorize(request).await
}

/// One message that is new.
pub(crate) async fn memorize_parrot(service: &MemoryService) -> Result<MemorizeResponse> {
    let text = br#"[{"role": "user", "content": "I have a parrot since Friday"}]"#;
    let request = MemorizeRequest::content(text.to_vec(), "new.json", Modality::Conversation);
    service.memorize(request.user("user_id", "nora")).await
}

pub(crate) async fn replies(service: &MemoryService) -> Vec<ModelReply> {
    let scope = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
    let query = Query::scope(&scope);
    service.store().model_replies(&query).await.unwrap().records
}

pub(crate) async fn kept_by_step(service: &MemoryService, step: &str) -> usize {
    let replies = replies(service).await;
    replies.iter().filter(|reply| reply.step == step).count()
}

pub(crate) async fn counts(service: &MemoryService) -> [usize; 4] {
    let stats = service.stats(&user("nora"), false).await.unwrap();
    [
        stats.resources,
        stats.segments,
        stats.items,
        stats.categories,
    ]
}

pub(crate) fn chats(server: &FakeProvider) -> usize {
    let requests = server.requests();
    let asked = requests.iter().filter(|one| !one.asked().is_embedding());
    asked.count()
}

pub(crate) fn embeddings(server: &FakeProvider) -> usize {
    server.request_count() - chats(server)
}
