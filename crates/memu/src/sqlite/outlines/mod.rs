//! Outlines of scopes, block by block beside the rows that they are derived from.
//!
//! The transaction that changes a row renews the block that outlines it. A scope whose
//! blocks are not of its last change, and a block that cannot be read, are made anew from
//! the rows.

mod decode;
mod drift;
mod fresh;
mod read;
mod renew;

use std::collections::BTreeSet;

use memu_core::Result;
use memu_core::ranking::outline::{
    Block, BlockBuilder, Dictionary, Entry, ItemOutline, PASSAGE_WORDS, SegmentOutline,
};
use memu_core::records::{MemoryItem, OwnerKind, Segment};
use memu_core::scope::Scope;
use rusqlite::{Connection, OptionalExtension, Row};
use rustc_hash::FxHashMap;

use super::error::{corrupt, storage};
use super::rows::{Reader, Record};
use super::vectors::kind_number;

pub(super) use fresh::FreshRows;
pub(super) use read::outline;
pub(super) use renew::ChangedRows;

/// A kind of record that is outlined.
trait Outlined: Record {
    type Entry: Entry + Send;

    const KIND: OwnerKind;
    /// The row of its resource, for a table named `t`.
    const RESOURCE_ROW: &'static str;

    /// Outlines a record that stands in `row`.
    fn entry(
        &self,
        row: u64,
        resource: Option<u64>,
        links: &Links,
        texts: &mut Dictionary,
    ) -> Self::Entry;

    /// Those that are at hand, by row, with the rows of their resources.
    fn fresh<'f>(fresh: &'f FreshRows<'_>) -> &'f FxHashMap<i64, (&'f Self, Option<u64>)>;

    /// The outlines of the records in these rows, if they were made before.
    fn outlined(
        fresh: &mut FreshRows<'_>,
        rows: &BTreeSet<i64>,
    ) -> Result<Option<Vec<Block<Self::Entry>>>>;

    /// Reads what hangs on the records of some rows.
    fn links(connection: &Connection, scope_id: i64, rows: (i64, i64)) -> Result<Links>;
}

/// What hangs on some items, by their rows.
#[derive(Debug, Default)]
struct Links {
    segments: FxHashMap<u64, Vec<u64>>,
    categories: FxHashMap<u64, Vec<u64>>,
}

impl Links {
    /// Puts an item into its place, with what hangs on it.
    fn hang(&self, item: &mut ItemOutline, place: u64, resource: Option<u64>) {
        let of =
            |linked: &FxHashMap<u64, Vec<u64>>| linked.get(&place).cloned().unwrap_or_default();
        (item.segments, item.categories) = (of(&self.segments), of(&self.categories));
        (item.place, item.resource) = (place, resource);
    }
}

impl Outlined for Segment {
    type Entry = SegmentOutline;

    const KIND: OwnerKind = OwnerKind::Segment;
    const RESOURCE_ROW: &'static str = "t.resource_row";

    fn entry(
        &self,
        row: u64,
        resource: Option<u64>,
        _links: &Links,
        texts: &mut Dictionary,
    ) -> SegmentOutline {
        let resource = resource.unwrap_or_default();
        SegmentOutline::new(self, row, resource, PASSAGE_WORDS, texts)
    }

    fn fresh<'f>(fresh: &'f FreshRows<'_>) -> &'f FxHashMap<i64, (&'f Self, Option<u64>)> {
        &fresh.segments
    }

    fn outlined(
        _fresh: &mut FreshRows<'_>,
        _rows: &BTreeSet<i64>,
    ) -> Result<Option<Vec<Block<SegmentOutline>>>> {
        Ok(None)
    }

    fn links(_connection: &Connection, _scope_id: i64, _rows: (i64, i64)) -> Result<Links> {
        Ok(Links::default())
    }
}

impl Outlined for MemoryItem {
    type Entry = ItemOutline;

    const KIND: OwnerKind = OwnerKind::Item;
    const RESOURCE_ROW: &'static str = "t.resource_row";

    fn entry(
        &self,
        row: u64,
        resource: Option<u64>,
        links: &Links,
        texts: &mut Dictionary,
    ) -> ItemOutline {
        let mut entry = ItemOutline::new(self, row, resource, Vec::new(), Vec::new(), texts);
        links.hang(&mut entry, row, resource);
        entry
    }

    fn fresh<'f>(fresh: &'f FreshRows<'_>) -> &'f FxHashMap<i64, (&'f Self, Option<u64>)> {
        &fresh.items
    }

