//! The tables of memU 1.x: finding them, reading them, removing them.

use memu_core::scope::ScopeSchema;
use memu_core::{Error, Result};
use rusqlite::Connection;

use super::read_any_schema;
use super::row::OriginalRow;
use crate::sqlite::error::storage;
use crate::sqlite::open::tables;

/// The prefixes of table names: patched copies of the original use the first, its code
/// says the second (which SQLite reserves), PostgreSQL's tables have none.
const PREFIXES: [&str; 3] = ["memu_", "sqlite_", ""];

/// What the names of the original's tables begin with while ours are made.
const ASIDE: &str = "original_1x_";

/// A kind of table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Resources,
    Categories,
    Items,
    Relations,
}

impl Kind {
    /// In an order in which each finds what it refers to.
    const ALL: [Self; 4] = [
        Self::Resources,
        Self::Categories,
        Self::Items,
        Self::Relations,
    ];

    /// The name, without a prefix.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Resources => "resources",
            Self::Categories => "memory_categories",
            Self::Items => "memory_items",
            Self::Relations => "category_items",
        }
    }

    /// The columns whose meaning is known.
    fn known(self) -> &'static [&'static str] {
        match self {
            Self::Resources => &["url", "modality", "local_path", "caption", "embedding_json"],
            Self::Categories => &["name", "description", "summary", "embedding_json"],
            Self::Items => &[
                "resource_id",
                "memory_type",
                "summary",
                "happened_at",
                "extra",
                "embedding_json",
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
#[derive(Debug)]
pub(super) struct Table {
    pub(super) kind: Kind,
    /// What it is called now.
    name: String,
    pub(super) columns: Vec<String>,
    /// The columns that say whose a row is.
    scope_columns: Vec<String>,
}

impl Table {
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
        !META.contains(&column) && !self.kind.known().contains(&column)
    }
}

/// All tables of the original in a file.
#[derive(Debug)]
pub(super) struct Originals {
    tables: Vec<Table>,
}

impl Originals {
    /// The tables of the original; `None` when the file has no table of its items.
    pub(super) fn find(connection: &Connection) -> Result<Option<Self>> {
        let names = tables(connection)?;
        let mut found = Vec::new();
        for prefix in PREFIXES {
            let mut family = Vec::new();
            for kind in Kind::ALL {
                let name = format!("{prefix}{}", kind.name());
                if names.contains(&name)
                    && let Some(table) = table(connection, kind, name)?
                {
                    family.push(table);
                }
            }
            if family.iter().any(|table| table.kind == Kind::Items) {
                share_scope_columns(&mut family);
                found.append(&mut family);
            }
        }
        // Of one kind after the other, so that each finds what it refers to.
        found.sort_by_key(|table| Kind::ALL.iter().position(|kind| *kind == table.kind));
        Ok((!found.is_empty()).then_some(Self { tables: found }))
    }

    /// The scope fields: the columns of the original's user model.
    pub(super) fn schema(&self, wanted: Option<&ScopeSchema>) -> Result<ScopeSchema> {
        let mut fields: Vec<String> = Vec::new();
        for (field, _) in self.tables.iter().flat_map(Table::scope_fields) {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        if fields.is_empty() {
            // Its user model had no field: everything is nobody's.
            return Ok(wanted.cloned().unwrap_or_default());
        }
        ScopeSchema::new(fields).map_err(|cause| {
            Error::unsupported("the columns of the user model cannot be scope fields")
                .caused_by(cause)
        })
    }

    /// Renames tables that have the names of ours.
    pub(super) fn make_way(&mut self, connection: &Connection) -> Result<()> {
        for table in &mut self.tables {
            if !table.name.starts_with("memu_") {
                continue;
            }
            let aside = format!("{ASIDE}{}", table.name);
            // The old way of renaming leaves views as they are: they will show our tables.
            connection
                .execute_batch(&format!(
                    "PRAGMA legacy_alter_table = ON;
                     ALTER TABLE {} RENAME TO {aside};
                     PRAGMA legacy_alter_table = OFF;",
                    quoted(&table.name)
                ))
                .map_err(storage)?;
            table.name = aside;
        }
        Ok(())
    }

    /// Hands every row to `take`, those of one scope together.
    pub(super) fn each_row(
        &self,
        connection: &Connection,
        mut take: impl FnMut(OriginalRow<'_>) -> Result<()>,
    ) -> Result<()> {
        for table in &self.tables {
            let list = |names: &[String]| {
                names
                    .iter()
                    .fold(String::new(), |list, name| list + &quoted(name) + ", ")
            };
            let columns = list(&table.columns);
            let sql = format!(
                "SELECT rowid, {} FROM {} ORDER BY {}rowid",
                columns.trim_end_matches(", "),
                quoted(&table.name),
                list(&table.scope_columns)
            );
            let mut statement = connection.prepare(&sql).map_err(storage)?;
            let mut rows = statement.query([]).map_err(storage)?;
            while let Some(row) = rows.next().map_err(storage)? {
                take(OriginalRow::read(table, row).map_err(storage)?)?;
            }
        }
        Ok(())
    }

    /// Drops the tables.
    pub(super) fn remove(&self, connection: &Connection) -> Result<()> {
        for table in &self.tables {
            if table.name.starts_with("sqlite_") {
                free_reserved_name(connection, &table.name)?;
            }
            let name = table.name.replacen("sqlite_", ASIDE, 1);
            connection
                .execute_batch(&format!("DROP TABLE {}", quoted(&name)))
                .map_err(storage)?;
        }
        Ok(())
    }
}

/// Gives a table with a name that SQLite keeps for itself another one, so that it can be
/// dropped. Such a table came into being by writing to the schema, and goes that way.
fn free_reserved_name(connection: &Connection, name: &str) -> Result<()> {
    let free = name.replacen("sqlite_", ASIDE, 1);
    read_any_schema(connection)?;
    let renamed = connection
        .execute(
            "UPDATE sqlite_schema SET tbl_name = ?2, name = replace(name, ?1, ?2),
             sql = replace(sql, ?1, ?2) WHERE tbl_name = ?1",
            (name, &free),
        )
        .map_err(storage);
    let reset = connection
        .execute_batch("PRAGMA writable_schema = RESET")
        .map_err(storage);
    renamed.and(reset)
}

fn table(connection: &Connection, kind: Kind, name: String) -> Result<Option<Table>> {
    let columns: Vec<String> = connection
        .prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")
        .and_then(|mut statement| statement.query_map([&name], |row| row.get(0))?.collect())
        .map_err(storage)?;
    let has = |column: &str| columns.iter().any(|name| name == column);
    let complete = kind.required().iter().all(|column| has(column));
    Ok((complete && !has(OURS)).then_some(Table {
        kind,
        name,
        columns,
        scope_columns: Vec::new(),
    }))
}

/// The columns of the user model are those that all tables have beside their own.
fn share_scope_columns(family: &mut [Table]) {
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

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
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
