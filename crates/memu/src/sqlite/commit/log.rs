//! The change log of a batch.

use memu_core::Result;
use memu_core::records::{Id, Operation, Table};
use memu_core::store::rules::put_operation;
use rusqlite::types::Value;

use super::Work;
use crate::sqlite::rows::{integer, packed_id};
use crate::sqlite::scopes::{operation_number, table_number};

/// How many bytes of ids lie in one row: so many that it needs no page of its own.
const ROW_BYTES: usize = 1_920;

/// Lines that are not written yet.
#[derive(Debug)]
pub(super) struct Log {
    seq: u64,
    rows: Vec<Row>,
}

/// Changes of one kind that follow each other.
#[derive(Debug)]
struct Row {
    first: u64,
    operation: Operation,
    table: Table,
    ids: Value,
}

impl Log {
    /// An empty log after the line with this number.
    pub(super) fn after(seq: u64) -> Self {
        Self {
            seq,
            rows: Vec::new(),
        }
    }

    /// The number of the last line.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    fn add(&mut self, operation: Operation, table: Table, id: &Id) {
        self.seq += 1;
        let id = packed_id(id);
        if let Some(last) = self.rows.last_mut()
            && last.operation == operation
            && last.table == table
            && let (Value::Blob(ids), Value::Blob(id)) = (&mut last.ids, &id)
            && ids.len() < ROW_BYTES
        {
            ids.extend(id);
            return;
        }
        self.rows.push(Row {
            first: self.seq,
            operation,
            table,
            ids: id,
        });
    }
}

impl Work<'_> {
    pub(super) fn log(&mut self, operation: Operation, table: Table, id: &Id) {
        self.log.add(operation, table, id);
        // A relation has no parts whose change would be its own.
        if table != Table::Relations {
            self.logged.insert((table, id.clone()));
        }
    }

    /// Logs a record that was put, and was known or not.
    pub(super) fn log_put(&mut self, table: Table, id: &Id, known: bool) {
        self.log(put_operation(known), table, id);
    }

    /// Logs a change to a part of a record, unless the batch has logged the record.
    pub(super) fn log_part(&mut self, table: Table, id: &Id) {
        if !self.logged.contains(&(table, id.clone())) {
            self.log(Operation::Update, table, id);
        }
    }

    pub(super) fn write_log(&self) -> Result<()> {
        for row in &self.log.rows {
            self.execute(
                "INSERT INTO memu_changes VALUES (?1, ?2, ?3, ?4, ?5)",
                (
                    self.scope_id,
                    integer(row.first)?,
                    operation_number(row.operation),
                    table_number(row.table),
                    &row.ids,
                ),
            )?;
        }
        Ok(())
    }
}