    fn outlined(
        fresh: &mut FreshRows<'_>,
        rows: &BTreeSet<i64>,
    ) -> Result<Option<Vec<Block<ItemOutline>>>> {
        fresh.placed(rows)
    }

    fn links(connection: &Connection, scope_id: i64, rows: (i64, i64)) -> Result<Links> {
        Ok(Links {
            segments: linked(
                connection,
                "SELECT item_row, segment_row FROM memu_item_segments
                 WHERE scope_id = ?1 AND item_row BETWEEN ?2 AND ?3 ORDER BY item_row, place",
                (scope_id, rows.0, rows.1),
            )?,
            categories: linked(
                connection,
                "SELECT item_row, category_row FROM memu_relations
                 WHERE scope_id = ?1 AND item_row BETWEEN ?2 AND ?3 ORDER BY row",
                (scope_id, rows.0, rows.1),
            )?,
        })
    }
}

fn linked(
    connection: &Connection,
    sql: &str,
    parameters: (i64, i64, i64),
) -> Result<FxHashMap<u64, Vec<u64>>> {
    let mut statement = connection.prepare_cached(sql).map_err(storage)?;
    let mut rows = statement.query(parameters).map_err(storage)?;
    let mut linked: FxHashMap<u64, Vec<u64>> = FxHashMap::default();
    while let Some(row) = rows.next().map_err(storage)? {
        let (from, to) = (
            place(row.get(0).map_err(storage)?)?,
            place(row.get(1).map_err(storage)?)?,
        );
        linked.entry(from).or_default().push(to);
    }
    Ok(linked)
}

fn place(row: i64) -> Result<u64> {
    u64::try_from(row).map_err(|_| corrupt("a negative row number"))
}

/// A scope whose outline is read or renewed.
pub(super) struct Outlines<'c> {
    pub(super) connection: &'c Connection,
    pub(super) scope: &'c Scope,
    pub(super) scope_id: i64,
}

impl Outlines<'_> {
    /// Whether what is derived from the rows is of the change with this number.
    pub(super) fn are_of(&self, seq: u64) -> Result<bool> {
        let derived: i64 = self
            .connection
            .prepare_cached("SELECT derived_seq FROM memu_scopes WHERE scope_id = ?1")
            .and_then(|mut statement| statement.query_row([self.scope_id], |row| row.get(0)))
            .map_err(storage)?;
        Ok(u64::try_from(derived).is_ok_and(|derived| derived == seq))
    }

    /// Blocks of the rows from `first` to before `next`.
    fn made_from_rows<T: Outlined>(&self, first: i64, next: i64) -> Result<Vec<Block<T::Entry>>> {
        let mut builder = BlockBuilder::default();
        let last = next.saturating_sub(1);
        self.for_each_row::<T>(first, last, |row, record, resource, links| {
            builder.push(|texts| record.entry(row, resource, links, texts));
        })?;
        Ok(builder.finish())
    }

    fn for_each_row<T: Outlined>(
        &self,
        first: i64,
        last: i64,
        mut visit: impl FnMut(u64, &T, Option<u64>, &Links),
    ) -> Result<()> {
        let links = T::links(self.connection, self.scope_id, (first, last))?;
        let sql = format!(
            "SELECT t.row, {}, {}, {} FROM {} t
             WHERE t.scope_id = ?1 AND t.row BETWEEN ?2 AND ?3 ORDER BY t.row",
            T::RESOURCE_ROW,
            T::META,
            T::COLUMNS,
            T::TABLE
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(storage)?;
        let mut rows = statement
            .query((self.scope_id, first, last))
            .map_err(storage)?;
        while let Some(row) = rows.next().map_err(storage)? {
            let mut reader = Reader::new(row, 0);
            let row = place(reader.take()?)?;
            let resource = reader.take::<Option<i64>>()?.map(place).transpose()?;
            let record = T::read(&mut reader, self.scope)?;
            visit(row, &record, resource, &links);
        }
        Ok(())
    }

    /// The block in whose range a row lies: its first row and its bytes.
    fn block_of<T: Outlined>(&self, row: i64) -> Result<Option<(i64, Vec<u8>)>> {
        self.connection
            .prepare_cached(
                "SELECT first_row, body FROM memu_outlines WHERE scope_id = ?1
                 AND owner_kind = ?2 AND first_row <= ?3 ORDER BY first_row DESC LIMIT 1",
            )
            .and_then(|mut statement| {
                let parameters = (self.scope_id, kind_number(T::KIND), row);
                let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
                statement.query_row(parameters, read).optional()
            })
            .map_err(storage)
    }
}
