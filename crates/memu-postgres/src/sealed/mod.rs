//! What is sealed of large scopes: their older records by the words of their texts, in parts,
//! and an entry for each record, which a question looks up.
//!
//! All of it is made from the [outlines](crate::outlines) of a scope, in the transaction that
//! renews those, and is of the same change. A scope without parts has no entries either.

mod agree;
mod change;
mod entries;
mod kinds;
mod lookup;
mod parts;
mod read;
mod renew;
mod seal;

use memu_core::{Error, Result};

pub(crate) use agree::agree;
pub(crate) use lookup::{Places, around, buckets, hung_on, items, segments};
pub(crate) use read::sealed;
pub(crate) use renew::{rebuild, renew};

/// Does what takes long enough to be in the way of others where it is not.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|cause| Error::internal("work on what is sealed ended early").caused_by(cause))
}
