use jiff::civil;
use serde::{Deserialize, Serialize};

/// What one step of a pipeline has taken of one model, in one scope and on one day.
///
/// It outlives the replies that it counts: removing a resource does not refund a budget.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelUsage {
    /// The day, in UTC.
    pub day: civil::Date,
    /// The model profile, such as `default`.
    pub profile: String,
    /// The provider and the model, such as `openai/gpt-4o-mini`.
    pub model: String,
    /// The step of the pipeline, such as `extract_items`.
    pub step: String,
    /// How many replies came.
    pub calls: u64,
    /// How many of them could not be used.
    pub unusable: u64,
    /// Tokens read, as far as the provider tells.
    pub input_tokens: u64,
    /// Tokens written, as far as the provider tells.
    pub output_tokens: u64,
    /// What it cost, in the currency of the profile's prices; 0 without prices.
    pub cost: f64,
    /// How long the calls took together, in seconds.
    pub seconds: f64,
}

impl ModelUsage {
    /// What sums are kept by, in their order.
    pub fn key(&self) -> (civil::Date, &str, &str, &str) {
        (self.day, &self.profile, &self.model, &self.step)
    }

    /// Whether it can be what became of an earlier sum.
    pub(crate) fn has_grown_from(&self, earlier: &Self) -> bool {
        self.calls >= earlier.calls
            && self.unusable >= earlier.unusable
            && self.input_tokens >= earlier.input_tokens
            && self.output_tokens >= earlier.output_tokens
    }

    /// Adds what `other` took, whatever it is kept by.
    pub fn add(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.unusable = self.unusable.saturating_add(other.unusable);
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.cost += other.cost;
        self.seconds += other.seconds;
    }
}
