//! The kinds of records that have vectors.

use memu_core::records::OwnerKind;

/// Every kind of owner.
pub(crate) const KINDS: [OwnerKind; 4] = [
    OwnerKind::Resource,
    OwnerKind::Segment,
    OwnerKind::Item,
    OwnerKind::Category,
];

/// An owner's kind as it is stored.
pub(crate) const fn kind_number(kind: OwnerKind) -> i16 {
    match kind {
        OwnerKind::Resource => 0,
        OwnerKind::Segment => 1,
        OwnerKind::Item => 2,
        OwnerKind::Category => 3,
    }
}

/// The table of a kind of owner.
pub(crate) fn table(kind: OwnerKind) -> &'static str {
    match kind {
        OwnerKind::Resource => "resources",
        OwnerKind::Segment => "memu_segments",
        OwnerKind::Item => "memory_items",
        OwnerKind::Category => "memory_categories",
    }
}
