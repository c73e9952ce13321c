//! Encrypting a memory, changing its key, or taking the encryption away.

use std::path::PathBuf;

use memu_core::{Error, ErrorKind, Result};
use serde::Serialize;

use super::{Place, files};
use crate::sqlite::backup::beside;
use crate::sqlite::{Key, Rekey};

/// What a change of keys did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RekeyReport {
    /// The memory.
    pub database: PathBuf,
    /// Whether it was encrypted before.
    pub was_encrypted: bool,
    /// Whether it is encrypted now.
    pub is_encrypted: bool,
    /// The size of the database, in bytes.
    pub bytes: u64,
    /// How many large files beside the database were put into it.
    pub files_taken_in: u64,
}

pub(super) fn rekey_here(
    place: &Place,
    new: Option<&Key>,
    wanted: &dyn Fn() -> bool,
) -> Result<RekeyReport> {
    let database = &place.database;
    let named = |error: Error| error.with("file", database.display());
    let old = place.key.as_ref();
    if old == new {
        return Err(named(Error::input(match old {
            None => "the database is not encrypted, and no new key is given",
            Some(_) => "the new key is the one that the database has",
        })));
    }
    if !database.exists() {
        return Err(named(Error::not_found("there is no such file")));
    }
    let files = place.files();
    let rekey = Rekey {
        path: database,
        old,
        new,
        files: &files,
        wait: place.wait,
    };
    // Only one can work at it, and removes what one that was killed left behind.
    let unfinished = beside(database, ".unfinished-rekey");
    let taken_in = rekey.run(&unfinished, wanted).map_err(|error| {
        named(if error.kind() == ErrorKind::Busy {
            Error::busy("the memory is in use; stop what uses it first").caused_by(error)
        } else {
            error
        })
    })?;
    if new.is_some() {
        files::remove_files(&files)?;
    }
    Ok(RekeyReport {
        database: database.clone(),
        was_encrypted: old.is_some(),
        is_encrypted: new.is_some(),
        bytes: std::fs::metadata(database).map_or(0, |metadata| metadata.len()),
        files_taken_in: taken_in,
    })
}
