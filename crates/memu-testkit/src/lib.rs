//! What only MemU's tests share. Every crate may name it under
//! `[dev-dependencies]`, because it depends on none of them.

pub mod models;
#[cfg(all(unix, feature = "postgres"))]
pub mod postgres;
mod skip;

pub use skip::{SKIP_LOG, skip, skip_unless_set};
