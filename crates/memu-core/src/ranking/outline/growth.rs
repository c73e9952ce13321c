//! What a scope has more than it had.

use std::sync::Arc;

use super::Outline;
use super::block::Block;
use super::entry::Entry;

/// What an outline has more than an earlier one of the same scope, where nothing is gone
/// and nothing says anything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    /// Where the new segments begin.
    pub segments: At,
    /// Where the new items begin.
    pub items: At,
    /// The items that hang on other records than before, or were met again: their number
    /// in order, and where they are.
    pub changed: Vec<(u32, At)>,
}

/// A place in the blocks of an outline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    block: usize,
    entry: usize,
}

impl Growth {
    /// What `new` has more than `old`; `None` when it lacks something, when a record of
    /// both says something else, or when what is new does not come after all else.
    pub fn between(old: &Outline, new: &Outline) -> Option<Self> {
        if !new.resources.starts_with(&old.resources)
            || !new.categories.starts_with(&old.categories)
        {
            return None;
        }
        let mut growth = Self::default();
        growth.segments = compare(&old.segments, &new.segments, |_, old, new| {
            written_out(old) == written_out(new)
        })?;
        growth.items = compare(&old.items, &new.items, |number, old, new| {
            let (mut old_item, old_texts) = written_out(old);
            let (new_item, new_texts) = written_out(new);
            if old_item != new_item {
                if !old_item.hangs_as_much(&new_item) {
                    return false;
                }
                old_item.hang_as(&new_item);
                growth.changed.push((number, new.at));
            }
            old_item == new_item && old_texts == new_texts
        })?;
        Some(growth)
    }

    /// What is all new.
    pub fn of_everything() -> Self {
        Self::default()
    }
}

impl At {
    /// The entries from here on, each with its block.
    pub fn onward<T>(self, blocks: &[Arc<Block<T>>]) -> impl Iterator<Item = (&Block<T>, &[T])> {
        let blocks = blocks.get(self.block..).unwrap_or_default();
        let skipped = std::iter::once(self.entry).chain(std::iter::repeat(0));
        blocks.iter().zip(skipped).map(|(block, skipped)| {
            let entries = block.entries.get(skipped..).unwrap_or_default();
            (&**block, entries)
        })
    }

    /// The entries from here on, each with its number among all of the blocks.
    pub fn numbered<T>(self, blocks: &[Arc<Block<T>>]) -> impl Iterator<Item = (usize, &T)> {
        let before = blocks.get(..self.block).unwrap_or_default();
        let before: usize = before.iter().map(|block| block.entries.len()).sum();
        let entries = self.onward(blocks).flat_map(|(_, entries)| entries);
        (before + self.entry..).zip(entries)
    }

    /// The entry that is here.
    pub fn entry<T>(self, blocks: &[Arc<Block<T>>]) -> Option<&T> {
        blocks.get(self.block)?.entries.get(self.entry)
    }
}

/// An entry that is compared.
struct Compared<'b, T> {
    at: At,
    block: &'b Block<T>,
    entry: &'b T,
}

/// An entry without the numbers of its texts, and these texts.
fn written_out<'b, T: Entry>(compared: &Compared<'b, T>) -> (T, Vec<Option<&'b str>>) {
    let mut entry = compared.entry.clone();
    let mut texts = Vec::new();
    entry.for_each_text(|number| {
        texts.push(compared.block.text(*number));
        *number = 0;
    });
    (entry, texts)
}

/// Where the new blocks go on after the old ones, when each old entry is there and is the
/// `same`, which is told its number and both.
fn compare<T: Entry>(
    old: &[Arc<Block<T>>],
    new: &[Arc<Block<T>>],
    mut same: impl FnMut(u32, &Compared<'_, T>, &Compared<'_, T>) -> bool,
) -> Option<At> {
    let (mut before, mut now) = (At::default(), At::default());
    let mut number = 0;
    while let Some(old_block) = old.get(before.block) {
        let new_block = new.get(now.block)?;
        if before.entry == 0 && now.entry == 0 && Arc::ptr_eq(old_block, new_block) {
            number += old_block.entries.len() as u32;
            before.block += 1;
            now.block += 1;
            continue;
        }
        let of = |block, at: At| compared(block, at);
        if !same(number, &of(old_block, before)?, &of(new_block, now)?) {
            return None;
        }
        number += 1;
        before.step(old_block);
        now.step(new_block);
    }
    Some(now)
}

fn compared<T>(block: &Block<T>, at: At) -> Option<Compared<'_, T>> {
    let entry = block.entries.get(at.entry)?;
    Some(Compared { at, block, entry })
}

impl At {
    fn step<T>(&mut self, block: &Block<T>) {
        self.entry += 1;
        if self.entry >= block.entries.len() {
            *self = Self {
                block: self.block + 1,
                entry: 0,
            };
        }
    }
}
