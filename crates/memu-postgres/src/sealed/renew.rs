//! Keeping what is sealed in step with the records.

use std::collections::BTreeSet;

use memu_core::Result;
use memu_core::ranking::outline::{ItemOutline, SegmentOutline};
use memu_core::store::{Effects, Fate, Fates, ScopeData};

use super::kinds::Sealed;
use super::parts::{Known, known, of_kind};
use super::seal::Came;
use super::{change, entries, seal};
use crate::error::corrupt;
use crate::outlines::Changes;
use crate::sql::{Sql, run_all};
use crate::values::Key;

/// Tables of what is sealed.
const TABLES: [&str; 3] = ["memu_entries", "memu_postings", "memu_parts"];

/// What became of records of a kind.
#[derive(Default)]
struct Touched {
    new: BTreeSet<u64>,
    /// Those that were there before, and may be gone.
    old: BTreeSet<u64>,
}

impl Touched {
    fn of(fates: &Fates, others: &BTreeSet<u64>) -> Self {
        let mut touched = Self::default();
        for (place, fate) in fates {
            if *fate == Fate::New {
                touched.new.insert(*place);
            } else {
                touched.old.insert(*place);
            }
        }
        let others = others.difference(&touched.new).copied();
        touched.old.extend(others.collect::<Vec<_>>());
        touched
    }
}

/// Brings what is sealed in step with records that a batch changed, of which `data` holds
/// those; seals more where there are enough. The blocks are renewed already. Says whether it
/// could: otherwise all must be made anew.
pub(crate) async fn renew(
    changes: &Changes<'_, '_>,
    data: &ScopeData,
    effects: &Effects,
) -> Result<bool> {
    let segments = Touched::of(&effects.segments, &BTreeSet::new());
    let items = Touched::of(&effects.items, &effects.refiled);
    let new = [&segments, &items].map(|touched| touched.new.len() as u64);
    let bounds = async {
        match new {
            [0, 0] => Ok([0, 0]),
            _ => seal::bounds(changes).await,
        }
    };
    // One after the other they would take twice as long.
    let parts = known(changes.on, changes.scope);
    let (parts, bounds) = futures_util::try_join!(parts, bounds)?;
    let mut parts = Parts::of(&parts);
    if !parts.are_none() {
        let renewed = renew_kind::<SegmentOutline>(changes, data, &segments, &mut parts.segments)
            .await?
            && renew_kind::<ItemOutline>(changes, data, &items, &mut parts.items).await?;
        if !renewed {
            return Ok(false);
        }
        if parts.are_none() {
            // Nothing is sealed any more.
            empty(changes).await?;
        }
    }
    grow(changes, &mut parts, new.map(Some), bounds).await
}

/// Makes all that is sealed from the blocks, which are of the last change.
pub(crate) async fn rebuild(changes: &Changes<'_, '_>) -> Result<()> {
    empty(changes).await?;
    let bounds = seal::bounds(changes).await?;
    if grow(changes, &mut Parts::default(), [None, None], bounds).await? {
        return Ok(());
    }
    Err(corrupt("an outline that was just made cannot be read"))
}

/// The parts of a scope.
#[derive(Default)]
struct Parts {
    segments: Vec<Known>,
    items: Vec<Known>,
}

impl Parts {
    fn of(known: &[Known]) -> Self {
        Self {
            segments: of_kind::<SegmentOutline>(known),
            items: of_kind::<ItemOutline>(known),
        }
    }

    fn are_none(&self) -> bool {
        self.segments.is_empty() && self.items.is_empty()
    }
}

async fn empty(changes: &Changes<'_, '_>) -> Result<()> {
    let delete = TABLES.map(|table| {
        let sql = format!("DELETE FROM {table} WHERE scope_key = $1");
        Sql::new(&sql).with(Key::of(changes.scope))
    });
    run_all(changes.on, &delete).await.map(drop)
}

/// Seals more where so many records came that there are enough.
async fn grow(
    changes: &Changes<'_, '_>,
    parts: &mut Parts,
    [segments, items]: [Option<u64>; 2],
    bounds: [u64; 2],
) -> Result<bool> {
    let first = parts.are_none();
    let [of_segments, of_items] = bounds;
    let came = |new, bound| Came { new, bound };
    let of = &mut parts.segments;
    let grown = grow_kind::<SegmentOutline>(changes, of, came(segments, of_segments)).await?
        && grow_kind::<ItemOutline>(changes, &mut parts.items, came(items, of_items)).await?;
    if !grown || !first || parts.are_none() {
        return Ok(grown);
    }
    Ok(entries::write_all::<SegmentOutline>(changes).await?
        && entries::write_all::<ItemOutline>(changes).await?)
}

async fn grow_kind<T: Sealed>(
    changes: &Changes<'_, '_>,
    parts: &mut Vec<Known>,
    came: Came,
) -> Result<bool> {
    match seal::ripe::<T>(changes, parts, came).await? {
        Some(open) => seal::seal::<T>(changes, parts, open).await,
        None => Ok(true),
    }
}

/// Renews the entries of records of a kind, and the parts in which they lie.
async fn renew_kind<T: Sealed>(
    changes: &Changes<'_, '_>,
    data: &ScopeData,
    touched: &Touched,
    parts: &mut Vec<Known>,
) -> Result<bool> {
    if !touched.old.is_empty() && !change::old::<T>(changes, data, &touched.old, parts).await? {
        return Ok(false);
    }
    let new = change::outlined::<T>(data, &touched.new);
    entries::insert::<T>(changes, &entries::of_blocks(&new)?).await?;
    Ok(true)
}
