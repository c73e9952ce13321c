use std::path::PathBuf;

use serde::Serialize;

/// What an upgrade of a file of memU 1.x did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UpgradeReport {
    /// The file.
    pub file: PathBuf,
    /// The copy of the file as it was; `None` for a preview.
    pub backup: Option<PathBuf>,
    /// The scope fields, from the columns of the original's user model.
    pub scope_fields: Vec<String>,
    /// How many scopes its rows belong to.
    pub scopes: u64,
    /// How many resources were taken over.
    pub resources: u64,
    /// How many items.
    pub items: u64,
    /// How many categories.
    pub categories: u64,
    /// How many relations.
    pub relations: u64,
    /// The vectors that were taken over, by dimension.
    pub vectors: Vec<VectorsOfUnknown>,
    /// What could not be taken over as it was, in the order of the tables. All of it is
    /// kept, word for word, in the table `memu_unread`.
    pub unread: Vec<Unread>,
    /// The size of the file before, in bytes.
    pub bytes_before: u64,
    /// Its size afterwards; 0 for a preview.
    pub bytes_after: u64,
}

/// Vectors of which nobody knows who made them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VectorsOfUnknown {
    /// How many numbers each has.
    pub dimension: u32,
    /// How many there are.
    pub count: u64,
}

/// A value or row that could not be taken over as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The original's table, without its prefix.
    pub table: &'static str,
    /// The id of the row.
    pub id: String,
    /// What is wrong, and what was done.
    pub reason: String,
}
