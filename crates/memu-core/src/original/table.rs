//! The original's tables: what they are called, what is in them, and whose rows they hold.

use crate::error::{Error, Result};
use crate::scope::ScopeSchema;

/// A kind of table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// What was memorized.
    Resources,
    /// What items are filed under.
    Categories,
    /// The memories.
    Items,
    /// Which item is filed under which category.
    Relations,
}

impl Kind {
    /// In an order in which each finds what it refers to.
    pub const ALL: [Self; 4] = [
        Self::Resources,
        Self::Categories,
        Self::Items,
        Self::Relations,
    ];

    /// The name, without a prefix.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resources => "resources",
            Self::Categories => "memory_categories",
            Self::Items => "memory_items",
            Self::Relations => "category_items",
        }
    }

    /// Whether its records have vectors.
    pub fn has_vectors(self) -> bool {
        self != Self::Relations
    }

    /// The columns whose meaning is known.
    fn known(self) -> &'static [&'static str] {
        match self {
            Self::Resources => &["url", "modality", "local_path", "caption"],
            Self::Categories => &["name", "description", "summary"],
            Self::Items => &[
                "resource_id",
                "memory_type",
                "summary",
                "happened_at",
                "extra",
            ],
            Self::Relations => &["item_id", "category_id"],
        }
    }

    /// Without these it is another program's table.
    fn required(self) -> &'static [&'static str] {
        match self {
            Self::Resources => &["id", "url", "modality"],
            Self::Categories => &["id", "name", "description"],
            Self::Items => &["id", "memory_type", "summary"],
            Self::Relations => &["id", "item_id", "category_id"],
        }
    }
}

/// Columns that every table has.
const META: [&str; 3] = ["id", "created_at", "updated_at"];

/// A column that our own tables have and the original's never had.
const OURS: &str = "revision";

/// A table of the original.
#[derive(Clone, Debug)]
pub struct Table {
    kind: Kind,
    columns: Vec<String>,
    /// The column with the vector, which is not called the same in all databases.
    vector: &'static str,
    /// The columns that say whose a row is.
    scope_columns: Vec<String>,
}

impl Table {
    /// A table with these columns, vectors in the one that `vector` names; `None` when the
    /// original makes no such table.
    pub fn new(kind: Kind, columns: Vec<String>, vector: &'static str) -> Option<Self> {
        let has = |column: &str| columns.iter().any(|name| name == column);
        let complete = kind.required().iter().all(|column| has(column));
        (complete && !has(OURS)).then_some(Self {
            kind,
            columns,
            vector,
            scope_columns: Vec::new(),
        })
    }

    /// What its rows are.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its columns, in their order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The columns that say whose a row is, as [`share_scope_columns`] found them.
    pub fn scope_columns(&self) -> &[String] {
        &self.scope_columns
    }

    /// The column with the vector.
    pub(super) fn vector_column(&self) -> &'static str {
        self.vector
    }

    /// The scope fields with the columns that hold them.
    pub(super) fn scope_fields(&self) -> impl Iterator<Item = (String, &str)> {
        let columns = self.scope_columns.iter();
        columns.map(|column| (field_name(column), column.as_str()))
    }

    /// The columns of which nobody knows what they mean.
    pub(super) fn unknown_columns(&self) -> impl Iterator<Item = &str> {
        let columns = self.columns.iter().map(String::as_str);
        columns.filter(|column| {
            self.may_be_scope(column) && !self.scope_columns.iter().any(|scope| scope == column)
        })
    }

    fn may_be_scope(&self, column: &str) -> bool {
        let vector = self.kind.has_vectors() && column == self.vector;
        !vector && !META.contains(&column) && !self.kind.known().contains(&column)
    }
}

/// Finds the columns of the user model: those that all tables of a family have beside their
/// own.
pub fn share_scope_columns(family: &mut [&mut Table]) {
    let shared: Vec<String> = family.first().map_or_else(Vec::new, |first| {
        let columns = first.columns.iter();
        let shared = columns.filter(|column| {
            family
                .iter()
                .all(|table| table.may_be_scope(column) && table.columns.contains(column))
        });
        shared.cloned().collect()
    });
    for table in family {
        table.scope_columns.clone_from(&shared);
    }
}

/// The scope fields of what the tables become: the columns of the user model. Where it had
/// none, everything is nobody's, and the fields are the `wanted` ones.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) when others are wanted;
/// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) when the columns cannot be scope
/// fields.
pub fn scope_schema<'t>(
    tables: impl IntoIterator<Item = &'t Table>,
    wanted: Option<&ScopeSchema>,
) -> Result<ScopeSchema> {
    let mut fields: Vec<String> = Vec::new();
    for (field, _) in tables.into_iter().flat_map(Table::scope_fields) {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    if fields.is_empty() {
        return Ok(wanted.cloned().unwrap_or_default());
    }
    let schema = ScopeSchema::new(fields).map_err(|cause| {
        Error::unsupported("the columns of the user model cannot be scope fields").caused_by(cause)
    })?;
    match wanted {
        Some(wanted) if *wanted != schema => Err(Error::config(format!(
            "this memory of memU 1.x has the scope fields {schema:?}, but {wanted:?} are \
             configured (user_config.model)"
        ))),
        _ => Ok(schema),
    }
}

/// A column's name as one of a scope field: `userId` becomes `user_id`.
fn field_name(column: &str) -> String {
    let mut field = String::new();
    let mut lower_before = false;
    for c in column.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && lower_before {
                field.push('_');
            }
            lower_before = !c.is_ascii_uppercase();
            field.push(c.to_ascii_lowercase());
        } else if !field.is_empty() && !field.ends_with('_') {
            lower_before = false;
            field.push('_');
        }
    }
    let field = field.trim_end_matches('_');
    let candidate = if field.starts_with(|c: char| c.is_ascii_lowercase()) {
        field.to_owned()
    } else {
        format!("field_{field}").trim_end_matches('_').to_owned()
    };
    match ScopeSchema::new([&candidate]) {
        Ok(_) => candidate,
        // A name that records use themselves.
        Err(_) => format!("scope_{candidate}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_names_that_scope_fields_may_have() {
        for (column, field) in [
            ("user_id", "user_id"),
            ("userId", "user_id"),
            ("Tenant", "tenant"),
            ("agent-name", "agent_name"),
            ("2nd", "field_2nd"),
            ("score", "scope_score"),
            ("__", "field"),
        ] {
            assert_eq!(field_name(column), field);
            ScopeSchema::new([field_name(column)]).unwrap();
        }
    }
}
