//! Keeping blocks in step with their rows.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Transaction;
use memu_core::Result;
use memu_core::ranking::outline::{Block, BlockBuilder, ItemOutline, Outline, SegmentOutline};
use memu_core::scope::Scope;
use memu_core::store::{Effects, Fate, Fates, ScopeData};

use super::Outlined;
use crate::rows::Reader;
use crate::sql::{FromArrays, Sql, run_all};
use crate::values::{Key, integer};

/// A scope of which what is derived is written.
pub(crate) struct Changes<'r, 'c> {
    pub(crate) on: &'r Transaction<'c>,
    pub(crate) scope: &'r Scope,
    /// The number of the last line of its log.
    pub(crate) seq: u64,
    pub(crate) arrays: FromArrays,
    /// About how many records are sealed together.
    pub(crate) part_records: usize,
}

/// So many of the last blocks are looked at when one is added: each is more than twice as
/// large as the next, or there is no need to look further.
const TAIL: i64 = 12;

/// Renews the blocks of records that a batch changed; `data` holds those. Says whether it
/// could: otherwise they must be made from all rows.
pub(crate) async fn renew(
    changes: &Changes<'_, '_>,
    data: &ScopeData,
    effects: &Effects,
) -> Result<bool> {
    let segments = &effects.segments;
    Ok(changes
        .renew_kind::<SegmentOutline>(data, segments, &BTreeSet::new())
        .await?
        && changes
            .renew_kind::<ItemOutline>(data, &effects.items, &effects.refiled)
            .await?)
}

/// Makes all blocks from the outline of a scope.
pub(crate) async fn rebuild(changes: &Changes<'_, '_>, outline: &Outline) -> Result<()> {
    Sql::new("DELETE FROM memu_outlines WHERE scope_key = $1")
        .with(Key::of(changes.scope))
        .run(changes.on)
        .await?;
    changes.insert_all(SegmentOutline::part(outline)).await?;
    changes.insert_all(ItemOutline::part(outline)).await
}

impl Changes<'_, '_> {
    async fn renew_kind<T: Outlined>(
        &self,
        data: &ScopeData,
        fates: &Fates,
        others: &BTreeSet<u64>,
    ) -> Result<bool> {
        let places = |new: bool| {
            let of = fates
                .iter()
                .filter(move |(_, fate)| (**fate == Fate::New) == new);
            of.map(|(place, _)| *place)
        };
        let new: BTreeSet<u64> = places(true).collect();
        let others = others.iter().copied().filter(|place| !new.contains(place));
        let old: BTreeSet<u64> = places(false).chain(others).collect();
        Ok(self.renew_old::<T>(data, &old).await? && self.append::<T>(data, &new).await?)
    }

    /// Puts records that were there before into their blocks as they are now.
    async fn renew_old<T: Outlined>(
        &self,
        data: &ScopeData,
        changed: &BTreeSet<u64>,
    ) -> Result<bool> {
        if changed.is_empty() {
            return Ok(true);
        }
        let places: Vec<i64> = changed
            .iter()
            .copied()
            .map(integer)
            .collect::<Result<_>>()?;
        let rows = Sql::new(
            "SELECT b.first_place, b.body FROM memu_outlines b \
             WHERE b.scope_key = $1 AND b.owner_kind = $2 AND b.first_place IN \
             (SELECT (SELECT max(o.first_place) FROM memu_outlines o WHERE o.scope_key = $1 \
             AND o.owner_kind = $2 AND o.first_place <= p.place) FROM unnest($3::bigint[]) p \
             (place)) ORDER BY b.first_place",
        )
        .with(Key::of(self.scope))
        .with(T::KIND)
        .with(places)
        .rows(self.on)
        .await?;
        let mut blocks: BTreeMap<u64, Block<T>> = BTreeMap::new();
        for row in &rows {
            let mut reader = Reader::new(row);
            let first = reader.number()?;
            let Ok(block) = Block::from_bytes(reader.take()?) else {
                return Ok(false);
            };
            blocks.insert(first, block);
        }
        let mut left = changed.clone();
        let mut statements = vec![self.delete::<T>(blocks.keys().copied())?];
        for block in blocks.values() {
            let within: Vec<u64> = block
                .entries
                .iter()
                .map(memu_core::ranking::outline::Entry::place)
                .filter(|place| left.remove(place))
                .collect();
            let renewed = renewed(data, block, &within);
            statements.extend(self.insert(&renewed)?);
        }
        if !left.is_empty() {
            // A record without an entry.
            return Ok(false);
        }
        run_all(self.on, &statements).await?;
        Ok(true)
    }

