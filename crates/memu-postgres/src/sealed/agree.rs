//! Whether what is sealed is what the records say.

use std::sync::Arc;

use deadpool_postgres::Transaction;
use memu_core::Result;
use memu_core::ranking::outline::{Block, ItemOutline, Outline, SegmentOutline};
use memu_core::ranking::sealed::LoneEntry;
use memu_core::scope::Scope;
use tokio_postgres::Row;

use super::kinds::Sealed;
use super::parts::{self, Known, of_kind};
use super::{apart, entries};
use crate::rows::Reader;
use crate::sql::Sql;
use crate::values::{Key, integer};

/// Whether what is sealed of a scope, of which this is the outline, is what that says.
pub(crate) async fn agree(on: &Transaction<'_>, scope: &Scope, outline: &Outline) -> Result<bool> {
    let known = parts::known(on, scope).await?;
    let entries = if known.is_empty() {
        0
    } else {
        outline.segment_count() + outline.item_count()
    };
    let counted = count(
        on,
        scope,
        "SELECT count(*) FROM memu_entries WHERE scope_key = $1",
    );
    if usize::try_from(counted.await?).ok() != Some(entries) {
        return Ok(false);
    }
    let stray = "SELECT count(*) FROM memu_postings b WHERE b.scope_key = $1 AND NOT EXISTS (\
                 SELECT 1 FROM memu_parts p WHERE p.scope_key = $1 \
                 AND p.owner_kind = b.owner_kind AND p.first_place = b.first_place)";
    if count(on, scope, stray).await? > 0 {
        return Ok(false);
    }
    if known.is_empty() {
        return Ok(true);
    }
    Ok(
        agree_kind::<SegmentOutline>(on, scope, outline, &known).await?
            && agree_kind::<ItemOutline>(on, scope, outline, &known).await?,
    )
}

async fn count(on: &Transaction<'_>, scope: &Scope, sql: &str) -> Result<i64> {
    let row = Sql::new(sql).with(Key::of(scope)).first(on).await?;
    row.map_or(Ok(0), |row| Reader::new(&row).take())
}

async fn agree_kind<T: Sealed>(
    on: &Transaction<'_>,
    scope: &Scope,
    outline: &Outline,
    known: &[Known],
) -> Result<bool> {
    let blocks = T::part(outline);
    for some in blocks.chunks(entries::BLOCKS) {
        if !entries_agree(on, scope, some).await? {
            return Ok(false);
        }
    }
    let known = of_kind::<T>(known);
    for part in &known {
        if !part_agrees(on, scope, blocks, part).await? {
            return Ok(false);
        }
    }
    // Each of those is in one of them.
    let border = known.last().map(|part| part.last);
    let entries = blocks.iter().flat_map(|block| &block.entries);
    let sealed = entries.filter(|entry| border.is_some_and(|border| entry.place() <= border));
    let in_parts: u64 = known.iter().map(|part| part.records).sum();
    Ok(sealed.count() as u64 == in_parts)
}

/// Whether the entries of these records are stored as they are.
async fn entries_agree<T: Sealed>(
    on: &Transaction<'_>,
    scope: &Scope,
    blocks: &[Arc<Block<T>>],
) -> Result<bool> {
    let first = blocks.first().and_then(|block| block.first_place());
    let last = blocks.last().and_then(|block| block.last_place());
    let Some((first, last)) = first.zip(last) else {
        return Ok(true);
    };
    let rows = Sql::new(
        "SELECT place, length, bare, whole FROM memu_entries WHERE scope_key = $1 \
         AND owner_kind = $2 AND place BETWEEN $3 AND $4 ORDER BY place",
    )
    .with(Key::of(scope))
    .with(T::KIND)
    .with(integer(first)?)
    .with(integer(last)?)
    .rows(on)
    .await?;
    let blocks = blocks.to_vec();
    apart(move || {
        let entry = |row: &Row| {
            let mut reader = Reader::new(row);
            Ok(LoneEntry {
                place: reader.number()?,
                length: reader.number()?,
                bare: reader.take()?,
                full: reader.take()?,
            })
        };
        let stored: Result<Vec<LoneEntry>> = rows.iter().map(entry).collect();
        Ok(stored? == entries::of_blocks(&blocks)?)
    })
    .await?
}

/// Whether a part is what the records of its places make.
async fn part_agrees<T: Sealed>(
    on: &Transaction<'_>,
    scope: &Scope,
    blocks: &[Arc<Block<T>>],
    known: &Known,
) -> Result<bool> {
    let Some(stored) = parts::whole::<T>(on, scope, known.first).await? else {
        return Ok(false);
    };
    if (stored.summary.records, stored.summary.last_place) != (known.records, known.last) {
        return Ok(false);
    }
    let within = known.first..=known.last;
    let mut records = Vec::new();
    let near = blocks.iter().filter(|block| {
        block.first_place() <= Some(known.last) && Some(known.first) <= block.last_place()
    });
    for block in near {
        for (at, entry) in block.entries.iter().enumerate() {
            if within.contains(&entry.place()) {
                records.push((block.clone(), at));
            }
        }
    }
    apart(move || parts::made(&records).is_some_and(|made| stored.says_as(made))).await
}
