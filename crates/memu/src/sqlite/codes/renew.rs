//! Keeping codes in step with their vectors.

use std::collections::BTreeSet;

use memu_core::Result;
use memu_core::records::OwnerKind;
use memu_core::vector::{BLOCK_VECTORS, MOST_CODED};
use rusqlite::{Connection, OptionalExtension, Params};

use super::{BLOCK, Coded, Family, Range, coded_through, vectors_between};
use crate::sqlite::ahead::Ahead;
use crate::sqlite::error::{corrupt, storage};
use crate::sqlite::rows::integer;

/// The owners whose vectors a transaction has put or removed, of any embedder.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct ChangedVectors {
    segments: BTreeSet<i64>,
    items: BTreeSet<i64>,
    categories: BTreeSet<i64>,
    resources: BTreeSet<i64>,
}

impl ChangedVectors {
    pub(in crate::sqlite) fn insert(&mut self, kind: OwnerKind, owner: i64) {
        self.of_mut(kind).insert(owner);
    }

    fn of_mut(&mut self, kind: OwnerKind) -> &mut BTreeSet<i64> {
        match kind {
            OwnerKind::Resource => &mut self.resources,
            OwnerKind::Segment => &mut self.segments,
            OwnerKind::Item => &mut self.items,
            OwnerKind::Category => &mut self.categories,
        }
    }

    pub(super) fn by_kind(&self) -> [(OwnerKind, &BTreeSet<i64>); 4] {
        [
            (OwnerKind::Resource, &self.resources),
            (OwnerKind::Segment, &self.segments),
            (OwnerKind::Item, &self.items),
            (OwnerKind::Category, &self.categories),
        ]
    }
}

/// Renews the codes of a scope after a transaction whose last change has the number `seq`,
/// with those that were made `ahead`.
pub(in crate::sqlite) fn renew(
    connection: &Connection,
    scope_id: i64,
    changed: &ChangedVectors,
    seq: u64,
    mut ahead: Option<&mut Ahead>,
) -> Result<()> {
    let changed = changed.by_kind().into_iter();
    let changed: Vec<_> = changed.filter(|(_, owners)| !owners.is_empty()).collect();
    if changed.is_empty() {
        return Ok(());
    }
    for set_id in sets(connection)? {
        for (kind, owners) in &changed {
            let codes = Codes {
                connection,
                family: Family::new(scope_id, set_id, *kind),
                seq,
            };
            codes.renew(owners)?;
            codes.extend(ahead.as_deref_mut())?;
        }
    }
    Ok(())
}

/// Makes all codes of a scope from its vectors.
pub(in crate::sqlite) fn rebuild(connection: &Connection, scope_id: i64, seq: u64) -> Result<()> {
    for table in ["memu_vector_low_bits", "memu_vector_codes"] {
        let sql = format!("DELETE FROM {table} WHERE scope_id = ?1");
        connection.execute(&sql, [scope_id]).map_err(storage)?;
    }
    for set_id in sets(connection)? {
        for (kind, _) in ChangedVectors::default().by_kind() {
            let codes = Codes {
                connection,
                family: Family::new(scope_id, set_id, kind),
                seq,
            };
            codes.extend(None)?;
        }
    }
    Ok(())
}

/// The sets whose vectors have codes: all but those that were replaced, and those whose
/// vectors are too long.
pub(super) fn sets(connection: &Connection) -> Result<Vec<i64>> {
    connection
        .prepare_cached(
            "SELECT set_id FROM memu_embedding_sets
             WHERE dimension <= ?1 AND (state <> 'retired' OR provider = 'unknown')",
        )
        .and_then(|mut statement| {
            let rows = statement.query_map([MOST_CODED.cast_signed() as i64], |row| row.get(0))?;
            rows.collect()
        })
        .map_err(storage)
}

struct Codes<'c> {
    connection: &'c Connection,
    family: Family,
    seq: u64,
}

