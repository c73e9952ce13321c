//! Outlines of scopes, block by block beside the rows that they are derived from.
//!
//! The transaction that changes a row renews the block that outlines it. A scope whose
//! blocks are not of its last change, and a block that cannot be read, are made anew from
//! the rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use memu_core::Result;
use memu_core::ranking::outline::{
    Block, BlockBuilder, CategoryOutline, Dictionary, Entry, ItemOutline, Outline, PASSAGE_WORDS,
    ResourceOutline, SegmentOutline,
};
use memu_core::records::{ContentHash, Id, MemoryItem, OwnerKind, Segment};
use memu_core::scope::Scope;
use memu_core::store::ScopeOutline;
use rusqlite::{Connection, OptionalExtension, Row};
use rustc_hash::FxHashMap;

use super::error::{corrupt, storage};
use super::rows::{META, Reader, Record, integer};
use super::scopes::{log_position, scope_row};
use super::vectors::kind_number;

/// The rows that a transaction has put or removed.
#[derive(Debug, Default)]
pub(super) struct ChangedRows {
    pub(super) segments: BTreeSet<i64>,
    pub(super) items: BTreeSet<i64>,
}

/// A kind of record that is outlined.
trait Outlined: Record {
    type Entry: Entry;

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

    /// Reads what hangs on the records of some rows.
    fn links(connection: &Connection, scope_id: i64, rows: (i64, i64)) -> Result<Links>;
}

/// What hangs on some items, by their rows.
#[derive(Debug, Default)]
struct Links {
    segments: FxHashMap<u64, Vec<u64>>,
    categories: FxHashMap<u64, Vec<u64>>,
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

    fn links(_connection: &Connection, _scope_id: i64, _rows: (i64, i64)) -> Result<Links> {
        Ok(Links::default())
    }
}

impl Outlined for MemoryItem {
    type Entry = ItemOutline;

    const KIND: OwnerKind = OwnerKind::Item;
    const RESOURCE_ROW: &'static str = "(SELECT m.row FROM memu_resources m WHERE m.scope_id = t.scope_id AND m.id = t.resource_id)";

    fn entry(
        &self,
        row: u64,
        resource: Option<u64>,
        links: &Links,
        texts: &mut Dictionary,
    ) -> ItemOutline {
        let of = |linked: &FxHashMap<u64, Vec<u64>>| linked.get(&row).cloned().unwrap_or_default();
        let (segments, categories) = (of(&links.segments), of(&links.categories));
        ItemOutline::new(self, row, resource, segments, categories, texts)
    }

