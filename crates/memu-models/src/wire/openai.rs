//! OpenAI's chat completions and transcriptions, which most providers speak.

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
    let mut body = json!({"model": manner.model, "messages": messages});
    match (&request.format, manner.json) {
        (Some(format), Json::Schema) => {
            let schema = json!({"name": format.name, "strict": true, "schema": format.schema});
            put(
                &mut body,
                "response_format",
                json!({"type": "json_schema", "json_schema": schema}),
            );
        }
        (Some(_), Json::Object) => {
            put(&mut body, "response_format", json!({"type": "json_object"}));
        }
        _ => {}
    }
    if let Some(temperature) = manner.temperature {
        put(&mut body, "temperature", decimal(temperature));
    }
    if let Some(most) = manner.max_tokens {
        put(&mut body, manner.limit.name(), most);
    }
    body
}

fn message(message: &ChatMessage) -> Value {
    let role = speaker(message.role, "assistant");
    if message.images.is_empty() {
        return json!({"role": role, "content": message.content});
    }
    let text = json!({"type": "text", "text": message.content});
    let images = message.images.iter().map(|image| {
        let url = format!("data:{};base64,{}", image.media_type, base64(image));
        json!({"type": "image_url", "image_url": {"url": url}})
    });
    let content: Vec<Value> = std::iter::once(text).chain(images).collect();
    json!({"role": role, "content": content})
}

pub(super) fn read(body: &str) -> Result<ChatReply> {
    let value = reply::parse(body)?;
    let choice = value
        .pointer("/choices/0")
        .ok_or_else(|| reply::lacks("choices"))?;
    if let Some(error) = choice.get("error").filter(|error| !error.is_null()) {
        return reply::parse(&json!({"error": error}).to_string()).and(Err(reply::lacks("answer")));
    }
    let message = choice
        .get("message")
        .ok_or_else(|| reply::lacks("message"))?;
    if let Some(why) = message.get("refusal").and_then(Value::as_str)
        && !why.is_empty()
    {
        return Err(reply::refused(why));
    }
    let text = reply::text_of(message.get("content").unwrap_or(&Value::Null));
    let finish = match choice.get("finish_reason").and_then(Value::as_str) {
        Some("stop" | "eos" | "end_turn") => FinishReason::Stop,
        Some("length" | "max_tokens" | "model_length") => FinishReason::Length,
        Some("content_filter") => FinishReason::ContentFilter,
        _ => FinishReason::Other,
    };
    let usage = reply::usage(
        value.get("usage"),
        &["prompt_tokens"],
        &["completion_tokens"],
    );
    reply::answer(text, finish, usage)
}

pub(super) fn read_transcript(body: &str) -> Result<ChatReply> {
    let value = reply::parse(body)?;
    let text = value.get("text").and_then(Value::as_str);
    let text = text.ok_or_else(|| reply::lacks("text"))?;
    let usage = reply::usage(
        value.get("usage"),
        &["input_tokens", "prompt_tokens"],
        &["output_tokens", "completion_tokens"],
    );
    reply::answer(text.to_owned(), FinishReason::Stop, usage)
}
