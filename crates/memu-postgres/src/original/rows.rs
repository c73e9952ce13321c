//! Reading the original's rows, page by page.

use std::error::Error as StdError;

use deadpool_postgres::Transaction;
use memu_core::Result;
use memu_core::original::{Cell, OriginalRow, Table};
use postgres_types::{FromSql, Type};
use tokio_postgres::{Portal, Row};

use super::tables::Originals;
use crate::error::storage;

/// So many rows are held at once.
const PAGE: i32 = 250;

/// A table whose rows are read, those of one scope together, the oldest first.
pub(super) struct Reading<'r, 'c> {
    on: &'r Transaction<'c>,
    table: &'r Table,
    portal: Portal,
    /// How many rows were read.
    number: i64,
}

impl<'r, 'c> Reading<'r, 'c> {
    pub(super) async fn begin(
        on: &'r Transaction<'c>,
        originals: &Originals,
        table: &'r Table,
    ) -> Result<Self> {
        let as_text = |name: &String| format!("t.{}::text", quoted(name));
        let columns: Vec<String> = table.columns().iter().map(as_text).collect();
        let scope = table.scope_columns().iter().map(as_text);
        let order: Vec<String> = scope
            .chain(["t.created_at".to_owned(), "t.id".to_owned()])
            .collect();
        let sql = format!(
            "SELECT {} FROM {}.{} t ORDER BY {}",
            columns.join(", "),
            originals.schema,
            table.kind().name(),
            order.join(", ")
        );
        let statement = on.prepare(&sql).await.map_err(storage)?;
        Ok(Self {
            on,
            table,
            portal: on.bind(&statement, &[]).await.map_err(storage)?,
            number: 0,
        })
    }

    /// The next rows; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<OriginalRow<'r>>>> {
        let page = self.on.query_portal(&self.portal, PAGE).await;
        let page = page.map_err(storage)?;
        let rows: Result<Vec<_>> = page.iter().map(|row| self.row(row)).collect();
        let rows = rows?;
        Ok((!rows.is_empty()).then_some(rows))
    }

    fn row(&mut self, row: &Row) -> Result<OriginalRow<'r>> {
        self.number += 1;
        let cell = |at| {
            let text: Option<Text<'_>> = row.try_get(at).map_err(storage)?;
            Ok(text.map_or(Cell::Null, |Text(bytes)| Cell::text(bytes)))
        };
        let cells: Result<Vec<Cell>> = (0..self.table.columns().len()).map(cell).collect();
        Ok(OriginalRow::new(self.table, self.number, cells?))
    }
}

/// A text as the server sends it: in a database without an encoding it may be anything.
struct Text<'r>(&'r [u8]);

impl<'r> FromSql<'r> for Text<'r> {
    fn from_sql(
        _: &Type,
        raw: &'r [u8],
    ) -> std::result::Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TEXT
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
