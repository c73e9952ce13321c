//! Ollama's own form, which unlike its imitation of OpenAI's takes the size of the context.

use memu_core::Result;
use memu_core::provider::{ChatMessage, ChatReply, ChatRequest, FinishReason};
use serde_json::{Value, json};

use super::{Manner, base64, conversation, decimal, instructions, put, reply, speaker};
use crate::presets::Json;

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
    if let Some(context) = manner.context_tokens {
        put(&mut options, "num_ctx", context);
    }
    let mut body = json!({
        "model": manner.model,
        "messages": messages,
        "stream": false,
        "options": options,
    });
    if let (Some(format), Json::Schema) = (&request.format, manner.json) {
        put(&mut body, "format", format.schema.clone());
    }
    body
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
