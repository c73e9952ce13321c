//! Bringing a copy back.

use std::path::{Path, PathBuf};

use memu_core::environment::{Clock, SystemClock};
use memu_core::{Error, ErrorKind, Result};
use serde::Serialize;

use super::{Place, files, refuse_itself};
use crate::disk::{behind_links, beside, folder_of, put_in_place, size_of};
use crate::sqlite::backup::{copy_database, settle};

/// What a restore did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RestoreReport {
    /// The copy.
    pub from: PathBuf,
    /// The memory that it is now.
    pub to: PathBuf,
    /// Where the memory is that was there before.
    pub replaced: Option<PathBuf>,
    /// The size of the database, in bytes.
    pub bytes: u64,
    /// How many large files lie beside it.
    pub files: u64,
    /// Large files that the copy lacks, or whose bytes are not those stored.
    pub broken_files: Vec<String>,
}

pub(super) fn restore_here(
    from: &Path,
    to: &Place,
    force: bool,
    progress: impl FnMut(u64, u64) -> bool,
) -> Result<RestoreReport> {
    let database = &to.database;
    refuse_itself(from, database)?;
    let old = std::fs::metadata(database).is_ok();
    if old && !force {
        return Err(Error::conflict(
            "there is a memory already; --force puts the copy in its place and keeps it under \
             another name",
        )
        .with("file", database.display()));
    }
    // A link stays, and leads to what was restored.
    let target = behind_links(database);
    std::fs::create_dir_all(folder_of(&target)).map_err(|cause| {
        Error::permission("the folder of the memory cannot be made")
            .with("folder", folder_of(&target).display())
            .caused_by(cause)
    })?;
    let unfinished = beside(&target, &format!(".unfinished-{}", std::process::id()));
    copy_database(from, &unfinished, to.key.as_ref(), to.wait, progress)?;
    let placed = files::copy_files(
        &to.at(from.to_owned()).files(),
        &unfinished,
        to.key.as_ref(),
        &to.files(),
    )
    .and_then(|copied| {
        let replaced = if old {
            Some(put_aside(to, &target)?)
        } else {
            None
        };
        put_in_place(&unfinished, &target, replaced.as_deref().unwrap_or(from))?;
        Ok((copied, replaced))
    });
    if placed.is_err() {
        // What failed is what the caller must hear.
        let _ = std::fs::remove_file(&unfinished);
    }
    let (copied, replaced) = placed?;
    Ok(RestoreReport {
        from: from.to_owned(),
        to: database.clone(),
        replaced,
        bytes: size_of(database),
        files: copied.whole,
        broken_files: copied.broken,
    })
}

/// Gives the memory that is there another name, beside it, and keeps its own free for
/// the copy that replaces it in the next step.
fn put_aside(place: &Place, target: &Path) -> Result<PathBuf> {
    let database = &place.database;
    match settle(database, place.key.as_ref(), place.wait) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            // That is why somebody restores. What a damaged file has in its log goes along.
        }
        Err(error) if error.kind() == ErrorKind::Busy => {
            return Err(Error::busy("the memory is in use; stop what uses it first")
                .with("file", database.display())
                .caused_by(error));
        }
        Err(error) => return Err(error.with("file", database.display())),
    }
    let aside = free_name(target);
    let failed = |cause| {
        Error::storage("the memory cannot be put aside")
            .with("file", database.display())
            .caused_by(cause)
    };
    // A second name first, so that at no moment there is no memory; where the system has
    // no second names, the first one changes.
    std::fs::hard_link(target, &aside)
        .or_else(|_| std::fs::rename(target, &aside))
        .map_err(failed)?;
    for log in ["-wal", "-shm", "-journal"] {
        let stale = beside(target, log);
        if stale.exists() {
            std::fs::rename(&stale, beside(&aside, log)).map_err(failed)?;
        }
    }
    Ok(aside)
}

fn free_name(database: &Path) -> PathBuf {
    let now = SystemClock.now().as_micros() / 1_000_000;
    let names = (now..).map(|second| beside(database, &format!(".replaced-{second}")));
    let mut free = names.filter(|name| !name.exists());
    free.next().unwrap_or_else(|| beside(database, ".replaced"))
}
