use serde::Serialize;

use super::Id;

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// It was stored for the first time.
    Insert,
    /// It was changed.
    Update,
    /// It was removed.
    Delete,
}

/// The kind of record that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Table {
    /// A resource, together with its segments.
    Resources,
    /// An item, together with its citations and vector.
    Items,
    /// A category, together with its vector.
    Categories,
    /// A relation between an item and a category.
    Relations,
}

/// One line of a scope's change log. Other processes follow it to learn what
/// to read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The line's number within its scope, from 1, without gaps.
    pub seq: u64,
    /// What happened.
    pub operation: Operation,
    /// To what kind of record.
    pub table: Table,
    /// To which one.
    pub id: Id,
}
