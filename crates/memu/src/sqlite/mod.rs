//! SQLite: one file that many processes share.
//!
//! One thread writes and several read, off the async runtime's threads. Writers of all
//! processes queue for the write lock; readers never wait. When no write is running,
//! the database file alone is a complete copy.

mod ahead;
pub(crate) mod backup;
mod check;
#[cfg(feature = "sqlcipher")]
mod cipher;
mod clear;
mod codes;
mod commit;
mod connection;
mod error;
mod filter;
#[cfg(unix)]
mod forks;
mod identity;
mod key;
pub(crate) mod large_files;
mod open;
mod options;
mod outlines;
mod queue;
mod read;
mod rekey;
mod rows;
mod schema;
mod scopes;
mod select;
mod sets;
mod store;
mod tidy;
mod upgrade;
mod usage;
mod vectors;
mod workers;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use memu_core::environment::{Executor, offload};
pub use memu_core::original::{Unread, UpgradeReport, VectorsOfUnknown};
use memu_core::scope::ScopeSchema;
use memu_core::{Error, Result};
use rusqlite::Connection;

use self::commit::Layout;
use self::connection::Access;
use self::identity::Identity;
pub use self::key::Key;
pub(crate) use self::key::is_refused_key;
use self::open::Opened;
pub use self::options::Options;
pub(crate) use self::rekey::Rekey;
use self::tidy::Tidy;
pub(crate) use self::upgrade::copy_original;
pub use self::upgrade::preview_upgrade;
use self::workers::{Gate, Workers};
use crate::TokioExecutor;
use crate::disk::lasting;

/// A store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    schema: ScopeSchema,
    shared: Arc<Shared>,
    writer: Arc<Workers>,
    /// `None` for a database in memory, whose only connection does everything.
    readers: Option<Arc<Workers>>,
    upgraded: Option<UpgradeReport>,
    encrypted: bool,
}

/// What jobs on the threads need to know.
#[derive(Debug)]
struct Shared {
    path: Option<PathBuf>,
    identity: Option<Identity>,
    read_only: bool,
    wait: Duration,
    schema: ScopeSchema,
    columns: Layout,
    exact_search: bool,
    codes: codes::Cache,
    tidy: Arc<Mutex<Tidy>>,
}

impl Shared {
    /// Refuses to go on with files that are not what they were.
    fn check_files(&self) -> Result<()> {
        self.identity.as_ref().map_or(Ok(()), Identity::check)
    }

    /// Refuses writes that could not be kept.
    fn check_writable(&self) -> Result<()> {
        if self.read_only {
            return Err(Error::permission(
                "the database is open for reading only: the file or its folder cannot be written, \
                 or its file system lets no two programs share it",
            ));
        }
        self.tidy().check()?;
        self.check_files()
    }

    fn tidy(&self) -> MutexGuard<'_, Tidy> {
        self.tidy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SqliteStore {
    /// Opens or creates a store. Any number of processes may open the same new file at
    /// once. A file of memU 1.x is upgraded in place after a backup, which
    /// [`Self::upgraded`] tells about; one of an earlier version of MemU is brought up to
    /// date.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](memu_core::ErrorKind::Corrupt) when the file is no SQLite
    /// database; [`ErrorKind::TooNew`](memu_core::ErrorKind::TooNew) when a newer
    /// version wrote it; [`ErrorKind::Unsupported`](memu_core::ErrorKind::Unsupported)
    /// when it belongs to another program, or needs an upgrade that `create` does not allow;
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config) when it has other scope
    /// fields; [`ErrorKind::Permission`](memu_core::ErrorKind::Permission) when it is
    /// encrypted and the key is missing or another one, or the other way round; this and
    /// [`ErrorKind::Storage`](memu_core::ErrorKind::Storage) when it cannot be read or
    /// written; [`ErrorKind::Busy`](memu_core::ErrorKind::Busy) when others lock it for
    /// longer than the wait. A file that is refused is left as it is.
    ///
    /// A file that can only be read, without a log beside it, is opened for reading; writes
    /// fail with [`ErrorKind::Permission`](memu_core::ErrorKind::Permission).
    pub async fn open(options: Options) -> Result<Self> {
        offload(&TokioExecutor as &dyn Executor, move || {
            Self::open_here(&options)
        })
        .await?
    }

