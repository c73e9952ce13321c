//! Keeping blocks in step with their rows.

use std::collections::BTreeSet;

use memu_core::Result;
use memu_core::ranking::outline::{Block, BlockBuilder, Entry};
use memu_core::records::{MemoryItem, Segment};
use rusqlite::Row;

use super::{FreshRows, Outlined, Outlines, place};
use crate::sqlite::error::storage;
use crate::sqlite::rows::integer;
use crate::sqlite::vectors::kind_number;

/// So many blocks that are not much larger become one with the next.
const TIER: usize = 3;

/// The rows that a transaction has put or removed.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct ChangedRows {
    pub(in crate::sqlite) segments: BTreeSet<i64>,
    pub(in crate::sqlite) items: BTreeSet<i64>,
}

impl Outlines<'_> {
    /// Renews the blocks of rows that a transaction changed, whose last change has the
    /// number `seq`.
    pub(in crate::sqlite) fn renew(
        &self,
        changed: &ChangedRows,
        fresh: &mut FreshRows<'_>,
        seq: u64,
    ) -> Result<()> {
        self.renew_kind::<Segment>(&changed.segments, fresh, seq)?;
        self.renew_kind::<MemoryItem>(&changed.items, fresh, seq)
    }

    /// Makes all blocks from the rows.
    pub(in crate::sqlite) fn rebuild(&self, seq: u64) -> Result<()> {
        self.connection
            .execute(
                "DELETE FROM memu_outlines WHERE scope_id = ?1",
                [self.scope_id],
            )
            .map_err(storage)?;
        for block in self.made_from_rows::<Segment>(0, i64::MAX)? {
            self.insert::<Segment>(&block, seq)?;
        }
        for block in self.made_from_rows::<MemoryItem>(0, i64::MAX)? {
            self.insert::<MemoryItem>(&block, seq)?;
        }
        Ok(())
    }

    fn renew_kind<T: Outlined>(
        &self,
        changed: &BTreeSet<i64>,
        fresh: &mut FreshRows<'_>,
        seq: u64,
    ) -> Result<()> {
        let records = T::fresh(fresh);
        if let Some(first) = changed.first()
            && changed.iter().all(|row| records.contains_key(row))
        {
            // New records stand behind all others.
            for block in self.made_of_fresh::<T>(fresh, changed, (*first, i64::MAX))? {
                self.append::<T>(block, seq)?;
            }
            return Ok(());
        }
        let mut from = i64::MIN;
        while let Some(row) = changed.range(from..).next().copied() {
            let stored = self.block_of::<T>(row)?;
            let first = stored.as_ref().map_or(row, |(first, _)| *first);
            from = self.first_row_after::<T>(first)?;
            let changed: BTreeSet<i64> = changed.range(row..from).copied().collect();
            let known = stored.map(|(_, body)| Block::<T::Entry>::from_bytes(&body));
            let blocks = match known {
                Some(Ok(known)) if known.last_place() < Some(place(row)?) => {
                    for block in self.made_of_fresh::<T>(fresh, &changed, (row, from))? {
                        self.append::<T>(block, seq)?;
                    }
                    Vec::new()
                }
                Some(Ok(known)) => {
                    self.delete::<T>(first)?;
                    self.renewed::<T>(&known, &changed)?
                }
                Some(Err(_)) => {
                    self.delete::<T>(first)?;
                    self.made_from_rows::<T>(first, from)?
                }
                None => self.made_of_fresh::<T>(fresh, &changed, (row, from))?,
            };
            for block in blocks {
                self.insert::<T>(&block, seq)?;
            }
        }
        Ok(())
    }

    /// Adds a block. Where the [`TIER`] before it are not much larger, they become one with it,
    /// as far as that is not too large: so there are few blocks, and adding one row after the
    /// other writes each of them a few times only, and most often reads none.
    fn append<T: Outlined>(&self, block: Block<T::Entry>, seq: u64) -> Result<()> {
        let mut block = block;
        loop {
            let body = block.to_bytes()?;
            let first = integer(block.first_place().unwrap_or_default())?;
            let before = self.sizes_before::<T>(first)?;
            let similar = |(_, size): &(i64, usize)| *size < 2 * body.len();
            if block.is_large() || before.len() < TIER || !before.iter().all(similar) {
                return self.insert_bytes::<T>(first, seq, &body);
            }
            let mut known = Vec::with_capacity(TIER);
            for (row, _) in before {
                let stored = self.block_of::<T>(row)?;
                // One that is damaged is made anew when it is read.
                let Some(Ok(one)) = stored.map(|(_, body)| Block::from_bytes(&body)) else {
                    break;
                };
                known.push((row, one));
            }
            known.reverse();
            let merged = (0..known.len()).find_map(|from| {
                let together = known.get(from..)?;
                let blocks = together.iter().map(|(_, one)| one).chain([&block]);
                let one = Block::merged(&blocks.collect::<Vec<_>>())?;
                Some((together, one))
            });
            let Some((together, one)) = merged else {
                return self.insert_bytes::<T>(first, seq, &body);
            };
            for (row, _) in together {
                self.delete::<T>(*row)?;
            }
            block = one;
        }
    }

    /// The first rows of the [`TIER`] blocks before this row, the nearest one first, with how many
    /// bytes they have.
    fn sizes_before<T: Outlined>(&self, row: i64) -> Result<Vec<(i64, usize)>> {
        let read = |row: &Row<'_>| {
            let size: i64 = row.get(1)?;
            Ok((row.get(0)?, usize::try_from(size).unwrap_or(usize::MAX)))
        };
        let most = integer(TIER as u64)?;
        self.connection
            .prepare_cached(
                "SELECT first_row, length(body) FROM memu_outlines WHERE scope_id = ?1
                 AND owner_kind = ?2 AND first_row < ?3 ORDER BY first_row DESC LIMIT ?4",
            )
            .and_then(|mut statement| {
                let parameters = (self.scope_id, kind_number(T::KIND), row, most);
                statement.query_map(parameters, read)?.collect()
            })
            .map_err(storage)
    }

    /// A block with the rows that changed as they are now.
    fn renewed<T: Outlined>(
        &self,
        known: &Block<T::Entry>,
        changed: &BTreeSet<i64>,
    ) -> Result<Vec<Block<T::Entry>>> {
        let (Some(first), Some(last)) = (changed.first(), changed.last()) else {
            return Ok(vec![known.clone()]);
        };
        let mut builder = BlockBuilder::default();
        let mut kept = known
            .entries
            .iter()
            .filter(|entry| !i64::try_from(entry.place()).is_ok_and(|row| changed.contains(&row)))
            .peekable();
        self.for_each_row::<T>(*first, *last, |row, record, resource, links| {
            if i64::try_from(row).is_ok_and(|row| changed.contains(&row)) {
                while let Some(entry) = kept.next_if(|entry| entry.place() < row) {
                    builder.push_from(known, entry);
                }
                builder.push(|texts| record.entry(row, resource, links, texts));
            }
        })?;
        kept.for_each(|entry| builder.push_from(known, entry));
        Ok(builder.finish())
    }

    /// Where the block after the one at `first` begins.
    fn first_row_after<T: Outlined>(&self, first: i64) -> Result<i64> {
        let next: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT min(first_row) FROM memu_outlines
                 WHERE scope_id = ?1 AND owner_kind = ?2 AND first_row > ?3",
            )
            .and_then(|mut statement| {
                let parameters = (self.scope_id, kind_number(T::KIND), first);
                statement.query_row(parameters, |row| row.get(0))
            })
            .map_err(storage)?;
        Ok(next.unwrap_or(i64::MAX))
    }

    fn delete<T: Outlined>(&self, first: i64) -> Result<()> {
        self.connection
            .prepare_cached(
                "DELETE FROM memu_outlines
                 WHERE scope_id = ?1 AND owner_kind = ?2 AND first_row = ?3",
            )
            .and_then(|mut statement| {
                statement.execute((self.scope_id, kind_number(T::KIND), first))
            })
            .map(drop)
            .map_err(storage)
    }

    fn insert<T: Outlined>(&self, block: &Block<T::Entry>, seq: u64) -> Result<()> {
        let first = integer(block.first_place().unwrap_or_default())?;
        self.insert_bytes::<T>(first, seq, &block.to_bytes()?)
    }

    fn insert_bytes<T: Outlined>(&self, first: i64, seq: u64, body: &[u8]) -> Result<()> {
        let seq = integer(seq)?;
        self.connection
            .prepare_cached(
                "INSERT INTO memu_outlines (scope_id, owner_kind, first_row, seq, body)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .and_then(|mut statement| {
                statement.execute((self.scope_id, kind_number(T::KIND), first, seq, body))
            })
            .map(drop)
            .map_err(storage)
    }
}
