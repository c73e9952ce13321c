use std::fmt;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use memu_core::provider::Embedder;
use memu_core::records::{EmbedderIdentity, Embedding};
use memu_core::{Error, Result};

use super::{reply, request};
use crate::connection::Connection;
use crate::presets::Embed;
use crate::transport::{Answered, Call};

/// Providers also limit the tokens of a call; the strictest, to some 100,000. Texts have at
/// least a byte for each.
const MOST_BYTES: usize = 100_000;

/// A model that embeds, reached over HTTP in its provider's form.
#[derive(Clone)]
pub struct EmbeddingClient {
    connection: Connection,
    embed: Embed,
    identity: EmbedderIdentity,
    /// What the model is asked for, when it can make vectors of several lengths.
    wanted: Option<u32>,
}

impl fmt::Debug for EmbeddingClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.connection.name;
        write!(f, "EmbeddingClient({name}: {})", self.identity)
    }
}

impl EmbeddingClient {
    /// A client that knows the dimension: from the profile, the preset, or the model itself.
    pub(crate) async fn connect(connection: &Connection) -> Result<Self> {
        let mut client = Self::without_dimension(connection)?;
        let known = connection.preset.embed_model(&client.identity.model);
        let configured = connection.profile.dimension;
        client.wanted = configured.filter(|wanted| {
            known.is_some_and(|known| known.resizes && known.dimension != *wanted)
        });
        let dimension = configured.or(known.map(|known| known.dimension));
        client.identity.dimension = match dimension {
            Some(dimension) => dimension,
            None => client.measure().await?,
        };
        Ok(client)
    }

    /// The dimension of the model, by a call.
    pub(crate) async fn probe(connection: &Connection) -> Result<u32> {
        Self::without_dimension(connection)?.measure().await
    }

    fn without_dimension(connection: &Connection) -> Result<Self> {
        let embed = connection.preset.embed.ok_or_else(|| {
            connection.unsupported("the provider has no model that embeds; name another one")
        })?;
        let named = connection.profile.embed_model.as_ref();
        let model = connection.model("embed_model", named, embed.model)?;
        Ok(Self {
            identity: EmbedderIdentity {
                provider: connection.preset.name.to_owned(),
                model,
                dimension: 0,
            },
            connection: connection.clone(),
            embed,
            wanted: None,
        })
    }

    async fn measure(&self) -> Result<u32> {
        let check = |vectors: Vec<Vec<f32>>| {
            let vector = vectors.into_iter().next().unwrap_or_default();
            let dimension = u32::try_from(vector.len()).unwrap_or(u32::MAX);
            Embedding::checked(vector, dimension).map(|_| dimension)
        };
        self.call(&["dimension"], check).await
    }

    /// One call: the vectors of these texts, as `check` wants them.
    async fn call<T>(
        &self,
        texts: &[&str],
        check: impl Fn(Vec<Vec<f32>>) -> Result<T>,
    ) -> Result<T> {
        let (wire, model) = (self.embed.wire, &self.identity.model);
        let target = self
            .connection
            .target("embeddings", &request::path(wire, model))?;
        let call = Call::json(target, &request::body(wire, model, texts, self.wanted));
        let read = |body: &str| {
            let vectors = reply::read(wire, body, texts.len())?;
            // A model that is loaded anew may do better.
            check(vectors).map_err(|error| error.retryable(true))
        };
        let name = format!("{}/{model}", self.identity.provider);
        let answered = self.connection.transport.send(&call, read).await;
        let Answered { reply, read } =
            answered.map_err(|failure| failure.into_error(&self.connection.name, &name))?;
        read.map_err(|error| {
            error
                .with("profile", &self.connection.name)
                .with("model", name)
                .with("attempts", reply.attempts)
        })
    }

    async fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>> {
        let dimension = self.identity.dimension;
        let check = |vectors: Vec<Vec<f32>>| {
            let numbered = vectors.into_iter().enumerate();
            let checked = numbered.map(|(number, vector)| {
                Embedding::checked(vector, dimension).map_err(|error| {
                    error.with("text", format!("{} of {}", number + 1, texts.len()))
                })
            });
            checked.collect::<Result<Vec<Embedding>>>()
        };
        self.call(texts, check).await
    }

    /// Cuts texts into calls, by their number and their length.
    fn batches<'t>(&self, texts: &[&'t str]) -> Vec<Vec<&'t str>> {
        let most = self
            .connection
            .profile
            .embed_batch_size
            .min(self.embed.max_batch);
        let mut batches: Vec<Vec<&str>> = Vec::new();
        let mut bytes = 0;
        for text in texts {
            match batches.last_mut() {
                Some(batch) if batch.len() < most && bytes + text.len() <= MOST_BYTES => {
                    bytes += text.len();
                    batch.push(*text);
                }
                _ => {
                    bytes = text.len();
                    batches.push(vec![*text]);
                }
            }
        }
        batches
    }
}

#[async_trait]
impl Embedder for EmbeddingClient {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    /// What a model knows of meanings tells more than words do.
    fn embeds_segments(&self) -> bool {
        true
    }

    async fn embed(&self, texts: &[&str]) -> Result<Vec<Option<Embedding>>> {
        let is_sent = |text: &&&str| !text.trim().is_empty();
        let sent: Vec<&str> = texts.iter().filter(is_sent).copied().collect();
        let batches = self.batches(&sent);
        let calls = batches.iter().map(|batch| self.embed_batch(batch));
        let mut vectors = try_join_all(calls).await?.into_iter().flatten();
        let placed = texts.iter().map(|text| {
            let vector = is_sent(&text).then(|| vectors.next());
            vector.map(|vector| vector.ok_or_else(|| Error::internal("a vector went missing")))
        });
        placed.map(Option::transpose).collect()
    }
}
