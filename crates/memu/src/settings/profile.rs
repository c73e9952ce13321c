use std::collections::BTreeMap;
use std::fmt;

use memu_core::{Error, Result, Secret};
use memu_models::{Profile, masked_profile};
use serde::{Deserialize, Serialize};

/// The provider that needs no model.
const LOCAL: &str = "local";

/// Who runs a model, and how it is called. What is left out has the default that
/// [`Profile`] says.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LlmProfile {
    /// `local` (this process), or one of those that `memu models` lists. Default: `local` for a
    /// profile that says nothing about a provider, otherwise `openai`.
    pub provider: Option<String>,
    /// For embedding by this process: `words`, the table of word vectors that is compiled in
    /// (the default), or `minilm`, all-MiniLM-L6-v2, in builds with the feature `minilm`.
    pub model: Option<String>,
    /// The folder of a model that is read from files. Default: where `memu model pull`
    /// puts it.
    pub path: Option<String>,
    /// Where the provider is; a path in it is kept.
    pub base_url: Option<String>,
    /// The key, or the name of the environment variable that holds it.
    pub api_key: Option<Secret>,
    /// The model that chats.
    pub chat_model: Option<String>,
    /// The model that embeds.
    pub embed_model: Option<String>,
    /// The model that transcribes.
    pub transcribe_model: Option<String>,
    /// How many numbers a vector has.
    pub dimension: Option<u32>,
    /// At most this many texts in one call.
    pub embed_batch_size: Option<usize>,
    /// How long one attempt may take, in seconds.
    pub timeout_s: Option<f64>,
    /// How often a call that failed is made again.
    pub max_retries: Option<u32>,
    /// At most this many calls at the same time.
    pub max_concurrency: Option<usize>,
    /// At most this many tokens in an answer.
    pub max_output_tokens: Option<u32>,
    /// How much a model that runs on this machine is to keep in mind, in tokens.
    pub context_tokens: Option<u32>,
    /// In place of the temperature that a request asks for.
    pub temperature: Option<f32>,
    /// What a million tokens read cost, in any currency.
    pub input_price: Option<f64>,
    /// What a million tokens written cost.
    pub output_price: Option<f64>,
    /// What a million tokens embedded cost.
    pub embed_price: Option<f64>,
    /// Paths that differ from the provider's.
    pub endpoint_overrides: BTreeMap<String, String>,
}

/// Without the key, a password in an address and the values of parameters.
impl fmt::Debug for LlmProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = serde_json::to_value(self).map_err(|_| fmt::Error)?;
        write!(f, "LlmProfile {}", masked_profile(fields))
    }
}

impl LlmProfile {
    /// How a provider other than this process is called; `None` for this process.
    pub fn remote(&self) -> Option<Profile> {
        let silent = Self {
            model: self.model.clone(),
            path: self.path.clone(),
            ..Self::default()
        };
        let provider = match self.provider.as_deref() {
            Some(LOCAL) => return None,
            None if *self == silent => return None,
            provider => provider.map(str::to_owned),
        };
        let default = Profile::default();
        Some(Profile {
            provider: provider.unwrap_or(default.provider),
            base_url: self.base_url.clone(),
            api_key: self.api_key.clone(),
            chat_model: self.chat_model.clone(),
            embed_model: self.embed_model.clone(),
            transcribe_model: self.transcribe_model.clone(),
            dimension: self.dimension,
            embed_batch_size: self.embed_batch_size.unwrap_or(default.embed_batch_size),
            timeout_s: self.timeout_s.unwrap_or(default.timeout_s),
            max_retries: self.max_retries.unwrap_or(default.max_retries),
            max_concurrency: self.max_concurrency.unwrap_or(default.max_concurrency),
            max_output_tokens: self.max_output_tokens,
            context_tokens: self.context_tokens,
            temperature: self.temperature,
            input_price: self.input_price,
            output_price: self.output_price,
            embed_price: self.embed_price,
            endpoint_overrides: self.endpoint_overrides.clone(),
        })
    }

    pub(super) fn validate(&self, name: &str) -> Result<()> {
        if let Some(profile) = self.remote() {
            for (setting, value) in [("model", &self.model), ("path", &self.path)] {
                if value.is_some() {
                    return Err(Error::config(format!(
                        "llm_profiles.{name}.{setting} is for the provider \"local\"; \
                         {:?} has chat_model and embed_model",
                        profile.provider
                    )));
                }
            }
            return profile.validate(name).map(drop);
        }
        match self.model.as_deref() {
            None | Some("words") => Ok(()),
            Some("minilm") if name == "embedding" => Ok(()),
            Some(model) => Err(Error::config(format!(
                "llm_profiles.{name} asks for the local model {model:?}; there are \"words\" and, \
                 for embedding, \"minilm\""
            ))),
        }
    }
}
