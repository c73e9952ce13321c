use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::records::Role;

/// A model that chats, and perhaps sees and hears.
#[async_trait]
pub trait ChatModel: fmt::Debug + Send + Sync {
    /// The provider and model, as usage records name them.
    fn name(&self) -> &str;

    /// Answers a conversation.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) when the model fails.
    async fn chat(&self, request: ChatRequest) -> Result<ChatReply>;

    /// Describes a picture.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when the model
    /// cannot see.
    async fn vision(&self, prompt: &str, image: Arc<[u8]>, media_type: &str) -> Result<ChatReply>;

    /// Writes down what a recording says.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when the model
    /// cannot hear.
    async fn transcribe(&self, audio: Arc<[u8]>, media_type: &str) -> Result<ChatReply>;
}

/// What to answer.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    /// The conversation so far; the last message is to be answered.
    pub messages: Vec<ChatMessage>,
    /// The JSON schema that the answer must follow, where the model supports it.
    pub json_schema: Option<serde_json::Value>,
    /// From 0 (the likeliest words) upwards; `None` for the model's default.
    pub temperature: Option<f32>,
    /// At most this many tokens in the answer; `None` for the model's default.
    pub max_tokens: Option<u32>,
}

/// One message of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// What a model answered.
#[derive(Clone, Debug)]
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
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
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
