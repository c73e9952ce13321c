//! Looking up what a question needs of what is sealed: by its key, one row after the other. A
//! join would take the planner through all of a scope as long as it has no statistics.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Transaction;
use memu_core::Result;
use memu_core::ranking::outline::{
    Block, CategoryOutline, ItemOutline, ResourceOutline, SegmentOutline,
};
use memu_core::ranking::sealed::PartName;
use memu_core::scope::Scope;
use memu_core::store::{BESIDE, BucketBytes, SegmentEntry};
use tokio_postgres::Row;

use super::kinds::Sealed;
use super::parts;
use crate::outlines::{Outlined as _, categories_at, resources_at};
use crate::owners::kind_number;
use crate::rows::Reader;
use crate::sql::Sql;
use crate::values::{Key, integer};

/// Places as they are stored.
pub(crate) struct Places(Vec<i64>);

impl Places {
    pub(crate) fn of(places: &[u64]) -> Result<Self> {
        places
            .iter()
            .copied()
            .map(integer)
            .collect::<Result<_>>()
            .map(Self)
    }
}

/// Buckets of a scope's parts; `None` when a part is not there any more.
pub(crate) async fn buckets(
    on: &Transaction<'_>,
    scope: &Scope,
    wanted: &[(PartName, u32)],
) -> Result<Option<Vec<BucketBytes>>> {
    let known = parts::known(on, scope).await?;
    let known = known.iter().map(|part| (part.kind, part.first, part.last));
    let known: BTreeSet<(i16, u64, u64)> = known.collect();
    let is_there = |(part, _): &(PartName, u32)| {
        known.contains(&(kind_number(part.kind), part.first_place, part.last_place))
    };
    if !wanted.iter().all(is_there) {
        return Ok(None);
    }
    let (segments, items) = futures_util::try_join!(
        buckets_of::<SegmentOutline>(on, scope, wanted),
        buckets_of::<ItemOutline>(on, scope, wanted),
    )?;
    Ok(Some(segments.into_iter().chain(items).collect()))
}

