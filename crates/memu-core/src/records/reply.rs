use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ContentHash, Id, Meta, Modality};
use crate::error::{Error, Result};

/// What a model returned, kept word for word before anybody tries to understand it, so
/// that a reply which cannot be used today is reported, never lost, and can be read
/// again.
///
/// It may quote what was memorized, so it goes with its resource and with its scope. One about
/// no content, such as an answer about a question or a summary, may quote anything in the scope:
/// its text goes when it was read, or when a resource or memory is deleted, and what it cost
/// stays.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelReply {
    /// Identity, scope and times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The resource it is about. The resource need not be stored yet: a reply comes
    /// before what is made of it.
    pub resource_id: Option<Id>,
    /// The content it is about.
    pub content_hash: Option<ContentHash>,
    /// Where that content came from, so that work which was cut off can go on.
    pub source: Option<ReplySource>,
    /// The step of the pipeline that asked, such as `extract_items`.
    pub step: String,
    /// The model profile that the step used, such as `default`.
    pub profile: String,
    /// Who runs the model.
    pub provider: String,
    /// The model and its version.
    pub model: String,
    /// The hash of the prompt's template, which tells replies to other wordings apart.
    pub prompt_hash: ContentHash,
    /// The hash of the whole request. Equal requests may share a reply.
    pub request_hash: ContentHash,
    /// The reply, as it came; empty where it went.
    pub text: String,
    /// What it cost, as the provider told it: `input_tokens`, `output_tokens`,
    /// `latency`, ….
    pub usage: Map<String, Value>,
    /// Why the model stopped, in its provider's word; `None` when it did not say.
    pub finish_reason: Option<String>,
    /// What has become of it.
    pub state: ReplyState,
    /// Why it could not be parsed; `None` unless its state is `failed`.
    pub error: Option<String>,
}

/// Where content came from that models were asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplySource {
    /// The path or URL, as the caller named it.
    pub url: String,
    /// Where it can be fetched again, wherever this process runs; `None` for bytes that were
    /// handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What kind of thing it is.
    pub modality: Modality,
    /// The caption or transcript that was handed in with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
}

/// What has become of a model's reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplyState {
    /// It is stored, and nobody has tried to parse it.
    Received,
    /// It was parsed, and what it says is stored.
    Parsed,
    /// It could not be parsed.
    Failed,
}

impl ReplyState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Received, Self::Parsed, Self::Failed];

    /// The stable name, as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Parsed => "parsed",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for ReplyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ReplyState {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == name)
            .ok_or_else(|| {
                Error::input(format!(
                    "unknown state {name:?} of a model reply; use received, parsed or failed"
                ))
            })
    }
}
