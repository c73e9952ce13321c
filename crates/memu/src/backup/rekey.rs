//! Encrypting a memory, changing its key, or taking the encryption away.

use std::path::{Path, PathBuf};

use memu_core::{Error, ErrorKind, Result};
use serde::Serialize;

use super::{Place, files};
use crate::disk::{behind_links, beside, size_of, sync_folder_of};
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
    /// Large files that lie beside the encrypted database all the same, legible: they belong
    /// to no resource, or could not be removed, or other memories may have theirs there.
    pub files_left: Vec<PathBuf>,
    /// What went wrong when the memory had its new key already, a sentence each.
    pub problems: Vec<String>,
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
    if cfg!(not(unix)) && database.is_symlink() {
        return Err(named(Error::unsupported(
            "this is a symbolic link; name the file that it leads to",
        )));
    }
    // What is legible is behind the link.
    let target = behind_links(database);
    let files = place.files();
    let rekey = Rekey {
        path: &target,
        old,
        new,
        read: &|name| files::read_whole(&files, name),
        wait: place.wait,
    };
    // Only one can work at it, and removes what one that was killed left behind.
    let unfinished = beside(&target, ".unfinished-rekey");
    let taken_in = rekey.run(&unfinished, wanted).map_err(|error| {
        named(if error.kind() == ErrorKind::Busy {
            Error::busy("the memory is in use; stop what uses it first").caused_by(error)
        } else {
            error
        })
    })?;
    // From here on the memory has its new key, and nothing is an error any more.
    let mut report = RekeyReport {
        database: database.clone(),
        was_encrypted: old.is_some(),
        is_encrypted: new.is_some(),
        bytes: size_of(database),
        files_taken_in: taken_in.len() as u64,
        files_left: Vec::new(),
        problems: Vec::new(),
    };
    tidy(place, &target, &taken_in, &mut report);
    Ok(report)
}

/// Removes what lies in the memory now, as soon as the old file cannot come back, and tells
/// what stays.
fn tidy(place: &Place, target: &Path, taken_in: &[String], report: &mut RekeyReport) {
    match sync_folder_of(target) {
        Ok(()) => report.problems = files::remove_taken_in(place, taken_in),
        Err(error) => report.problems.push(error.to_string()),
    }
    if !report.is_encrypted {
        return;
    }
    match files::lying_beside(place) {
        Ok(files) => report.files_left = files,
        Err(error) => report.problems.push(error.to_string()),
    }
    if !place.has_folder_alone() {
        // The others may be those of another memory.
        let ours: Vec<_> = taken_in
            .iter()
            .map(|name| place.files().join(name))
            .collect();
        report.files_left.retain(|file| ours.contains(file));
    }
}
