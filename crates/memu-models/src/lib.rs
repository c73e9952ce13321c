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

pub use connection::Connection;
pub use embed::EmbeddingClient;
pub use extractor::ModelExtractor;
pub use profile::Profile;
pub use reader::{Footage, ModelReader, VideoCutter};
pub use retrieval::{ProfiledModel, RetrievalModels};
pub use summarizer::ModelSummarizer;
pub use surroundings::{Delays, Pause, Surroundings, TokioPause, Variables};
pub use wire::ChatClient;
