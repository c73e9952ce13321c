use std::collections::BTreeMap;
use std::fmt;

use memu_core::{Error, Result, Secret};
use serde::{Deserialize, Serialize};

use crate::address::masked_profile;
use crate::presets::Preset;

/// More attempts than this only keep a broken provider busy.
const MOST_RETRIES: u32 = 10;
const MOST_CONCURRENCY: usize = 256;
const LONGEST_TIMEOUT_S: f64 = 3600.0;
/// What `endpoint_overrides` may name, with the names that memU has for the same.
const ENDPOINTS: [(&str, &[&str]); 3] = [
    ("chat", &["chat", "summary"]),
    ("embeddings", &["embeddings", "embedding", "embed"]),
    ("transcriptions", &["transcriptions", "transcribe"]),
];

/// Who runs a model, and how it is called.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// The name of a preset: see [`presets::ALL`](crate::presets::ALL). Default: `openai`.
    pub provider: String,
    /// Where the provider is; a path in it is kept. Default: what the variable of the
    /// provider's own programs says, such as `OPENAI_BASE_URL`, or else the preset.
    pub base_url: Option<String>,
    /// The key, or the name of the environment variable that holds it. Default: the variable
    /// of the preset, such as `OPENAI_API_KEY`.
    pub api_key: Option<Secret>,
    /// The model that chats. Default: the preset's.
    pub chat_model: Option<String>,
    /// The model that embeds. Default: the preset's.
    pub embed_model: Option<String>,
    /// The model that transcribes. Default: the preset's.
    pub transcribe_model: Option<String>,
    /// How many numbers a vector has. Default: what the model is known to make. Models that
    /// can make shorter vectors are asked for this many.
    pub dimension: Option<u32>,
    /// At most this many texts in one call. Default: 100, or what the provider takes.
    pub embed_batch_size: usize,
    /// How long one attempt may take, in seconds. Default: 60.
    pub timeout_s: f64,
    /// How often a call that failed is made again, from 0 to 10. Default: 3.
    pub max_retries: u32,
    /// At most this many calls at the same time. Default: 8.
    pub max_concurrency: usize,
    /// At most this many tokens in an answer, where a request names no number. Default: the
    /// model's own limit.
    pub max_output_tokens: Option<u32>,
    /// How much a model that runs on this machine is to keep in mind, in tokens (Ollama's
    /// `num_ctx`). Default: what a request needs, or the server's setting if that is enough.
    pub context_tokens: Option<u32>,
    /// In place of the temperature that a request asks for.
    pub temperature: Option<f32>,
    /// What a million tokens read cost, in any currency, from 0. Default: not known.
    pub input_price: Option<f64>,
    /// What a million tokens written cost, in the same currency, from 0. Default: not known.
    pub output_price: Option<f64>,
    /// What a million tokens embedded cost, in the same currency, from 0. Default: not known.
    pub embed_price: Option<f64>,
    /// Paths that differ from the preset's: of `chat`, `embeddings`, `transcriptions`.
    pub endpoint_overrides: BTreeMap<String, String>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            provider: "openai".to_owned(),
            base_url: None,
            api_key: None,
            chat_model: None,
            embed_model: None,
            transcribe_model: None,
            dimension: None,
            embed_batch_size: 100,
            timeout_s: 60.0,
            max_retries: 3,
            max_concurrency: 8,
            max_output_tokens: None,
            context_tokens: None,
            temperature: None,
            input_price: None,
            output_price: None,
            embed_price: None,
            endpoint_overrides: BTreeMap::new(),
        }
    }
}

/// Without the key, a password in an address and the values of parameters.
impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = serde_json::to_value(self).map_err(|_| fmt::Error)?;
        write!(f, "Profile {}", masked_profile(fields))
    }
}

fn is_price(price: Option<f64>) -> bool {
    price.is_none_or(|price| price.is_finite() && price >= 0.0)
}

