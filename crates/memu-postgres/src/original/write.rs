//! Writing what an upgrade takes over.

use deadpool_postgres::Transaction;
use memu_core::Result;
use memu_core::original::{Kept, Portion};
use memu_core::scope::{Scope, ScopeKey};

use crate::clear::TABLES;
use crate::commit;
use crate::error::storage;
use crate::sets::Tables;
use crate::sql::Sql;
use crate::values::{Key, OwnText, integer};

/// The key of what nobody's is, since that cannot be told. No scope has it.
const NOBODY: ScopeKey = ScopeKey::from_bytes([0; 16]);

/// After so many writes the server looks at the tables for the first time.
const FIRST_LOOK: usize = 1_000;

/// Writes portion by portion.
pub(super) struct Writer<'w, 'c> {
    on: &'w Transaction<'c>,
    tables: &'w Tables,
    /// How many rows `memu_unread` has.
    unread: u64,
    /// How many writes there were since a table was begun, and at how many the server is to
    /// look at the tables.
    written: usize,
    next_look: usize,
}

impl<'w, 'c> Writer<'w, 'c> {
    pub(super) fn new(on: &'w Transaction<'c>, tables: &'w Tables) -> Self {
        Self {
            on,
            tables,
            unread: 0,
            written: 0,
            next_look: FIRST_LOOK,
        }
    }

    /// Gets ready for the rows of another table.
    pub(super) async fn begin_table(&mut self) -> Result<()> {
        (self.written, self.next_look) = (0, FIRST_LOOK);
        self.look().await
    }

    /// Has the server find out how large the tables are. Nobody else does while nothing is
    /// committed, and it would go on reading them whole for a few rows.
    async fn look(&self) -> Result<()> {
        let look = format!("ANALYZE memu_scopes, {}", TABLES.join(", "));
        self.on.batch_execute(&look).await.map_err(storage)
    }

    /// Writes a portion, if there is one.
    pub(super) async fn write(&mut self, portion: Option<Portion>) -> Result<()> {
        let Some(portion) = portion else {
            return Ok(());
        };
        if let Some(batch) = &portion.batch {
            commit::apply(self.on, self.tables, batch).await?;
            self.written += batch.writes.len();
            if self.written >= self.next_look {
                self.next_look = 2 * self.written;
                self.look().await?;
            }
        }
        self.keep(portion.kept).await
    }

    async fn keep(&mut self, kept: Vec<Kept>) -> Result<()> {
        if kept.is_empty() {
            return Ok(());
        }
        let key = |scope: &Scope| scope.key();
        let keys: Vec<Key> = kept
            .iter()
            .map(|one| Key(one.scope.as_ref().map_or(NOBODY, key)))
            .collect();
        let last = self.unread + kept.len() as u64;
        let numbers = (self.unread + 1..=last).map(integer);
        let numbers: Vec<i64> = numbers.collect::<Result<_>>()?;
        self.unread = last;
        let (mut tables, mut ids) = (Vec::new(), Vec::new());
        let (mut reasons, mut contents) = (Vec::new(), Vec::new());
        for Kept {
            unread, content, ..
        } in kept
        {
            tables.push(unread.table);
            ids.push(OwnText(unread.id));
            reasons.push(OwnText(unread.reason));
            contents.push(OwnText(content));
        }
        Sql::new(
            "INSERT INTO memu_unread (scope_key, number, table_name, id, reason, content) \
             SELECT u.* FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], \
             $5::text[], $6::text[]) u",
        )
        .with(keys)
        .with(numbers)
        .with(tables)
        .with(ids)
        .with(reasons)
        .with(contents)
        .run(self.on)
        .await
        .map(drop)
    }
}
