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
#[derive(Debug)]
pub(super) struct Places {
    /// The first owner of each block.
    first_rows: Vec<i64>,
    /// By block: how much greater the row of a vector is than that of its owner.
    shifts: Vec<AtomicI64>,
}

impl Places {
    /// Nothing is known but what was `before`.
    pub(super) fn new(first_rows: Vec<i64>, before: Option<&Self>) -> Self {
        let shift = |owner: &i64| before?.shift(*owner).map(|shift| shift.load(Relaxed));
        let shifts = first_rows.iter().map(shift);
        Self {
            shifts: shifts
                .map(|shift| shift.unwrap_or_default().into())
                .collect(),
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

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILY: Family = Family {
        scope_id: 1,
        set_id: 1,
        owner_kind: 2,
    };

    fn put(connection: &Connection, row: i64, scope: i64, owner: i64, number: f32) {
        let sql = "INSERT OR REPLACE INTO memu_embeddings VALUES (?1, ?2, 1, 2, ?3, ?4)";
        let parameters = (row, scope, owner, number.to_le_bytes());
        connection.execute(sql, parameters).unwrap();
    }

    #[test]
    fn a_vector_is_found_wherever_its_neighbours_were() {
        let connection = Connection::open_in_memory().unwrap();
        let table = "CREATE TABLE memu_embeddings (row INTEGER PRIMARY KEY, scope_id, set_id,
                     owner_kind, owner_row, vector BLOB)";
        connection.execute(table, []).unwrap();
        // In order but for the last, which lies among vectors of another scope.
        for owner in 1..10 {
            put(&connection, owner + 100, 1, owner, owner as f32);
            put(&connection, owner + 109, 2, owner, -1.0);
        }
        put(&connection, 7, 1, 10, 10.0);
        let places = Places::new(vec![1, 6], None);
        let check = |places: &Places, missing: i64| {
            let mut stored = Stored::new(&connection, FAMILY, Some(places)).unwrap();
            for owner in [1, 2, 10, 9, 6, 10, 3, 8, 4, 5, 7] {
                let expected = (owner != missing).then(|| vec![owner as f32]);
                let found = stored.vector(owner.cast_unsigned()).unwrap();
                assert_eq!(found, expected, "{owner}");
            }
            assert_eq!(stored.vector(11).unwrap(), None);
        };
        check(&places, 0);
        assert_eq!(places.shift(3).unwrap().load(Relaxed), 100);
        // What was where a vector is looked for is another one's now, or moves.
        put(&connection, 102, 2, 30, -1.0);
        check(&places, 2);
        put(&connection, 300, 1, 2, 2.0);
        check(&places, 0);
        let later = Places::new(vec![1, 4], Some(&places));
        let shift = |owner| later.shift(owner).unwrap().load(Relaxed);
        assert_eq!([shift(3), shift(4)], [100, 100]);
        check(&later, 0);
    }
}
