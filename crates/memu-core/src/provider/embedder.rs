use std::fmt;

use async_trait::async_trait;

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
}
