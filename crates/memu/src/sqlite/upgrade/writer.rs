//! Writing what an upgrade takes over, batch by batch in one transaction.

use memu_core::Result;
use memu_core::scope::Scope;
use memu_core::store::{Write, WriteBatch};
use rusqlite::Connection;

use super::report::Unread;
use crate::sqlite::commit::{Layout, apply};
use crate::sqlite::error::storage;
use crate::sqlite::scopes::scope_row;

/// How many writes are applied at once.
const BATCH: usize = 1_000;

/// Something to be kept although it could not be taken over.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) scope: Option<Scope>,
    pub(super) unread: Unread,
    pub(super) content: String,
}

/// Collects the writes of one scope and applies them.
pub(super) struct Writer<'c> {
    connection: &'c Connection,
    columns: &'c Layout,
    batch: Option<WriteBatch>,
    kept: Vec<Kept>,
    /// What was kept, in order.
    unread: Vec<Unread>,
}

impl<'c> Writer<'c> {
    pub(super) fn new(connection: &'c Connection, columns: &'c Layout) -> Self {
        Self {
            connection,
            columns,
            batch: None,
            kept: Vec::new(),
            unread: Vec::new(),
        }
    }

    pub(super) fn write(
        &mut self,
        scope: &Scope,
        writes: impl IntoIterator<Item = Write>,
    ) -> Result<()> {
        let fits = |batch: &WriteBatch| batch.scope == *scope && batch.writes.len() < BATCH;
        if !self.batch.as_ref().is_some_and(fits) {
            self.flush()?;
        }
        let batch = self
            .batch
            .get_or_insert_with(|| WriteBatch::new(scope.clone(), None));
        batch.writes.extend(writes);
        Ok(())
    }

    pub(super) fn keep(&mut self, kept: Kept) {
        self.kept.push(kept);
    }

    fn flush(&mut self) -> Result<()> {
        if let Some(batch) = self.batch.take() {
            apply(self.connection, self.columns, &batch)?;
        }
        // After the writes, so that the scopes are there.
        for kept in std::mem::take(&mut self.kept) {
            let scope = kept.scope.as_ref();
            let scope = scope
                .map(|scope| scope_row(self.connection, scope))
                .transpose()?;
            self.connection
                .prepare_cached(
                    "INSERT INTO memu_unread (scope_id, table_name, id, reason, content)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )
                .and_then(|mut statement| {
                    let Unread { table, id, reason } = &kept.unread;
                    let scope = scope.flatten().map(|(id, _)| id);
                    statement.execute((scope, table, id, reason, &kept.content))
                })
                .map_err(storage)?;
            self.unread.push(kept.unread);
        }
        Ok(())
    }

    /// Writes the rest, and says what was kept.
    pub(super) fn finish(mut self) -> Result<Vec<Unread>> {
        self.flush()?;
        Ok(self.unread)
    }
}
