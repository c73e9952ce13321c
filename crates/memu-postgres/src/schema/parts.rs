//! What tables are described with.

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    /// The columns of the primary key.
    pub(crate) primary: &'static [&'static str],
    pub(crate) indexes: &'static [Index],
    pub(crate) references: &'static [Reference],
    /// Whether its rows belong to scopes; others are the store's.
    pub(crate) scoped: bool,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// As the server's catalog names it.
    pub(crate) sql_type: String,
    pub(crate) optional: bool,
}

/// An index. What may be longer than an index can hold is in it as a digest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Index {
    pub(crate) name: &'static str,
    pub(crate) unique: bool,
    pub(crate) columns: &'static [&'static str],
    /// Which rows are in it; empty for all.
    pub(crate) only: &'static str,
}

/// A foreign key. All of ours lead by the scope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference {
    pub(crate) columns: &'static [&'static str],
    pub(crate) table: &'static str,
    pub(crate) of: &'static [&'static str],
}

/// An index of all rows.
pub(super) const fn index(name: &'static str, columns: &'static [&'static str]) -> Index {
    Index {
        name,
        unique: false,
        columns,
        only: "",
    }
}

/// The same, in which no two rows are equal.
pub(super) const fn unique(name: &'static str, columns: &'static [&'static str]) -> Index {
    Index {
        unique: true,
        ..index(name, columns)
    }
}

/// An index of some rows.
pub(super) const fn some(
    name: &'static str,
    columns: &'static [&'static str],
    only: &'static str,
) -> Index {
    Index {
        only,
        ..index(name, columns)
    }
}

/// A table of the store itself.
pub(super) fn store_table(
    name: &str,
    own: &str,
    primary: &'static [&'static str],
    indexes: &'static [Index],
) -> Table {
    Table {
        name: name.to_owned(),
        columns: columns(own),
        primary,
        indexes,
        references: &[],
        scoped: false,
    }
}

/// A table whose rows belong to scopes.
pub(super) fn scoped_table(
    name: &str,
    own: &str,
    primary: &'static [&'static str],
    indexes: &'static [Index],
) -> Table {
    Table {
        scoped: true,
        ..store_table(name, own, primary, indexes)
    }
}

/// Columns as `name type, name type?`; a question mark stands for one that may be null.
pub(super) fn columns(described: &str) -> Vec<Column> {
    let column = |described: &str| {
        let (name, sql_type) = described.trim().split_once(' ')?;
        Some(Column {
            name: name.to_owned(),
            sql_type: sql_type.trim_end_matches('?').to_owned(),
            optional: sql_type.ends_with('?'),
        })
    };
    described.split(',').filter_map(column).collect()
}