    fn links(connection: &Connection, scope_id: i64, rows: (i64, i64)) -> Result<Links> {
        Ok(Links {
            segments: linked(
                connection,
                "SELECT item_row, segment_row FROM memu_item_segments
                 WHERE scope_id = ?1 AND item_row BETWEEN ?2 AND ?3 ORDER BY item_row, place",
                (scope_id, rows.0, rows.1),
            )?,
            // The order of the joins is the fast one: few items, each with few relations.
            categories: linked(
                connection,
                "SELECT i.row, c.row FROM memu_memory_items i
                 CROSS JOIN memu_category_items r ON r.scope_id = i.scope_id AND r.item_id = i.id
                 CROSS JOIN memu_memory_categories c
                 ON c.scope_id = r.scope_id AND c.id = r.category_id
                 WHERE i.scope_id = ?1 AND i.row BETWEEN ?2 AND ?3 ORDER BY r.row",
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
    /// Renews the blocks of rows that a transaction changed, whose last change has the
    /// number `seq`, and which came upon the change with the number `before`.
    pub(super) fn renew(&self, changed: &ChangedRows, before: u64, seq: u64) -> Result<()> {
        if self.outlined_seq()? == before {
            self.renew_kind::<Segment>(&changed.segments, seq)?;
            self.renew_kind::<MemoryItem>(&changed.items, seq)?;
        } else {
            self.rebuild(seq)?;
        }
        let seq = integer(seq)?;
        self.connection
            .prepare_cached("UPDATE memu_scopes SET outlined_seq = ?2 WHERE scope_id = ?1")
            .and_then(|mut statement| statement.execute((self.scope_id, seq)))
            .map(drop)
            .map_err(storage)
    }

    /// Makes all blocks from the rows.
    pub(super) fn rebuild(&self, seq: u64) -> Result<()> {
        self.connection
            .execute(
                "DELETE FROM memu_outlines WHERE scope_id = ?1",
                [self.scope_id],
            )
            .map_err(storage)?;
        for block in self.from_rows::<Segment>(0, i64::MAX)? {
            self.insert::<Segment>(&block, seq)?;
        }
        for block in self.from_rows::<MemoryItem>(0, i64::MAX)? {
            self.insert::<MemoryItem>(&block, seq)?;
        }
        Ok(())
    }

    /// The number of the change that the blocks are of.
    fn outlined_seq(&self) -> Result<u64> {
        let seq: i64 = self
            .connection
            .prepare_cached("SELECT outlined_seq FROM memu_scopes WHERE scope_id = ?1")
            .and_then(|mut statement| statement.query_row([self.scope_id], |row| row.get(0)))
            .map_err(storage)?;
        u64::try_from(seq).map_err(|_| corrupt("a negative change number"))
    }

    fn renew_kind<T: Outlined>(&self, changed: &BTreeSet<i64>, seq: u64) -> Result<()> {
        let mut from = i64::MIN;
        while let Some(row) = changed.range(from..).next().copied() {
            let stored = self.block_of::<T>(row)?;
            let first = stored.as_ref().map_or(row, |(first, _)| *first);
            from = self.first_row_after::<T>(first)?;
            let changed: BTreeSet<i64> = changed.range(row..from).copied().collect();
            let known = stored.map(|(_, body)| Block::<T::Entry>::from_bytes(&body));
            let blocks = match known {
                Some(Ok(known)) if known.is_full() && known.last_place() < Some(place(row)?) => {
                    self.from_rows::<T>(row, from)?
                }
                Some(Ok(known)) => {
                    self.delete::<T>(first)?;
                    self.renewed::<T>(&known, &changed)?
                }
                Some(Err(_)) => {
                    self.delete::<T>(first)?;
                    self.from_rows::<T>(first, from)?
                }
                None => self.from_rows::<T>(row, from)?,
            };
            for block in blocks {
                self.insert::<T>(&block, seq)?;
            }
        }
        Ok(())
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

    /// Blocks of the rows from `first` to before `next`.
    fn from_rows<T: Outlined>(&self, first: i64, next: i64) -> Result<Vec<Block<T::Entry>>> {
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
            "SELECT t.row, {}, {META}, {} FROM {} t
             WHERE t.scope_id = ?1 AND t.row BETWEEN ?2 AND ?3 ORDER BY t.row",
            T::RESOURCE_ROW,
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
        let (seq, body) = (integer(seq)?, block.to_bytes()?);
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

    /// The blocks of a kind as they are now; those of `known` that have not been renewed
    /// since are taken from there.
    fn blocks<T: Outlined>(&self, known: &Known<T::Entry>) -> Result<Vec<Arc<Block<T::Entry>>>> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT first_row, seq FROM memu_outlines
                 WHERE scope_id = ?1 AND owner_kind = ?2 ORDER BY first_row",
            )
            .map_err(storage)?;
        let stored: Vec<(i64, i64)> = statement
            .query_map((self.scope_id, kind_number(T::KIND)), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .and_then(Iterator::collect)
            .map_err(storage)?;
        let mut blocks = Vec::with_capacity(stored.len());
        for (at, (first, seq)) in stored.iter().enumerate() {
            if let Some(block) = known.block(*first, *seq) {
                blocks.push(block);
                continue;
            }
            let body = self.block_of::<T>(*first)?;
            match body.map(|(_, body)| Block::from_bytes(&body)) {
                Some(Ok(block)) => blocks.push(Arc::new(block)),
                _ => {
                    let next = stored.get(at + 1).map_or(i64::MAX, |(next, _)| *next);
                    let made = self.from_rows::<T>(*first, next)?;
                    blocks.extend(made.into_iter().map(Arc::new));
                }
            }
        }
        Ok(blocks)
    }

    fn resources(&self) -> Result<Vec<ResourceOutline>> {
        self.all(
            "SELECT row, id, content_hash FROM memu_resources WHERE scope_id = ?1 ORDER BY row",
            |row| {
                Ok(ResourceOutline {
                    place: row.get::<_, i64>(0)?.unsigned_abs(),
                    id: Id::from(row.get::<_, String>(1)?),
                    content_hash: ContentHash::from_bytes(row.get(2)?),
                })
            },
        )
    }

    fn categories(&self) -> Result<Vec<CategoryOutline>> {
        self.all(
            "SELECT row, id FROM memu_memory_categories WHERE scope_id = ?1 ORDER BY row",
            |row| {
                Ok(CategoryOutline {
                    place: row.get::<_, i64>(0)?.unsigned_abs(),
                    id: Id::from(row.get::<_, String>(1)?),
                })
            },
        )
    }

    fn all<R>(
        &self,
        sql: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<R>,
    ) -> Result<Vec<R>> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_map([self.scope_id], read)?.collect())
            .map_err(storage)
    }
}

/// The blocks of an outline that was read before.
struct Known<'k, T> {
    /// How far the log had come; before the first change when nothing is known.
    seq: i64,
    blocks: &'k [Arc<Block<T>>],
}

impl<T: Entry> Known<'_, T> {
    /// The block with this first row, unless it was renewed by a later change.
    fn block(&self, first: i64, seq: i64) -> Option<Arc<Block<T>>> {
        if seq > self.seq {
            return None;
        }
        let first = u64::try_from(first).ok();
        let at = self
            .blocks
            .binary_search_by_key(&first, |block| block.first_place());
        self.blocks.get(at.ok()?).cloned()
    }
}

/// The outline of a scope, with what has not changed since `known` taken from there.
pub(super) fn outline(
    connection: &Connection,
    scope: &Scope,
    known: Option<Arc<ScopeOutline>>,
) -> Result<Arc<ScopeOutline>> {
    let Some((scope_id, seq)) = scope_row(connection, scope)? else {
        return Ok(Arc::default());
    };
    let position = log_position(Some((scope_id, seq)));
    // Blocks of another life of the scope are not its own.
    let known = known.filter(|known| known.position.life == position.life);
    if let Some(known) = &known
        && known.position == position
    {
        return Ok(known.clone());
    }
    let outlines = Outlines {
        connection,
        scope,
        scope_id,
    };
    let (segments, items) = if outlines.outlined_seq()? == seq {
        let known = known.unwrap_or_default();
        let known_seq = integer(known.position.seq)?;
        (
            outlines.blocks::<Segment>(&Known {
                seq: known_seq,
                blocks: &known.outline.segments,
            })?,
            outlines.blocks::<MemoryItem>(&Known {
                seq: known_seq,
                blocks: &known.outline.items,
            })?,
        )
    } else {
        (
            shared(outlines.from_rows::<Segment>(0, i64::MAX)?),
            shared(outlines.from_rows::<MemoryItem>(0, i64::MAX)?),
        )
    };
    let outline = Outline {
        resources: outlines.resources()?,
        categories: outlines.categories()?,
        segments,
        items,
    };
    Ok(Arc::new(ScopeOutline { position, outline }))
}

fn shared<T>(blocks: Vec<Block<T>>) -> Vec<Arc<Block<T>>> {
    blocks.into_iter().map(Arc::new).collect()
}
