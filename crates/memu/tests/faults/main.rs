//! A disk that fails: power cuts, no room, errors, and files that others meddle with.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg(unix)]

mod disk;
mod files;
mod full;
mod machine;
#[allow(dead_code)] // Other tests use the rest.
#[path = "../support/original.rs"]
mod original;
mod power;
mod vfs;
#[path = "../support/workload.rs"]
mod workload;
