//! Parts, as they are stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use deadpool_postgres::Transaction;
use memu_core::Result;
use memu_core::ranking::outline::Block;
use memu_core::ranking::sealed::{Bucket, Part, PartName, Summary};
use memu_core::scope::Scope;
use tokio_postgres::Row;

use super::apart;
use super::kinds::Sealed;
use crate::outlines::{Changes, EVERYWHERE};
use crate::rows::Reader;
use crate::sql::{FromArrays, Sql, run_all};
use crate::values::{Key, integer};

/// A part, but for what its records say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) kind: i16,
    /// The place of its first record when it was sealed.
    pub(super) first: u64,
    /// The place of its last record when it was sealed.
    pub(super) last: u64,
    pub(super) records: u64,
    /// The number of the line of the log with which it became what it is.
    pub(super) seq: u64,
}

/// The parts of a scope, by kind and place.
pub(super) async fn known(on: &Transaction<'_>, scope: &Scope) -> Result<Vec<Known>> {
    let rows = Sql::new(
        "SELECT owner_kind, first_place, last_place, records, seq FROM memu_parts \
         WHERE scope_key = $1 ORDER BY owner_kind, first_place",
    )
    .with(Key::of(scope))
    .rows(on)
    .await?;
    let known = |row: &Row| {
        let mut reader = Reader::new(row);
        Ok(Known {
            kind: reader.take()?,
            first: reader.number()?,
            last: reader.number()?,
            records: reader.number()?,
            seq: reader.number()?,
        })
    };
    rows.iter().map(known).collect()
}

/// Those of a kind.
pub(super) fn of_kind<T: Sealed>(known: &[Known]) -> Vec<Known> {
    let of = known.iter().filter(|part| part.kind == T::KIND);
    of.copied().collect()
}

/// The place of the last record that is sealed, as it is stored; before every place where none is.
pub(super) fn border(parts: &[Known]) -> Result<i64> {
    parts
        .last()
        .map_or(Ok(EVERYWHERE), |part| integer(part.last))
}

/// What is known of a part; `None` when it cannot be read.
pub(super) async fn summary<T: Sealed>(
    on: &Transaction<'_>,
    scope: &Scope,
    first: u64,
) -> Result<Option<Summary>> {
    let row = Sql::new(
        "SELECT summary FROM memu_parts WHERE scope_key = $1 AND owner_kind = $2 \
         AND first_place = $3",
    )
    .with(Key::of(scope))
    .with(T::KIND)
    .with(integer(first)?)
    .first(on)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Summary::from_bytes(Reader::new(&row).take()?).ok())
}

/// Some buckets of a part, or all; `None` when one cannot be read.
pub(super) async fn buckets<T: Sealed>(
    on: &Transaction<'_>,
    scope: &Scope,
    first: u64,
    only: Option<Vec<i64>>,
) -> Result<Option<BTreeMap<u32, Bucket>>> {
    let mut sql = Sql::new(
        "SELECT bucket, words, lists FROM memu_postings WHERE scope_key = $1 \
         AND owner_kind = $2 AND first_place = $3",
    )
    .with(Key::of(scope))
    .with(T::KIND)
    .with(integer(first)?);
    if let Some(only) = only {
        sql.push(" AND bucket = ANY(");
        sql.bind(only);
        sql.push(")");
    }
    let rows = sql.rows(on).await?;
    apart(move || decoded(&rows)).await?
}

fn decoded(rows: &[Row]) -> Result<Option<BTreeMap<u32, Bucket>>> {
    let mut buckets = BTreeMap::new();
    for row in rows {
        let mut reader = Reader::new(row);
        let number: u32 = reader.number()?;
        let Ok(bucket) = Bucket::from_bytes(reader.take()?, reader.take()?) else {
            return Ok(None);
        };
        buckets.insert(number, bucket);
    }
    Ok(Some(buckets))
}

/// Records, each as its block and its number there.
pub(super) type Records<T> = Vec<(Arc<Block<T>>, usize)>;

/// The part that these records make.
pub(super) fn made<T: Sealed>(records: &Records<T>) -> Option<Part> {
    let entries = records.iter();
    let entries = entries.filter_map(|(block, at)| Some((&**block, block.entries.get(*at)?)));
    Part::of(entries)
}

