//! Gemini's `generateContent`, which also hears.

use memu_core::Result;
use memu_core::provider::{ChatMessage, ChatReply, ChatRequest, FinishReason, Media};
use serde_json::{Value, json};

use super::{Manner, base64, conversation, decimal, instructions, put, reply, speaker};
use crate::presets::Json;

const TRANSCRIBE: &str = "Write down what is said in this recording, word for word, in the \
                          language in which it is said. Answer with that text and nothing else.";

pub(super) fn path(model: &str) -> String {
    format!("/v1beta/models/{}:generateContent", model_name(model))
}

/// Its own tools write `models/` before the name.
pub(crate) fn model_name(model: &str) -> &str {
    model.strip_prefix("models/").unwrap_or(model)
}

pub(super) fn body(request: &ChatRequest, manner: Manner<'_>) -> Value {
    let contents: Vec<Value> = conversation(request).map(content).collect();
    let mut config = json!({});
    if let Some(temperature) = manner.temperature {
        put(&mut config, "temperature", decimal(temperature));
    }
    if let Some(most) = manner.max_tokens {
        put(&mut config, "maxOutputTokens", most);
    }
    if let (Some(format), Json::Schema | Json::Object) = (&request.format, manner.json) {
        put(&mut config, "responseMimeType", "application/json");
        if manner.json == Json::Schema {
            put(&mut config, "responseJsonSchema", format.schema.clone());
        }
    }
    let mut body = json!({"contents": contents, "generationConfig": config});
    if let Some(system) = instructions(request, manner.json) {
        put(
            &mut body,
            "systemInstruction",
            json!({"parts": [{"text": system}]}),
        );
    }
    body
}

fn content(message: &ChatMessage) -> Value {
    let text = std::iter::once(json!({"text": message.content}));
    let parts: Vec<Value> = text.chain(message.images.iter().map(inline)).collect();
    json!({"role": speaker(message.role, "model"), "parts": parts})
}

fn inline(media: &Media) -> Value {
    json!({"inlineData": {"mimeType": media.media_type, "data": base64(media)}})
}

/// The body of a request for what a recording says.
pub(super) fn transcribe(recording: &Media) -> Value {
    let parts = json!([{"text": TRANSCRIBE}, inline(recording)]);
    json!({
        "contents": [{"role": "user", "parts": parts}],
        "generationConfig": {"temperature": 0},
    })
}

pub(super) fn read(body: &str) -> Result<ChatReply> {
    let value = reply::parse(body)?;
    if let Some(why) = value
        .pointer("/promptFeedback/blockReason")
        .and_then(Value::as_str)
    {
        return Err(reply::refused(why));
    }
    let candidate = value
        .pointer("/candidates/0")
        .ok_or_else(|| reply::lacks("candidates"))?;
    let parts = candidate.pointer("/content/parts").unwrap_or(&Value::Null);
    let finish = match candidate.get("finishReason").and_then(Value::as_str) {
        Some("STOP") => FinishReason::Stop,
        Some("MAX_TOKENS") => FinishReason::Length,
        Some(
            "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "LANGUAGE"
            | "IMAGE_SAFETY",
        ) => FinishReason::ContentFilter,
        _ => FinishReason::Other,
    };
    let cost = value.get("usageMetadata");
    let mut usage = reply::usage(cost, &["promptTokenCount"], &["candidatesTokenCount"]);
    // What it thought before it answered is paid for as well.
    usage.output_tokens += reply::usage(cost, &[], &["thoughtsTokenCount"]).output_tokens;
    reply::answer(reply::text_of(parts), finish, usage)
}
