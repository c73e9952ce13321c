//! Forgetting scopes without a trace.

use std::time::Duration;

use memu_core::Result;
use memu_core::records::{MemoryCategory, Resource};
use memu_core::scope::Scope;
use memu_core::store::{Cleared, Query};
use rusqlite::Connection;

use super::connection::write;
use super::error::storage;
use super::read::{item_page, page};
use super::scopes::scope_row;

/// Tables with rows of a scope, in an order in which they can be emptied.
const TABLES: [&str; 15] = [
    "memu_unread",
    "memu_vector_low_bits",
    "memu_vector_codes",
    "memu_outlines",
    "memu_embeddings",
    "memu_item_segments",
    "memu_relations",
    "memu_items",
    "memu_memory_categories",
    "memu_segments",
    "memu_resources",
    "memu_model_replies",
    "memu_model_usage",
    "memu_blobs",
    "memu_changes",
];

/// Removes everything of these scopes. Every connection overwrites what it deletes or
/// moves with zeros; the caller empties the write-ahead log afterwards.
pub(super) fn clear(
    connection: &Connection,
    wait: Duration,
    cancelled: &dyn Fn() -> bool,
    scopes: &[Scope],
) -> Result<Cleared> {
    write(connection, wait, cancelled, || {
        let mut cleared = Cleared::default();
        for scope in scopes {
            clear_one(connection, scope, &mut cleared)?;
        }
        Ok(cleared)
    })
}

fn clear_one(connection: &Connection, scope: &Scope, cleared: &mut Cleared) -> Result<()> {
    let Some((id, _)) = scope_row(connection, scope)? else {
        return Ok(());
    };
    let all = Query::scope(scope);
    cleared
        .resources
        .extend(page::<Resource>(connection, &all)?.records);
    cleared.items.extend(item_page(connection, &all)?.records);
    cleared
        .categories
        .extend(page::<MemoryCategory>(connection, &all)?.records);
    for table in TABLES {
        let sql = format!("DELETE FROM {table} WHERE scope_id = ?1");
        let removed = connection.execute(&sql, [id]).map_err(storage)?;
        match table {
            "memu_relations" => cleared.relations += removed,
            "memu_segments" => cleared.segments += removed,
            "memu_model_replies" => cleared.model_replies += removed,
            _ => {}
        }
    }
    connection
        .execute("DELETE FROM memu_scopes WHERE scope_id = ?1", [id])
        .map_err(storage)?;
    cleared.scopes += 1;
    Ok(())
}
