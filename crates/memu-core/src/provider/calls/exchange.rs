//! What is asked of which kind of model, and how its replies are read.

use async_trait::async_trait;

use super::Ask;
use super::keeping::Kept;
use crate::error::{Error, Result};
use crate::pipeline::CallInfo;
use crate::provider::{
    ChatReply, EmbeddingModel, FinishReason, ModelRequest, Price, Purpose, RawReply, Usage,
};
use crate::records::{ContentHash, EmbedderIdentity, Embedding as Vector};

/// Who is asked, and what tells the question from others.
pub(super) struct Question {
    pub(super) info: CallInfo,
    /// The hash of the prompt's template; of what vectors are for, where there is none.
    pub(super) prompt_hash: ContentHash,
    /// The hash of the whole request.
    pub(super) hash: ContentHash,
    pub(super) price: Option<Price>,
    pub(super) kept: Kept,
}

/// A request that can be sent, and whose replies can be read, then or later.
#[async_trait]
pub(super) trait Exchange: Send + Sync {
    type Answer: Send;

    /// What interceptors are shown.
    fn request(&self) -> ModelRequest<'_>;

    fn is_chat(&self) -> bool {
        matches!(self.request(), ModelRequest::Chat(_))
    }

    async fn send(&self) -> Result<RawReply>;

    /// What a reply cost that cannot be read, as far as it says so.
    fn usage(&self, raw: &RawReply) -> Usage;

    /// Waits after so many replies that could not be read.
    async fn rest(&self, replies: u32);

    /// What a reply tells about the call, and what it answers: an error outside when the
    /// provider does not reply so, and one inside when the answer is of no use and another may
    /// be better.
    fn read(&self, raw: &RawReply) -> Result<(ChatReply, Result<Self::Answer>)>;
}

/// A question in words.
pub(super) struct Chat<'a, F> {
    pub(super) ask: &'a Ask<'a>,
    pub(super) read: F,
}

/// Texts to be embedded by one call.
pub(super) struct Embedding<'a> {
    pub(super) model: &'a dyn EmbeddingModel,
    pub(super) texts: &'a [&'a str],
    pub(super) purpose: Purpose,
}

impl Question {
    pub(super) fn of_chat(ask: &Ask<'_>) -> Result<Self> {
        Ok(Self {
            info: CallInfo::new(ask.step, ask.profile, ask.model.name()),
            prompt_hash: ask.prompt_hash,
            hash: hash(ask.model.place(), &(ask.model.name(), &ask.request))?,
            price: ask.model.price(),
            kept: Kept::AndMarked,
        })
    }

    /// An error with whom and what for was asked, where it does not say so itself.
    pub(super) fn named(&self, error: Error) -> Error {
        let named = [
            ("profile", &self.info.profile),
            ("model", &self.info.model),
            ("step", &self.info.step),
        ];
        named.into_iter().fold(error, |error, (name, value)| {
            if error.context().iter().any(|(known, _)| *known == name) {
                error
            } else {
                error.with(name, value)
            }
        })
    }
}

/// Equal requests to the same model have equal hashes; to one of the same name that is at
/// another place, others.
fn hash(place: Option<&str>, request: &impl serde::Serialize) -> Result<ContentHash> {
    let request = match place {
        Some(place) => serde_json::to_vec(&(place, request)),
        None => serde_json::to_vec(request),
    };
    let request =
        request.map_err(|cause| Error::internal("a request has no JSON form").caused_by(cause))?;
    Ok(ContentHash::of(&request))
}

#[async_trait]
impl<T: Send, F: Fn(&ChatReply) -> Result<T> + Send + Sync> Exchange for Chat<'_, F> {
    type Answer = T;

    fn request(&self) -> ModelRequest<'_> {
        ModelRequest::Chat(&self.ask.request)
    }

    async fn send(&self) -> Result<RawReply> {
        self.ask.model.chat(&self.ask.request).await
    }

    fn usage(&self, raw: &RawReply) -> Usage {
        self.ask.model.usage(raw)
    }

    async fn rest(&self, replies: u32) {
        self.ask.model.rest(replies).await;
    }

    fn read(&self, raw: &RawReply) -> Result<(ChatReply, Result<T>)> {
        let told = self.ask.model.read(raw)?;
        let answer = (self.read)(&told);
        Ok((told, answer))
    }
}

impl Embedding<'_> {
    pub(super) fn question(&self, step: &str, identity: &EmbedderIdentity) -> Result<Question> {
        let purpose = self.purpose.as_str();
        let request = (self.model.name(), identity.dimension, purpose, self.texts);
        Ok(Question {
            info: CallInfo::new(step, self.model.profile(), self.model.name()),
            prompt_hash: ContentHash::of(purpose.as_bytes()),
            hash: hash(self.model.place(), &request)?,
            price: self.model.price(),
            kept: match self.purpose {
                Purpose::Memory => Kept::UntilStored,
                Purpose::Question => Kept::IfUnusable,
            },
        })
    }
}

#[async_trait]
impl Exchange for Embedding<'_> {
    type Answer = Vec<Vector>;

    fn request(&self) -> ModelRequest<'_> {
        ModelRequest::Embed(self.texts)
    }

    async fn send(&self) -> Result<RawReply> {
        self.model.ask(self.texts, self.purpose).await
    }

    fn usage(&self, raw: &RawReply) -> Usage {
        self.model.usage(raw)
    }

    async fn rest(&self, replies: u32) {
        self.model.rest(replies).await;
    }

    fn read(&self, raw: &RawReply) -> Result<(ChatReply, Result<Vec<Vector>>)> {
        let reply = self.model.read(raw, self.texts.len())?;
        let told = ChatReply {
            text: String::new(),
            finish_reason: FinishReason::Stop,
            usage: reply.usage,
        };
        Ok((told, Ok(reply.vectors)))
    }
}
