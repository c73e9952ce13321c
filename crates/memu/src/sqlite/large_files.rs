//! Large files, which a database names and does not hold.

use std::path::Path;
use std::time::Duration;

use memu_core::Result;
use rusqlite::{Connection, params};

use super::backup::open_ours;
use super::error::storage;
use super::key::Key;

/// Reads a large file by its name, and makes sure that it is as it was stored.
pub(crate) type ReadLargeFile<'r> = &'r dyn Fn(&str) -> Result<Vec<u8>>;

/// A large file that a database names.
struct LargeFile {
    scope_id: i64,
    hash: Vec<u8>,
    /// As `scope/content`.
    name: String,
}

/// The names of the large files of a database, as `scope/content`.
pub(crate) fn large_files(database: &Path, key: Option<&Key>) -> Result<Vec<String>> {
    let connection = open_ours(database, key, Duration::ZERO)?;
    Ok(names(named_in(&connection, "main")?))
}

fn names(files: Vec<LargeFile>) -> Vec<String> {
    files.into_iter().map(|file| file.name).collect()
}

/// Those of an attached database. Paths of memU 1.x, which are not ours, are left out.
fn named_in(connection: &Connection, database: &str) -> Result<Vec<LargeFile>> {
    let mut statement = connection
        .prepare(&format!(
            "SELECT DISTINCT m.scope_id, m.content_hash, m.local_path
             FROM {database}.memu_resources m JOIN {database}.memu_scopes s USING (scope_id)
             WHERE m.local_path = lower(hex(s.scope_key)) || '/' || lower(hex(m.content_hash))
             ORDER BY m.local_path"
        ))
        .map_err(storage)?;
    let rows = statement.query_map([], |row| {
        Ok(LargeFile {
            scope_id: row.get(0)?,
            hash: row.get(1)?,
            name: row.get(2)?,
        })
    });
    rows.and_then(Iterator::collect).map_err(storage)
}

/// Puts the large files of an attached database into it. Returns their names.
pub(super) fn take_in(
    connection: &Connection,
    database: &str,
    read: ReadLargeFile<'_>,
) -> Result<Vec<String>> {
    let files = named_in(connection, database)?;
    for file in &files {
        let bytes = read(&file.name)?;
        take_in_one(connection, database, file, &bytes).map_err(storage)?;
    }
    Ok(names(files))
}

fn take_in_one(
    connection: &Connection,
    database: &str,
    file: &LargeFile,
    bytes: &[u8],
) -> rusqlite::Result<()> {
    connection.execute(
        &format!(
            "INSERT INTO {database}.memu_blobs (scope_id, hash, bytes) VALUES (?1, ?2, ?3)
             ON CONFLICT (scope_id, hash) DO NOTHING"
        ),
        params![file.scope_id, file.hash, bytes],
    )?;
    connection.execute(
        &format!(
            "UPDATE {database}.memu_resources SET local_path = ''
             WHERE scope_id = ?1 AND content_hash = ?2 AND local_path <> ''"
        ),
        params![file.scope_id, file.hash],
    )?;
    Ok(())
}
