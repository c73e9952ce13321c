use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Serialize};

/// A prompt in place of ours, as `memory_type_prompts`, `default_category_summary_prompt`,
/// `summary_prompt` of a category and `multimodal_preprocess_prompts` hold it.
///
/// `{{name}}` stands for a variable of the prompt; the names of memU 1.x in single braces
/// (`{resource}`, `{categories_str}`, …) are understood, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum CustomPrompt {
    /// A text. With the variable of the material in it, it is the whole prompt, and answers
    /// may have any form that can be read. Without, it says what to look for, and how to
    /// answer stays as it is.
    Text(String),
    /// Blocks by name: those of ours (`objective`, `workflow`, `rules`, `category`, `output`,
    /// `examples`, `input`) are replaced, others added.
    Blocks(BTreeMap<String, PromptBlock>),
}

/// One block of a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromptBlock {
    /// What it is called; for the reader only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its place among the others, ascending; a negative one leaves the block out. `None` is
    /// the place of our block of that name (10 for `objective` up to 90 for `input`), or 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordinal: Option<i32>,
    /// Its text; `None` for ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
}

impl CustomPrompt {
    /// Its texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let (text, blocks) = match self {
            Self::Text(text) => (Some(text), None),
            Self::Blocks(blocks) => (None, Some(blocks)),
        };
        let prompts = blocks
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter_map(|block| block.prompt.as_ref());
        text.into_iter().chain(prompts).map(String::as_str)
    }
}

impl<'de> Deserialize<'de> for CustomPrompt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrBlocks)
    }
}

/// Tells the two forms apart itself, so that an error names the field that is wrong.
struct TextOrBlocks;

impl<'de> Visitor<'de> for TextOrBlocks {
    type Value = CustomPrompt;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of a prompt, or blocks by name such as {\"rules\": {\"ordinal\": 30, \"prompt\": \"…\"}}")
    }

    fn visit_str<E>(self, text: &str) -> Result<CustomPrompt, E> {
        Ok(CustomPrompt::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CustomPrompt, A::Error> {
        BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(CustomPrompt::Blocks)
    }
}
