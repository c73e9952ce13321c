//! Reading what is sealed of a scope, and the outline of what is not.

use std::sync::Arc;

use deadpool_postgres::Transaction;
use memu_core::Result;
use memu_core::ranking::outline::{Block, BlockBuilder, ItemOutline, Outline, SegmentOutline};
use memu_core::ranking::sealed::{Bucket, PartName, Sealable as _, SealedPart, Summary};
use memu_core::scope::Scope;
use memu_core::store::{LogPosition, SealedScope};
use tokio_postgres::Row;

use super::apart;
use super::kinds::Sealed;
use super::parts::{self, Known, border, of_kind};
use crate::outlines::{Outlined as _, blocks, known_block};
use crate::rows::Reader;
use crate::scopes::standing;
use crate::sql::Sql;
use crate::values::{Key, integer};

/// How far the log of a scope has come, and what is sealed of it, with what has not changed since
/// `known` taken from there; `None` when nothing is, when it is of another change, and when it
/// cannot be read.
pub(crate) async fn sealed(
    on: &Transaction<'_>,
    scope: &Scope,
    known: Option<Arc<SealedScope>>,
) -> Result<(LogPosition, Option<Arc<SealedScope>>)> {
    let Some(standing) = standing(on, scope, false).await? else {
        return Ok((LogPosition::default(), None));
    };
    let position = standing.position;
    let sealed = if standing.is_derived() {
        sealed_at(on, scope, position, known).await?
    } else {
        None
    };
    Ok((position, sealed))
}

async fn sealed_at(
    on: &Transaction<'_>,
    scope: &Scope,
    position: LogPosition,
    known: Option<Arc<SealedScope>>,
) -> Result<Option<Arc<SealedScope>>> {
    // What is of another life of the scope is not its own.
    let known = known.filter(|known| known.position.life == position.life);
    if let Some(known) = &known
        && known.position == position
    {
        return Ok(Some(known.clone()));
    }
    let known = known.unwrap_or_default();
    let stored = parts::known(on, scope).await?;
    if stored.is_empty() {
        return Ok(None);
    }
    let mut parts = Vec::with_capacity(stored.len());
    for part in &stored {
        match part_as_known(on, scope, part, &known).await? {
            Some(part) => parts.push(part),
            None => return Ok(None),
        }
    }
    let (segments, items) = futures_util::try_join!(
        open::<SegmentOutline>(on, scope, &stored, &known),
        open::<ItemOutline>(on, scope, &stored, &known),
    )?;
    let Some((segments, items)) = segments.zip(items) else {
        return Ok(None);
    };
    let open = Outline {
        segments,
        items,
        ..Outline::default()
    };
    Ok(Some(Arc::new(SealedScope {
        position,
        parts,
        open,
    })))
}

/// A part as it is known in memory, from there where it has not changed.
async fn part_as_known(
    on: &Transaction<'_>,
    scope: &Scope,
    part: &Known,
    known: &SealedScope,
) -> Result<Option<Arc<SealedPart>>> {
    let is_item = part.kind == ItemOutline::KIND;
    let name = PartName {
        kind: if is_item {
            ItemOutline::OWNER
        } else {
            SegmentOutline::OWNER
        },
        first_place: part.first,
        last_place: part.last,
    };
    if part.seq <= known.position.seq
        && let Some(same) = known.parts.iter().find(|known| known.name == name)
    {
        return Ok(Some(same.clone()));
    }
    let summary = if is_item {
        parts::summary::<ItemOutline>(on, scope, part.first).await?
    } else {
        parts::summary::<SegmentOutline>(on, scope, part.first).await?
    };
    let Some(summary) = summary else {
        return Ok(None);
    };
    let rows = Sql::new(
        "SELECT words FROM memu_postings WHERE scope_key = $1 AND owner_kind = $2 \
         AND first_place = $3 ORDER BY bucket",
    )
    .with(Key::of(scope))
    .with(part.kind)
    .with(integer(part.first)?)
    .rows(on)
    .await?;
    apart(move || with_words(name, summary, &rows)).await?
}

fn with_words(name: PartName, summary: Summary, rows: &[Row]) -> Result<Option<Arc<SealedPart>>> {
    let mut words: Vec<Box<str>> = Vec::new();
    for row in rows {
        let Ok(some) = Bucket::words_of(Reader::new(row).take()?) else {
            return Ok(None);
        };
        words.extend(some.into_iter().map(Box::from));
    }
    Ok(Some(Arc::new(SealedPart {
        name,
        summary,
        words,
    })))
}

/// The records of a kind that are not sealed; `None` when they cannot be read.
async fn open<T: Sealed>(
    on: &Transaction<'_>,
    scope: &Scope,
    stored: &[Known],
    known: &SealedScope,
) -> Result<Option<Vec<Arc<Block<T>>>>> {
    let border = border(&of_kind::<T>(stored))?;
    let known_open = T::part(&known.open);
    let seq = known.position.seq;
    let blocks = blocks::<T>(on, scope, (known_open, seq), border).await?;
    let Some(blocks) = blocks else {
        return Ok(None);
    };
    let open = blocks.into_iter().filter_map(|block| {
        let open = behind(block, border)?;
        // One that was cut is read each time, and most often is the same.
        let known = known_block(known_open, open.first_place()?);
        Some(known.filter(|known| *known == open).unwrap_or(open))
    });
    Ok(Some(open.collect()))
}

/// What of a block stands behind a place.
fn behind<T: Sealed>(block: Arc<Block<T>>, border: i64) -> Option<Arc<Block<T>>> {
    let is_behind = |entry: &T| i64::try_from(entry.place()).is_ok_and(|place| place > border);
    if block.entries.first().is_some_and(is_behind) {
        return Some(block);
    }
    let mut builder = BlockBuilder::default();
    for entry in block.entries.iter().filter(|entry| is_behind(entry)) {
        builder.push_from(&block, entry);
    }
    // It is no larger than the block.
    builder.finish().pop().map(Arc::new)
}
