//! Records that a transaction has just stored: outlining them needs no reading.

use std::collections::BTreeSet;

use memu_core::Result;
use memu_core::ranking::outline::{Block, BlockBuilder, ItemOutline};
use memu_core::records::{MemoryItem, Segment};
use rustc_hash::FxHashMap;

use super::{Links, Outlined, Outlines, place};

/// New records of a transaction, by row, with the rows of their resources.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct FreshRows<'r> {
    pub(super) segments: FxHashMap<i64, (&'r Segment, Option<u64>)>,
    pub(super) items: FxHashMap<i64, (&'r MemoryItem, Option<u64>)>,
    links: Links,
    /// Outlines of all new items, made before their rows were known.
    ahead: Vec<Block<ItemOutline>>,
}

impl<'r> FreshRows<'r> {
    pub(in crate::sqlite) fn segment(
        &mut self,
        row: i64,
        segment: &'r Segment,
        resource: i64,
    ) -> Result<()> {
        self.segments.insert(row, (segment, Some(place(resource)?)));
        Ok(())
    }

    pub(in crate::sqlite) fn item(
        &mut self,
        row: i64,
        item: &'r MemoryItem,
        resource: Option<i64>,
    ) -> Result<()> {
        let resource = resource.map(place).transpose()?;
        self.items.insert(row, (item, resource));
        Ok(())
    }

    /// What an item cites.
    pub(in crate::sqlite) fn cite(&mut self, item: i64, segment: i64) -> Result<()> {
        let cited = self.links.segments.entry(place(item)?).or_default();
        cited.push(place(segment)?);
        Ok(())
    }

    /// What an item is filed under.
    pub(in crate::sqlite) fn file(&mut self, item: i64, category: i64) -> Result<()> {
        let filed = self.links.categories.entry(place(item)?).or_default();
        filed.push(place(category)?);
        Ok(())
    }

    /// Takes outlines of all new items, in order, that lack rows.
    pub(in crate::sqlite) fn outlined(&mut self, ahead: Vec<Block<ItemOutline>>) {
        self.ahead = ahead;
    }

    /// The outlines that were made before, with their rows, if they are of the items in these.
    pub(super) fn placed(
        &mut self,
        rows: &BTreeSet<i64>,
    ) -> Result<Option<Vec<Block<ItemOutline>>>> {
        let mut blocks = std::mem::take(&mut self.ahead);
        let mut rows = rows.iter();
        for entry in blocks.iter_mut().flat_map(|block| &mut block.entries) {
            let next = rows.next();
            let Some((row, (item, resource))) =
                next.and_then(|row| Some((row, self.items.get(row)?)))
            else {
                return Ok(None);
            };
            if item.meta.id != entry.id {
                return Ok(None);
            }
            let row = place(*row)?;
            self.links.hang(entry, row, *resource);
        }
        Ok(rows.next().is_none().then_some(blocks))
    }

    /// Forgets a record that is no longer as it was stored.
    pub(in crate::sqlite) fn forget_item(&mut self, row: i64) {
        self.items.remove(&row);
    }
}

impl Outlines<'_> {
    /// Blocks of the rows from `first` to before `next`, of which `changed` have changed,
    /// where none has codes yet: made of what is at hand, if that is all of them.
    pub(super) fn made_of_fresh<T: Outlined>(
        &self,
        fresh: &mut FreshRows<'_>,
        changed: &BTreeSet<i64>,
        (first, next): (i64, i64),
    ) -> Result<Vec<Block<T::Entry>>> {
        if let Some(blocks) = T::outlined(fresh, changed)? {
            return Ok(blocks);
        }
        let records = T::fresh(fresh);
        if !changed.iter().all(|row| records.contains_key(row)) {
            return self.made_from_rows::<T>(first, next);
        }
        let mut builder = BlockBuilder::default();
        for row in changed {
            if let Some((record, resource)) = records.get(row) {
                let row = place(*row)?;
                builder.push(|texts| record.entry(row, *resource, &fresh.links, texts));
            }
        }
        Ok(builder.finish())
    }
}
