//! Writing what an upgrade takes over, portion by portion in one transaction.

use memu_core::Result;
use memu_core::original::{Kept, Portion, Unread};
use rusqlite::Connection;

use crate::sqlite::commit::{Layout, apply};
use crate::sqlite::error::storage;
use crate::sqlite::scopes::scope_row;

/// Writes a portion, if there is one.
pub(super) fn write(
    connection: &Connection,
    columns: &Layout,
    portion: Option<Portion>,
) -> Result<()> {
    let Some(portion) = portion else {
        return Ok(());
    };
    if let Some(batch) = &portion.batch {
        apply(connection, columns, batch)?;
    }
    // After the writes, so that the scopes are there.
    portion
        .kept
        .iter()
        .try_for_each(|kept| keep(connection, kept))
}

fn keep(connection: &Connection, kept: &Kept) -> Result<()> {
    let scope = kept.scope.as_ref();
    let scope = scope
        .map(|scope| scope_row(connection, scope))
        .transpose()?;
    connection
        .prepare_cached(
            "INSERT INTO memu_unread (scope_id, table_name, id, reason, content)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .and_then(|mut statement| {
            let Unread { table, id, reason } = &kept.unread;
            let scope = scope.flatten().map(|(id, _)| id);
            statement.execute((scope, table, id, reason, &kept.content))
        })
        .map(drop)
        .map_err(storage)
}
