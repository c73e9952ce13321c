//! Reading the outline of a scope.

use std::sync::Arc;

use deadpool_postgres::Transaction;
use memu_core::ranking::outline::{
    Block, BlockBuilder, CategoryOutline, Entry, ItemOutline, Outline, PASSAGE_WORDS,
    ResourceOutline, SegmentOutline,
};
use memu_core::scope::Scope;
use memu_core::store::ScopeOutline;
use memu_core::{Error, Result};
use tokio_postgres::Row;

use super::Outlined;
use crate::commit::whole;
use crate::rows::Reader;
use crate::scopes::{Standing, standing};
use crate::sql::Sql;
use crate::values::{Key, integer};

/// The outline of a scope, with what has not changed since `known` taken from there.
pub(crate) async fn outline(
    on: &Transaction<'_>,
    scope: &Scope,
    known: Option<Arc<ScopeOutline>>,
) -> Result<Arc<ScopeOutline>> {
    let Some(standing) = standing(on, scope, false).await? else {
        return Ok(Arc::default());
    };
    let position = standing.position;
    // Blocks of another life of the scope are not its own.
    let known = known.filter(|known| known.position.life == position.life);
    if let Some(known) = &known
        && known.position == position
    {
        return Ok(known.clone());
    }
    let known = known.unwrap_or_default();
    let outline = match stored(on, scope, &standing, &known).await? {
        Some(outline) => outline,
        None => whole(on, scope, position).await?.outline(PASSAGE_WORDS),
    };
    Ok(Arc::new(ScopeOutline { position, outline }))
}

/// Before every place.
pub(crate) const EVERYWHERE: i64 = -1;

/// The outline that is stored; `None` when it is of another change, or unreadable.
async fn stored(
    on: &Transaction<'_>,
    scope: &Scope,
    standing: &Standing,
    known: &ScopeOutline,
) -> Result<Option<Outline>> {
    if !standing.is_derived() {
        return Ok(None);
    }
    let seq = known.position.seq;
    let (resources, categories, segments, items) = futures_util::try_join!(
        resources_at(on, scope, None),
        categories_at(on, scope, None),
        blocks::<SegmentOutline>(on, scope, (&known.outline.segments, seq), EVERYWHERE),
        blocks::<ItemOutline>(on, scope, (&known.outline.items, seq), EVERYWHERE),
    )?;
    let (Some(segments), Some(items)) = (segments, items) else {
        return Ok(None);
    };
    Ok(Some(Outline {
        resources,
        categories,
        segments,
        items,
    }))
}

/// The blocks of a kind as they are now that may have records behind a place; those of `known` that
/// have not been renewed since `seq` are taken from there.
pub(crate) async fn blocks<T: Outlined>(
    on: &Transaction<'_>,
    scope: &Scope,
    (known, seq): (&[Arc<Block<T>>], u64),
    place: i64,
) -> Result<Option<Vec<Arc<Block<T>>>>> {
    let starts = starts::<T>(on, scope, place).await?;
    let mut blocks = Vec::with_capacity(starts.len());
    let mut missing = Vec::new();
    for start in starts {
        let block = (start.seq <= seq)
            .then(|| known_block(known, start.first))
            .flatten();
        if block.is_none() {
            missing.push(start);
        }
        blocks.push(block);
    }
    let read = bodies::<T>(on, scope, &missing).await?;
    let Some(read) = read else { return Ok(None) };
    let mut read = read.into_iter();
    let filled = blocks
        .into_iter()
        .map(|block| block.or_else(|| read.next()));
    Ok(filled.collect())
}

/// Where a block begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) first: u64,
    /// The number of the line of the log with which the block became what it is.
    pub(crate) seq: u64,
}

/// Where the blocks of a kind begin that may have records behind a place.
pub(crate) async fn starts<T: Outlined>(
    on: &Transaction<'_>,
    scope: &Scope,
    place: i64,
) -> Result<Vec<Start>> {
    let rows = Sql::new(
        "SELECT b.first_place, b.seq FROM memu_outlines b WHERE b.scope_key = $1 \
         AND b.owner_kind = $2 AND b.first_place >= coalesce((SELECT max(o.first_place) \
         FROM memu_outlines o WHERE o.scope_key = $1 AND o.owner_kind = $2 \
         AND o.first_place <= $3), 0) ORDER BY b.first_place",
    )
    .with(Key::of(scope))
    .with(T::KIND)
    .with(place)
    .rows(on)
    .await?;
    let start = |row: &Row| {
        let mut reader = Reader::new(row);
        Ok(Start {
            first: reader.number()?,
            seq: reader.number()?,
        })
    };
    rows.iter().map(start).collect()
}

