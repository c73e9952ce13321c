//! What changes and goes of what is sealed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use memu_core::Result;
use memu_core::ranking::outline::{Block, BlockBuilder};
use memu_core::ranking::sealed::{Bucket, Change, Summary};
use memu_core::store::ScopeData;

use super::kinds::Sealed;
use super::parts::{self, Known};
use super::{apart, entries};
use crate::outlines::Changes;
use crate::sql::Sql;
use crate::values::{Key, integer};

/// A record as it was and as it is, each in a block of its own.
type Pair<T> = (Block<T>, Option<Block<T>>);

/// The outlines of these records as they are now; those that are gone have none.
pub(super) fn outlined<T: Sealed>(data: &ScopeData, places: &BTreeSet<u64>) -> Vec<Arc<Block<T>>> {
    let mut builder = BlockBuilder::default();
    for place in places {
        T::add(data, *place, &mut builder);
    }
    builder.finish().into_iter().map(Arc::new).collect()
}

/// Renews the entries of records that were there before, and the parts in which they lie. Says
/// whether all could be read.
pub(super) async fn old<T: Sealed>(
    changes: &Changes<'_, '_>,
    data: &ScopeData,
    touched: &BTreeSet<u64>,
    known: &mut Vec<Known>,
) -> Result<bool> {
    let places: Result<Vec<i64>> = touched.iter().copied().map(integer).collect();
    let places = places?;
    let Some(before) = entries::blocks::<T>(changes, &places).await? else {
        return Ok(false);
    };
    let now = outlined::<T>(data, touched);
    entries::delete::<T>(changes, &places).await?;
    entries::insert::<T>(changes, &entries::of_blocks(&now)?).await?;
    let mut alone = alone(&now);
    let border = known.last().map(|part| part.last);
    let mut by_part: BTreeMap<u64, Vec<Pair<T>>> = BTreeMap::new();
    for (place, block) in before {
        if border.is_none_or(|border| border < place) {
            continue;
        }
        let after = known.partition_point(|part| part.first <= place);
        let part = after.checked_sub(1).and_then(|at| known.get(at));
        let Some(part) = part.filter(|part| place <= part.last) else {
            // A record that no part has.
            return Ok(false);
        };
        let pair = (block, alone.remove(&place));
        by_part.entry(part.first).or_default().push(pair);
    }
    for (first, pairs) in by_part {
        let Some(summary) = in_part::<T>(changes, first, pairs).await? else {
            return Ok(false);
        };
        if let Some(part) = known.iter_mut().find(|part| part.first == first) {
            part.records = summary.records;
        }
    }
    known.retain(|part| part.records > 0);
    Ok(true)
}

/// The entries of blocks, each in a block of its own, by their places.
fn alone<T: Sealed>(blocks: &[Arc<Block<T>>]) -> BTreeMap<u64, Block<T>> {
    let mut alone = BTreeMap::new();
    for block in blocks {
        let entries = block.entries.iter();
        alone.extend(entries.map(|entry| (entry.place(), block.alone(entry))));
    }
    alone
}

/// Has a part say what these records say now, and returns what is known of it; `None` when it
/// cannot be read.
async fn in_part<T: Sealed>(
    changes: &Changes<'_, '_>,
    first: u64,
    pairs: Vec<Pair<T>>,
) -> Result<Option<Summary>> {
    let Changes { on, scope, .. } = *changes;
    let Some(summary) = parts::summary::<T>(on, scope, first).await? else {
        return Ok(None);
    };
    let before = summary.clone();
    let (change, changed) = apart(move || begun(summary, &pairs)).await?;
    if !changed {
        return Ok(Some(before));
    }
    let numbers: Vec<i64> = change.buckets().into_iter().map(i64::from).collect();
    let buckets = parts::buckets::<T>(on, scope, first, Some(numbers.clone())).await?;
    let Some(buckets) = buckets else {
        return Ok(None);
    };
    let (summary, buckets) = apart(move || change.finish(buckets)).await?;
    if summary.records == 0 {
        parts::delete::<T>(changes, vec![first]).await?;
    } else {
        replace::<T>(changes, first, &summary, numbers, buckets).await?;
    }
    Ok(Some(summary))
}

/// What becomes of a part; and whether anything does.
fn begun<T: Sealed>(summary: Summary, pairs: &[Pair<T>]) -> (Change, bool) {
    let mut change = Change::new(summary);
    let mut changed = false;
    for (before, after) in pairs {
        let Some(entry) = before.entries.first() else {
            continue;
        };
        let now = after.as_ref();
        let now = now.and_then(|block| Some((block, block.entries.first()?)));
        if now.is_some_and(|(block, now)| entry.says_as(before, now, block)) {
            continue;
        }
        changed = true;
        change.remove(before, entry);
        if let Some((block, now)) = now {
            change.add(block, now);
        }
    }
    (change, changed)
}

/// Writes a part as it is now, of whose buckets these changed.
async fn replace<T: Sealed>(
    changes: &Changes<'_, '_>,
    first: u64,
    summary: &Summary,
    numbers: Vec<i64>,
    buckets: BTreeMap<u32, Bucket>,
) -> Result<()> {
    Sql::new(
        "DELETE FROM memu_postings WHERE scope_key = $1 AND owner_kind = $2 \
         AND first_place = $3 AND bucket = ANY($4)",
    )
    .with(Key::of(changes.scope))
    .with(T::KIND)
    .with(integer(first)?)
    .with(numbers)
    .run(changes.on)
    .await?;
    parts::insert_buckets::<T>(changes, first, buckets).await?;
    Sql::new(
        "UPDATE memu_parts SET records = $4, seq = $5, summary = $6 WHERE scope_key = $1 \
         AND owner_kind = $2 AND first_place = $3",
    )
    .with(Key::of(changes.scope))
    .with(T::KIND)
    .with(integer(first)?)
    .with(integer(summary.records)?)
    .with(integer(changes.seq)?)
    .with(summary.to_bytes()?)
    .run(changes.on)
    .await
    .map(drop)
}
