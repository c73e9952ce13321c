//! The heart of MemU: records, scopes, filters, traits, pipelines and ranking.
//!
//! Nothing here knows SQL, a network or an async runtime. Data flows one way:
//! surfaces call [`MemoryService`], which runs pipelines over the traits of
//! [`provider`] and [`store`]; adapters implement those traits; nothing calls back
//! up. Time, randomness and threads are injected through [`environment`].

pub mod analysis;
pub mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod environment;
pub mod error;
pub mod filter;
pub mod original;
pub mod pipeline;
pub mod provider;
pub mod random;
pub mod ranking;
pub mod records;
pub mod scope;
mod secret;
pub mod service;
pub mod store;
pub mod time;
pub mod transfer;
pub mod vector;

pub use error::{Error, ErrorKind, Result};
pub use secret::Secret;
pub use service::MemoryService;
