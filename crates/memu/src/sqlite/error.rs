//! What SQLite's errors mean to a caller.

use std::io;
use std::path::Path;

use memu_core::{Error, ErrorKind};
use rusqlite::{ErrorCode, ffi};

const SYNC: i32 = ffi::SQLITE_IOERR_FSYNC;
const FOLDER_SYNC: i32 = ffi::SQLITE_IOERR_DIR_FSYNC;

/// Whether an error means that the system may have forgotten what it was to store: after a
/// sync that failed, Linux does not try again, and the next one succeeds without it.
pub(super) fn is_failed_sync(error: &Error) -> bool {
    sqlite_cause(error).is_some_and(|cause| matches!(extended(cause), Some(SYNC | FOLDER_SYNC)))
}

/// What SQLite said, of whatever was made of it.
pub(super) fn sqlite_cause(error: &Error) -> Option<&rusqlite::Error> {
    let first = std::error::Error::source(error);
    let mut causes = std::iter::successors(first, |cause| cause.source());
    causes.find_map(<dyn std::error::Error>::downcast_ref)
}

fn extended(cause: &rusqlite::Error) -> Option<i32> {
    cause.sqlite_error().map(|error| error.extended_code)
}

/// Refuses to write after [`is_failed_sync`].
pub(super) fn after_failed_sync() -> Error {
    Error::storage(
        "the disk failed to make an earlier write durable, so nothing more is written; what was \
         acknowledged is in the database and its write-ahead log: check the disk, make a backup, \
         and open the database again",
    )
}

/// Translates an error of SQLite. The original is kept as the cause.
pub(super) fn storage(cause: rusqlite::Error) -> Error {
    let code = cause.sqlite_error_code();
    let (kind, message) = match code {
        Some(ErrorCode::SystemIoFailure) => (ErrorKind::Storage, failed_operation(&cause)),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            ErrorKind::Busy,
            "another process kept the database locked for longer than the configured wait",
        ),
        Some(ErrorCode::NotADatabase) => (ErrorKind::Corrupt, "the file is not a SQLite database"),
        Some(ErrorCode::DatabaseCorrupt) => (
            ErrorKind::Corrupt,
            "the database file is damaged; memu doctor tells more",
        ),
        Some(ErrorCode::ReadOnly) => (
            ErrorKind::Permission,
            "the database cannot be written: the file or its folder is read-only",
        ),
        Some(ErrorCode::PermissionDenied) => {
            (ErrorKind::Permission, "access to the database was denied")
        }
        Some(ErrorCode::DiskFull) => (ErrorKind::Storage, "the disk is full"),
        Some(ErrorCode::CannotOpen) => (ErrorKind::Storage, "the database cannot be opened"),
        Some(ErrorCode::TooBig) => (
            ErrorKind::Input,
            "a text or content is larger than the database can hold",
        ),
        _ => (ErrorKind::Storage, "the database failed"),
    };
    Error::new(kind, message).caused_by(cause)
}

/// Which operation of the file system failed.
fn failed_operation(cause: &rusqlite::Error) -> &'static str {
    match extended(cause) {
        Some(SYNC | FOLDER_SYNC) => "the disk failed to make a write durable",
        Some(ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ) => {
            "the database file cannot be read: the disk failed"
        }
        Some(ffi::SQLITE_IOERR_LOCK | ffi::SQLITE_IOERR_RDLOCK | ffi::SQLITE_IOERR_UNLOCK) => {
            "the file system cannot lock files; put the database on a local disk"
        }
        Some(
            ffi::SQLITE_IOERR_SHMOPEN
            | ffi::SQLITE_IOERR_SHMLOCK
            | ffi::SQLITE_IOERR_SHMMAP
            | ffi::SQLITE_IOERR_SHMSIZE,
        ) => {
            "the memory that processes share (the file ending in -shm) cannot be used: the disk \
             is full, or the file system has no such memory"
        }
        _ => "the database file cannot be written: the disk failed",
    }
}

/// Translates an error of opening a file, for which SQLite does not tell the reason.
pub(super) fn opening(path: &Path, cause: rusqlite::Error) -> Error {
    if cause.sqlite_error_code() != Some(ErrorCode::CannotOpen) {
        return storage(cause);
    }
    // Only now, when SQLite could not: closing a file lets go of its locks.
    match std::fs::File::open(path) {
        Err(reason) if reason.kind() == io::ErrorKind::PermissionDenied => {
            Error::permission("the database cannot be read: permission denied").caused_by(reason)
        }
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => {
            storage(cause).with("reason", reason)
        }
        _ => storage(cause),
    }
}

/// Stored data that no version of this program would have written.
pub(super) fn corrupt(what: &str) -> Error {
    Error::corrupt(format!("the database holds {what}; memu doctor tells more"))
}
