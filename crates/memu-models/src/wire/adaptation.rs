use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Manner;
use crate::presets::{ChatWire, Json, Limit};
use crate::transport::Failure;

/// What a model turned out not to take. Newer models refuse settings that older ones need, and
/// no list of them stays right for long; so a request that is refused because of one is made
/// again without it, and later ones are made without it at once.
#[derive(Debug, Default)]
pub(super) struct Adaptation {
    without_temperature: AtomicBool,
    other_limit: AtomicBool,
    /// The surest way to an answer in form that was not refused.
    json: Mutex<Option<Json>>,
}

impl Adaptation {
    /// The manner with what has been learnt.
    pub(super) fn apply<'a>(&self, mut manner: Manner<'a>) -> Manner<'a> {
        let learnt = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        if learnt(&self.without_temperature) {
            manner.temperature = None;
        }
        let json = *self.json.lock().unwrap_or_else(PoisonError::into_inner);
        manner.json = manner.json.max(json.unwrap_or(manner.json));
        if learnt(&self.other_limit) {
            manner.limit = match manner.limit {
                Limit::MaxTokens => Limit::MaxCompletionTokens,
                Limit::MaxCompletionTokens => Limit::MaxTokens,
            };
        }
        manner
    }

    /// Learns from a refusal of what was asked in this manner; whether it is worth asking
    /// again. `limit` is what the provider is known to call its limit.
    pub(super) fn learn(&self, failure: &Failure, asked: &Manner<'_>, limit: Limit) -> bool {
        if !matches!(failure.status, Some(400 | 422)) {
            return false;
        }
        let says = |signs: &[&str]| signs.iter().any(|sign| failure.body.contains(sign));
        // Another call may have learnt it in the meantime: this one was made without knowing.
        let learn = |flag: &AtomicBool| {
            flag.store(true, Ordering::Relaxed);
            true
        };
        if asked.temperature.is_some() && says(&["temperature"]) {
            return learn(&self.without_temperature);
        }
        let known = asked.max_tokens.is_some() && asked.limit == limit;
        if known && says(&[limit.name()]) && says(&UNKNOWN) {
            return learn(&self.other_limit);
        }
        let formatted = asked.formatted && asked.json != Json::Explained;
        if formatted && says(&SCHEMA) {
            let mut json = self.json.lock().unwrap_or_else(PoisonError::into_inner);
            *json = (*json).max(Some(next(asked.json, asked.wire)));
            return true;
        }
        false
    }
}

/// The next way to an answer in form, when one is refused.
fn next(json: Json, wire: ChatWire) -> Json {
    match (json, wire) {
        (Json::Schema, ChatWire::Anthropic) => Json::Tool,
        (Json::Schema, _) => Json::Object,
        _ => Json::Explained,
    }
}

/// How providers say that they do not know a name. A number that is too large is refused in
/// other words, and would be so under any name.
const UNKNOWN: [&str; 6] = [
    "instead",
    "nsupported",
    "not supported",
    "nrecognized",
    "nknown",
    "not permitted",
];

/// What providers call the form of an answer.
const SCHEMA: [&str; 10] = [
    "output_config",
    "output_format",
    "response_format",
    "json_schema",
    "json_object",
    "tool_choice",
    "input_schema",
    "responseJsonSchema",
    "response_json_schema",
    "structured output",
];
