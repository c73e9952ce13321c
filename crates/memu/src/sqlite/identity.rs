//! Whether the open files are still those that have the names.
//!
//! A file that is deleted or replaced while it is open can be written and read as if
//! nothing had happened, and all of it is gone when the program ends.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use memu_core::{Error, Result};

use crate::disk::{beside, size_of};

/// What tells one file from another: its device and its number.
type Number = (u64, u64);

/// The files of an open database.
#[derive(Debug)]
pub(super) struct Identity {
    path: PathBuf,
    file: Number,
    log: Option<Number>,
    /// Of a file that is read without locks: its size and its last change.
    unchanged: Option<(u64, Option<SystemTime>)>,
}

impl Identity {
    /// Of a file that was opened just now, by its [lasting](crate::disk::lasting) path.
    pub(super) fn new(path: &Path, without_locks: bool) -> Result<Self> {
        let metadata = look(path)?;
        let log = std::fs::metadata(log_of(path)).ok();
        Ok(Self {
            path: path.to_owned(),
            file: number(&metadata),
            log: log.as_ref().map(number),
            unchanged: without_locks.then(|| state(&metadata)),
        })
    }

    /// Says what happened to the files since they were opened.
    pub(super) fn check(&self) -> Result<()> {
        let metadata = look(&self.path)?;
        if number(&metadata) != self.file {
            return Err(gone("the database file was replaced by another one"));
        }
        if metadata.len() == 0 {
            return Err(gone("the database file was emptied by another program"));
        }
        if let Some(unchanged) = self.unchanged {
            if unchanged != state(&metadata) || size_of(&log_of(&self.path)) > 0 {
                return Err(Error::busy(
                    "the database is read without locks, because neither it nor its folder can \
                     be written, and another program changed it; open it again",
                ));
            }
        } else if let Some(log) = self.log {
            let now = std::fs::metadata(log_of(&self.path)).ok();
            if now.as_ref().map(number) != Some(log) {
                return Err(gone(
                    "the write-ahead log of the database (the file ending in -wal) was deleted \
                     or replaced",
                ));
            }
        }
        Ok(())
    }
}

fn look(path: &Path) -> Result<Metadata> {
    std::fs::metadata(path)
        .map_err(|cause| gone("the database file was deleted or moved away").caused_by(cause))
}

fn gone(what: &str) -> Error {
    Error::storage(format!(
        "{what} while it was open, so nothing more can be stored in it; open the database again"
    ))
}

fn log_of(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

fn state(metadata: &Metadata) -> (u64, Option<SystemTime>) {
    (metadata.len(), metadata.modified().ok())
}

#[cfg(unix)]
fn number(metadata: &Metadata) -> Number {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Elsewhere, a file that is open can be neither deleted nor replaced.
#[cfg(not(unix))]
fn number(_: &Metadata) -> Number {
    (0, 0)
}
