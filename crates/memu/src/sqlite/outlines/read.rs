//! Reading the outline of a scope.

use std::sync::Arc;

use memu_core::Result;
use memu_core::ranking::outline::{Block, CategoryOutline, Entry, Outline, ResourceOutline};
use memu_core::records::{ContentHash, Id, MemoryItem, Segment};
use memu_core::scope::Scope;
use memu_core::store::ScopeOutline;
use rusqlite::{Connection, Row};

use super::{Outlined, Outlines, decode};
use crate::sqlite::error::storage;
use crate::sqlite::rows::integer;
use crate::sqlite::scopes::{log_position, scope_row};
use crate::sqlite::vectors::kind_number;

/// The outline of a scope, with what has not changed since `known` taken from there.
pub(in crate::sqlite) fn outline(
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
    let (segments, items) = if outlines.are_of(seq)? {
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
            shared(outlines.made_from_rows::<Segment>(0, i64::MAX)?),
            shared(outlines.made_from_rows::<MemoryItem>(0, i64::MAX)?),
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

impl Outlines<'_> {
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
        let mut blocks: Vec<_> = stored
            .iter()
            .map(|(first, seq)| known.block(*first, *seq))
            .collect();
        let missing: Vec<usize> = (0..stored.len())
            .filter(|at| blocks.get(*at).is_some_and(Option::is_none))
            .collect();
        decode::all(&missing, |at| {
            let (first, _) = stored.get(at).copied().unwrap_or_default();
            self.block_of::<T>(first)
                .map(|found| found.map(|(_, body)| body))
        })?
        .into_iter()
        .for_each(|(at, block)| {
            if let Some(place) = blocks.get_mut(at) {
                *place = block.map(Arc::new);
            }
        });
        let mut all = Vec::with_capacity(stored.len());
        for (at, block) in blocks.into_iter().enumerate() {
            if let Some(block) = block {
                all.push(block);
                continue;
            }
            let (first, _) = stored.get(at).copied().unwrap_or_default();
            let next = stored.get(at + 1).map_or(i64::MAX, |(next, _)| *next);
            all.extend(shared(self.made_from_rows::<T>(first, next)?));
        }
        Ok(all)
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
