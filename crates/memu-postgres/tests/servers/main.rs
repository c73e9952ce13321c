//! The PostgreSQL store on real servers: that stop and crash, that many write to at once, that
//! hold what is not ours, that speak TLS, that keep scopes apart, that hold very much, and that are
//! many.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod cluster;
mod committing;
mod crowds;
mod encrypting;
mod guarding;
mod holding;
mod opening;
mod proxy;
mod routing;
mod searching;
mod stopping;
mod support;
