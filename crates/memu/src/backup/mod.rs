//! Copies of a memory that is in use, and bringing one back.
//!
//! A copy is a memory itself: it can be opened, asked and copied back. Its large files
//! lie beside it in the same way as those of the original.

mod files;
mod rekey;
mod restore;
mod rotation;

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use memu_core::environment::{Executor, offload};
use memu_core::{Error, Result};
use serde::Serialize;

pub use rekey::RekeyReport;
pub use restore::RestoreReport;
pub use rotation::Rotation;

use crate::TokioExecutor;
use crate::disk::{behind_links, beside, folder_of, lasting, put_in_place, size_of};
use crate::sqlite::backup::{copy_database, settle};
use crate::sqlite::{Key, is_refused_key};

/// Where a memory in a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The database file, or a symbolic link to it.
    pub database: PathBuf,
    /// The folder of large files, beside the database when relative; as
    /// `blob_config.resources_dir`.
    pub resources_dir: PathBuf,
    /// The key of an encrypted database; its copies have the same.
    pub key: Option<Key>,
    /// How long to wait for others.
    pub wait: Duration,
}

impl Place {
    /// The same kind of place with another database file.
    #[must_use]
    pub fn at(&self, database: PathBuf) -> Self {
        Self {
            database,
            ..self.clone()
        }
    }

    /// The folder of this database's large files. However many symbolic links lead to the
    /// database, it has one.
    pub fn files(&self) -> PathBuf {
        let database = behind_links(&self.database);
        let beside = database.parent().unwrap_or(Path::new(""));
        beside
            .join(&self.resources_dir)
            .join(database.file_name().unwrap_or_default())
            // Without the `.` of `./data` in the middle, which reads badly.
            .components()
            .collect()
    }

    /// The large files that lie legible in the folder of an encrypted memory, which has its own
    /// in itself: of the time before it was encrypted, or those of another memory of the same
    /// name, when [`Self::resources_dir`] is not beside the database.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](memu_core::ErrorKind::Storage) when the folder cannot be read.
    pub fn legible_files(&self) -> Result<Vec<PathBuf>> {
        match self.key {
            Some(_) => files::lying_beside(self),
            None => Ok(Vec::new()),
        }
    }

    /// Whether no database of the same name, in another folder, has its large files in the
    /// same place.
    fn has_folder_alone(&self) -> bool {
        let parts = self.resources_dir.components();
        let below = parts
            .into_iter()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        // Links may lead elsewhere.
        below && lasting(&self.files()).starts_with(folder_of(&lasting(&self.database)))
    }
}

/// What a backup did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BackupReport {
    /// The memory that was copied.
    pub from: PathBuf,
    /// The copy.
    pub to: PathBuf,
    /// The size of the copied database, in bytes.
    pub bytes: u64,
    /// How many large files lie beside the copy.
    pub files: u64,
    /// Large files that the original lacks, or whose bytes are not those stored.
    pub broken_files: Vec<String>,
    /// Older copies that were removed to make room.
    pub removed: Vec<PathBuf>,
}

/// Is told how far a copy has come, in bytes of so many.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Copies a memory into a file, as of one moment, while others read and write it. The
/// copy is complete, verified and durable before it gets its name; a copy of that name
/// that was there is replaced in one step.
///
/// # Errors
/// [`ErrorKind::Input`](memu_core::ErrorKind::Input) when `to` is the memory itself or a
/// file that is no copy of one; [`ErrorKind::Permission`](memu_core::ErrorKind::Permission) when
/// `to` is a file that the key does not open; [`ErrorKind::Busy`](memu_core::ErrorKind::Busy) when
/// somebody has the old copy open; [`ErrorKind::Corrupt`](memu_core::ErrorKind::Corrupt)
/// when the memory is damaged; [`ErrorKind::Storage`](memu_core::ErrorKind::Storage)
/// when there is no room. Nothing is left of a copy that fails or is dropped.
pub async fn back_up(from: &Place, to: PathBuf, progress: Progress) -> Result<BackupReport> {
    let from = from.clone();
    uninterrupted(move |go_on| {
        let tell = |done, total| {
            progress(done, total);
            go_on()
        };
        back_up_here(&from, &to, tell)
    })
    .await
}

/// Brings a copy back in the place of a memory. What was there stays beside it under
/// another name, if `force` says so; otherwise nothing may be there.
///
/// # Errors
/// As [`back_up`], for a copy that is damaged, newer or none;
/// [`ErrorKind::Conflict`](memu_core::ErrorKind::Conflict) when a memory is there and
/// `force` is not given; [`ErrorKind::Busy`](memu_core::ErrorKind::Busy) when somebody
/// has it open. Nothing is changed then.
pub async fn restore(
    from: PathBuf,
    to: &Place,
    force: bool,
    progress: Progress,
) -> Result<RestoreReport> {
    let to = to.clone();
    uninterrupted(move |go_on| {
        let tell = |done, total| {
            progress(done, total);
            go_on()
        };
        restore::restore_here(&from, &to, force, tell)
    })
    .await
}

