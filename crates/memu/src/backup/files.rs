//! Large files beside databases.

use std::fs::File;
use std::io;
use std::path::Path;

use memu_core::records::ContentHash;
use memu_core::{Error, Result};

use crate::resource_files::hash;
use crate::sqlite::Key;
use crate::sqlite::backup::large_files;

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
    let wanted = name.rsplit('/').next().unwrap_or_default();
    let found = File::open(path).and_then(hash);
    found.is_ok_and(|found: ContentHash| found.to_string() == wanted)
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
        Error::storage("a large file cannot be copied or removed")
            .with("file", &path)
            .caused_by(cause)
    }
}
