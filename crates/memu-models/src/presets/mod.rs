//! The providers that are known by name, as data. Looked up on 2026-11-25.

mod table;

use memu_core::{Error, Result};
use serde::Serialize;

pub use table::ALL;

/// How a provider is reached and what it can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Preset {
    /// What profiles call it.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// Where it is; `None` where that differs for everybody.
    pub base_url: Option<&'static str>,
    /// The environment variable by which its own programs are told where it is.
    pub url_variable: Option<&'static str>,
    /// What its own programs append to that variable's value.
    pub url_suffix: &'static str,
    /// The environment variables for its key, the first that is set counts.
    pub key_variables: &'static [&'static str],
    /// Whether it refuses calls without a key.
    pub needs_key: bool,
    /// How the key is sent.
    pub key_header: KeyHeader,
    /// How it chats; `None` for those that only embed.
    pub chat: Option<Chat>,
    /// How it embeds; `None` for those that do not.
    pub embed: Option<Embed>,
    /// How it transcribes; `None` for those that do not.
    pub transcribe: Option<Transcribe>,
}

/// How a key is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyHeader {
    /// `Authorization: Bearer …`
    Bearer,
    /// In a header of its own.
    Named(&'static str),
}

/// How a provider chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Chat {
    /// The form of requests and replies.
    pub wire: ChatWire,
    /// The model when a profile names none.
    pub model: Option<&'static str>,
    /// How an answer is had that follows a JSON schema.
    pub json: Json,
    /// Whether it has models that see pictures.
    pub sees: bool,
    /// What the limit of an answer is called.
    pub limit: Limit,
}

/// The form of chat requests and replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatWire {
    /// OpenAI's chat completions, which most others speak too.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Gemini's `generateContent`.
    Gemini,
    /// Ollama's own.
    Ollama,
}

/// How an answer is had that follows a JSON schema, the surest way first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Json {
    /// The provider holds the model to the schema.
    Schema,
    /// The model has to use a tool whose input has the schema.
    Tool,
    /// The provider holds the model to JSON; the schema is explained to it.
    Object,
    /// The schema is explained to the model.
    Explained,
}

/// What the limit of an answer is called among those who speak as OpenAI does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// `max_tokens`
    MaxTokens,
    /// `max_completion_tokens`
    MaxCompletionTokens,
}

impl Limit {
    /// The name, as it is sent.
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}

/// How a provider embeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Embed {
    /// The form of requests and replies.
    pub wire: EmbedWire,
    /// The model when a profile names none.
    pub model: Option<&'static str>,
    /// The models whose vectors are known.
    pub models: &'static [EmbedModel],
    /// At most this many texts in one call.
    pub max_batch: usize,
}

/// A model whose vectors are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EmbedModel {
    /// Its name.
    pub name: &'static str,
    /// How many numbers its vectors have unless it is asked for another number.
    pub dimension: u32,
    /// Whether it can be asked for another number.
    pub resizes: bool,
}

/// The form of embedding requests and replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EmbedWire {
    /// OpenAI's, which most others speak too.
    OpenAi,
    /// Voyage's: OpenAI's with another name for the dimension.
    Voyage,
    /// Jina's: OpenAI's, and what the vectors are for.
    Jina,
    /// Cohere's, version 2.
    Cohere,
    /// Gemini's `batchEmbedContents`.
    Gemini,
    /// Ollama's own.
    Ollama,
}

/// How a provider transcribes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Transcribe {
    /// The model when a profile names none; for Gemini, the one that chats.
    pub model: Option<&'static str>,
}

impl Preset {
    /// The preset of this name; `profile` is who asks for it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config) for any other name: the nearest,
    /// and all of them.
    pub fn named(name: &str, profile: &str) -> Result<&'static Self> {
        let wanted = name.trim().to_lowercase();
        let found = ALL
            .iter()
            .find(|preset| preset.name == wanted || preset.aliases.contains(&wanted.as_str()));
        found.ok_or_else(|| unknown(name, &wanted, profile))
    }

    /// What is known about the vectors of a model.
    pub fn embed_model(&self, model: &str) -> Option<&'static EmbedModel> {
        let models = self.embed.as_ref()?.models;
        // Ollama's names may end in `:latest`.
        let model = model.strip_suffix(":latest").unwrap_or(model);
        models.iter().find(|known| known.name == model)
    }
}

fn unknown(name: &str, wanted: &str, profile: &str) -> Error {
    let nearest = ALL
        .iter()
        .map(|preset| (strsim::jaro_winkler(preset.name, wanted), preset.name))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .filter(|(similarity, _)| *similarity > 0.7);
    let hint = nearest.map_or_else(String::new, |(_, name)| format!(" did you mean {name:?}?"));
    let names: Vec<&str> = ALL.iter().map(|preset| preset.name).collect();
    Error::config(format!(
        "llm_profiles.{profile} asks for an unknown provider {name:?};{hint} There are {}",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_and_alias_leads_to_one_preset() {
        let mut names = BTreeSet::new();
        for preset in ALL {
            for name in preset.aliases.iter().chain([&preset.name]) {
                assert!(names.insert(*name), "{name} is there twice");
                assert_eq!(Preset::named(name, "main").unwrap().name, preset.name);
            }
        }
        assert_eq!(Preset::named(" OpenAI ", "main").unwrap().name, "openai");
    }

    #[test]
    fn default_embedding_models_are_known_wherever_there_is_one() {
        for preset in ALL {
            let Some(model) = preset.embed.as_ref().and_then(|embed| embed.model) else {
                continue;
            };
            let known = preset.embed_model(model).is_some();
            assert!(known || preset.name == "llamacpp", "{}", preset.name);
        }
    }

    #[test]
    fn who_needs_a_key_names_its_variable() {
        for preset in ALL.iter().filter(|preset| preset.needs_key) {
            assert!(!preset.key_variables.is_empty(), "{}", preset.name);
        }
    }
}
