//! Sealing records, and making large parts of small ones.

use std::sync::Arc;

use memu_core::Result;
use memu_core::ranking::outline::{Block, ItemOutline, SegmentOutline};
use memu_core::ranking::sealed::Part;

use super::kinds::Sealed;
use super::parts::{self, Known, Records};
use super::{apart, entries};
use crate::outlines::{Changes, Outlined as _, bodies, starts};
use crate::rows::Reader;
use crate::sql::Sql;
use crate::values::Key;

/// So many times as many records as a part has are there before the first is sealed.
const AT_FIRST: u64 = 8;
/// So many times as many are not sealed before another part is.
const LATER: u64 = 2;
/// So many parts of a size become one.
const MERGED: usize = 4;
/// So often at most: what becomes one is in memory, some 30 MB of 65,536 records.
const MERGES: u32 = 2;

/// About how many records a part has at least.
fn part_records(changes: &Changes<'_, '_>) -> u64 {
    u64::try_from(changes.part_records)
        .unwrap_or(u64::MAX)
        .max(1)
}

/// How many segments, and how many items, at most are not sealed, but for those in the block
/// in which the last part ends.
pub(super) async fn bounds(changes: &Changes<'_, '_>) -> Result<[u64; 2]> {
    let of = |kind: i16| {
        format!(
            "SELECT coalesce(sum(o.entries), 0)::bigint FROM memu_outlines o \
             WHERE o.scope_key = $1 AND o.owner_kind = {kind} AND o.first_place > coalesce((\
             SELECT max(p.last_place) FROM memu_parts p WHERE p.scope_key = $1 \
             AND p.owner_kind = {kind}), -1)"
        )
    };
    let (segments, items) = futures_util::try_join!(
        count(
            changes,
            Sql::new(&of(SegmentOutline::KIND)).with(Key::of(changes.scope))
        ),
        count(
            changes,
            Sql::new(&of(ItemOutline::KIND)).with(Key::of(changes.scope))
        ),
    )?;
    Ok([segments, items])
}

async fn count(changes: &Changes<'_, '_>, sql: Sql<'_>) -> Result<u64> {
    let row = sql.first(changes.on).await?;
    row.map_or(Ok(0), |row| Reader::new(&row).number())
}

/// No block has more entries.
const LARGEST_BLOCK: u64 = 256;

/// How many records came, and about how many of all are not sealed.
#[derive(Clone, Copy)]
pub(super) struct Came {
    /// `None` where it is not known, and looked at any rate whether some can be sealed.
    pub(super) new: Option<u64>,
    pub(super) bound: u64,
}

/// How many records of a kind are not sealed, when they are so many that some can be.
pub(super) async fn ripe<T: Sealed>(
    changes: &Changes<'_, '_>,
    parts: &[Known],
    came: Came,
) -> Result<Option<u64>> {
    let times = if parts.is_empty() { AT_FIRST } else { LATER };
    let enough = part_records(changes).saturating_mul(times);
    if came.new == Some(0) || came.bound.saturating_add(LARGEST_BLOCK) < enough {
        return Ok(None);
    }
    let table = T::TABLE;
    let sql = format!("SELECT count(*) FROM {table} WHERE scope_key = $1 AND place > $2");
    let sql = Sql::new(&sql).with(Key::of(changes.scope));
    let open = count(changes, sql.with(parts::border(parts)?)).await?;
    // Where no session ends nothing can be sealed, and each look reads all that is open: it is
    // looked again when some more have come.
    let step = (part_records(changes) / AT_FIRST).max(1);
    let again = |new| open.saturating_sub(new) / step != open / step;
    Ok((open >= enough && came.new.is_none_or(again)).then_some(open))
}

/// Seals of `open` records of a kind what can be, and notes the parts; says whether the blocks
/// could be read.
pub(super) async fn seal<T: Sealed>(
    changes: &Changes<'_, '_>,
    parts: &mut Vec<Known>,
    open: u64,
) -> Result<bool> {
    let Changes { on, scope, .. } = *changes;
    let least = part_records(changes);
    let border = parts::border(parts)?;
    let starts = starts::<T>(on, scope, border).await?;
    let mut left = open;
    let mut gathered: Records<T> = Vec::new();
    for some in starts.chunks(entries::BLOCKS) {
        let Some(blocks) = bodies::<T>(on, scope, some).await? else {
            return Ok(false);
        };
        for block in blocks {
            for (at, entry) in block.entries.iter().enumerate() {
                if i64::try_from(entry.place()).is_ok_and(|place| place <= border) {
                    continue;
                }
                let count = gathered.len() as u64;
                if left.saturating_sub(count) < least {
                    // What comes stays open.
                    return Ok(true);
                }
                let ends = |last: &(Arc<Block<T>>, usize)| {
                    let last = last.0.entries.get(last.1);
                    last.is_some_and(|last| last.may_part_from(entry))
                };
                if count >= least && gathered.last().is_some_and(ends) {
                    left -= count;
                    let records = std::mem::take(&mut gathered);
                    if let Some(part) = apart(move || parts::made(&records)).await? {
                        parts.push(parts::write::<T>(changes, part).await?);
                    }
                    if !merge::<T>(changes, parts).await? {
                        return Ok(false);
                    }
                }
                gathered.push((block.clone(), at));
            }
        }
    }
    Ok(true)
}

/// Makes one of the last parts as long as they are of one size; says whether they could be read.
async fn merge<T: Sealed>(changes: &Changes<'_, '_>, parts: &mut Vec<Known>) -> Result<bool> {
    let least = part_records(changes);
    let tier = |part: &Known| (part.records / least).max(1).ilog(4);
    while let Some(from) = parts.len().checked_sub(MERGED) {
        let last = parts.get(from..).unwrap_or_default();
        if last.windows(2).any(|two| match two {
            [one, other] => tier(one) != tier(other) || tier(one) >= MERGES,
            _ => false,
        }) {
            break;
        }
        let mut whole = Vec::with_capacity(MERGED);
        let mut firsts = Vec::with_capacity(MERGED);
        for part in last {
            let Some(part) = parts::whole::<T>(changes.on, changes.scope, part.first).await? else {
                return Ok(false);
            };
            firsts.push(part.name.first_place);
            whole.push(part);
        }
        parts::delete::<T>(changes, firsts).await?;
        parts.truncate(from);
        if let Some(merged) = apart(move || Part::merged(whole)).await? {
            parts.push(parts::write::<T>(changes, merged).await?);
        }
    }
    Ok(true)
}
