//! Large files in a folder of this machine.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use memu_core::environment::{Executor, offload};
use memu_core::records::ContentHash;
use memu_core::scope::ScopeKey;
use memu_core::service::ResourceFiles;
use memu_core::store::Lease;
use memu_core::{Error, Result};

/// How the names of files that are being written begin.
const UNFINISHED: &str = ".unfinished-";

/// The file whose lock tells that files are being kept (shared) or removed (alone).
pub(crate) const LOCK: &str = ".lock";

/// How long one waits for the lock, when nothing else is said.
const WAIT: Duration = Duration::from_secs(30);

/// The pause between two attempts to get the lock.
const PAUSE: Duration = Duration::from_millis(5);

/// A folder for large files. It is made when the first file comes.
#[derive(Clone, Debug)]
pub struct LocalFiles {
    root: PathBuf,
    executor: Arc<dyn Executor>,
    wait: Duration,
}

impl LocalFiles {
    /// Files under `root`, read and written on `executor`.
    pub fn new(root: &Path, executor: Arc<dyn Executor>) -> Self {
        Self {
            // Without the `.` of `./data` in the middle, which reads badly.
            root: root.components().collect(),
            executor,
            wait: WAIT,
        }
    }

    /// The same, waiting at most this long for others; otherwise 30 s.
    #[must_use]
    pub fn waiting(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// The place of a file. A name that leads out of the folder is refused.
    fn path(&self, name: &str) -> Result<PathBuf> {
        let path = Path::new(name);
        let inside = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if name.is_empty() || !inside {
            return Err(Error::corrupt("a file's name leads out of its folder").with("name", name));
        }
        Ok(self.root.join(path))
    }

    /// Runs `work` on the file of this name, off the caller's thread.
    async fn with<T, F>(&self, name: &str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Path) -> std::io::Result<T> + Send + 'static,
    {
        let path = self.path(name)?;
        offload(&*self.executor, move || work(&path).map_err(failed(&path))).await?
    }

    /// Waits for the lock; shared with others of its kind, or alone.
    async fn lock(&self, alone: bool) -> Result<Lease> {
        let (root, wait) = (self.root.clone(), self.wait);
        offload(&*self.executor, move || lock(&root, alone, wait)).await?
    }
}

#[async_trait]
impl ResourceFiles for LocalFiles {
    async fn keep(&self, name: &str, bytes: Arc<[u8]>) -> Result<Lease> {
        let path = self.path(name)?;
        let lease = self.lock(false).await?;
        let write = move || write(&path, &bytes).map_err(failed(&path));
        offload(&*self.executor, write).await??;
        Ok(lease)
    }

    async fn exclusive(&self) -> Result<Lease> {
        self.lock(true).await
    }

    async fn remove(&self, name: &str) -> Result<()> {
        self.with(name, |path| {
            match std::fs::remove_file(path) {
                Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(cause),
                _ => {}
            }
            // The folder of a scope goes with its last file; a full one stays.
            if let Some(folder) = path.parent() {
                let _ = std::fs::remove_dir(folder);
            }
            Ok(())
        })
        .await
    }

    async fn read(&self, name: &str) -> Result<Option<Arc<[u8]>>> {
        self.with(name, |path| {
            present(std::fs::read(path)).map(|bytes| bytes.map(Into::into))
        })
        .await
    }

    async fn hash(&self, name: &str) -> Result<Option<ContentHash>> {
        self.with(name, |path| {
            present(File::open(path))?.map(hash).transpose()
        })
        .await
    }

    async fn names(&self, scope: Option<&ScopeKey>) -> Result<Vec<String>> {
        let (root, scope) = (self.root.clone(), scope.map(ToString::to_string));
        let list = move || names(&root, scope.as_deref()).map_err(failed(&root));
        offload(&*self.executor, list).await?
    }

