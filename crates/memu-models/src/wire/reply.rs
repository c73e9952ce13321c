use memu_core::provider::{ChatReply, FinishReason, Usage};
use memu_core::{Error, Result};
use serde_json::Value;

/// Reads a body as JSON, and finds the error that some providers send with status 200.
///
/// # Errors
/// [`ErrorKind::Model`](memu_core::ErrorKind::Model): retryable when the reply is empty, no
/// JSON or cut off, or when the provider says that it was busy.
pub(crate) fn parse(body: &str) -> Result<Value> {
    if body.trim().is_empty() {
        return Err(Error::model("the provider's reply is empty").retryable(true));
    }
    let value: Value = serde_json::from_str(body).map_err(|cause| {
        let what = if cause.is_eof() {
            "the provider's reply breaks off"
        } else {
            "the provider's reply is not JSON"
        };
        Error::model(what).retryable(true).caused_by(cause)
    })?;
    match value.get("error") {
        None | Some(Value::Null) => Ok(value),
        Some(error) => Err(reported(error)),
    }
}

/// The error that a reply holds in place of an answer.
fn reported(error: &Value) -> Error {
    let text = |key: &str| error.get(key).and_then(Value::as_str);
    let message = text("message")
        .or(error.as_str())
        .unwrap_or("no reason given");
    let code = ["code", "status", "type"].iter().find_map(|key| {
        let code = error.get(key)?;
        let number = code.as_u64().map(|number| number.to_string());
        number.or_else(|| code.as_str().map(str::to_owned))
    });
    let code = code.unwrap_or_default();
    let passing = [
        "408",
        "429",
        "500",
        "502",
        "503",
        "504",
        "529",
        "overloaded",
        "rate_limit",
        "timeout",
        "unavailable",
        "server_error",
        "api_error",
        "exhausted",
    ];
    let lower = code.to_lowercase();
    let retryable = passing.iter().any(|sign| lower.contains(sign));
    let error = Error::model(format!("the provider reports an error: {message}"));
    let error = error.retryable(retryable);
    if code.is_empty() {
        error
    } else {
        error.with("code", code)
    }
}

/// A reply that lacks what every answer has.
pub(super) fn lacks(what: &str) -> Error {
    Error::model(format!("the provider's reply has no {what}")).retryable(true)
}

/// The model will not answer, in its words or its provider's.
pub(super) fn refused(why: &str) -> Error {
    Error::model(format!("the model refused to answer: {why}"))
}

/// An answer; an error when the provider withheld all of it.
pub(super) fn answer(text: String, finish_reason: FinishReason, usage: Usage) -> Result<ChatReply> {
    if finish_reason == FinishReason::ContentFilter && text.trim().is_empty() {
        return Err(refused("the provider's filter withheld the answer"));
    }
    Ok(ChatReply {
        text,
        finish_reason,
        usage,
    })
}

/// No call takes more; whoever says so is wrong, and sums must not overflow.
pub(crate) const MOST_TOKENS: u64 = 1_000_000_000_000;

/// What a reply of any form says about its cost that is otherwise of no use.
pub(super) fn usage_of(body: &str) -> Usage {
    let value = serde_json::from_str(body).unwrap_or(Value::Null);
    let place = ["usage", "usageMetadata"]
        .into_iter()
        .find_map(|name| value.get(name));
    usage(
        place.or(Some(&value)),
        &[
            "prompt_tokens",
            "input_tokens",
            "promptTokenCount",
            "prompt_eval_count",
        ],
        &[
            "completion_tokens",
            "output_tokens",
            "candidatesTokenCount",
            "eval_count",
        ],
    )
}

/// What a reply says about its cost, by the first of the names for each that it has.
pub(super) fn usage(usage: Option<&Value>, input: &[&str], output: &[&str]) -> Usage {
    let number = |names: &[&str]| {
        let number = names.iter().find_map(|name| usage?.get(name)?.as_u64());
        number.unwrap_or(0).min(MOST_TOKENS)
    };
    Usage {
        input_tokens: number(input),
        output_tokens: number(output),
        ..Usage::default()
    }
}

/// The texts among the parts of a content, or the content if it is one text.
pub(super) fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter(|part| !is_thought(part));
            let texts = texts.filter_map(|part| part.get("text").and_then(Value::as_str));
            texts.collect()
        }
        _ => String::new(),
    }
}

/// Gemini marks what a model thought before it answered.
fn is_thought(part: &Value) -> bool {
    part.get("thought")
        .and_then(Value::as_bool)
        .unwrap_or(false)
}
