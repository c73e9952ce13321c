//! The tables of memU 1.x: finding them, reading them, removing them.

use memu_core::Result;
use memu_core::original::{Cell, Kind, OriginalRow, Table, scope_schema, share_scope_columns};
use memu_core::scope::ScopeSchema;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::read_any_schema;
use crate::sqlite::error::storage;
use crate::sqlite::open::tables;

/// The prefixes of table names: patched copies of the original use the first, its code
/// says the second (which SQLite reserves), PostgreSQL's tables have none.
const PREFIXES: [&str; 3] = ["memu_", "sqlite_", ""];

/// What the names of the original's tables begin with while ours are made.
const ASIDE: &str = "original_1x_";

/// The column with the vector.
const VECTOR: &str = "embedding_json";

/// A table of the original in a file.
#[derive(Debug)]
struct Named {
    /// What it is called now.
    name: String,
    table: Table,
}

/// All tables of the original in a file.
#[derive(Debug)]
pub(super) struct Originals {
    tables: Vec<Named>,
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
            if family.iter().any(|one| one.table.kind() == Kind::Items) {
                let mut tables: Vec<&mut Table> =
                    family.iter_mut().map(|one| &mut one.table).collect();
                share_scope_columns(&mut tables);
                found.append(&mut family);
            }
        }
        // Of one kind after the other, so that each finds what it refers to.
        found.sort_by_key(|one: &Named| one.table.kind());
        Ok((!found.is_empty()).then_some(Self { tables: found }))
    }

    /// The scope fields: the columns of the original's user model.
    pub(super) fn schema(&self, wanted: Option<&ScopeSchema>) -> Result<ScopeSchema> {
        scope_schema(self.tables.iter().map(|one| &one.table), wanted)
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
        for Named { name, table } in &self.tables {
            let list = |names: &[String]| {
                names
                    .iter()
                    .fold(String::new(), |list, name| list + &quoted(name) + ", ")
            };
            let columns = list(table.columns());
            let sql = format!(
                "SELECT rowid, {} FROM {} ORDER BY {}rowid",
                columns.trim_end_matches(", "),
                quoted(name),
                list(table.scope_columns())
            );
            let mut statement = connection.prepare(&sql).map_err(storage)?;
            let mut rows = statement.query([]).map_err(storage)?;
            while let Some(row) = rows.next().map_err(storage)? {
                take(read(table, row).map_err(storage)?)?;
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

fn table(connection: &Connection, kind: Kind, name: String) -> Result<Option<Named>> {
    let columns: Vec<String> = connection
        .prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")
        .and_then(|mut statement| statement.query_map([&name], |row| row.get(0))?.collect())
        .map_err(storage)?;
    let table = Table::new(kind, columns, VECTOR);
    Ok(table.map(|table| Named { name, table }))
}

/// Reads a row that begins with its number, before the table's columns.
fn read<'t>(table: &'t Table, row: &Row<'_>) -> rusqlite::Result<OriginalRow<'t>> {
    let cells = (1..=table.columns().len())
        .map(|at| row.get_ref(at).map(cell))
        .collect::<rusqlite::Result<_>>()?;
    Ok(OriginalRow::new(table, row.get(0)?, cells))
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Number(number.to_string()),
        ValueRef::Real(number) => Cell::Number(number.to_string()),
        ValueRef::Text(bytes) => Cell::text(bytes),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
