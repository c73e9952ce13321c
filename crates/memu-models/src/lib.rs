//! Models for MemU: providers that are reached over HTTP, the prompts they are asked with, and
//! what makes memories of their replies.
//!
//! ```no_run
//! use memu_core::provider::{ChatMessage, ChatModel as _, ChatRequest, Embedder as _};
//! use memu_core::records::Role;
//! use memu_models::{Connection, Profile, Surroundings};
//!
//! # async fn ask() -> memu_core::Result<()> {
//! let profile = Profile {
//!     provider: "openai".to_owned(),
//!     ..Profile::default()
//! };
//! let connection = Connection::new("default", &profile, &Surroundings::default())?;
//! let model = connection.chat_model()?;
//! let raw = model
//!     .chat(&ChatRequest {
//!         messages: vec![ChatMessage::new(Role::User, "What is a memory?")],
//!         format: None,
//!         temperature: None,
//!         max_tokens: None,
//!     })
//!     .await?;
//! // `raw` is to be kept; then it can be read, now and again.
//! let reply = model.read(&raw)?;
//! let vectors = connection.embedder().await?.embed(&[&reply.text]).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Recordings
//!
//! The variable `MEMU_RECORD` names a file to which every exchange with a provider is appended as a
//! line of JSON: `recording` (the version of the format, 1), `profile`, `method`, `url` (without the
//! values of its parameters), `path` (below the provider's address), `content_type`,
//! `request_hash`, `request` (or `form`, with `hash` and `bytes`, for a recording of sound), then
//! `status`, `headers` (only those that say when to ask again) and `body` (or `text`, where it is no
//! JSON), or `lost` (`message`, `retryable`) where there was no answer, and `latency` in seconds.
//! Only its owner can read the file. Keys are masked as `***`, those of other providers by their
//! form, also in the answers that the recorded run sees.
//!
//! `MEMU_REPLAY` names a recording that answers in place of all providers, whoever they are and
//! wherever: a request is found by its path and body. Equal requests are answered in the order in
//! which they were recorded, the last one from then on. Nothing is waited for, and no key is
//! needed. A request that was not recorded is an error that tells how the nearest differs.

mod address;
mod connection;
mod embed;
mod extractor;
pub mod presets;
mod profile;
mod reader;
mod retrieval;
mod summarizer;
mod surroundings;
mod transport;
pub mod understanding;
mod wire;

pub use address::{masked_address, masked_profile};
pub use connection::Connection;
pub use embed::EmbeddingClient;
pub use extractor::ModelExtractor;
pub use profile::Profile;
pub use reader::{Footage, ModelReader, VideoCutter};
pub use retrieval::{ProfiledModel, RetrievalModels};
pub use summarizer::ModelSummarizer;
pub use surroundings::{Delays, Pause, Surroundings, TokioPause, Variables};
pub use transport::Traffic;
pub use wire::ChatClient;
