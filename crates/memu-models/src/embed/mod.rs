//! Models that embed: texts in batches, vectors back in order and checked.

mod client;
mod reply;
mod request;

pub use client::EmbeddingClient;