impl Codes<'_> {
    /// Renews the blocks in whose range one of these owners lies.
    fn renew(&self, owners: &BTreeSet<i64>) -> Result<()> {
        let end = coded_through(self.connection, self.family)?;
        let mut from = i64::MIN;
        while let Some(owner) = owners.range(from..=end.max(from)).next().copied() {
            if owner > end {
                break;
            }
            let range = self.range_of(owner)?;
            self.delete(range)?;
            let first = range.first_row.min(owner);
            let vectors = vectors_between(
                self.connection,
                self.family,
                first,
                range.last_row,
                i64::MAX,
            )?;
            // Blocks that have grown to twice the size become two.
            for part in vectors.chunks(2 * BLOCK_VECTORS) {
                self.insert(&Coded::new(part))?;
            }
            from = range.last_row + 1;
        }
        Ok(())
    }

    /// Codes the vectors behind the last block, as far as they fill one.
    fn extend(&self, mut ahead: Option<&mut Ahead>) -> Result<()> {
        loop {
            let end = coded_through(self.connection, self.family)?;
            let owners = self.uncoded(end)?;
            if owners.len() < BLOCK_VECTORS {
                return Ok(());
            }
            let made = ahead.as_mut().and_then(|ahead| ahead.coded(self.family));
            if let Some(made) = made.filter(|made| made.owners == owners) {
                self.insert(&made)?;
                continue;
            }
            let next = vectors_between(self.connection, self.family, end + 1, i64::MAX, BLOCK)?;
            self.insert(&Coded::new(&next))?;
        }
    }

    /// The owners after one whose vectors fill a block; fewer when they do not.
    fn uncoded(&self, after: i64) -> Result<Vec<u64>> {
        let owners: Vec<i64> = self
            .connection
            .prepare_cached(
                "SELECT owner_row FROM memu_embeddings WHERE scope_id = ?1 AND owner_kind = ?2
                 AND set_id = ?3 AND owner_row > ?4 ORDER BY owner_row LIMIT ?5",
            )
            .and_then(|mut statement| {
                let family = self.family;
                let parameters = (
                    family.scope_id,
                    family.owner_kind,
                    family.set_id,
                    after,
                    BLOCK,
                );
                statement.query_map(parameters, |row| row.get(0))?.collect()
            })
            .map_err(storage)?;
        let owners = owners.into_iter().map(u64::try_from);
        owners
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| corrupt("a negative row number"))
    }

    /// The block that an owner lies in or comes after, up to the next one's; the first
    /// block for one that comes before all.
    fn range_of(&self, owner: i64) -> Result<Range> {
        let before = self.range("AND first_row <= ?4 ORDER BY first_row DESC LIMIT 1", owner)?;
        let range = match before {
            Some(range) => Some(range),
            None => self.range("AND first_row > ?4 ORDER BY first_row LIMIT 1", owner)?,
        };
        let Range {
            first_row,
            last_row,
        } = range.unwrap_or(Range {
            first_row: owner,
            last_row: owner,
        });
        Ok(Range {
            first_row,
            last_row: last_row.max(owner),
        })
    }

    fn range(&self, which: &str, owner: i64) -> Result<Option<Range>> {
        let sql = format!(
            "SELECT first_row, last_row FROM memu_vector_codes
             WHERE scope_id = ?1 AND owner_kind = ?2 AND set_id = ?3 {which}"
        );
        let family = self.family;
        let parameters = (family.scope_id, family.owner_kind, family.set_id, owner);
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut statement| {
                let range = statement.query_row(parameters, |row| {
                    Ok(Range {
                        first_row: row.get(0)?,
                        last_row: row.get(1)?,
                    })
                });
                range.optional()
            })
            .map_err(storage)
    }

    fn delete(&self, range: Range) -> Result<()> {
        let family = self.family;
        let parameters = (
            family.scope_id,
            family.owner_kind,
            family.set_id,
            range.first_row,
        );
        self.execute(
            "DELETE FROM memu_vector_codes WHERE scope_id = ?1 AND owner_kind = ?2
             AND set_id = ?3 AND first_row = ?4",
            parameters,
        )
    }

    fn insert(&self, coded: &Coded) -> Result<()> {
        let (Some(first), Some(last)) = (coded.owners.first(), coded.owners.last()) else {
            return Ok(());
        };
        let (block, low) = &coded.bodies;
        let family = self.family;
        self.execute(
            "INSERT INTO memu_vector_codes
             (scope_id, owner_kind, set_id, first_row, last_row, seq, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (
                family.scope_id,
                family.owner_kind,
                family.set_id,
                integer(*first)?,
                integer(*last)?,
                integer(self.seq)?,
                block,
            ),
        )?;
        self.execute(
            "INSERT INTO memu_vector_low_bits (scope_id, codes_row, body) VALUES (?1, ?2, ?3)",
            (family.scope_id, self.connection.last_insert_rowid(), low),
        )
    }

    fn execute(&self, sql: &str, parameters: impl Params) -> Result<()> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(parameters))
            .map(drop)
            .map_err(storage)
    }
}
