use std::fmt;

use async_trait::async_trait;
use memu_core::provider::{
    Calls, Embedder, EmbeddingModel, EmbeddingReply, Price, Purpose, RawReply, Usage,
};
use memu_core::records::{EmbedderIdentity, Embedding};
use memu_core::{Error, Result};

use super::{reply, request};
use crate::connection::Connection;
use crate::presets::Embed;
use crate::transport::Call;

/// Providers also limit the tokens of a call; the strictest, to some 100,000. Texts have at
/// least a byte for each.
const MOST_BYTES: usize = 100_000;

/// Of longer texts the beginning is embedded, in bytes: many models refuse more than some 8,000
/// tokens, and what a vector tells of a text does not grow with its length.
const LONGEST_TEXT: usize = 16_000;

/// A model that embeds, reached over HTTP in its provider's form.
#[derive(Clone)]
pub struct EmbeddingClient {
    connection: Connection,
    embed: Embed,
    /// The provider and the model.
    name: String,
    /// Where the model is, where that is for the user to say.
    place: Option<String>,
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
            name: format!("{}/{model}", connection.preset.name),
            identity: EmbedderIdentity {
                provider: connection.preset.name.to_owned(),
                model,
                dimension: 0,
            },
            place: connection.place(),
            connection: connection.clone(),
            embed,
            wanted: None,
        })
    }

    async fn measure(&self) -> Result<u32> {
        let reply = self.ask(&["dimension"], Purpose::Memory).await?;
        let vectors = self.vectors(&reply, 1)?.0;
        let vector = vectors.into_iter().next().unwrap_or_default();
        let dimension = u32::try_from(vector.len()).unwrap_or(u32::MAX);
        Embedding::checked(vector, dimension)
            .map(|_| dimension)
            .map_err(|error| self.describe(error, &reply))
    }

    fn vectors(&self, reply: &RawReply, texts: usize) -> Result<(Vec<Vec<f32>>, Usage)> {
        let read = reply::read(self.embed.wire, &reply.body, texts);
        read.map_err(|error| self.describe(error, reply))
    }

    /// Vectors as they may be stored.
    fn checked(&self, vectors: Vec<Vec<f32>>) -> Result<Vec<Embedding>> {
        let texts = vectors.len();
        let numbered = vectors.into_iter().enumerate();
        let checked = numbered.map(|(number, vector)| {
            Embedding::checked(vector, self.identity.dimension)
                .map_err(|error| error.with("text", format!("{} of {texts}", number + 1)))
        });
        checked.collect()
    }

    /// Adds whose reply it was.
    fn describe(&self, error: Error, reply: &RawReply) -> Error {
        let transport = &self.connection.transport;
        transport
            .told(error)
            .with("profile", &self.connection.name)
            .with("model", &self.name)
            .with("attempts", reply.attempts)
    }
}

/// What of a text is embedded.
fn beginning(text: &str) -> &str {
    let end = text.floor_char_boundary(LONGEST_TEXT);
    text.get(..end).unwrap_or(text)
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
        let calls = Calls::unkept();
        calls.embed("embed", self, texts, Purpose::Memory).await
    }

    fn model(&self) -> Option<&dyn EmbeddingModel> {
        Some(self)
    }
}

#[async_trait]
impl EmbeddingModel for EmbeddingClient {
    fn profile(&self) -> &str {
        &self.connection.name
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    fn price(&self) -> Option<Price> {
        let input = self.connection.profile.embed_price?;
        Some(Price { input, output: 0.0 })
    }

    /// Cuts texts into calls, by their number and their length. Of very long ones the beginning
    /// stands for the whole.
    fn batches<'t>(&self, texts: &[&'t str]) -> Vec<Vec<&'t str>> {
        let most = self
            .connection
            .profile
            .embed_batch_size
            .min(self.embed.max_batch);
        let mut batches: Vec<Vec<&str>> = Vec::new();
        let mut bytes = 0;
        for text in texts {
            let text = beginning(text);
            match batches.last_mut() {
                Some(batch) if batch.len() < most && bytes + text.len() <= MOST_BYTES => {
                    bytes += text.len();
                    batch.push(text);
                }
                _ => {
                    bytes = text.len();
                    batches.push(vec![text]);
                }
            }
        }
        batches
    }

    async fn ask(&self, texts: &[&str], purpose: Purpose) -> Result<RawReply> {
        self.connection.check_key()?;
        let (wire, model) = (self.embed.wire, &self.identity.model);
        let target = self
            .connection
            .target("embeddings", &request::path(wire, model))?;
        let body = request::body(wire, model, texts, purpose, self.wanted);
        let call = Call::json(target, &body);
        let sent = self.connection.transport.send(&call).await;
        sent.map_err(|failure| {
            let error = failure.into_error(&self.connection.name, &self.name);
            self.connection.transport.told(error)
        })
    }

    fn usage(&self, reply: &RawReply) -> Usage {
        Usage {
            latency: reply.latency,
            ..reply::usage(&reply.body)
        }
    }

    async fn rest(&self, replies: u32) {
        self.connection.transport.rest(replies).await;
    }

    fn read(&self, reply: &RawReply, texts: usize) -> Result<EmbeddingReply> {
        let (vectors, mut usage) = self.vectors(reply, texts)?;
        usage.latency = reply.latency;
        let vectors = self.checked(vectors);
        Ok(EmbeddingReply {
            // A model that is loaded anew may do better.
            vectors: vectors.map_err(|error| self.describe(error.retryable(true), reply))?,
            usage,
        })
    }
}
