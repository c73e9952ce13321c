//! Writing a database anew under another key, or under none.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use memu_core::records::ContentHash;
use memu_core::{Error, Result};
use rusqlite::{Connection, params};

use super::backup::{leave_write_ahead_log, open_plainly, put_in_place, verify};
use super::connection::PAGE_SIZE;
use super::error::storage;
use super::key::{Key, explained};
use super::open::{check_file, tables};
use super::schema::{APPLICATION_ID, VERSION};

/// A database, and what it is to be encrypted with.
pub(crate) struct Rekey<'k> {
    pub(crate) path: &'k Path,
    pub(crate) old: Option<&'k Key>,
    pub(crate) new: Option<&'k Key>,
    /// The folder of its large files, which an encrypted database keeps in itself.
    pub(crate) files: &'k Path,
    pub(crate) wait: Duration,
}

impl Rekey<'_> {
    /// Writes the database anew into `unfinished`, proves that it is sound, and gives it the
    /// name, while nobody else can open it. Returns how many large files were taken in.
    /// `wanted` tells whether anybody still waits for it.
    pub(crate) fn run(&self, unfinished: &Path, wanted: &dyn Fn() -> bool) -> Result<u64> {
        let old = open_plainly(self.path, self.old, self.wait)
            .and_then(alone)
            .map_err(|error| explained(error, Some(self.path), self.old))?;
        let _ = std::fs::remove_file(unfinished);
        let placed = self.write_anew(&old, unfinished).and_then(|taken_in| {
            self.prove(unfinished)?;
            if !wanted() {
                return Err(Error::cancelled("the key was not changed"));
            }
            put_in_place(unfinished, self.path)?;
            Ok(taken_in)
        });
        if placed.is_err() {
            // What failed is what the caller must hear.
            let _ = std::fs::remove_file(unfinished);
        }
        placed
    }

    fn write_anew(&self, connection: &Connection, to: &Path) -> Result<u64> {
        // Attaching does not create it, for the connection may not create files.
        File::create(to)
            .map_err(|cause| Error::permission("the new file cannot be made").caused_by(cause))?;
        let to = to
            .to_str()
            .ok_or_else(|| Error::unsupported("a new key needs a path in Unicode"))?;
        let key = self.new.map_or("", Key::secret);
        connection
            .execute("ATTACH DATABASE ?1 AS anew KEY ?2", params![to, key])
            // The cause may quote the key.
            .map_err(|_| Error::storage("the new file does not take the key"))?;
        let page_size = self.new.map_or("page_size", |_| "cipher_page_size");
        connection
            .execute_batch(&format!(
                "PRAGMA anew.{page_size} = {PAGE_SIZE}; BEGIN EXCLUSIVE"
            ))
            .map_err(storage)?;
        connection
            .query_row("SELECT sqlcipher_export('anew')", [], |_| Ok(()))
            .map_err(storage)?;
        let taken_in = match self.new {
            Some(_) => take_in_files(connection, self.files)?,
            None => 0,
        };
        compare(connection)?;
        connection
            .execute_batch(&format!(
                "PRAGMA anew.application_id = {APPLICATION_ID};
                 PRAGMA anew.user_version = {VERSION}; COMMIT; DETACH DATABASE anew"
            ))
            .map_err(storage)?;
        Ok(taken_in)
    }

    fn prove(&self, unfinished: &Path) -> Result<()> {
        let connection = open_plainly(unfinished, self.new, self.wait)?;
        check_file(&connection, false)?;
        verify(&connection)?;
        connection.close().map_err(|(_, cause)| storage(cause))
    }
}

/// Keeps everybody out until the connection is closed. Whoever waits then has the file that
/// lost its name, which SQLite does not write.
fn alone(connection: Connection) -> Result<Connection> {
    check_file(&connection, false)?;
    connection
        .query_row("PRAGMA main.locking_mode = EXCLUSIVE", [], |_| Ok(()))
        .map_err(storage)?;
    leave_write_ahead_log(&connection)?;
    connection
        .execute_batch("BEGIN EXCLUSIVE; COMMIT")
        .map_err(storage)?;
    verify(&connection)?;
    Ok(connection)
}

/// Puts the large files of a database into it.
fn take_in_files(connection: &Connection, folder: &Path) -> Result<u64> {
    let mut statement = connection
        .prepare(
            "SELECT DISTINCT m.scope_id, m.content_hash, m.local_path
             FROM anew.memu_resources m JOIN anew.memu_scopes s USING (scope_id)
             WHERE m.local_path = lower(hex(s.scope_key)) || '/' || lower(hex(m.content_hash))",
        )
        .map_err(storage)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let files: Vec<(i64, Vec<u8>, String)> = rows.and_then(Iterator::collect).map_err(storage)?;
    for (scope_id, hash, name) in &files {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).map_err(|cause| {
            Error::corrupt("a large file is missing; memu doctor tells more")
                .with("large file", path.display())
                .caused_by(cause)
        })?;
        if name.rsplit('/').next() != Some(&ContentHash::of(&bytes).to_string()) {
            return Err(
                Error::corrupt("a large file is damaged; memu doctor tells more")
                    .with("large file", path.display()),
            );
        }
        take_in(connection, *scope_id, hash, &bytes).map_err(storage)?;
    }
    Ok(files.len() as u64)
}

fn take_in(
    connection: &Connection,
    scope_id: i64,
    hash: &[u8],
    bytes: &[u8],
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO anew.memu_blobs (scope_id, hash, bytes) VALUES (?1, ?2, ?3)
         ON CONFLICT (scope_id, hash) DO NOTHING",
        params![scope_id, hash, bytes],
    )?;
    connection.execute(
        "UPDATE anew.memu_resources SET local_path = ''
         WHERE scope_id = ?1 AND content_hash = ?2 AND local_path <> ''",
        params![scope_id, hash],
    )?;
    Ok(())
}

/// Refuses a copy that lacks something.
fn compare(connection: &Connection) -> Result<()> {
    for table in tables(connection)? {
        let count = |database: &str| {
            let sql = format!("SELECT count(*) FROM {database}.\"{table}\"");
            let rows: rusqlite::Result<i64> = connection.query_row(&sql, [], |row| row.get(0));
            rows.map_err(storage)
        };
        let (old, new) = (count("main")?, count("anew")?);
        // Large files become rows.
        if new < old || (new > old && table != "memu_blobs") {
            return Err(Error::internal(format!(
                "the new file has {new} rows of {table}, the old one {old}"
            )));
        }
    }
    Ok(())
}
