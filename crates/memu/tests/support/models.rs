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
use memu_testkit::models::{Asked, FakeProvider, obliging};
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

/// A model that understands our requests.
pub(crate) fn model(asked: &Asked) -> String {
    obliging(asked)
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
