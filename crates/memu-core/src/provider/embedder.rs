use std::fmt;

use async_trait::async_trait;

use super::{Price, RawReply, Usage};
use crate::error::Result;
use crate::records::{EmbedderIdentity, Embedding};

/// Turns texts into vectors.
#[async_trait]
pub trait Embedder: fmt::Debug + Send + Sync {
    /// Who makes the vectors; the dimension included.
    fn identity(&self) -> &EmbedderIdentity;

    /// Whether messages and passages are to be embedded too, not only memories and
    /// categories: when the vector tells more than the words do.
    fn embeds_segments(&self) -> bool {
        false
    }

    /// One vector per text, in order; `None` for a text that has no meaning to
    /// this embedder, such as an empty one.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) when the model fails or
    /// answers something unusable.
    async fn embed(&self, texts: &[&str]) -> Result<Vec<Option<Embedding>>>;

    /// The model that is asked, where this process does not embed itself. Its calls are
    /// then counted, and its replies kept, by [`Calls::embed`](super::Calls::embed).
    fn model(&self) -> Option<&dyn EmbeddingModel> {
        None
    }
}

/// A model that embeds, and is asked over a network.
#[async_trait]
pub trait EmbeddingModel: fmt::Debug + Send + Sync {
    /// The model profile, such as `embedding`.
    fn profile(&self) -> &str;

    /// The provider and the model, as usage records name them: `openai/text-embedding-3-small`.
    fn name(&self) -> &str;

    /// Where it is, as [`ChatModel::place`](super::ChatModel::place) tells it.
    fn place(&self) -> Option<&str> {
        None
    }

    /// What its tokens cost; `None` where that is not known.
    fn price(&self) -> Option<Price> {
        None
    }

    /// Cuts texts into what one call each may carry, in order.
    fn batches<'t>(&self, texts: &[&'t str]) -> Vec<Vec<&'t str>>;

    /// Asks for the vectors of one batch; tries again where that may help, within bounds.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) when no answer came, with the number of
    /// attempts.
    async fn ask(&self, texts: &[&str], purpose: Purpose) -> Result<RawReply>;

    /// What a reply cost that [`Self::read`] cannot read, as far as it says so.
    fn usage(&self, _reply: &RawReply) -> Usage {
        Usage::default()
    }

    /// Waits before a request is sent again, after so many replies that could not be read.
    async fn rest(&self, _replies: u32) {}

    /// Reads what [`Self::ask`] got for so many texts.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) when it is not what this provider answers,
    /// or a vector is of another length, zero, or holds what is no number.
    fn read(&self, reply: &RawReply, texts: usize) -> Result<EmbeddingReply>;
}

/// What vectors are for: some models place questions near what answers them, not near what
/// asks the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// They are stored, and found.
    Memory,
    /// They search.
    Question,
}

impl Purpose {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Question => "question",
        }
    }
}

/// Vectors that a model made.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingReply {
    /// One for each text, in order.
    pub vectors: Vec<Embedding>,
    /// What they cost.
    pub usage: Usage,
}
