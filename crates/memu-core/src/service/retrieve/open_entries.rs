//! What an excerpt takes from a scope of which nothing is sealed, as a store takes it from one of
//! which parts are; see [`SealedStore`](crate::store::SealedStore).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ranking::outline::{
    Block, CategoryOutline, Entry, ItemOutline, Outline, ResourceOutline, SegmentOutline,
};
use crate::store::{BESIDE, SegmentEntry};

/// The segments at these places, with those beside each.
pub(super) fn around(outline: &Outline, places: &[u64]) -> Vec<Vec<SegmentEntry>> {
    let all: Vec<_> = entries(&outline.segments).collect();
    let window = |place: &u64| {
        let at = all.binary_search_by_key(place, |(_, entry)| entry.place);
        let at = at.ok()?;
        let first = at.saturating_sub(BESIDE);
        let beside = (first..)
            .zip(all.get(first..)?)
            .take(at - first + BESIDE + 1);
        let entry = |(number, (block, entry)): (usize, &(&Block<_>, &SegmentOutline))| {
            segment(block, entry, number == at)
        };
        Some(beside.map(entry).collect())
    };
    places.iter().filter_map(window).collect()
}

/// The segments at these places, without their words.
pub(super) fn segments(outline: &Outline, places: &[u64]) -> Vec<SegmentEntry> {
    let wanted: BTreeSet<u64> = places.iter().copied().collect();
    let found = entries(&outline.segments).filter(|(_, entry)| wanted.contains(&entry.place));
    found
        .map(|(block, entry)| segment(block, entry, false))
        .collect()
}

/// The items at these places and those that cite segments at these.
pub(super) fn items(outline: &Outline, places: &[u64], citing: &[u64]) -> Vec<Block<ItemOutline>> {
    let wanted: BTreeSet<u64> = places.iter().copied().collect();
    let citing: BTreeSet<u64> = citing.iter().copied().collect();
    let found = entries(&outline.items).filter(|(_, item)| {
        wanted.contains(&item.place) || item.segments.iter().any(|cited| citing.contains(cited))
    });
    let bare = found.map(|(block, item)| {
        let mut item = item.clone();
        item.lay_bare();
        block.alone(&item)
    });
    bare.collect()
}

/// The resources and the categories at these places.
pub(super) fn hung_on(
    outline: &Outline,
    resources: &[u64],
    categories: &[u64],
) -> (Vec<ResourceOutline>, Vec<CategoryOutline>) {
    let resources: BTreeSet<u64> = resources.iter().copied().collect();
    let categories: BTreeSet<u64> = categories.iter().copied().collect();
    let of_resources = outline.resources.iter();
    let of_categories = outline.categories.iter();
    (
        of_resources
            .filter(|one| resources.contains(&one.place))
            .cloned()
            .collect(),
        of_categories
            .filter(|one| categories.contains(&one.place))
            .cloned()
            .collect(),
    )
}

fn entries<T>(blocks: &[Arc<Block<T>>]) -> impl Iterator<Item = (&Block<T>, &T)> {
    blocks.iter().flat_map(|block| {
        let entries = block.entries.iter();
        entries.map(move |entry| (&**block, entry))
    })
}

fn segment(
    block: &Block<SegmentOutline>,
    entry: &SegmentOutline,
    with_words: bool,
) -> SegmentEntry {
    let mut bare = entry.clone();
    let length = bare.lay_bare();
    SegmentEntry {
        length,
        block: block.alone(if with_words { entry } else { &bare }),
    }
}
