//! Vectors as they are stored, one by one.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use memu_core::Result;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};

use super::Family;
use crate::sqlite::error::storage;
use crate::sqlite::rows::unpacked;

/// Where the vectors of a family were found last.
///
/// Vectors are mostly stored in the order of their owners, so that the row of one tells those
/// of its neighbours. Where that is right, a vector is found without the index, which takes as
/// long as to read it.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The first owner of each block.
    first_rows: Vec<i64>,
    /// By block: how much greater the row of a vector is than that of its owner.
    shifts: Vec<AtomicI64>,
}

impl Places {
    pub(super) fn new(first_rows: Vec<i64>) -> Self {
        Self {
            shifts: first_rows.iter().map(|_| AtomicI64::new(0)).collect(),
            first_rows,
        }
    }

    /// The first owners of the blocks.
    pub(super) fn first_rows(&self) -> &[i64] {
        &self.first_rows
    }

    fn shift(&self, owner: i64) -> Option<&AtomicI64> {
        let after = self.first_rows.partition_point(|first| *first <= owner);
        self.shifts.get(after.checked_sub(1)?)
    }
}

/// The vectors of a family as they are stored.
pub(super) struct Stored<'c> {
    family: Family,
    places: Option<&'c Places>,
    by_row: CachedStatement<'c>,
    by_owner: CachedStatement<'c>,
}

impl<'c> Stored<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        family: Family,
        places: Option<&'c Places>,
    ) -> Result<Self> {
        let prepared = |sql| connection.prepare_cached(sql).map_err(storage);
        Ok(Self {
            family,
            places,
            by_row: prepared(
                "SELECT vector, row FROM memu_embeddings WHERE scope_id = ?1 AND owner_kind = ?2
                 AND set_id = ?3 AND owner_row = ?4 AND row = ?5",
            )?,
            by_owner: prepared(
                "SELECT vector, row FROM memu_embeddings WHERE scope_id = ?1 AND owner_kind = ?2
                 AND set_id = ?3 AND owner_row = ?4",
            )?,
        })
    }

    /// The vector of an owner, unless it has none.
    pub(super) fn vector(&mut self, owner: u64) -> Result<Option<Vec<f32>>> {
        let Family {
            scope_id,
            set_id,
            owner_kind,
        } = self.family;
        let owner = owner.cast_signed();
        let shift = self.places.and_then(|places| places.shift(owner));
        if let Some(shift) = shift {
            let row = owner.wrapping_add(shift.load(Relaxed));
            let found = (self.by_row)
                .query_row((scope_id, owner_kind, set_id, owner, row), found)
                .optional();
            if let Some((vector, _)) = found.map_err(storage)? {
                return Ok(Some(vector));
            }
        }
        let found = (self.by_owner)
            .query_row((scope_id, owner_kind, set_id, owner), found)
            .optional()
            .map_err(storage)?;
        Ok(found.map(|(vector, row)| {
            if let Some(shift) = shift {
                shift.store(row.wrapping_sub(owner), Relaxed);
            }
            vector
        }))
    }
}

fn found(row: &Row<'_>) -> rusqlite::Result<(Vec<f32>, i64)> {
    Ok((unpacked(row.get_ref(0)?.as_blob()?), row.get(1)?))
}