    fn open_here(options: &Options) -> Result<Self> {
        // Reports and errors name the path as it was given.
        let lasting = options.path.as_deref().map(lasting);
        let named = |error: Error| match &options.path {
            Some(path) if !error.context().iter().any(|(key, _)| *key == "file") => {
                error.with("file", path.display())
            }
            _ => error,
        };
        let Opened {
            connection,
            schema,
            upgraded,
            read_only,
        } = open::open_first(options).map_err(named)?;
        let access = if read_only {
            Access::Immutable
        } else {
            Access::Write
        };
        let gate = Arc::new(Gate::default());
        let readers = match &options.path {
            None => None,
            Some(path) => {
                let key = options.key.as_ref();
                let open =
                    || open::open_another(path, key, access, options.busy_timeout).map_err(named);
                let connections: Result<Vec<Connection>> =
                    (0..options.pool_size.max(1)).map(|_| open()).collect();
                Some(connections?)
            }
        };
        let identity = lasting.as_deref();
        let identity = identity
            .map(|path| Identity::new(path, read_only))
            .transpose();
        let mut tidy = Tidy::new(lasting.clone(), options.key.clone(), options.busy_timeout);
        tidy.at_open(&connection);
        let tidy = Arc::new(Mutex::new(tidy));
        let readers = readers
            .map(|connections| Workers::readers(connections, &tidy, gate.clone()))
            .transpose()?;
        Ok(Self {
            shared: Arc::new(Shared {
                tidy: tidy.clone(),
                identity: identity.map_err(named)?,
                read_only,
                path: lasting,
                wait: options.busy_timeout,
                columns: Layout::new(&schema, options.embedding_format),
                exact_search: options.exact_search,
                codes: codes::Cache::default(),
                schema: schema.clone(),
            }),
            writer: Arc::new(Workers::writer(connection, tidy, gate)?),
            schema,
            readers: readers.map(Arc::new),
            upgraded,
            encrypted: options.key.is_some(),
        })
    }

    /// What opening did to a file of memU 1.x; `None` when it was ours already.
    pub fn upgraded(&self) -> Option<&UpgradeReport> {
        self.upgraded.as_ref()
    }

    /// Runs a read on a thread of its own, as of one moment.
    async fn read<T, F>(&self, read: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let shared = self.shared.clone();
        self.readers
            .as_ref()
            .unwrap_or(&self.writer)
            .run(move |connection, _| {
                shared.check_files()?;
                let value = read::snapshot(connection, || read(connection))?;
                if shared.read_only {
                    // Without locks, only this tells that nobody wrote meanwhile.
                    shared.check_files()?;
                }
                Ok(value)
            })
            .await
    }

    /// Runs a write on the writing thread; afterwards the file alone is a complete copy
    /// unless a reader prevents it.
    async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &Shared, &dyn Fn() -> bool) -> Result<T> + Send + 'static,
    {
        let shared = self.shared.clone();
        self.writer
            .run(move |connection, cancelled| {
                shared.check_writable()?;
                let began = Instant::now();
                let written = work(connection, &shared, cancelled);
                match &written {
                    Ok(_) => shared.tidy().after_write(connection, began),
                    Err(error) => shared.tidy().note(connection, error),
                }
                let value = written?;
                // Whoever deleted the file in the meantime deleted what was written.
                shared.check_files()?;
                Ok(value)
            })
            .await
    }
}

/// SQLCipher and OpenSSL let go of what they need when the program ends, whether or not a
/// thread still uses it. So the threads of an encrypted store end with it.
impl Drop for SqliteStore {
    fn drop(&mut self) {
        if self.encrypted {
            for workers in self.readers.iter().chain([&self.writer]) {
                workers.close();
                workers.join();
            }
        }
    }
}
