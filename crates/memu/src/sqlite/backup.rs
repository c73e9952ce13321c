//! Copies of databases that are in use.

use std::path::Path;
use std::time::Duration;

use memu_core::{Error, Result};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::connection::retrying;
use super::error::{opening, storage};
use super::key::{Key, explained, unlock};
use super::open::{check_file, inspect, pragma};
use crate::disk::create_private;

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
    let named = |error: Error| error.with("file", to.display());
    create_private(to)?;
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
    without_log(connection, "PRAGMA main.journal_mode = DELETE")
}

/// Refuses a database that still has, or has again, a write-ahead log: others use it.
/// `pragma` tells how.
pub(super) fn without_log(connection: &Connection, pragma: &str) -> Result<()> {
    let mode = connection.query_row(pragma, [], |row| row.get::<_, String>(0));
    if mode.map_err(storage)? == "delete" {
        return Ok(());
    }
    Err(Error::busy(
        "others keep the write-ahead log of the database in use",
    ))
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
