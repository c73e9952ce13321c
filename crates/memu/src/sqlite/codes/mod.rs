//! Codes of vectors, block by block beside the vectors that they are derived from.
//!
//! Vectors get codes 256 at a time, in the order of their owners; those that came last
//! have none yet and are compared in full. The transaction that changes a vector renews
//! the block that codes it.

mod cache;
mod coded;
mod drift;
mod load;
mod renew;
mod search;
mod stored;

use memu_core::Result;
use memu_core::records::OwnerKind;
use memu_core::vector::BLOCK_VECTORS;
use rusqlite::{Connection, OptionalExtension};

use super::error::{corrupt, storage};
use super::rows::unpacked;
use super::vectors::kind_number;

pub(super) use cache::Cache;
pub(super) use coded::{Coded, OwnedVector};
pub(super) use drift::agree;
pub(super) use renew::{ChangedVectors, rebuild, renew};
pub(super) use search::search;

/// How many vectors a full block has, as SQLite counts.
const BLOCK: i64 = BLOCK_VECTORS.cast_signed() as i64;

/// The vectors of one kind of owner in one scope, by one embedder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Family {
    scope_id: i64,
    set_id: i64,
    owner_kind: i64,
}

impl Family {
    pub(super) fn new(scope_id: i64, set_id: i64, kind: OwnerKind) -> Self {
        Self {
            scope_id,
            set_id,
            owner_kind: kind_number(kind),
        }
    }
}

/// The range of owners that a block codes.
#[derive(Clone, Copy, Debug)]
struct Range {
    first_row: i64,
    last_row: i64,
}

/// The vectors of the owners from `first` to `last`, in order.
fn vectors_between(
    connection: &Connection,
    family: Family,
    first: i64,
    last: i64,
    limit: i64,
) -> Result<Vec<OwnedVector>> {
    let mut statement = connection
        .prepare_cached(
            "SELECT owner_row, vector FROM memu_embeddings WHERE scope_id = ?1
             AND owner_kind = ?2 AND set_id = ?3 AND owner_row BETWEEN ?4 AND ?5
             ORDER BY owner_row LIMIT ?6",
        )
        .map_err(storage)?;
    let parameters = (
        family.scope_id,
        family.owner_kind,
        family.set_id,
        first,
        last,
        limit,
    );
    let mut rows = statement.query(parameters).map_err(storage)?;
    let mut vectors = Vec::new();
    while let Some(row) = rows.next().map_err(storage)? {
        let owner: i64 = row.get(0).map_err(storage)?;
        let owner = u64::try_from(owner).map_err(|_| corrupt("a negative row number"))?;
        let bytes = row.get_ref(1).map_err(storage)?;
        let bytes = bytes.as_blob().map_err(|_| corrupt("an unusable vector"))?;
        vectors.push((owner, unpacked(bytes)));
    }
    Ok(vectors)
}

/// The vectors of a family that have no codes yet, at most as many as a block has; `None` when
/// none will get any.
pub(super) fn uncoded(connection: &Connection, family: Family) -> Result<Option<Vec<OwnedVector>>> {
    if !renew::sets(connection)?.contains(&family.set_id) {
        return Ok(None);
    }
    let end = coded_through(connection, family)?;
    vectors_between(connection, family, end + 1, i64::MAX, BLOCK).map(Some)
}

/// The last owner that has codes; 0 when none has.
fn coded_through(connection: &Connection, family: Family) -> Result<i64> {
    let last: Option<i64> = connection
        .prepare_cached(
            "SELECT last_row FROM memu_vector_codes WHERE scope_id = ?1 AND owner_kind = ?2
             AND set_id = ?3 ORDER BY first_row DESC LIMIT 1",
        )
        .and_then(|mut statement| {
            let parameters = (family.scope_id, family.owner_kind, family.set_id);
            statement.query_row(parameters, |row| row.get(0)).optional()
        })
        .map_err(storage)?;
    Ok(last.unwrap_or_default())
}
