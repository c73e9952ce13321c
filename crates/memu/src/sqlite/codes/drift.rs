//! Whether codes are what their vectors say.

use memu_core::Result;
use memu_core::vector::BLOCK_VECTORS;
use rusqlite::{Connection, OptionalExtension};

use super::renew::{ChangedVectors, sets};
use super::{BLOCK, Coded, Family, vectors_between};
use crate::sqlite::error::storage;

/// Whether every stored block is what its vectors say, and too few vectors are without
/// codes to make another one.
pub(in crate::sqlite) fn agree(connection: &Connection, scope_id: i64) -> Result<bool> {
    for set_id in sets(connection)? {
        for (kind, _) in ChangedVectors::default().by_kind() {
            if !family_agrees(connection, Family::new(scope_id, set_id, kind))? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn family_agrees(connection: &Connection, family: Family) -> Result<bool> {
    let ranges: Vec<(i64, i64, i64)> = connection
        .prepare_cached(
            "SELECT row, first_row, last_row FROM memu_vector_codes
             WHERE scope_id = ?1 AND owner_kind = ?2 AND set_id = ?3 ORDER BY first_row",
        )
        .and_then(|mut statement| {
            let parameters = (family.scope_id, family.owner_kind, family.set_id);
            let rows = statement.query_map(parameters, |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
            rows.collect()
        })
        .map_err(storage)?;
    let mut end = 0;
    for (row, first, last) in ranges {
        let between = vectors_between(connection, family, end + 1, first - 1, 1)?;
        if first <= end || !between.is_empty() {
            return Ok(false);
        }
        let vectors = vectors_between(connection, family, first, last, i64::MAX)?;
        if bodies(connection, family.scope_id, row)? != Some(Coded::new(&vectors).bodies) {
            return Ok(false);
        }
        end = last;
    }
    let rest = vectors_between(connection, family, end + 1, i64::MAX, BLOCK)?;
    Ok(rest.len() < BLOCK_VECTORS)
}

/// A block and its low bits, as they are stored.
fn bodies(connection: &Connection, scope_id: i64, row: i64) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    connection
        .prepare_cached(
            "SELECT c.body, l.body FROM memu_vector_codes c JOIN memu_vector_low_bits l
             ON l.scope_id = c.scope_id AND l.codes_row = c.row
             WHERE c.scope_id = ?1 AND c.row = ?2",
        )
        .and_then(|mut statement| {
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            statement.query_row((scope_id, row), read).optional()
        })
        .map_err(storage)
}
