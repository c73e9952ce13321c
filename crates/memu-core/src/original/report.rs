use serde::Serialize;

/// What an upgrade of a memory of memU 1.x did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UpgradeReport {
    /// The file, or the server and the database.
    pub place: String,
    /// Where everything is as it was: the copy of the file, or the schema of the database
    /// with the original's tables. `None` for a preview of a file.
    pub backup: Option<String>,
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
    /// How many of these have the name of another one of their scope. They stay apart.
    pub same_names: u64,
    /// How many relations.
    pub relations: u64,
    /// The vectors that were taken over, by dimension.
    pub vectors: Vec<VectorsOfUnknown>,
    /// What could not be taken over as it was, in the order of the tables. All of it is
    /// kept, word for word, in the table `memu_unread`.
    pub unread: Vec<Unread>,
    /// How many bytes it took before.
    pub bytes_before: u64,
    /// How many it takes afterwards; 0 for a preview.
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
