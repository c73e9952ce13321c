//! Copies of databases that are in use.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use memu_core::{Error, Result};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::connection::retrying;
use super::error::{opening, storage};
use super::key::{Key, explained, unlock};
use super::open::{check_file, inspect, pragma};

/// How many pages are copied before somebody is told.
const STEP: i32 = 256;

/// Copies all pages of a database into another, as of one moment, while others write to
/// it. `progress` is told how many bytes are done, and of how many, and says whether to
/// go on.
pub(super) fn copy(
    from: &Connection,
    to: &mut Connection,
    wait: Duration,
    mut progress: impl FnMut(u64, u64) -> bool,
) -> Result<()> {
    // One read transaction for all steps: otherwise a copy begins anew whenever somebody
    // writes, and may never end.
    let reading = from.unchecked_transaction().map_err(storage)?;
    let page: u64 = pragma(from, "page_size")?.unsigned_abs().into();
    pragma(from, "schema_version")?;
    let backup = Backup::new(from, to).map_err(storage)?;
    loop {
        let step = retrying(wait, || match backup.step(STEP)? {
            StepResult::Busy | StepResult::Locked => Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                None,
            )),
            step => Ok(step),
        })?;
        let pages = backup.progress();
        let total = u64::from(pages.pagecount.unsigned_abs());
        let left = u64::from(pages.remaining.unsigned_abs());
        if !progress(total.saturating_sub(left) * page, total * page) {
            return Err(Error::cancelled(
                "the copy was given up; nothing is left of it",
            ));
        }
        if step == StepResult::Done {
            break;
        }
    }
    drop(backup);
    reading.finish().map_err(storage)
}

/// Refuses a damaged database.
pub(super) fn verify(connection: &Connection) -> Result<()> {
    let found: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(storage)?;
    if found == "ok" {
        return Ok(());
    }
    Err(Error::corrupt("the database file is damaged").with("found", found))
}

/// Copies one of our databases into a new file, complete without any other, and proves
/// that it is sound. What goes wrong leaves no file.
pub(crate) fn copy_database(
    from: &Path,
    to: &Path,
    key: Option<&Key>,
    wait: Duration,
    progress: impl FnMut(u64, u64) -> bool,
) -> Result<()> {
    let made = copy_sound(from, to, key, wait, progress);
    if made.is_err() {
        // What failed is what the caller must hear.
        let _ = std::fs::remove_file(to);
    }
    made
}

fn copy_sound(
    from: &Path,
    to: &Path,
    key: Option<&Key>,
    wait: Duration,
    progress: impl FnMut(u64, u64) -> bool,
) -> Result<()> {
    let source = open_ours(from, key, wait)?;
    let _ = std::fs::remove_file(to);
    let named = |error: Error| error.with("file", to.display());
    let mut target = Connection::open(to).map_err(storage).map_err(named)?;
    unlock(&target, Some(to), key, wait).map_err(named)?;
    copy(&source, &mut target, wait, progress)?;
    // Otherwise the first reader would put files of a write-ahead log beside it.
    leave_write_ahead_log(&target).map_err(named)?;
    verify(&target).map_err(named)?;
    target.close().map_err(|(_, cause)| named(storage(cause)))
}

/// Opens one of our databases to read it, or refuses it by what it is.
pub(crate) fn open_ours(path: &Path, key: Option<&Key>, wait: Duration) -> Result<Connection> {
    let open = || {
        if !path.exists() {
            return Err(Error::not_found("there is no such file"));
        }
        inspect(path, false)?;
        // With leave to write, if that is given: whoever may not cannot remove the empty
        // write-ahead log, which the last reader should.
        let connection = open_plainly(path, key, wait)?;
        connection
            .execute_batch("PRAGMA query_only = ON")
            .map_err(storage)?;
        check_file(&connection, true)?;
        Ok(connection)
    };
    open().map_err(|error: Error| {
        let error = explained(error, Some(path), key);
        if error.context().iter().any(|(key, _)| *key == "file") {
            return error;
        }
        error.with("file", path.display())
    })
}

pub(super) fn read_only(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(storage)
}

/// Moves what is in the write-ahead log into the file, and does without one. Nobody else
/// may have the database open.
pub(super) fn leave_write_ahead_log(connection: &Connection) -> Result<()> {
    connection
        .query_row("PRAGMA journal_mode = DELETE", [], |row| {
            row.get::<_, String>(0)
        })
        .map(drop)
        .map_err(storage)
}

/// Makes sure that nobody has the database open, and that the file alone is all of it.
///
/// # Errors
/// [`ErrorKind::Busy`](memu_core::ErrorKind::Busy) when somebody has.
pub(crate) fn settle(path: &Path, key: Option<&Key>, wait: Duration) -> Result<()> {
    let settled = open_plainly(path, key, wait).and_then(|file| leave_write_ahead_log(&file));
    settled.map_err(|error| explained(error, Some(path), key))
}

/// Opens a database without setting anything.
pub(super) fn open_plainly(path: &Path, key: Option<&Key>, wait: Duration) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|cause| opening(path, cause))?;
    connection.busy_timeout(wait).map_err(storage)?;
    unlock(&connection, Some(path), key, wait)?;
    Ok(connection)
}

/// Makes a new file durable and gives it its name, in one step.
pub(crate) fn put_in_place(unfinished: &Path, path: &Path) -> Result<()> {
    let failed = |cause| {
        Error::storage("the copy cannot be put in its place")
            .with("file", path.display())
            .caused_by(cause)
    };
    File::open(unfinished)
        .and_then(|file| file.sync_all())
        .and_then(|()| std::fs::rename(unfinished, path))
        .and_then(|()| sync_folder_of(path))
        .map_err(failed)
}

/// Makes the names in a file's folder durable, where the system can.
fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    if cfg!(unix) {
        File::open(folder_of(path))?.sync_all()?;
    }
    Ok(())
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A name beside a file: its own, with more at the end.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Where the large files of a database are, as `scope/content`.
pub(crate) fn large_files(database: &Path, key: Option<&Key>) -> Result<Vec<String>> {
    let connection = open_ours(database, key, Duration::ZERO)?;
    let mut statement = connection
        .prepare(
            "SELECT DISTINCT m.local_path FROM memu_resources m JOIN memu_scopes s USING (scope_id)
             WHERE m.local_path = lower(hex(s.scope_key)) || '/' || lower(hex(m.content_hash))
             ORDER BY 1",
        )
        .map_err(storage)?;
    statement
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(storage)
}
