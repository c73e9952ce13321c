//! A model that sees and hears, and what is made of its answers.

use memu::core::records::Segment;
use memu::core::scope::ScopeSchema;
use memu::core::store::Query;
use memu::settings::Settings;
use memu::{Error, MemorizeRequest, MemorizeResponse, MemoryService, Modality, Result};
use memu_testkit::models::{Answer, Asked, FakeProvider, Language, Recorded};
use serde_json::json;

use super::models::model;

pub(crate) const CAPTION: &str = "Ines stands on a jetty.";
pub(crate) const DESCRIPTION: &str =
    "A woman in a yellow coat stands on a jetty. Behind her lies a dinghy.";

/// A model that sees the same in every picture, cleans transcripts up, and condenses documents.
pub(crate) fn seeing(asked: &Asked) -> Answer {
    let properties = &asked.schema.clone().unwrap_or_default()["properties"];
    if properties.get("description").is_some() {
        return json!({"caption": CAPTION, "description": DESCRIPTION}).into();
    }
    if properties.get("text").is_some() {
        let text = "We sail on Sunday. Yann brings the bread.";
        return json!({"caption": "A talk about sailing.", "text": text}).into();
    }
    model(asked).into()
}

pub(crate) async fn memorize(
    service: &MemoryService,
    bytes: &[u8],
    name: &str,
    modality: Modality,
) -> Result<MemorizeResponse> {
    let request = MemorizeRequest::content(bytes.to_vec(), name, modality);
    service.memorize(request.user("user_id", "nora")).await
}

pub(crate) async fn segments(service: &MemoryService) -> Vec<Segment> {
    let scope = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
    let query = Query::scope(&scope);
    service.store().segments(&query).await.unwrap().records
}

pub(crate) async fn texts(service: &MemoryService) -> Vec<String> {
    let segments = segments(service).await.into_iter();
    segments.map(|segment| segment.text).collect()
}

/// How many requests were for pictures, and how many for recordings.
pub(crate) fn media(server: &FakeProvider) -> (usize, usize) {
    let asked: Vec<Asked> = server.requests().iter().map(Recorded::asked).collect();
    let hears = |one: &&Asked| one.language == Some(Language::OpenAiTranscription);
    (
        asked
            .iter()
            .filter(|one| one.media > 0 && !hears(one))
            .count(),
        asked.iter().filter(hears).count(),
    )
}

pub(crate) fn told(error: &Error) -> String {
    let context = error.context().iter();
    let context: Vec<String> = context
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!("{error} {}", context.join(" "))
}

/// The same with settings of memorize changed.
pub(crate) fn with(mut settings: Settings, memorize: serde_json::Value) -> Settings {
    settings.memorize_config = serde_json::from_value(memorize).unwrap();
    settings.validate().unwrap();
    settings
}