pub(crate) fn known_block<T: Outlined>(
    known: &[Arc<Block<T>>],
    first: u64,
) -> Option<Arc<Block<T>>> {
    let at = known.binary_search_by_key(&Some(first), |block| block.first_place());
    known.get(at.ok()?).cloned()
}

/// The most blocks that are read at once.
const AT_ONCE: usize = 256;

/// The blocks that begin so; `None` when one cannot be read.
pub(crate) async fn bodies<T: Outlined>(
    on: &Transaction<'_>,
    scope: &Scope,
    starts: &[Start],
) -> Result<Option<Vec<Arc<Block<T>>>>> {
    let mut blocks = Vec::with_capacity(starts.len());
    for starts in starts.chunks(AT_ONCE) {
        let firsts: Result<Vec<i64>> = starts.iter().map(|start| integer(start.first)).collect();
        let rows = Sql::new(
            "SELECT body FROM memu_outlines WHERE scope_key = $1 AND owner_kind = $2 \
             AND first_place = ANY($3) ORDER BY first_place",
        )
        .with(Key::of(scope))
        .with(T::KIND)
        .with(firsts?)
        .rows(on)
        .await?;
        // Decoding many takes long enough to be in the way of others.
        let decoded = tokio::task::spawn_blocking(move || decoded(&rows)).await;
        let decoded = decoded
            .map_err(|cause| Error::internal("reading an outline ended early").caused_by(cause))?;
        match decoded? {
            Some(some) => blocks.extend(some),
            None => return Ok(None),
        }
    }
    Ok(Some(blocks))
}

fn decoded<T: Outlined>(rows: &[Row]) -> Result<Option<Vec<Arc<Block<T>>>>> {
    let mut blocks = Vec::with_capacity(rows.len());
    for row in rows {
        match Block::from_bytes(Reader::new(row).take()?) {
            Ok(block) => blocks.push(Arc::new(block)),
            Err(_) => return Ok(None),
        }
    }
    Ok(Some(blocks))
}

/// The resources at these places, or all of a scope.
pub(crate) async fn resources_at(
    on: &Transaction<'_>,
    scope: &Scope,
    places: Option<Vec<i64>>,
) -> Result<Vec<ResourceOutline>> {
    let select = "SELECT place, id, content_hash FROM resources WHERE scope_key = $1";
    let resource = |row: &Row| {
        let mut reader = Reader::new(row);
        Ok(ResourceOutline {
            place: reader.number()?,
            id: reader.id()?,
            content_hash: reader.hash()?,
        })
    };
    let rows = placed(on, scope, select, places).await?;
    rows.iter().map(resource).collect()
}

/// The categories at these places, or all of a scope.
pub(crate) async fn categories_at(
    on: &Transaction<'_>,
    scope: &Scope,
    places: Option<Vec<i64>>,
) -> Result<Vec<CategoryOutline>> {
    let select = "SELECT place, id FROM memory_categories WHERE scope_key = $1";
    let category = |row: &Row| {
        let mut reader = Reader::new(row);
        Ok(CategoryOutline {
            place: reader.number()?,
            id: reader.id()?,
        })
    };
    let rows = placed(on, scope, select, places).await?;
    rows.iter().map(category).collect()
}

/// Rows at these places, or all, in order.
async fn placed(
    on: &Transaction<'_>,
    scope: &Scope,
    select: &str,
    places: Option<Vec<i64>>,
) -> Result<Vec<Row>> {
    let mut sql = Sql::new(select).with(Key::of(scope));
    if let Some(places) = places {
        sql.push(" AND place = ANY(");
        sql.bind(places);
        sql.push(")");
    }
    sql.push(" ORDER BY place");
    sql.rows(on).await
}

/// What the rows say, when it is what is stored.
pub(crate) async fn agreed(
    on: &Transaction<'_>,
    scope: &Scope,
    standing: &Standing,
) -> Result<Option<Outline>> {
    let Some(stored) = stored(on, scope, standing, &ScopeOutline::default()).await? else {
        return Ok(None);
    };
    let fresh = whole(on, scope, standing.position)
        .await?
        .outline(PASSAGE_WORDS);
    let same = stored.resources == fresh.resources
        && stored.categories == fresh.categories
        && retold(&stored.segments) == retold(&fresh.segments)
        && retold(&stored.items) == retold(&fresh.items);
    Ok(same.then_some(fresh))
}

/// The same entries in blocks that depend on them only.
fn retold<T: Entry>(blocks: &[Arc<Block<T>>]) -> Vec<Block<T>> {
    let mut builder = BlockBuilder::default();
    for block in blocks {
        for entry in &block.entries {
            builder.push_from(block, entry);
        }
    }
    builder.finish()
}
