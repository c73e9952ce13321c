//! Files on the disk: where they are, and how a new one takes the place of an old one.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use memu_core::{Error, Result};

/// How many symbolic links may follow each other, as Linux has it.
const LINKS: usize = 40;

/// The file that a path leads to, which need not be there. Symbolic links are followed where
/// SQLite follows them: its logs lie beside their target.
pub(crate) fn behind_links(path: &Path) -> PathBuf {
    let mut found = path.to_owned();
    if cfg!(unix) {
        for _ in 0..LINKS {
            match std::fs::read_link(&found) {
                Ok(target) => found = folder_of(&found).join(target),
                Err(_) => return found,
            }
        }
    }
    path.to_owned()
}

/// The same, as a path that holds when the program moves to another folder.
pub(crate) fn lasting(path: &Path) -> PathBuf {
    let path = behind_links(path);
    let found = if cfg!(unix) {
        path.canonicalize()
    } else {
        std::path::absolute(&path)
    };
    found
        .or_else(|_| std::path::absolute(&path))
        .unwrap_or(path)
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

/// The length of a file in bytes; 0 for one that is not there.
pub(crate) fn size_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Makes an empty file that nobody else may read, in the place of one that is there.
pub(crate) fn create_private(path: &Path) -> Result<()> {
    let _ = std::fs::remove_file(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|cause| {
        Error::permission("the new file cannot be made")
            .with("file", path.display())
            .caused_by(cause)
    })
}

/// Makes a new file durable and gives it its name, in one step, and the permissions of
/// `like`.
pub(crate) fn put_in_place(unfinished: &Path, path: &Path, like: &Path) -> Result<()> {
    give_name(unfinished, path, like)?;
    sync_folder_of(path)
}

/// The same, but the name may not outlast a power cut.
pub(crate) fn give_name(unfinished: &Path, path: &Path, like: &Path) -> Result<()> {
    let give = || {
        if cfg!(unix) {
            std::fs::set_permissions(unfinished, std::fs::metadata(like)?.permissions())?;
        }
        File::open(unfinished)?.sync_all()?;
        std::fs::rename(unfinished, path)
    };
    give().map_err(|cause| {
        Error::storage("the new file cannot be put in its place")
            .with("file", path.display())
            .caused_by(cause)
    })
}

/// Makes the names in a file's folder durable, where the system can.
pub(crate) fn sync_folder_of(path: &Path) -> Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let synced = File::open(folder_of(path)).and_then(|folder| folder.sync_all());
    synced.map_err(|cause| {
        Error::storage(
            "the new file is in its place, but after a power cut the old one may be there again: \
             the folder cannot be made durable",
        )
        .with("file", path.display())
        .caused_by(cause)
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_lasts_as_what_it_leads_to_whether_that_is_there_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        std::fs::create_dir(folder.join("far")).unwrap();
        symlink("far/memu.db", folder.join("near.db")).unwrap();
        symlink("near.db", folder.join("nearer.db")).unwrap();
        let far = folder.join("far/memu.db");
        assert_eq!(lasting(&folder.join("nearer.db")), far);
        std::fs::write(&far, "").unwrap();
        assert_eq!(lasting(&folder.join("nearer.db")), far);
        let nearer = behind_links(&folder.join("nearer.db"));
        assert_eq!(nearer, folder.join("far/memu.db"));
        assert_eq!(behind_links(Path::new("memu.db")), Path::new("memu.db"));
        symlink("circle", folder.join("circle")).unwrap();
        assert_eq!(lasting(&folder.join("circle")), folder.join("circle"));
    }
}
