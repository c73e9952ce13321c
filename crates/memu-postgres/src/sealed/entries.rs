//! An entry for each record of a scope of which something is sealed.

use std::collections::BTreeMap;
use std::sync::Arc;

use memu_core::Result;
use memu_core::ranking::outline::Block;
use memu_core::ranking::sealed::LoneEntry;

use super::apart;
use super::kinds::Sealed;
use crate::outlines::{Changes, EVERYWHERE, bodies, starts};
use crate::rows::Reader;
use crate::sql::{FromArrays, Sql};
use crate::values::{Key, integer};

/// So many blocks are read, and the entries of their records written, at once.
pub(super) const BLOCKS: usize = 16;

/// So many entries are written at once, when they do not come from blocks.
const AT_ONCE: usize = 4_096;

/// The entries of the records of blocks.
pub(super) fn of_blocks<T: Sealed>(blocks: &[Arc<Block<T>>]) -> Result<Vec<LoneEntry>> {
    let of_block = |block: &Arc<Block<T>>| {
        let entries = block.entries.iter();
        let lone = entries.map(|entry| LoneEntry::of(block, entry));
        lone.collect::<Vec<_>>()
    };
    blocks.iter().flat_map(of_block).collect()
}

/// Writes entries of all records of a kind; says whether their blocks could be read.
pub(super) async fn write_all<T: Sealed>(changes: &Changes<'_, '_>) -> Result<bool> {
    let Changes { on, scope, .. } = *changes;
    let starts = starts::<T>(on, scope, EVERYWHERE).await?;
    for some in starts.chunks(BLOCKS) {
        let Some(blocks) = bodies::<T>(on, scope, some).await? else {
            return Ok(false);
        };
        let entries = apart(move || of_blocks(&blocks)).await??;
        insert::<T>(changes, &entries).await?;
    }
    Ok(true)
}

/// Writes entries that are not there.
pub(super) async fn insert<T: Sealed>(
    changes: &Changes<'_, '_>,
    entries: &[LoneEntry],
) -> Result<()> {
    let FromArrays { key, from, only } = changes.arrays;
    let sql = format!(
        "INSERT INTO memu_entries (scope_key, owner_kind, place, length, bare, whole) \
         SELECT {key}, $2, u.place, u.length, u.bare, u.whole \
         FROM {from}unnest($3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[]) \
         u (place, length, bare, whole){only}"
    );
    for some in entries.chunks(AT_ONCE) {
        let places: Result<Vec<i64>> = some.iter().map(|entry| integer(entry.place)).collect();
        let lengths: Vec<i64> = some.iter().map(|entry| i64::from(entry.length)).collect();
        let bare: Vec<&[u8]> = some.iter().map(|entry| entry.bare.as_slice()).collect();
        let whole: Vec<&[u8]> = some.iter().map(|entry| entry.full.as_slice()).collect();
        let sql = Sql::new(&sql).with(Key::of(changes.scope)).with(T::KIND);
        let sql = sql.with(places?).with(lengths).with(bare).with(whole);
        sql.run(changes.on).await?;
    }
    Ok(())
}

/// Removes the entries at these places.
pub(super) async fn delete<T: Sealed>(changes: &Changes<'_, '_>, places: &[i64]) -> Result<()> {
    Sql::new(
        "DELETE FROM memu_entries WHERE scope_key = $1 AND owner_kind = $2 AND place = ANY($3)",
    )
    .with(Key::of(changes.scope))
    .with(T::KIND)
    .with(places)
    .run(changes.on)
    .await
    .map(drop)
}

/// The entries at these places, each as a block of its own; `None` when one is not there or
/// cannot be read.
pub(super) async fn blocks<T: Sealed>(
    changes: &Changes<'_, '_>,
    places: &[i64],
) -> Result<Option<BTreeMap<u64, Block<T>>>> {
    let rows = Sql::new(
        "SELECT place, whole FROM memu_entries WHERE scope_key = $1 AND owner_kind = $2 \
         AND place = ANY($3)",
    )
    .with(Key::of(changes.scope))
    .with(T::KIND)
    .with(places)
    .rows(changes.on)
    .await?;
    let wanted = places.len();
    apart(move || {
        let mut blocks = BTreeMap::new();
        for row in &rows {
            let mut reader = Reader::new(row);
            let place: u64 = reader.number()?;
            let Ok(block) = Block::<T>::from_bytes(reader.take()?) else {
                return Ok(None);
            };
            if block.first_place() != Some(place) {
                return Ok(None);
            }
            blocks.insert(place, block);
        }
        Ok(Some(blocks).filter(|blocks| blocks.len() == wanted))
    })
    .await?
}
