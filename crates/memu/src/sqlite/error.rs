//! What SQLite's errors mean to a caller.

use std::io;
use std::path::Path;

use memu_core::{Error, ErrorKind};
use rusqlite::ErrorCode;

/// Translates an error of SQLite. The original is kept as the cause.
pub(super) fn storage(cause: rusqlite::Error) -> Error {
    let code = cause.sqlite_error_code();
    let (kind, message) = match code {
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