/// Gives a memory another key, or none, or one that had none. It is written anew beside the
/// old file and takes its place when it is proved sound; meanwhile nobody else can open it.
/// An encrypted memory keeps its large files in the database. Older copies stay as they are.
///
/// # Errors
/// [`ErrorKind::Input`](memu_core::ErrorKind::Input) when the key is what it was;
/// [`ErrorKind::Busy`](memu_core::ErrorKind::Busy) when somebody has the memory open;
/// [`ErrorKind::Permission`](memu_core::ErrorKind::Permission) when the place's key is not the
/// memory's; [`ErrorKind::Corrupt`](memu_core::ErrorKind::Corrupt) when the memory or a large
/// file is damaged. The memory is as it was then; what goes wrong after the new file is in its
/// place, the report says. When the future is dropped, the work is given up before that step;
/// where it is under way already, the memory has the new key. It is never in between.
pub async fn rekey(place: &Place, new: Option<Key>) -> Result<RekeyReport> {
    let place = place.clone();
    uninterrupted(move |wanted| rekey::rekey_here(&place, new.as_ref(), wanted)).await
}

/// Runs work on another thread; it is told when nobody waits for it any more.
async fn uninterrupted<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&dyn Fn() -> bool) -> Result<T> + Send + 'static,
{
    struct Waiting(Arc<AtomicBool>);
    impl Drop for Waiting {
        fn drop(&mut self) {
            self.0.store(false, Ordering::SeqCst);
        }
    }
    let wanted = Arc::new(AtomicBool::new(true));
    let _waiting = Waiting(wanted.clone());
    let work = move || work(&|| wanted.load(Ordering::SeqCst));
    offload(&TokioExecutor as &dyn Executor, work).await?
}

fn back_up_here(
    from: &Place,
    to: &Path,
    progress: impl FnMut(u64, u64) -> bool,
) -> Result<BackupReport> {
    refuse_itself(&from.database, to)?;
    make_way(to, from)?;
    // A link stays, and leads to the new copy.
    let target = behind_links(to);
    std::fs::create_dir_all(folder_of(&target)).map_err(|cause| {
        Error::permission("the folder of the copy cannot be made")
            .with("folder", folder_of(&target).display())
            .caused_by(cause)
    })?;
    let unfinished = beside(&target, &format!(".unfinished-{}", std::process::id()));
    copy_database(
        &from.database,
        &unfinished,
        from.key.as_ref(),
        from.wait,
        progress,
    )?;
    let copied = files::copy_files(
        &from.files(),
        &unfinished,
        from.key.as_ref(),
        &from.at(to.to_owned()).files(),
    )
    .and_then(|copied| put_in_place(&unfinished, &target, &from.database).map(|()| copied));
    if copied.is_err() {
        // What failed is what the caller must hear.
        let _ = std::fs::remove_file(&unfinished);
    }
    let copied = copied?;
    Ok(BackupReport {
        from: from.database.clone(),
        to: to.to_owned(),
        bytes: size_of(to),
        files: copied.whole,
        broken_files: copied.broken,
        removed: Vec::new(),
    })
}

fn refuse_itself(from: &Path, to: &Path) -> Result<()> {
    let same = match (from.canonicalize(), to.canonicalize()) {
        (Ok(from), Ok(to)) => from == to,
        _ => false,
    };
    if same {
        return Err(
            Error::input("the copy would overwrite the memory itself").with("file", to.display())
        );
    }
    Ok(())
}

/// Lets a new copy take the name of an old one, which nobody may have open.
fn make_way(to: &Path, from: &Place) -> Result<()> {
    let file = |error: Error| error.with("file", to.display());
    match std::fs::metadata(to) {
        Err(_) => return Ok(()),
        Ok(metadata) if metadata.is_dir() => {
            return Err(file(Error::input("this is a folder; name a file in it")));
        }
        Ok(_) => {}
    }
    crate::sqlite::backup::open_ours(to, from.key.as_ref(), from.wait).map_err(|cause| {
        file(if is_refused_key(&cause) {
            Error::permission(
                "the file that is there cannot be opened with this key, and is not overwritten; \
                 choose another name, or move it away",
            )
        } else {
            Error::input("this file is no copy of a memory, and is not overwritten")
        })
        .caused_by(cause)
    })?;
    settle(to, from.key.as_ref(), from.wait).map_err(|error| {
        Error::new(error.kind(), "the old copy is in use")
            .with("file", to.display())
            .caused_by(error)
    })
}
