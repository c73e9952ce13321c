//! Outlines of scopes, block by block beside the rows that they are derived from.
//!
//! The transaction that changes a row renews the block that outlines it. A scope whose
//! blocks are not of its last change, and a block that cannot be read, are made anew from
//! the rows.

mod read;
mod renew;

use std::sync::Arc;

use memu_core::ranking::outline::{
    Block, BlockBuilder, Entry, ItemOutline, Outline, PASSAGE_WORDS, SegmentOutline,
};
use memu_core::records::OwnerKind;
use memu_core::store::ScopeData;

pub(crate) use read::{
    EVERYWHERE, agreed, blocks, bodies, categories_at, known_block, outline, resources_at, starts,
};
pub(crate) use renew::{Changes, rebuild, renew};

use crate::owners::kind_number;

/// A kind of record that is outlined.
pub(crate) trait Outlined: Entry + Send + Sync + 'static {
    /// As it is stored.
    const KIND: i16;

    /// Adds the outline of the record at `place`; says whether there is one.
    fn add(data: &ScopeData, place: u64, builder: &mut BlockBuilder<Self>) -> bool;

    /// Its part of an outline.
    fn part(outline: &Outline) -> &[Arc<Block<Self>>];
}

impl Outlined for SegmentOutline {
    const KIND: i16 = 1;

    fn add(data: &ScopeData, place: u64, builder: &mut BlockBuilder<Self>) -> bool {
        data.outline_segment(place, PASSAGE_WORDS, builder)
    }

    fn part(outline: &Outline) -> &[Arc<Block<Self>>] {
        &outline.segments
    }
}

impl Outlined for ItemOutline {
    const KIND: i16 = 2;

    fn add(data: &ScopeData, place: u64, builder: &mut BlockBuilder<Self>) -> bool {
        data.outline_item(place, builder)
    }

    fn part(outline: &Outline) -> &[Arc<Block<Self>>] {
        &outline.items
    }
}

const _: () = {
    assert!(kind_number(OwnerKind::Segment) == SegmentOutline::KIND);
    assert!(kind_number(OwnerKind::Item) == ItemOutline::KIND);
};
