//! Rows of the original, whatever their cells hold.

use std::fmt::Write as _;

use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use super::original::Table;

/// A value in a table that enforces no types.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Number(String),
    Text(String),
    /// Bytes, or text that is not UTF-8.
    Bytes(Vec<u8>),
}

impl Cell {
    fn read(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Number(number.to_string()),
            ValueRef::Real(number) => Self::Number(number.to_string()),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Self::Text(text.to_owned()),
                Err(_) => Self::Bytes(bytes.to_vec()),
            },
            ValueRef::Blob(bytes) => Self::Bytes(bytes.to_vec()),
        }
    }

    /// The cell as JSON; bytes by their hexadecimal digits.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Number(text) | Self::Text(text) => Value::String(text.clone()),
            Self::Bytes(bytes) => {
                let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
                    // Writing to a string cannot fail.
                    let _ = write!(hex, "{byte:02x}");
                    hex
                });
                serde_json::json!({ "hex": hex })
            }
        }
    }
}

/// A row of one of the original's tables.
#[derive(Debug)]
pub(super) struct OriginalRow<'t> {
    pub(super) table: &'t Table,
    number: i64,
    cells: Vec<Cell>,
}

impl<'t> OriginalRow<'t> {
    /// Reads a row that begins with its number, before the table's columns.
    pub(super) fn read(table: &'t Table, row: &Row<'_>) -> rusqlite::Result<Self> {
        let cells = (1..=table.columns.len())
            .map(|at| row.get_ref(at).map(Cell::read))
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self {
            table,
            number: row.get(0)?,
            cells,
        })
    }

    /// A column's cell; NULL where the table lacks the column.
    pub(super) fn cell(&self, column: &str) -> &Cell {
        let columns = &mut self.table.columns.iter();
        let position = columns.position(|name| name == column);
        position
            .and_then(|at| self.cells.get(at))
            .unwrap_or(&Cell::Null)
    }

    /// The id, or a name for a row that has none.
    pub(super) fn id(&self) -> String {
        match self.cell("id") {
            Cell::Text(id) | Cell::Number(id) if !id.is_empty() => id.clone(),
            _ => format!("{}-{}", self.table.kind.name(), self.number),
        }
    }

    /// The whole row as a JSON object.
    pub(super) fn to_json(&self) -> Value {
        let columns = self.table.columns.iter().cloned();
        let cells = self.cells.iter().map(Cell::to_json);
        Value::Object(columns.zip(cells).collect::<Map<String, Value>>())
    }
}
