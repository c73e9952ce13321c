//! Anthropic's messages. Models since Claude 4.5 follow a schema; older ones can be made to use a
//! tool whose input has it, which the newest ones refuse.

use memu_core::Result;
use memu_core::provider::{ChatMessage, ChatReply, ChatRequest, FinishReason};
use serde_json::{Value, json};

use super::{Manner, base64, conversation, decimal, instructions, put, reply, speaker};
use crate::presets::Json;

/// The limit is not optional here; every model since Claude 3.5 writes as much.
const DEFAULT_MAX_TOKENS: u32 = 8192;

pub(super) fn body(request: &ChatRequest, manner: Manner<'_>) -> Value {
    let messages: Vec<Value> = conversation(request).map(message).collect();
    let mut body = json!({
        "model": manner.model,
        "max_tokens": manner.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS),
        "messages": messages,
    });
    if let Some(system) = instructions(request, manner.json) {
        put(&mut body, "system", system);
    }
    if let Some(temperature) = manner.temperature {
        // Theirs ends where that of others is half way.
        put(&mut body, "temperature", decimal(temperature.min(1.0)));
    }
    match (&request.format, manner.json) {
        (Some(format), Json::Schema) => {
            let format = json!({"type": "json_schema", "schema": format.schema});
            put(&mut body, "output_config", json!({"format": format}));
        }
        (Some(format), Json::Tool) => {
            let tool = json!({
                "name": format.name,
                "description": "Gives the answer.",
                "input_schema": format.schema,
            });
            put(&mut body, "tools", json!([tool]));
            let choice = json!({"type": "tool", "name": format.name});
            put(&mut body, "tool_choice", choice);
        }
        _ => {}
    }
    body
}

fn message(message: &ChatMessage) -> Value {
    let role = speaker(message.role, "assistant");
    if message.images.is_empty() {
        return json!({"role": role, "content": message.content});
    }
    let images = message.images.iter().map(|image| {
        let source =
            json!({"type": "base64", "media_type": image.media_type, "data": base64(image)});
        json!({"type": "image", "source": source})
    });
    let text = json!({"type": "text", "text": message.content});
    let text = (!message.content.is_empty()).then_some(text);
    json!({"role": role, "content": images.chain(text).collect::<Vec<_>>()})
}

pub(super) fn read(body: &str) -> Result<ChatReply> {
    let value = reply::parse(body)?;
    let content = value
        .get("content")
        .ok_or_else(|| reply::lacks("content"))?;
    let mut blocks = content.as_array().into_iter().flatten();
    let tool = blocks.find_map(|block| block.get("input"));
    let text = match tool {
        Some(input) => input.to_string(),
        None => reply::text_of(content),
    };
    let finish = match value.get("stop_reason").and_then(Value::as_str) {
        Some("end_turn" | "stop_sequence" | "tool_use") => FinishReason::Stop,
        Some("max_tokens" | "model_context_window_exceeded") => FinishReason::Length,
        Some("refusal") => return Err(reply::refused(&text)),
        _ => FinishReason::Other,
    };
    let usage = value.get("usage");
    let cached = ["cache_creation_input_tokens", "cache_read_input_tokens"]
        .map(|name| reply::usage(usage, &[name], &[]).input_tokens);
    let mut usage = reply::usage(usage, &["input_tokens"], &["output_tokens"]);
    // What is read from a cache is not counted among the others.
    usage.input_tokens += cached.iter().sum::<u64>();
    reply::answer(text, finish, usage)
}