    fn place(&self, name: &str) -> String {
        self.root.join(name).display().to_string()
    }
}

/// What is not there is `None`.
fn present<T>(result: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// Takes the folder's lock, which lasts as long as the lease, and ends with the process
/// at the latest.
fn lock(root: &Path, alone: bool, wait: Duration) -> Result<Lease> {
    let path = root.join(LOCK);
    let file = std::fs::create_dir_all(root)
        .and_then(|()| {
            let mut options = OpenOptions::new();
            options.create(true).truncate(false).read(true).write(true);
            options.open(&path)
        })
        .map_err(failed(&path))?;
    let started = Instant::now();

    loop {
        let attempt = if alone {
            file.try_lock()
        } else {
            file.try_lock_shared()
        };
        match attempt {
            Ok(()) => return Ok(Lease::new(file)),
            Err(TryLockError::Error(cause)) => return Err(failed(&path)(cause)),
            Err(TryLockError::WouldBlock) if started.elapsed() >= wait => {
                return Err(Error::busy(format!(
                    "others kept or removed large files for {:.1} s; gave up",
                    started.elapsed().as_secs_f64()
                ))
                .with("folder", root.display()));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
        }
    }
}

/// Writes a file under another name, makes it durable, and renames it. What is there
/// stays if it has these bytes.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);

    if let Some(file) = present(File::open(path))?
        && hash(file)? == ContentHash::of(bytes)
    {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let unfinished = folder.join(format!(
        "{UNFINISHED}{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    ));
    let mut file = File::create(&unfinished)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(cause) = written.and_then(|()| std::fs::rename(&unfinished, path)) {
        let _ = std::fs::remove_file(&unfinished);
        return Err(cause);
    }
    // Folders are made durable where the system can.
    for folder in folder.ancestors().take(2) {
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
    }
    Ok(())
}

pub(crate) fn hash(mut file: File) -> std::io::Result<ContentHash> {
    let mut hasher = blake3::Hasher::new();
    std::io::copy(&mut file, &mut hasher)?;
    Ok(ContentHash::from_bytes(*hasher.finalize().as_bytes()))
}

/// Whether content belongs to a file of this name.
pub(crate) fn is_name_of(name: &str, content: ContentHash) -> bool {
    name.rsplit('/').next() == Some(&content.to_string())
}

/// `scope/hash` of every file, or of every file of a scope, sorted, unfinished ones
/// included. Nothing else in the folder is looked at.
pub(crate) fn names(root: &Path, scope: Option<&str>) -> std::io::Result<Vec<String>> {
    let folders = match scope {
        Some(scope) => vec![scope.to_owned()],
        None => entries(root)?,
    };
    let mut names = Vec::new();
    for folder in folders.iter().filter(|name| is_hex(name, 32)) {
        let files = entries(&root.join(folder))?.into_iter();
        let ours = files.filter(|name| is_hex(name, 64) || name.starts_with(UNFINISHED));
        names.extend(ours.map(|file| format!("{folder}/{file}")));
    }
    names.sort();
    Ok(names)
}

/// The names in a folder; none when it is not there, or no folder.
fn entries(folder: &Path) -> std::io::Result<Vec<String>> {
    let found = match std::fs::read_dir(folder) {
        Ok(found) => found,
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(cause) => return Err(cause),
    };
    found
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn is_hex(name: &str, length: usize) -> bool {
    name.len() == length && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error + use<> {
    let path = path.display().to_string();
    move |cause| {
        let error = if cause.kind() == ErrorKind::PermissionDenied {
            Error::permission("a large file may not be read or written")
        } else {
            Error::storage("a large file cannot be read or written")
        };
        error.with("file", &path).caused_by(cause)
    }
}

#[cfg(test)]
mod tests {
    use memu_core::conformance::block_on;
    use memu_core::environment::InlineExecutor;

    use super::*;

    const SCOPE: ScopeKey = ScopeKey::from_bytes([0xab; 16]);

    fn files(root: &Path) -> LocalFiles {
        LocalFiles::new(root, Arc::new(InlineExecutor)).waiting(Duration::from_millis(20))
    }

    fn film() -> (String, Arc<[u8]>) {
        let bytes: Arc<[u8]> = b"film".as_slice().into();
        (format!("{SCOPE}/{}", ContentHash::of(&bytes)), bytes)
    }

    #[test]
    fn files_are_kept_found_and_removed_with_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("deep/resources");
        let files = files(&root);
        assert!(block_on(files.names(None)).unwrap().is_empty());
        assert!(!root.exists(), "looking makes nothing");
        let (name, bytes) = film();
        drop(block_on(files.keep(&name, bytes.clone())).unwrap());
        drop(block_on(files.keep(&name, bytes.clone())).unwrap());
        let other = ScopeKey::from_bytes([1; 16]);
        for (scope, expected) in [
            (None, vec![name.clone()]),
            (Some(SCOPE), vec![name.clone()]),
            (Some(other), Vec::new()),
        ] {
            assert_eq!(block_on(files.names(scope.as_ref())).unwrap(), expected);
        }
        let hash = block_on(files.hash(&name)).unwrap();
        assert_eq!(hash, Some(ContentHash::of(&bytes)));
        assert_eq!(block_on(files.read(&name)).unwrap(), Some(bytes));
        assert_eq!(block_on(files.hash("ab/ef")).unwrap(), None);
        assert_eq!(block_on(files.read("ab/ef")).unwrap(), None);
        block_on(files.remove(&name)).unwrap();
        block_on(files.remove(&name)).unwrap();
        assert!(!root.join(SCOPE.to_string()).exists());
    }

    #[test]
    fn a_damaged_file_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let (name, bytes) = film();
        drop(block_on(files.keep(&name, bytes.clone())).unwrap());
        std::fs::write(folder.path().join(&name), "fil").unwrap();
        drop(block_on(files.keep(&name, bytes.clone())).unwrap());
        assert_eq!(block_on(files.read(&name)).unwrap(), Some(bytes));
    }

    #[test]
    fn nobody_removes_strays_while_a_file_waits_for_its_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (files(folder.path()), files(folder.path()));
        let (name, bytes) = film();
        let lease = block_on(one.keep(&name, bytes.clone())).unwrap();
        let second = block_on(other.keep(&name, bytes.clone())).unwrap();
        drop(lease);
        let error = block_on(other.exclusive()).unwrap_err();
        assert_eq!(error.kind(), memu_core::ErrorKind::Busy);
        drop(second);
        let alone = block_on(other.exclusive()).unwrap();
        let error = block_on(one.keep(&name, bytes.clone())).unwrap_err();
        assert_eq!(error.kind(), memu_core::ErrorKind::Busy);
        drop(alone);
        block_on(one.keep(&name, bytes)).unwrap();
    }

    #[test]
    fn what_others_put_into_the_folder_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let scope = folder.path().join(SCOPE.to_string());
        std::fs::create_dir_all(scope.join("nested")).unwrap();
        std::fs::create_dir(folder.path().join("holiday")).unwrap();
        for name in ["notes.txt", "holiday/a.jpg"] {
            std::fs::write(folder.path().join(name), "theirs").unwrap();
        }
        std::fs::write(scope.join("readme"), "theirs").unwrap();
        std::fs::write(scope.join(".unfinished-1-0"), "half").unwrap();
        let files = files(folder.path());
        let names = block_on(files.names(None)).unwrap();
        assert_eq!(names, [format!("{SCOPE}/.unfinished-1-0")]);
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        for name in ["", "../x", "/etc/passwd", "a/../../x"] {
            let error = block_on(files.hash(name)).unwrap_err();
            assert_eq!(error.kind(), memu_core::ErrorKind::Corrupt, "{name}");
        }
    }
}
