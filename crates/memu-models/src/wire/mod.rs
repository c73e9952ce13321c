//! Chat models: what is asked in each provider's form, and what is read from its replies.

mod adaptation;
mod anthropic;
mod client;
mod form;
pub(crate) mod gemini;
mod ollama;
mod openai;
mod reply;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memu_core::Result;
use memu_core::provider::{ChatMessage, ChatReply, ChatRequest, Media};
use memu_core::records::Role;
use serde_json::Value;

pub use client::ChatClient;
pub(crate) use reply::{MOST_TOKENS, parse};

use crate::presets::{ChatWire, Json, Limit};

/// How a request is to be put, besides what it says itself.
#[derive(Clone, Copy, Debug)]
struct Manner<'a> {
    wire: ChatWire,
    model: &'a str,
    json: Json,
    /// Whether there is a form to be followed.
    formatted: bool,
    limit: Limit,
    temperature: Option<f32>,
    max_tokens: Option<u32>,
    context_tokens: Option<u32>,
}

/// Where requests go, below the base address.
fn path(wire: ChatWire, model: &str) -> String {
    match wire {
        ChatWire::OpenAi => "/chat/completions".to_owned(),
        ChatWire::Anthropic => "/v1/messages".to_owned(),
        ChatWire::Gemini => gemini::path(model),
        ChatWire::Ollama => "/api/chat".to_owned(),
    }
}

/// The body of a request.
fn body(wire: ChatWire, request: &ChatRequest, manner: Manner<'_>) -> Value {
    match wire {
        ChatWire::OpenAi => openai::body(request, manner),
        ChatWire::Anthropic => anthropic::body(request, manner),
        ChatWire::Gemini => gemini::body(request, manner),
        ChatWire::Ollama => ollama::body(request, manner),
    }
}

/// Reads a reply; what it took is not known here.
fn read(wire: ChatWire, body: &str) -> Result<ChatReply> {
    match wire {
        ChatWire::OpenAi => openai::read(body),
        ChatWire::Anthropic => anthropic::read(body),
        ChatWire::Gemini => gemini::read(body),
        ChatWire::Ollama => ollama::read(body),
    }
}

/// Adds a field to an object.
pub(crate) fn put(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value.into());
    }
}

/// A number as it was written, not as the nearest of 32 bits looks in 64.
fn decimal(value: f32) -> Value {
    value
        .to_string()
        .parse::<f64>()
        .map_or(Value::Null, Value::from)
}

fn base64(media: &Media) -> String {
    STANDARD.encode(&media.bytes)
}

/// The instructions: all system messages, and the schema where it has to be explained.
fn instructions(request: &ChatRequest, json: Json) -> Option<String> {
    let system = request
        .messages
        .iter()
        .filter(|message| message.role == Role::System);
    let mut parts: Vec<String> = system.map(|message| message.content.clone()).collect();
    if let (Some(format), Json::Object | Json::Explained) = (&request.format, json) {
        parts.push(format!(
            "Answer with one JSON object and nothing else. It follows this JSON schema:\n{}",
            format.schema
        ));
    }
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// What is said, without the instructions.
fn conversation(request: &ChatRequest) -> impl Iterator<Item = &ChatMessage> {
    let messages = request.messages.iter();
    messages.filter(|message| message.role != Role::System)
}

/// Who speaks, for those who know only two: results of tools are told to the model.
fn speaker(role: Role, model: &'static str) -> &'static str {
    match role {
        Role::Assistant => model,
        Role::User | Role::System | Role::Tool => "user",
    }
}
