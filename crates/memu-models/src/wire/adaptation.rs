use std::sync::atomic::{AtomicBool, Ordering};

use super::Manner;
use crate::presets::{Json, Limit};
use crate::transport::Failure;

/// What a model turned out not to take. Newer models refuse settings that older ones need, and
/// no list of them stays right for long; so a request that is refused because of one is made
/// again without it, and later ones are made without it at once.
#[derive(Debug, Default)]
pub(super) struct Adaptation {
    without_temperature: AtomicBool,
    without_schema: AtomicBool,
    other_limit: AtomicBool,
}

impl Adaptation {
    /// The manner with what has been learnt.
    pub(super) fn apply<'a>(&self, mut manner: Manner<'a>) -> Manner<'a> {
        let learnt = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        if learnt(&self.without_temperature) {
            manner.temperature = None;
        }
        if learnt(&self.without_schema) {
            manner.json = Json::Explained;
        }
        if learnt(&self.other_limit) {
            manner.limit = match manner.limit {
                Limit::MaxTokens => Limit::MaxCompletionTokens,
                Limit::MaxCompletionTokens => Limit::MaxTokens,
            };
        }
        manner
    }

    /// Learns from a refusal; whether there was something new in it.
    pub(super) fn learn(&self, failure: &Failure, asked: &Manner<'_>, formatted: bool) -> bool {
        if !matches!(failure.status, Some(400 | 422)) {
            return false;
        }
        let says = |signs: &[&str]| signs.iter().any(|sign| failure.body.contains(sign));
        let learn = |flag: &AtomicBool| !flag.swap(true, Ordering::Relaxed);
        if asked.temperature.is_some() && says(&["temperature"]) {
            return learn(&self.without_temperature);
        }
        if asked.max_tokens.is_some() && says(&["max_tokens", "max_completion_tokens"]) {
            return learn(&self.other_limit);
        }
        let schema = [
            "response_format",
            "json_schema",
            "json_object",
            "tool_choice",
            "input_schema",
            "responseJsonSchema",
            "response_json_schema",
            "structured output",
        ];
        let formatted = formatted && asked.json != Json::Explained;
        formatted && says(&schema) && learn(&self.without_schema)
    }
}