/// A whole part; `None` when it cannot be read.
pub(super) async fn whole<T: Sealed>(
    on: &Transaction<'_>,
    scope: &Scope,
    first: u64,
) -> Result<Option<Part>> {
    let (summary, buckets) = futures_util::try_join!(
        summary::<T>(on, scope, first),
        buckets::<T>(on, scope, first, None)
    )?;
    Ok(summary.zip(buckets).map(|(summary, buckets)| Part {
        name: PartName {
            kind: T::OWNER,
            first_place: first,
            last_place: summary.last_place,
        },
        summary,
        buckets,
    }))
}

/// So many buckets are written at once.
const AT_ONCE: usize = 128;

/// Stores a part, in place of what may be left of another that began there.
pub(super) async fn write<T: Sealed>(changes: &Changes<'_, '_>, part: Part) -> Result<Known> {
    let Part {
        name,
        summary,
        buckets,
    } = part;
    let known = Known {
        kind: T::KIND,
        first: name.first_place,
        last: summary.last_place,
        records: summary.records,
        seq: changes.seq,
    };
    delete::<T>(changes, vec![known.first]).await?;
    Sql::new(
        "INSERT INTO memu_parts (scope_key, owner_kind, first_place, last_place, records, seq, \
         summary) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .with(Key::of(changes.scope))
    .with(T::KIND)
    .with(integer(known.first)?)
    .with(integer(known.last)?)
    .with(integer(known.records)?)
    .with(integer(known.seq)?)
    .with(summary.to_bytes()?)
    .run(changes.on)
    .await?;
    insert_buckets::<T>(changes, known.first, buckets).await?;
    Ok(known)
}

/// Stores buckets that are not there, but for empty ones.
pub(super) async fn insert_buckets<T: Sealed>(
    changes: &Changes<'_, '_>,
    first: u64,
    buckets: BTreeMap<u32, Bucket>,
) -> Result<()> {
    let packed = apart(move || packed(&buckets)).await??;
    let FromArrays { key, from, only } = changes.arrays;
    let sql = format!(
        "INSERT INTO memu_postings (scope_key, owner_kind, first_place, bucket, words, lists) \
         SELECT {key}, $2, $3, u.bucket, u.words, u.lists \
         FROM {from}unnest($4::bigint[], $5::bytea[], $6::bytea[]) u (bucket, words, lists){only}"
    );
    for some in packed.chunks(AT_ONCE) {
        let numbers: Vec<i64> = some.iter().map(|one| one.number).collect();
        let words: Vec<&[u8]> = some.iter().map(|one| one.words.as_slice()).collect();
        let lists: Vec<&[u8]> = some.iter().map(|one| one.lists.as_slice()).collect();
        let sql = Sql::new(&sql).with(Key::of(changes.scope)).with(T::KIND);
        let sql = sql.with(integer(first)?).with(numbers);
        sql.with(words).with(lists).run(changes.on).await?;
    }
    Ok(())
}

/// A bucket as it is written.
struct Packed {
    number: i64,
    words: Vec<u8>,
    lists: Vec<u8>,
}

fn packed(buckets: &BTreeMap<u32, Bucket>) -> Result<Vec<Packed>> {
    let filled = buckets.iter().filter(|(_, bucket)| !bucket.is_empty());
    let packed = filled.map(|(number, bucket)| {
        Ok(Packed {
            number: i64::from(*number),
            words: bucket.words_to_bytes()?,
            lists: bucket.lists_to_bytes()?,
        })
    });
    packed.collect()
}

/// Removes parts of a kind that begin at these places.
pub(super) async fn delete<T: Sealed>(changes: &Changes<'_, '_>, firsts: Vec<u64>) -> Result<()> {
    let firsts: Vec<i64> = firsts.into_iter().map(integer).collect::<Result<_>>()?;
    let delete = |table: &str| {
        let sql = format!(
            "DELETE FROM {table} WHERE scope_key = $1 AND owner_kind = $2 \
             AND first_place = ANY($3)"
        );
        let sql = Sql::new(&sql).with(Key::of(changes.scope)).with(T::KIND);
        sql.with(firsts.clone())
    };
    let statements = ["memu_postings", "memu_parts"].map(delete);
    run_all(changes.on, &statements).await.map(drop)
}
