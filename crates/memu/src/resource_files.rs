//! Large files in a folder of this machine.

use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use memu_core::environment::{Executor, offload};
use memu_core::records::ContentHash;
use memu_core::service::ResourceFiles;
use memu_core::{Error, Result};

/// How the names of files that are being written begin.
const UNFINISHED: &str = ".unfinished-";

/// A folder for large files. It is made when the first file comes.
#[derive(Clone, Debug)]
pub struct LocalFiles {
    root: PathBuf,
    executor: Arc<dyn Executor>,
}

impl LocalFiles {
    /// Files under `root`, read and written on `executor`.
    pub fn new(root: PathBuf, executor: Arc<dyn Executor>) -> Self {
        Self { root, executor }
    }

    /// The place of a file. A name that leads out of the folder is refused.
    fn place(&self, name: &str) -> Result<PathBuf> {
        let path = Path::new(name);
        let inside = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if name.is_empty() || !inside {
            return Err(Error::corrupt("a file's name leads out of its folder").with("name", name));
        }
        Ok(self.root.join(path))
    }
}

#[async_trait]
impl ResourceFiles for LocalFiles {
    async fn keep(&self, name: &str, bytes: Arc<[u8]>) -> Result<()> {
        let place = self.place(name)?;
        offload(&*self.executor, move || {
            write(&place, &bytes).map_err(failed(&place))
        })
        .await?
    }

    async fn remove(&self, name: &str) -> Result<()> {
        let place = self.place(name)?;
        offload(&*self.executor, move || {
            match std::fs::remove_file(&place) {
                Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                    Err(failed(&place)(cause))
                }
                _ => {
                    // The folder of a scope goes with its last file; a full one stays.
                    if let Some(folder) = place.parent() {
                        let _ = std::fs::remove_dir(folder);
                    }
                    Ok(())
                }
            }
        })
        .await?
    }

    async fn hash(&self, name: &str) -> Result<Option<ContentHash>> {
        let place = self.place(name)?;
        offload(&*self.executor, move || match std::fs::File::open(&place) {
            Ok(file) => hash(file).map(Some).map_err(failed(&place)),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(failed(&place)(cause)),
        })
        .await?
    }

    async fn names(&self) -> Result<Vec<String>> {
        let root = self.root.clone();
        offload(&*self.executor, move || names(&root).map_err(failed(&root))).await?
    }
}

/// Writes a file under another name, makes it durable, and renames it.
fn write(place: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if place.exists() {
        return Ok(());
    }
    let folder = place.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = folder.join(format!("{UNFINISHED}{}-{name}", std::process::id()));
    let mut file = std::fs::File::create(&unfinished)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(cause) = written.and_then(|()| std::fs::rename(&unfinished, place)) {
        let _ = std::fs::remove_file(&unfinished);
        return Err(cause);
    }
    // Folders are made durable where the system can.
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn hash(mut file: std::fs::File) -> std::io::Result<ContentHash> {
    let mut hasher = blake3::Hasher::new();
    std::io::copy(&mut file, &mut hasher)?;
    Ok(ContentHash::from_bytes(*hasher.finalize().as_bytes()))
}

/// `scope/hash` of every file, sorted, unfinished ones included.
fn names(root: &Path) -> std::io::Result<Vec<String>> {
    let folders = match std::fs::read_dir(root) {
        Ok(folders) => folders,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(cause),
    };
    let mut names = Vec::new();
    for folder in folders {
        let folder = folder?;
        if !folder.file_type()?.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(folder.path())? {
            let (folder, file) = (folder.file_name(), file?.file_name());
            names.push(format!(
                "{}/{}",
                folder.to_string_lossy(),
                file.to_string_lossy()
            ));
        }
    }
    names.sort();
    Ok(names)
}

fn failed(place: &Path) -> impl Fn(std::io::Error) -> Error {
    let place = place.display().to_string();
    move |cause| {
        let error = if cause.kind() == std::io::ErrorKind::PermissionDenied {
            Error::permission("a large file may not be read or written")
        } else {
            Error::storage("a large file cannot be read or written")
        };
        error.with("file", &place).caused_by(cause)
    }
}

#[cfg(test)]
mod tests {
    use memu_core::conformance::block_on;
    use memu_core::environment::InlineExecutor;

    use super::*;

    #[test]
    fn files_are_kept_found_and_removed_with_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("deep/resources");
        let files = LocalFiles::new(root.clone(), Arc::new(InlineExecutor));
        assert!(block_on(files.names()).unwrap().is_empty());
        let bytes: Arc<[u8]> = b"film".as_slice().into();
        block_on(files.keep("ab/cd", bytes.clone())).unwrap();
        block_on(files.keep("ab/cd", bytes.clone())).unwrap();
        assert_eq!(block_on(files.names()).unwrap(), ["ab/cd"]);
        let hash = block_on(files.hash("ab/cd")).unwrap();
        assert_eq!(hash, Some(ContentHash::of(&bytes)));
        assert_eq!(block_on(files.hash("ab/ef")).unwrap(), None);
        block_on(files.remove("ab/cd")).unwrap();
        block_on(files.remove("ab/cd")).unwrap();
        assert!(!root.join("ab").exists());
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let files = LocalFiles::new(folder.path().to_owned(), Arc::new(InlineExecutor));
        for name in ["", "../x", "/etc/passwd", "a/../../x"] {
            let error = block_on(files.hash(name)).unwrap_err();
            assert_eq!(error.kind(), memu_core::ErrorKind::Corrupt, "{name}");
        }
    }
}
