//! The kinds of records that are sealed.

use std::sync::Arc;

use memu_core::Result;
use memu_core::ranking::outline::{Block, ItemOutline, Occurrence, SegmentOutline};
use memu_core::ranking::sealed::{Change, LoneEntry, Part};
use memu_core::records::OwnerKind;

use crate::outlines::Outlined;

/// A kind of record that is sealed.
pub(super) trait Sealed: Outlined {
    /// Its kind.
    const OWNER: OwnerKind;
    /// The table of its records.
    const TABLE: &'static str;

    /// Seals records, which lie side by side.
    fn seal(records: &[(Arc<Block<Self>>, usize)]) -> Option<Part>;

    /// The entry of a record of this block.
    fn lone(block: &Block<Self>, entry: &Self) -> Result<LoneEntry>;

    /// Whether a part may end between a record and the next.
    fn parts(&self, next: &Self) -> bool;

    /// Whether a part says the same of both.
    fn says_as(&self, block: &Block<Self>, other: &Self, of: &Block<Self>) -> bool;

    /// Takes out what a record says.
    fn take(change: &mut Change, block: &Block<Self>, entry: &Self);

    /// Puts in what a record says.
    fn put(change: &mut Change, block: &Block<Self>, entry: &Self);
}

/// The entries that are meant, each with its block.
fn meant<T>(records: &[(Arc<Block<T>>, usize)]) -> impl Iterator<Item = (&Block<T>, &T)> {
    records
        .iter()
        .filter_map(|(block, at)| Some((&**block, block.entries.get(*at)?)))
}

impl Sealed for SegmentOutline {
    const OWNER: OwnerKind = OwnerKind::Segment;
    const TABLE: &'static str = "memu_segments";

    fn seal(records: &[(Arc<Block<Self>>, usize)]) -> Option<Part> {
        Part::of_segments(meant(records))
    }

    fn lone(block: &Block<Self>, entry: &Self) -> Result<LoneEntry> {
        LoneEntry::of_segment(block, entry)
    }

    fn parts(&self, next: &Self) -> bool {
        (self.resource, self.session) != (next.resource, next.session)
    }

    /// Stored segments stay as they are, but for those that are written anew.
    fn says_as(&self, _: &Block<Self>, _: &Self, _: &Block<Self>) -> bool {
        false
    }

    fn take(change: &mut Change, block: &Block<Self>, entry: &Self) {
        change.remove_segment(block, entry);
    }

    fn put(change: &mut Change, block: &Block<Self>, entry: &Self) {
        change.add_segment(block, entry);
    }
}

impl Sealed for ItemOutline {
    const OWNER: OwnerKind = OwnerKind::Item;
    const TABLE: &'static str = "memory_items";

    fn seal(records: &[(Arc<Block<Self>>, usize)]) -> Option<Part> {
        Part::of_items(meant(records))
    }

    fn lone(block: &Block<Self>, entry: &Self) -> Result<LoneEntry> {
        LoneEntry::of_item(block, entry)
    }

    fn parts(&self, _: &Self) -> bool {
        true
    }

    fn says_as(&self, block: &Block<Self>, other: &Self, of: &Block<Self>) -> bool {
        self.segments.is_empty() == other.segments.is_empty()
            && told(block, &self.words) == told(of, &other.words)
    }

    fn take(change: &mut Change, block: &Block<Self>, entry: &Self) {
        change.remove_item(block, entry);
    }

    fn put(change: &mut Change, block: &Block<Self>, entry: &Self) {
        change.add_item(block, entry);
    }
}

/// Words as they are written, in order.
fn told<'b, T: Outlined>(block: &'b Block<T>, words: &[Occurrence]) -> Vec<(Option<&'b str>, u32)> {
    let written = words
        .iter()
        .map(|(number, count)| (block.text(*number), *count));
    let mut told: Vec<_> = written.collect();
    told.sort_unstable();
    told
}
