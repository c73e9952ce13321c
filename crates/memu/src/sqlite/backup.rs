//! Copies of a database that is in use.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use memu_core::{Error, Result};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::connection::retrying;
use super::error::storage;

/// How many pages are copied before others are let through.
const STEP: i32 = 256;

/// Copies all pages of a database into another, as of one moment. `progress` is told how
/// many pages are done, and of how many.
pub(super) fn copy(
    from: &Connection,
    to: &mut Connection,
    wait: Duration,
    mut progress: impl FnMut(u64, u64),
) -> Result<()> {
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
        progress(total.saturating_sub(left), total);
        if step == StepResult::Done {
            return Ok(());
        }
    }
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

/// Makes a new file durable and gives it its name, in one step.
pub(super) fn put_in_place(unfinished: &Path, path: &Path) -> Result<()> {
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
pub(super) fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
