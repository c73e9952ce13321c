//! MemU's store in PostgreSQL with pgvector: a full equal of the SQLite store, for those who
//! outgrow one file.
//!
//! What a batch means, what ranking needs and how a vector's score is computed are the core's;
//! this crate reads and writes rows. Candidates for the nearest vectors come from the server.

mod address;
mod attempts;
mod check;
mod citus;
mod clear;
mod columns;
mod commit;
mod connect;
mod ending;
mod error;
mod filter;
mod index;
mod json;
mod open;
mod options;
mod original;
mod outlines;
mod owners;
mod read;
mod rows;
mod schema;
mod scopes;
mod sealed;
mod search;
mod select;
mod sets;
mod sql;
mod store;
mod tls;
mod values;
mod vectors;
mod written;

pub use options::Options;
pub use original::{holds_original, preview_upgrade};
pub use store::PostgresStore;
