//! The kinds of records that are sealed.

use memu_core::ranking::outline::{ItemOutline, SegmentOutline};
use memu_core::ranking::sealed::Sealable;

use crate::outlines::Outlined;

/// A kind of record that is sealed.
pub(super) trait Sealed: Outlined + Sealable {
    /// The table of its records.
    const TABLE: &'static str;
}

impl Sealed for SegmentOutline {
    const TABLE: &'static str = "memu_segments";
}

impl Sealed for ItemOutline {
    const TABLE: &'static str = "memory_items";
}
