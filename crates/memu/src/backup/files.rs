//! Large files beside databases.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use memu_core::records::ContentHash;
use memu_core::{Error, Result};

use super::Place;
use crate::resource_files::{LOCK, hash, is_name_of, names};
use crate::sqlite::Key;
use crate::sqlite::large_files::large_files;

/// Which large files came along.
#[derive(Debug, Default)]
pub(super) struct CopiedFiles {
    pub(super) whole: u64,
    /// Missing, or damaged, in the folder that they came from.
    pub(super) broken: Vec<String>,
}

/// Copies the large files that a database names from one folder to another. Those that
/// are there already stay: a file is called by its content.
pub(super) fn copy_files(
    from: &Path,
    database: &Path,
    key: Option<&Key>,
    to: &Path,
) -> Result<CopiedFiles> {
    let mut copied = CopiedFiles::default();
    for name in large_files(database, key)? {
        let (source, target) = (from.join(&name), to.join(&name));
        let whole = is_whole(&target, &name)
            || (is_whole(&source, &name) && copy(&source, &target).map_err(failed(&target))?);
        if whole {
            copied.whole += 1;
        } else {
            copied.broken.push(name);
        }
    }
    Ok(copied)
}

/// Whether a file has the content that it is called by.
fn is_whole(path: &Path, name: &str) -> bool {
    let found = File::open(path).and_then(hash);
    found.is_ok_and(|found| is_name_of(name, found))
}

/// The bytes of a large file, checked.
pub(super) fn read_whole(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let path = folder.join(name);
    let bytes = std::fs::read(&path).map_err(|cause| {
        Error::corrupt("a large file is missing; memu doctor tells more")
            .with("large file", path.display())
            .caused_by(cause)
    })?;
    if !is_name_of(name, ContentHash::of(&bytes)) {
        return Err(
            Error::corrupt("a large file is damaged; memu doctor tells more")
                .with("large file", path.display()),
        );
    }
    Ok(bytes)
}

fn copy(from: &Path, to: &Path) -> io::Result<bool> {
    let folder = to.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let unfinished = folder.join(format!(".unfinished-copy-{}", std::process::id()));
    let copied = std::fs::copy(from, &unfinished)
        .and_then(|_| File::open(&unfinished)?.sync_all())
        .and_then(|()| std::fs::rename(&unfinished, to));
    if copied.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    copied.map(|()| true)
}

/// Removes large files that a memory has in itself now, unless others may use the same folder.
/// Says which ones could not be removed, and why.
pub(super) fn remove_taken_in(place: &Place, taken_in: &[String]) -> Vec<String> {
    if !place.has_folder_alone() {
        return Vec::new();
    }
    let folder = place.files();
    let mut problems = Vec::new();
    for name in taken_in {
        let path = folder.join(name);
        if let Err(cause) = std::fs::remove_file(&path) {
            problems.push(format!("{} cannot be removed: {cause}", path.display()));
        }
        // The folder of a scope goes with its last file; a full one stays.
        let _ = path.parent().map(std::fs::remove_dir);
    }
    let entries = std::fs::read_dir(&folder).into_iter().flatten();
    if entries.flatten().all(|entry| entry.file_name() == LOCK) {
        let _ = std::fs::remove_file(folder.join(LOCK));
        let _ = std::fs::remove_dir(&folder);
    }
    problems
}

/// The large files that lie in the folder of a memory.
pub(super) fn lying_beside(place: &Place) -> Result<Vec<PathBuf>> {
    let folder = place.files();
    let names = names(&folder, None).map_err(failed(&folder))?;
    Ok(names.iter().map(|name| folder.join(name)).collect())
}

/// Removes the large files of a database that is gone.
pub(super) fn remove_files(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(failed(folder)(cause)),
        _ => Ok(()),
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let path = path.display().to_string();
    move |cause| {
        Error::storage("large files cannot be read, copied or removed")
            .with("file", &path)
            .caused_by(cause)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_that_cannot_be_removed_is_a_problem_that_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            database: folder.path().join("memu.db"),
            resources_dir: "./data/resources".into(),
            key: None,
            wait: Duration::ZERO,
        };
        // A folder cannot be removed as a file can.
        std::fs::create_dir_all(place.files().join("scope/content")).unwrap();
        std::fs::write(place.files().join("scope/other"), "").unwrap();
        let names = ["scope/content", "scope/other"].map(str::to_owned);
        let problems = remove_taken_in(&place, &names);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("scope/content cannot be removed: "));
        assert!(!place.files().join("scope/other").exists());
    }
}