impl Profile {
    /// Whether it can be used, apart from its key. `name` is what the profile is called.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config), naming the setting.
    pub fn validate(&self, name: &str) -> Result<&'static Preset> {
        let preset = Preset::named(&self.provider, name)?;
        self.validate_numbers(name)?;
        self.validate_texts(name)?;
        Ok(preset)
    }

    fn validate_numbers(&self, name: &str) -> Result<()> {
        let timeout = self.timeout_s > 0.0 && self.timeout_s <= LONGEST_TIMEOUT_S;
        let temperature = self.temperature.unwrap_or(0.0);
        let checks = [
            ("timeout_s", "above 0 and at most 3600", timeout),
            (
                "max_retries",
                "from 0 to 10",
                self.max_retries <= MOST_RETRIES,
            ),
            (
                "max_concurrency",
                "from 1 to 256",
                (1..=MOST_CONCURRENCY).contains(&self.max_concurrency),
            ),
            ("input_price", "at least 0", is_price(self.input_price)),
            ("output_price", "at least 0", is_price(self.output_price)),
            ("embed_price", "at least 0", is_price(self.embed_price)),
            ("embed_batch_size", "at least 1", self.embed_batch_size > 0),
            ("dimension", "at least 1", self.dimension != Some(0)),
            (
                "max_output_tokens",
                "at least 1",
                self.max_output_tokens != Some(0),
            ),
            (
                "context_tokens",
                "at least 1",
                self.context_tokens != Some(0),
            ),
            (
                "temperature",
                "from 0 to 2",
                (0.0..=2.0).contains(&temperature),
            ),
        ];
        match checks.iter().find(|(_, _, holds)| !holds) {
            None => Ok(()),
            Some((key, range, _)) => Err(Error::config(format!(
                "llm_profiles.{name}.{key} must be {range}"
            ))),
        }
    }

    fn validate_texts(&self, name: &str) -> Result<()> {
        let models = [
            ("chat_model", &self.chat_model),
            ("embed_model", &self.embed_model),
            ("transcribe_model", &self.transcribe_model),
        ];
        let is_blank =
            |text: &&Option<String>| text.as_ref().is_some_and(|text| text.trim().is_empty());
        if let Some((key, _)) = models.iter().find(|(_, model)| is_blank(model)) {
            return Err(Error::config(format!("llm_profiles.{name}.{key} is empty")));
        }
        let known: Vec<&str> = ENDPOINTS
            .iter()
            .flat_map(|(_, keys)| *keys)
            .copied()
            .collect();
        let mut overrides = self.endpoint_overrides.keys();
        match overrides.find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(Error::config(format!(
                "llm_profiles.{name}.endpoint_overrides has an unknown endpoint {key:?}; there \
                 are chat, embeddings and transcriptions"
            ))),
        }
    }

    /// The path that is to be used in place of the preset's.
    pub(crate) fn endpoint(&self, endpoint: &str) -> Option<&str> {
        let (_, names) = ENDPOINTS.iter().find(|(name, _)| *name == endpoint)?;
        let found = names
            .iter()
            .find_map(|name| self.endpoint_overrides.get(*name));
        found.map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(value: serde_json::Value) -> String {
        let profile: Profile = serde_json::from_value(value).unwrap();
        profile.validate("main").unwrap_err().to_string()
    }

    #[test]
    fn the_names_of_memu_are_understood_and_all_others_have_defaults() {
        let profile: Profile = serde_json::from_value(json!({
            "provider": "openrouter",
            "base_url": "https://example.com/v1",
            "api_key": "OPENROUTER_API_KEY",
            "chat_model": "a/b",
            "embed_model": "c/d",
            "embed_batch_size": 1,
            "endpoint_overrides": {"summary": "/chat", "embed": "/vectors"},
        }))
        .unwrap();
        assert_eq!(profile.validate("main").unwrap().name, "openrouter");
        assert_eq!(profile.endpoint("chat"), Some("/chat"));
        assert_eq!(profile.endpoint("embeddings"), Some("/vectors"));
        assert_eq!(profile.endpoint("transcriptions"), None);
        assert_eq!(profile.timeout_s, 60.0);
        Profile::default().validate("default").unwrap();
    }

    #[test]
    fn each_unusable_setting_is_named() {
        for (settings, expected) in [
            (
                json!({"timeout_s": 0}),
                "llm_profiles.main.timeout_s must be above 0 and at most 3600",
            ),
            (
                json!({"max_retries": 11}),
                "llm_profiles.main.max_retries must be from 0 to 10",
            ),
            (
                json!({"max_concurrency": 0}),
                "llm_profiles.main.max_concurrency must be from 1 to 256",
            ),
            (
                json!({"embed_batch_size": 0}),
                "llm_profiles.main.embed_batch_size must be at least 1",
            ),
            (
                json!({"dimension": 0}),
                "llm_profiles.main.dimension must be at least 1",
            ),
            (
                json!({"temperature": -1}),
                "llm_profiles.main.temperature must be from 0 to 2",
            ),
            (
                json!({"chat_model": " "}),
                "llm_profiles.main.chat_model is empty",
            ),
            (
                json!({"endpoint_overrides": {"chats": "/x"}}),
                "llm_profiles.main.endpoint_overrides has an unknown endpoint \"chats\"; there \
                 are chat, embeddings and transcriptions",
            ),
        ] {
            assert_eq!(refusal(settings), expected);
        }
    }

    #[test]
    fn an_unknown_provider_is_answered_with_the_nearest_and_all_others() {
        let error = refusal(json!({"provider": "antropic"}));
        assert!(
            error.starts_with(
                "llm_profiles.main asks for an unknown provider \"antropic\"; did you mean \
                 \"anthropic\"? There are openai, openrouter, "
            ),
            "{error}"
        );
    }

    #[test]
    fn a_key_is_neither_debugged_nor_serialized() {
        let profile = Profile {
            api_key: Some(Secret::new("sk-very-secret")),
            ..Profile::default()
        };
        assert!(!format!("{profile:?}").contains("very"));
        assert!(!serde_json::to_string(&profile).unwrap().contains("very"));
    }
}
