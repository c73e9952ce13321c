//! Ollama's own form, which unlike its imitation of OpenAI's takes the size of the context.

use memu_core::Result;
use memu_core::provider::{ChatMessage, ChatReply, ChatRequest, FinishReason};
use serde_json::{Value, json};

use super::{Manner, base64, conversation, decimal, instructions, put, reply, speaker};
use crate::presets::Json;

/// What its server keeps in mind unless it is told otherwise, on most machines.
const DEFAULT_CONTEXT: u32 = 4096;
/// Room for an answer whose length is not limited.
const ROOM_FOR_ANSWER: u32 = 2048;

pub(super) fn body(request: &ChatRequest, manner: Manner<'_>) -> Value {
    let system = instructions(request, manner.json);
    let system = system.map(|text| json!({"role": "system", "content": text}));
    let messages: Vec<Value> = system
        .into_iter()
        .chain(conversation(request).map(message))
        .collect();
    let mut options = json!({});
    if let Some(temperature) = manner.temperature {
        put(&mut options, "temperature", decimal(temperature));
    }
    if let Some(most) = manner.max_tokens {
        put(&mut options, "num_predict", most);
    }
    if let Some(context) = manner
        .context_tokens
        .or_else(|| needed_context(request, manner))
    {
        put(&mut options, "num_ctx", context);
    }
    let mut body = json!({
        "model": manner.model,
        "messages": messages,
        "stream": false,
        "options": options,
    });
    match (&request.format, manner.json) {
        (Some(format), Json::Schema) => put(&mut body, "format", format.schema.clone()),
        (Some(_), Json::Object) => put(&mut body, "format", "json"),
        _ => {}
    }
    body
}

/// The context that a request needs, where that is more than the default: what does not fit is
/// dropped without a word. A power of two, because the model is loaded anew for every size.
fn needed_context(request: &ChatRequest, manner: Manner<'_>) -> Option<u32> {
    let bytes: usize = request
        .messages
        .iter()
        .map(|message| message.content.len())
        .sum();
    // Tokens have three bytes or more, in nearly every language.
    let tokens = u32::try_from(bytes / 3).unwrap_or(u32::MAX);
    let needed = tokens.saturating_add(manner.max_tokens.unwrap_or(ROOM_FOR_ANSWER));
    (needed > DEFAULT_CONTEXT).then(|| needed.checked_next_power_of_two().unwrap_or(needed))
}

fn message(message: &ChatMessage) -> Value {
    let role = speaker(message.role, "assistant");
    let mut out = json!({"role": role, "content": message.content});
    if !message.images.is_empty() {
        put(
            &mut out,
            "images",
            message.images.iter().map(base64).collect::<Vec<_>>(),
        );
    }
    out
}

pub(super) fn read(body: &str) -> Result<ChatReply> {
    let value = reply::parse(body)?;
    let message = value
        .get("message")
        .ok_or_else(|| reply::lacks("message"))?;
    let text = reply::text_of(message.get("content").unwrap_or(&Value::Null));
    let finish = match value.get("done_reason").and_then(Value::as_str) {
        Some("stop") => FinishReason::Stop,
        Some("length") => FinishReason::Length,
        _ => FinishReason::Other,
    };
    let usage = reply::usage(Some(&value), &["prompt_eval_count"], &["eval_count"]);
    reply::answer(text, finish, usage)
}
