//! What ranking needs to know of a scope: the words of its segments and items, who
//! said them and when, and what hangs on what; nothing else of the records.
//!
//! An outline is derived from the records, block by block, so that a store can keep
//! it beside them and renew only the blocks whose records change. An [`Index`]
//! built from the outline of a store is the one built from its records.
//!
//! [`Index`]: super::Index

mod block;
mod entry;
mod growth;
mod stored;
mod texts;

use std::sync::Arc;

pub use block::{Block, BlockBuilder, Dictionary};
pub use entry::{Entry, ItemOutline, Occurrence, SegmentOutline};
pub use growth::{At, Growth};

pub(in crate::ranking) use texts::BlockTexts;

use crate::records::{ContentHash, Id};

/// About how many words the passages of stored outlines have. An outline with
/// others is made from the records.
pub const PASSAGE_WORDS: usize = 50;

/// The outline of a scope. *Places* number the records of a kind in the order in
/// which they were stored.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    /// The resources, by place.
    pub resources: Vec<ResourceOutline>,
    /// The categories, by place.
    pub categories: Vec<CategoryOutline>,
    /// The segments, by place.
    pub segments: Vec<Arc<Block<SegmentOutline>>>,
    /// The items, by place.
    pub items: Vec<Arc<Block<ItemOutline>>>,
}

impl Outline {
    /// How many segments there are.
    pub fn segment_count(&self) -> usize {
        count(&self.segments)
    }

    /// How many items there are.
    pub fn item_count(&self) -> usize {
        count(&self.items)
    }
}

fn count<T>(blocks: &[Arc<Block<T>>]) -> usize {
    blocks.iter().map(|block| block.entries.len()).sum()
}

/// A resource in an [`Outline`].
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceOutline {
    /// Its place.
    pub place: u64,
    /// Its id.
    pub id: Id,
    /// Its content.
    pub content_hash: ContentHash,
}

/// A category in an [`Outline`].
#[derive(Clone, Debug, PartialEq)]
pub struct CategoryOutline {
    /// Its place.
    pub place: u64,
    /// Its id.
    pub id: Id,
}
