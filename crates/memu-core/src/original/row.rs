//! Rows of the original, whatever their cells hold.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::table::Table;

/// A value in a table of the original.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A number, in digits.
    Number(String),
    /// A text, and what is written as one.
    Text(String),
    /// Bytes, or text that is not UTF-8.
    Bytes(Vec<u8>),
}

impl Cell {
    /// A text, or bytes where they are none.
    pub fn text(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes(bytes.to_vec()),
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
pub struct OriginalRow<'t> {
    pub(super) table: &'t Table,
    number: i64,
    cells: Vec<Cell>,
}

impl<'t> OriginalRow<'t> {
    /// A row of a table with its cells, in the order of the table's columns. A row without
    /// an id is called by its number.
    pub fn new(table: &'t Table, number: i64, cells: Vec<Cell>) -> Self {
        Self {
            table,
            number,
            cells,
        }
    }

    /// A column's cell; NULL where the table lacks the column.
    pub(super) fn cell(&self, column: &str) -> &Cell {
        let columns = &mut self.table.columns().iter();
        let position = columns.position(|name| name == column);
        position
            .and_then(|at| self.cells.get(at))
            .unwrap_or(&Cell::Null)
    }

    /// The id, or a name for a row that has none.
    pub(super) fn id(&self) -> String {
        match self.cell("id") {
            Cell::Text(id) | Cell::Number(id) if !id.is_empty() => id.clone(),
            _ => format!("{}-{}", self.table.kind().name(), self.number),
        }
    }

    /// The whole row as a JSON object.
    pub(super) fn to_json(&self) -> Value {
        let columns = self.table.columns().iter().cloned();
        let cells = self.cells.iter().map(Cell::to_json);
        Value::Object(columns.zip(cells).collect::<Map<String, Value>>())
    }
}
