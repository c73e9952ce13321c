//! What only MemU's tests share. Every crate may name it under
//! `[dev-dependencies]`, because it depends on none of them.

pub mod models;
mod skip;

pub use skip::{SKIP_LOG, skip, skip_unless_set};
