//! Long-term memory for AI agents that lives in one file.
//!
//! ```no_run
//! # async fn example() -> memu::Result<()> {
//! use memu::{MemorizeRequest, Modality, RetrieveRequest};
//!
//! let memory = memu::open("sqlite:///memu.db").await?;
//! let chat = MemorizeRequest::url("chat.json", Modality::Conversation);
//! memory.memorize(chat.user("user_id", "alice")).await?;
//!
//! let question = RetrieveRequest::question("When did she go to bed?");
//! let answer = memory.retrieve(question.matching("user_id", "alice")).await?;
//! for hit in answer.items {
//!     println!("{:.2}  {}", hit.score, hit.item.summary);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! No key, no network, no model: the `local` provider segments, extracts, files,
//! summarises and ranks. See [`MemoryServiceBuilder`] for everything that can be
//! configured.

pub mod backup;
mod builder;
pub mod database;
mod disk;
mod dsn;
mod executor;
mod fetch;
mod ffmpeg;
pub mod markdown;
pub mod models;
pub mod moving;
mod opening;
mod profiles;
mod resource_files;
pub mod settings;
pub mod sqlite;

pub use builder::{MemoryServiceBuilder, open};
pub use dsn::Dsn;
pub use executor::TokioExecutor;
pub use fetch::SystemFetcher;
pub use memu_core::records::{
    CategoryItem, Id, MemoryCategory, MemoryItem, Modality, ModelUsage, Resource, Role, Segment,
};
pub use memu_core::service::{
    ClearResponse, CreateItem, CreateItems, ItemResponse, ItemsResponse, ListRequest, ListResponse,
    MemorizeRequest, MemorizeResponse, MemorizeStatus, Message, NewItem, Reembed, ReembedResponse,
    ReembedStatus, Replay, ReplayStatus, Replayed, RetrieveRequest, RetrieveResponse, Source,
    StatsResponse, Unfinished, UpdateItem,
};
pub use memu_core::{Error, ErrorKind, MemoryService, Result};
pub use resource_files::LocalFiles;
pub use {
    memu_core as core, memu_local as local, memu_models as providers, memu_postgres as postgres,
};
