//! Writing a database anew under another key, or under none.

use std::path::Path;
use std::time::Duration;

use memu_core::{Error, Result};
use rusqlite::{Connection, params};

use super::backup::{leave_write_ahead_log, open_plainly, verify, without_log};
use super::connection::PAGE_SIZE;
use super::error::storage;
use super::key::{Key, explained};
use super::large_files::{ReadLargeFile, take_in};
use super::open::{check_file, tables};
use super::schema::{APPLICATION_ID, VERSION};
use crate::disk::{create_private, give_name};

/// A database, and what it is to be encrypted with.
pub(crate) struct Rekey<'k> {
    pub(crate) path: &'k Path,
    pub(crate) old: Option<&'k Key>,
    pub(crate) new: Option<&'k Key>,
    /// Reads its large files, which an encrypted database keeps in itself.
    pub(crate) read: ReadLargeFile<'k>,
    pub(crate) wait: Duration,
}

impl Rekey<'_> {
    /// Writes the database anew into `unfinished`, proves that it is sound, and gives it the
    /// name, while nobody else can open it. Returns the names of the large files that were
    /// taken in. `wanted` tells whether anybody still waits for it. Whatever fails, fails
    /// before the file has the name.
    pub(crate) fn run(&self, unfinished: &Path, wanted: &dyn Fn() -> bool) -> Result<Vec<String>> {
        let old = open_plainly(self.path, self.old, self.wait)
            .and_then(alone)
            .map_err(|error| explained(error, Some(self.path), self.old))?;
        let placed = self.write_anew(&old, unfinished).and_then(|taken_in| {
            self.prove(unfinished)?;
            if !wanted() {
                return Err(Error::cancelled("the key was not changed"));
            }
            give_name(unfinished, self.path, self.path)?;
            Ok(taken_in)
        });
        if placed.is_err() {
            // What failed is what the caller must hear.
            let _ = std::fs::remove_file(unfinished);
        }
        placed
    }

    fn write_anew(&self, connection: &Connection, to: &Path) -> Result<Vec<String>> {
        // Attaching does not create it, for the connection may not create files.
        create_private(to)?;
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
            Some(_) => take_in(connection, "anew", self.read)?,
            None => Vec::new(),
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
    // In this order: a connection that keeps its lock keeps its journal, too, whose name would
    // then be that of the new file's.
    leave_write_ahead_log(&connection)?;
    connection
        .execute_batch("PRAGMA main.locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT")
        .map_err(storage)?;
    // Somebody may have been quicker, and begun a log again.
    without_log(&connection, "PRAGMA main.journal_mode")?;
    verify(&connection)?;
    Ok(connection)
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

#[cfg(test)]
#[cfg(feature = "sqlcipher")]
mod tests {
    use memu_core::store::Store;

    use super::*;
    use crate::disk::beside;
    use crate::sqlite::{Options, SqliteStore};

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        let permissions = std::fs::metadata(path).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::mode(&permissions)
    }

    /// It would lie beside the new file if the program ended here.
    #[tokio::test]
    async fn nothing_of_the_old_file_lies_beside_it_when_the_new_one_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memu.db");
        let store = SqliteStore::open(Options::file(&path)).await.unwrap();
        store.close().await.unwrap();
        let key = Key::new("passphrase").unwrap();
        let rekey = Rekey {
            path: &path,
            old: None,
            new: Some(&key),
            read: &|_| Ok(Vec::new()),
            wait: Duration::from_secs(5),
        };
        let new = folder.path().join("new");
        let asked = std::cell::Cell::new(0);
        let nothing_is_left = || {
            asked.set(asked.get() + 1);
            // Nor could anybody else read the new one so far.
            #[cfg(unix)]
            assert_eq!(mode(&new) & 0o777, 0o600);
            let mut logs = ["-journal", "-wal", "-shm"].iter();
            logs.all(|ending| !beside(&path, ending).exists())
        };
        let taken_in = rekey.run(&new, &nothing_is_left);
        assert_eq!(taken_in.unwrap(), Vec::<String>::new());
        assert_eq!(asked.get(), 1);
    }
}
