use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::records::{ContentHash, Role};

/// A model that chats, and perhaps sees and hears.
///
/// Asking and reading are apart, so that what a model answered can be kept before anybody
/// tries to understand it, and read again later.
#[async_trait]
pub trait ChatModel: fmt::Debug + Send + Sync {
    /// The provider and the model, as usage records name them: `openai/gpt-4o-mini`.
    fn name(&self) -> &str;

    /// Where it is, where its name alone does not tell whose answers these are: another server
    /// may run another model under the same name. `None`, the default, where it does. Replies
    /// are known again by it; it is hashed, and neither stored nor shown.
    fn place(&self) -> Option<&str> {
        None
    }

    /// What its tokens cost; `None` where that is not known.
    fn price(&self) -> Option<Price> {
        None
    }

    /// Whether it may see pictures. Default: no.
    fn sees(&self) -> bool {
        false
    }

    /// The provider and the model that transcribe, as usage records name them; `None`, the
    /// default, when it cannot hear.
    fn transcriber(&self) -> Option<&str> {
        None
    }

    /// Asks for an answer to a conversation, pictures in it included; tries again where that
    /// may help, within bounds.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) when no answer came, with the number of
    /// attempts; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for pictures when the
    /// model cannot see.
    async fn chat(&self, request: &ChatRequest) -> Result<RawReply>;

    /// Reads what [`Self::chat`] got.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) when it is not what this provider answers.
    fn read(&self, reply: &RawReply) -> Result<ChatReply>;

    /// What a reply cost that [`Self::read`] cannot read, as far as it says so.
    fn usage(&self, _reply: &RawReply) -> Usage {
        Usage::default()
    }

    /// Waits before a request is sent again, after so many replies that could not be read.
    async fn rest(&self, _replies: u32) {}

    /// Asks for what a recording says.
    ///
    /// # Errors
    /// As [`Self::chat`]; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when the
    /// model cannot hear.
    async fn transcribe(&self, recording: &Media) -> Result<RawReply>;

    /// Reads what [`Self::transcribe`] got.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn read_transcript(&self, reply: &RawReply) -> Result<ChatReply>;
}

/// What a model is asked, of whatever kind.
#[derive(Clone, Copy, Debug)]
pub enum ModelRequest<'a> {
    /// To answer a conversation.
    Chat(&'a ChatRequest),
    /// To turn texts into vectors.
    Embed(&'a [&'a str]),
}

/// What tokens cost, in any currency.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price {
    /// A million tokens read.
    pub input: f64,
    /// A million tokens written.
    pub output: f64,
}

impl Price {
    /// What a call cost.
    pub fn of(&self, usage: &Usage) -> f64 {
        let tokens = |count: u64, price: f64| count as f64 * price / 1e6;
        tokens(usage.input_tokens, self.input) + tokens(usage.output_tokens, self.output)
    }
}

/// What to answer. Its JSON is the same for the same request, pictures by their hashes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChatRequest {
    /// The conversation so far; the last message is to be answered.
    pub messages: Vec<ChatMessage>,
    /// What the answer must look like, where the model supports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ReplyFormat>,
    /// From 0 (the likeliest words) upwards; `None` for the model's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// At most this many tokens in the answer; `None` for the model's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
}

/// A JSON schema that an answer must follow.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReplyFormat {
    /// Its name: letters, digits and underscores.
    pub name: String,
    /// The schema. All fields of objects are required, and there are no others: so providers
    /// want it that promise to follow one.
    pub schema: serde_json::Value,
}

/// One message of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
    /// The pictures that go with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Media>,
}

impl ChatMessage {
    /// A message without pictures.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
            images: Vec::new(),
        }
    }
}

/// A picture or a recording.
#[derive(Clone, PartialEq, Eq)]
pub struct Media {
    /// The bytes.
    pub bytes: Arc<[u8]>,
    /// What they are, such as `image/png`.
    pub media_type: String,
}

impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.media_type, self.bytes.len())
    }
}

impl Serialize for Media {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let hash = ContentHash::of(&self.bytes);
        serializer.serialize_str(&format!("{} {hash}", self.media_type))
    }
}

/// What a provider sent, before anybody has read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawReply {
    /// The body of its answer.
    pub body: Arc<str>,
    /// How long it took, attempts that failed included.
    pub latency: Duration,
    /// How often it was asked, from 1.
    pub attempts: u32,
}

/// What a model answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatReply {
    /// The answer.
    pub text: String,
    /// Why it ended there.
    pub finish_reason: FinishReason,
    /// What it cost.
    pub usage: Usage,
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// It was done.
    Stop,
    /// It reached the token limit: the answer is cut off.
    Length,
    /// The provider withheld the answer.
    ContentFilter,
    /// Anything else.
    Other,
}

/// What a call cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Usage {
    /// Tokens read; 0 where the provider does not tell.
    pub input_tokens: u64,
    /// Tokens written; 0 where the provider does not tell.
    pub output_tokens: u64,
    /// How long it took, retries included.
    #[serde(serialize_with = "as_seconds")]
    pub latency: Duration,
}

fn as_seconds<S: serde::Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value.as_secs_f64())
}

impl ChatReply {
    /// The text of an answer that is complete.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) when the answer is empty or
    /// was cut off.
    pub fn complete_text(&self) -> Result<&str> {
        if self.finish_reason == FinishReason::Length {
            return Err(Error::model(
                "the model's answer was cut off at its token limit",
            ));
        }
        match self.text.trim() {
            "" => Err(Error::model("the model's answer is empty")),
            text => Ok(text),
        }
    }
}
