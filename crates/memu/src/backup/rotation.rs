//! Copies with the time in their names, of which the newest are kept.

use std::path::{Path, PathBuf};

use memu_core::time::Timestamp;
use memu_core::{Error, Result};

use super::files::remove_files;
use super::{BackupReport, Place, Progress, back_up};

/// A folder of copies of one memory.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The folder.
    pub folder: PathBuf,
    /// How many copies stay; at least one.
    pub keep: usize,
}

impl Rotation {
    /// Makes a copy named after `now`, and removes the oldest ones above `keep`.
    ///
    /// # Errors
    /// As [`back_up`]; older copies stay then.
    pub async fn back_up(
        &self,
        from: &Place,
        now: Timestamp,
        progress: Progress,
    ) -> Result<BackupReport> {
        let stem = from.database.file_stem().unwrap_or_default();
        let stem = stem.to_string_lossy();
        let to = self.folder.join(format!("{stem}-{}.db", stamp(now)));
        let mut report = back_up(from, to, progress).await?;
        report.removed = self.remove_oldest(from, &stem)?;
        Ok(report)
    }

    fn remove_oldest(&self, from: &Place, stem: &str) -> Result<Vec<PathBuf>> {
        let mut copies = self.copies(stem)?;
        let surplus = copies.len().saturating_sub(self.keep.max(1));
        copies.truncate(surplus);
        for copy in &copies {
            std::fs::remove_file(copy).map_err(failed(copy))?;
            remove_files(&from.at(copy.clone()).files())?;
        }
        Ok(copies)
    }

    /// The copies that are there, the oldest first. Only names that this type gives are
    /// looked at.
    fn copies(&self, stem: &str) -> Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(&self.folder).map_err(failed(&self.folder))?;
        let mut copies = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed(&self.folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let time = name
                .strip_prefix(stem)
                .and_then(|rest| rest.strip_prefix('-'))
                .and_then(|rest| rest.strip_suffix(".db"));
            if time.is_some_and(is_stamp) {
                copies.push(path);
            }
        }
        copies.sort();
        Ok(copies)
    }
}

/// `20261124T022715Z`, in UTC, so that names sort as times.
fn stamp(now: Timestamp) -> String {
    let now = now.to_civil();
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        now.year(),
        now.month(),
        now.day(),
        now.hour(),
        now.minute(),
        now.second()
    )
}

fn is_stamp(text: &str) -> bool {
    text.len() == 16
        && text.char_indices().all(|(at, c)| match at {
            8 => c == 'T',
            15 => c == 'Z',
            _ => c.is_ascii_digit(),
        })
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error + use<> {
    let path = path.display().to_string();
    move |cause| {
        Error::storage("the folder of copies cannot be read or tidied")
            .with("file", &path)
            .caused_by(cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_copies_are_taken_for_copies() {
        let now = Timestamp::parse("2026-11-24 02:27:15").unwrap();
        assert_eq!(stamp(now), "20261124T022715Z");
        assert!(is_stamp("20261124T022715Z"));
        for other in [
            "",
            "20261124T022715",
            "20261124-022715Z",
            "2026112xT022715Z",
        ] {
            assert!(!is_stamp(other), "{other}");
        }
    }
}
