//! The cells of a row as values of ours, with what could not be read of them.

use serde_json::{Map, Value};

use super::portion::Kept;
use super::report::Unread;
use super::row::{Cell, OriginalRow};
use crate::records::Embedding;
use crate::scope::Scope;
use crate::time::{Precision, Timestamp, When, parse_civil};

/// The cells of a row, with what could not be read of them.
pub(super) struct Cells<'r> {
    pub(super) row: &'r OriginalRow<'r>,
    /// Whose it is, once that is known.
    scope: Option<Scope>,
    pub(super) kept: Vec<Kept>,
}

impl<'r> Cells<'r> {
    pub(super) fn new(row: &'r OriginalRow<'r>) -> Self {
        Self {
            row,
            scope: None,
            kept: Vec::new(),
        }
    }

    /// Whose the row is, and with it what was kept of it so far.
    pub(super) fn belong_to(&mut self, scope: Option<&Scope>) {
        self.scope = scope.cloned();
        for kept in &mut self.kept {
            kept.scope.clone_from(&self.scope);
        }
    }

    /// Keeps the value of a column as it is.
    pub(super) fn keep(&mut self, column: &str, reason: &str) {
        let value = self.row.cell(column).to_json();
        let content = Value::Object(Map::from_iter([(column.to_owned(), value)]));
        self.push(format!("{column}: {reason}"), &content);
    }

    /// Keeps the whole row as it is.
    pub(super) fn keep_row(&mut self, reason: &str) {
        let content = self.row.to_json();
        self.push(reason.to_owned(), &content);
    }

    fn push(&mut self, reason: String, content: &Value) {
        self.kept.push(Kept {
            scope: self.scope.clone(),
            unread: Unread {
                table: self.row.table.kind().name(),
                id: self.row.id(),
                reason,
            },
            content: content.to_string(),
        });
    }

    pub(super) fn note_unknown_columns(&mut self) {
        let row = self.row;
        for column in row.table.unknown_columns() {
            if *row.cell(column) != Cell::Null {
                self.keep(column, "memU 1.x has no such column");
            }
        }
    }

    /// The text of a column; `None` for NULL.
    pub(super) fn text(&mut self, column: &str) -> Option<String> {
        match self.row.cell(column) {
            Cell::Null => None,
            Cell::Text(text) | Cell::Number(text) => Some(text.clone()),
            Cell::Bytes(bytes) => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                self.keep(column, "it is not UTF-8; what is not was replaced");
                Some(text)
            }
        }
    }

    /// The text of a column that must have one.
    pub(super) fn required(&mut self, column: &str) -> String {
        self.text(column).unwrap_or_else(|| {
            self.keep(column, "it is missing; the empty text was taken");
            String::new()
        })
    }

    /// A time; `None` when it is missing or unreadable.
    pub(super) fn time(&mut self, column: &str) -> Option<Timestamp> {
        let text = self.text(column);
        let time = text.as_deref().and_then(|text| Timestamp::parse(text).ok());
        if time.is_none() {
            self.keep(column, "it is not a time; another one of the row was taken");
        }
        time
    }

    pub(super) fn happened(&mut self) -> Option<When> {
        let text = self.text("happened_at")?;
        let Ok(start) = parse_civil(&text) else {
            self.keep("happened_at", "it is not a time");
            return None;
        };
        Some(When {
            start,
            end: None,
            precision: Precision::Minute,
        })
    }

    pub(super) fn extra(&mut self) -> Map<String, Value> {
        let Some(text) = self.text("extra") else {
            return Map::new();
        };
        match serde_json::from_str(&text) {
            Ok(Value::Object(extra)) => {
                if extra.values().any(loses_digits) {
                    self.keep(
                        "extra",
                        "it holds a number that is too long to be kept exactly",
                    );
                }
                extra
            }
            Ok(Value::Null) => Map::new(),
            _ => {
                self.keep("extra", "it is not a JSON object");
                Map::new()
            }
        }
    }

    pub(super) fn vector(&mut self) -> Option<Embedding> {
        let column = self.row.table.vector_column();
        let text = self.text(column)?;
        let numbers: Vec<f32> = match serde_json::from_str(&text) {
            Ok(Some(numbers)) => numbers,
            Ok(None) => return None,
            Err(_) => {
                self.keep(column, "it is not a JSON array of numbers");
                return None;
            }
        };
        let dimension = numbers.len() as u32;
        if numbers.is_empty() {
            self.keep(column, "it is empty");
            return None;
        }
        match Embedding::checked(numbers, dimension) {
            Ok(vector) => Some(vector),
            Err(error) => {
                self.keep(column, error.message());
                None
            }
        }
    }
}

/// Whether a value holds a whole number that no number of ours can hold exactly.
fn loses_digits(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            number.is_f64() && float.fract() == 0.0 && float.abs() >= 2_f64.powi(64)
        }
        Value::Array(values) => values.iter().any(loses_digits),
        Value::Object(fields) => fields.values().any(loses_digits),
        _ => false,
    }
}
