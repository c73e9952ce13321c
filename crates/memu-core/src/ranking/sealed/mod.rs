//! Postings of large scopes, which lie in the store and are looked up question by question.
//!
//! A store *seals* the older records of a large scope: a run of segments or of items becomes a
//! [`Part`], whose postings lie in [`Bucket`]s by the terms of their words. A question reads the
//! buckets of its terms, and no more of what is sealed than the records that it finds. What is
//! not sealed yet, which is bounded, is read as outlines and indexed in memory, as small scopes
//! are. What a question finds is the same.
//!
//! All of this is derived from the [outlines](super::outline) of the records that are sealed.

mod bucket;
mod change;
mod lone;
mod part;
mod posting;
mod sealable;
mod summary;

pub use bucket::Bucket;
pub use change::Change;
pub use lone::LoneEntry;
pub use part::{Part, PartName, SealedPart};
pub use posting::Posting;
pub use sealable::Sealable;
pub use summary::{SealedSession, Summary};
