//! Models for MemU: providers that are reached over HTTP, the prompts they are asked with, and
//! what makes memories of their replies.

mod connection;
mod embed;
pub mod presets;
mod profile;
mod surroundings;
mod transport;
pub mod understanding;
mod wire;

pub use connection::Connection;
pub use embed::EmbeddingClient;
pub use profile::Profile;
pub use surroundings::{Delays, Pause, Surroundings, TokioPause, Variables};
pub use wire::ChatClient;
