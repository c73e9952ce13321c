//! Models for MemU: providers that are reached over HTTP, the prompts they are asked with, and
//! what makes memories of their replies.

mod connection;
mod embed;
mod extractor;
pub mod presets;
mod profile;
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
pub use retrieval::{ProfiledModel, RetrievalModels};
pub use summarizer::ModelSummarizer;
pub use surroundings::{Delays, Pause, Surroundings, TokioPause, Variables};
pub use wire::ChatClient;