    /// Adds the blocks of new records, which stand behind all others. A block that is not
    /// half as large as the one after it becomes a part of it: so there are few blocks, and
    /// adding one record after the other writes each of them a few times only.
    async fn append<T: Outlined>(&self, data: &ScopeData, new: &BTreeSet<u64>) -> Result<bool> {
        let mut builder = BlockBuilder::<T>::default();
        for place in new {
            T::add(data, *place, &mut builder);
        }
        let mut blocks = builder.finish();
        let Some(first) = blocks.first_mut() else {
            return Ok(true);
        };
        let mut merged = Vec::new();
        for (place, small) in self.small_blocks_before(first).await? {
            let Some(one) = Block::merged(&[&small, &*first]) else {
                break;
            };
            *first = one;
            merged.push(place);
        }
        let mut statements = Vec::new();
        if !merged.is_empty() {
            statements.push(self.delete::<T>(merged)?);
        }
        statements.extend(self.insert(&blocks)?);
        run_all(self.on, &statements).await?;
        Ok(true)
    }

    /// The last blocks that may become a part of `next`, the last one first.
    async fn small_blocks_before<T: Outlined>(
        &self,
        next: &Block<T>,
    ) -> Result<Vec<(u64, Block<T>)>> {
        let rows = Sql::new(
            "SELECT first_place, entries FROM memu_outlines WHERE scope_key = $1 \
             AND owner_kind = $2 ORDER BY first_place DESC LIMIT $3",
        )
        .with(Key::of(self.scope))
        .with(T::KIND)
        .with(TAIL)
        .rows(self.on)
        .await?;
        let mut size = next.entries.len();
        let mut small = Vec::new();
        for row in &rows {
            let mut reader = Reader::new(row);
            let (first, entries): (i64, usize) = (reader.take()?, reader.number()?);
            if entries >= 2 * size {
                break;
            }
            size += entries;
            small.push(first);
        }
        if small.is_empty() {
            return Ok(Vec::new());
        }
        let rows = Sql::new(
            "SELECT first_place, body FROM memu_outlines WHERE scope_key = $1 \
             AND owner_kind = $2 AND first_place = ANY($3) ORDER BY first_place DESC",
        )
        .with(Key::of(self.scope))
        .with(T::KIND)
        .with(small)
        .rows(self.on)
        .await?;
        let mut blocks = Vec::new();
        for row in &rows {
            let mut reader = Reader::new(row);
            let first = reader.number()?;
            // What cannot be read is left as it is: whoever reads it makes it anew.
            let Ok(block) = Block::from_bytes(reader.take()?) else {
                break;
            };
            blocks.push((first, block));
        }
        Ok(blocks)
    }

    fn delete<T: Outlined>(&self, firsts: impl IntoIterator<Item = u64>) -> Result<Sql<'static>> {
        let firsts: Result<Vec<i64>> = firsts.into_iter().map(integer).collect();
        let sql = "DELETE FROM memu_outlines WHERE scope_key = $1 AND owner_kind = $2 \
                   AND first_place = ANY($3)";
        let sql = Sql::new(sql).with(Key::of(self.scope));
        Ok(sql.with(T::KIND).with(firsts?))
    }

    fn insert<T: Outlined>(&self, blocks: &[Block<T>]) -> Result<Option<Sql<'static>>> {
        if blocks.is_empty() {
            return Ok(None);
        }
        let (mut firsts, mut entries, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
        for block in blocks {
            firsts.push(integer(block.first_place().unwrap_or_default())?);
            entries.push(integer(block.entries.len() as u64)?);
            bodies.push(block.to_bytes()?);
        }
        let FromArrays { key, from, only } = self.arrays;
        let sql = format!(
            "INSERT INTO memu_outlines (scope_key, owner_kind, first_place, entries, seq, body) \
             SELECT {key}, $2, u.first_place, u.entries, $3, u.body \
             FROM {from}unnest($4::bigint[], $5::bigint[], $6::bytea[]) \
             u (first_place, entries, body){only}"
        );
        let sql = Sql::new(&sql).with(Key::of(self.scope)).with(T::KIND);
        let sql = sql.with(integer(self.seq)?).with(firsts);
        Ok(Some(sql.with(entries).with(bodies)))
    }

    async fn insert_all<T: Outlined>(&self, blocks: &[std::sync::Arc<Block<T>>]) -> Result<()> {
        for some in blocks.chunks(64) {
            let some: Vec<Block<T>> = some.iter().map(|block| (**block).clone()).collect();
            if let Some(sql) = self.insert(&some)? {
                sql.run(self.on).await?;
            }
        }
        Ok(())
    }
}

/// A block with the entries at some places as they are now.
fn renewed<T: Outlined>(data: &ScopeData, block: &Block<T>, changed: &[u64]) -> Vec<Block<T>> {
    let mut builder = BlockBuilder::default();
    for entry in &block.entries {
        if changed.binary_search(&entry.place()).is_ok() {
            T::add(data, entry.place(), &mut builder);
        } else {
            builder.push_from(block, entry);
        }
    }
    builder.finish()
}