async fn buckets_of<T: Sealed>(
    on: &Transaction<'_>,
    scope: &Scope,
    wanted: &[(PartName, u32)],
) -> Result<Vec<BucketBytes>> {
    let (mut firsts, mut lasts, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for (part, bucket) in wanted.iter().filter(|(part, _)| part.kind == T::OWNER) {
        firsts.push(integer(part.first_place)?);
        lasts.push(integer(part.last_place)?);
        numbers.push(i64::from(*bucket));
    }
    if firsts.is_empty() {
        return Ok(Vec::new());
    }
    let rows = Sql::new(
        "SELECT u.first_place, u.last_place, u.bucket, b.words, b.lists \
         FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]) \
         u (first_place, last_place, bucket) CROSS JOIN LATERAL (SELECT m.words, m.lists \
         FROM memu_postings m WHERE m.scope_key = $1 AND m.owner_kind = $2 \
         AND m.first_place = u.first_place AND m.bucket = u.bucket LIMIT 1) b",
    )
    .with(Key::of(scope))
    .with(T::KIND)
    .with(firsts)
    .with(lasts)
    .with(numbers)
    .rows(on)
    .await?;
    let bucket = |row: &Row| {
        let mut reader = Reader::new(row);
        Ok(BucketBytes {
            part: PartName {
                kind: T::OWNER,
                first_place: reader.number()?,
                last_place: reader.number()?,
            },
            bucket: reader.number()?,
            words: reader.take()?,
            lists: reader.take()?,
        })
    };
    rows.iter().map(bucket).collect()
}

/// The segments at these places that are there, with those [`BESIDE`] each;
/// only those come with their words.
pub(crate) async fn around(
    on: &Transaction<'_>,
    scope: &Scope,
    places: Places,
) -> Result<Vec<Vec<SegmentEntry>>> {
    let windows = places.0.len();
    let (before, from_there) = (BESIDE, BESIDE + 1);
    let rows = Sql::new(&format!(
        "SELECT p.at, p.place, e.place, e.length, \
         CASE WHEN e.place = p.place THEN e.whole ELSE e.bare END \
         FROM unnest($3::bigint[]) WITH ORDINALITY p (place, at) CROSS JOIN LATERAL ((\
         SELECT m.place, m.length, m.bare, m.whole FROM memu_entries m WHERE m.scope_key = $1 \
         AND m.owner_kind = $2 AND m.place >= p.place ORDER BY m.place LIMIT {from_there}) UNION ALL (\
         SELECT m.place, m.length, m.bare, m.whole FROM memu_entries m WHERE m.scope_key = $1 \
         AND m.owner_kind = $2 AND m.place < p.place ORDER BY m.place DESC LIMIT {before})) e \
         ORDER BY p.at, e.place"
    ))
    .with(Key::of(scope))
    .with(SegmentOutline::KIND)
    .with(places.0)
    .rows(on)
    .await?;
    let mut around: BTreeMap<i64, (bool, Vec<SegmentEntry>)> = BTreeMap::new();
    for row in &rows {
        let mut reader = Reader::new(row);
        let (at, wanted, place): (i64, i64, i64) = (reader.take()?, reader.take()?, reader.take()?);
        let (is_there, window) = around.entry(at).or_default();
        *is_there |= place == wanted;
        window.push(segment(&mut reader)?);
    }
    let mut there = Vec::with_capacity(windows);
    there.extend(
        around
            .into_values()
            .filter_map(|(is_there, window)| is_there.then_some(window)),
    );
    Ok(there)
}

/// Reads `length` and a block.
fn segment(reader: &mut Reader<'_>) -> Result<SegmentEntry> {
    Ok(SegmentEntry {
        length: reader.number()?,
        block: Block::from_bytes(reader.take()?)?,
    })
}

/// The segments at these places, without their words.
pub(crate) async fn segments(
    on: &Transaction<'_>,
    scope: &Scope,
    places: Places,
) -> Result<Vec<SegmentEntry>> {
    let rows = Sql::new(
        "SELECT e.length, e.bare FROM unnest($3::bigint[]) u (place) CROSS JOIN LATERAL (\
         SELECT m.length, m.bare FROM memu_entries m WHERE m.scope_key = $1 \
         AND m.owner_kind = $2 AND m.place = u.place LIMIT 1) e ORDER BY u.place",
    )
    .with(Key::of(scope))
    .with(SegmentOutline::KIND)
    .with(places.0)
    .rows(on)
    .await?;
    rows.iter()
        .map(|row| segment(&mut Reader::new(row)))
        .collect()
}

/// The items at these places and those that cite segments at these, without their words.
pub(crate) async fn items(
    on: &Transaction<'_>,
    scope: &Scope,
    places: Places,
    citing: Places,
) -> Result<Vec<Block<ItemOutline>>> {
    let rows = Sql::new(
        "SELECT e.bare FROM (SELECT o.place FROM unnest($3::bigint[]) o (place) UNION \
         SELECT x.item_place FROM unnest($4::bigint[]) c (place) CROSS JOIN LATERAL (\
         SELECT i.item_place FROM memu_item_segments i WHERE i.scope_key = $1 \
         AND i.segment_place = c.place OFFSET 0) x) u (place) CROSS JOIN LATERAL (\
         SELECT m.bare FROM memu_entries m WHERE m.scope_key = $1 AND m.owner_kind = $2 \
         AND m.place = u.place LIMIT 1) e ORDER BY u.place",
    )
    .with(Key::of(scope))
    .with(ItemOutline::KIND)
    .with(places.0)
    .with(citing.0)
    .rows(on)
    .await?;
    let item = |row: &Row| Block::from_bytes(Reader::new(row).take()?);
    rows.iter().map(item).collect()
}

/// The resources and the categories at these places.
pub(crate) async fn hung_on(
    on: &Transaction<'_>,
    scope: &Scope,
    resources: Places,
    categories: Places,
) -> Result<(Vec<ResourceOutline>, Vec<CategoryOutline>)> {
    futures_util::try_join!(
        resources_at(on, scope, Some(resources.0)),
        categories_at(on, scope, Some(categories.0)),
    )
}
