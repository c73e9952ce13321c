//! SQLite: one file that many processes share.
//!
//! One thread writes and several read, off the async runtime's threads. Writers of all
//! processes queue for the write lock; readers never wait. When no write is running,
//! the database file alone is a complete copy.

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
mod identity;
mod key;
mod open;
mod outlines;
mod read;
mod rekey;
mod rows;
mod schema;
mod scopes;
mod select;
mod sets;
mod tidy;
mod upgrade;
mod vectors;
mod workers;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use memu_core::environment::{Executor, offload};
use memu_core::filter::Filter;
use memu_core::records::{
    Blob, CategoryItem, Change, ContentHash, EmbedderIdentity, EmbeddingSet, Id, MemoryCategory,
    MemoryItem, ModelReply, OwnedEmbedding, OwnerKind, Resource, Segment,
};
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{
    BuiltScope, BuiltVector, Capabilities, Cleared, Committed, LogPosition, Page, Query, RecordIds,
    RecordSet, Report, ScopeOutline, ScopeState, Store, VectorHit, VectorQuery, WriteBatch,
};
use memu_core::{Error, Result};
use rusqlite::Connection;

use self::commit::Layout;
use self::connection::{Access, write};
use self::identity::Identity;
pub use self::key::Key;
use self::open::Opened;
pub(crate) use self::rekey::Rekey;
use self::tidy::Tidy;
pub use self::upgrade::{Unread, UpgradeReport, VectorsOfUnknown, preview_upgrade};
use self::workers::{Gate, Workers};
use crate::TokioExecutor;
use crate::settings::EmbeddingFormat;

/// How to open a SQLite store.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file, created with its folders where it does not exist; `None` for a
    /// database in memory.
    pub path: Option<PathBuf>,
    /// The scope fields that the store must have; `None` takes those it has.
    pub schema: Option<ScopeSchema>,
    /// The scope fields of a store that is created and for which `schema` says
    /// nothing; `None` for `user_id`.
    pub default_schema: Option<ScopeSchema>,
    /// How long a writer waits for others. Default 30 s.
    pub busy_timeout: Duration,
    /// How many readers may read at once. Default 4.
    pub pool_size: usize,
    /// Whether files and tables may be created.
    pub create: bool,
    /// Whether a vector search must never miss one of the nearest. Default false: it
    /// misses fewer than one in a thousand, and is faster.
    pub exact_search: bool,
    /// The key of an encrypted file. Default `None`: it is not encrypted.
    pub key: Option<Key>,
    /// How vectors are stored from now on. Default `f32`.
    pub embedding_format: EmbeddingFormat,
}

impl Options {
    /// A file with default settings.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            path: Some(path.into()),
            ..Self::in_memory()
        }
    }

    /// A database in memory, gone with the store.
    pub fn in_memory() -> Self {
        Self {
            path: None,
            schema: None,
            default_schema: None,
            busy_timeout: Duration::from_secs(30),
            pool_size: 4,
            create: true,
            exact_search: false,
            key: None,
            embedding_format: EmbeddingFormat::F32,
        }
    }
}

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
        // Reports and errors name the path as it was given; what lasts must hold when the
        // program moves to another folder.
        let lasting = options.path.as_deref();
        let lasting = lasting.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.into()));
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
                Some(Arc::new(Workers::readers(connections?, gate.clone())?))
            }
        };
        let identity = lasting.as_deref();
        let identity = identity
            .map(|path| Identity::new(path, read_only))
            .transpose();
        let mut tidy = Tidy::new(lasting.clone(), options.key.clone(), options.busy_timeout);
        tidy.at_open(&connection);
        let tidy = Arc::new(Mutex::new(tidy));
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
            readers,
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
                let written = work(connection, &shared, cancelled);
                match &written {
                    Ok(_) => shared.tidy().after_write(connection),
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

#[async_trait]
impl Store for SqliteStore {
    fn capabilities(&self) -> Capabilities {
        let durable = self.shared.path.is_some();
        Capabilities {
            provider: "sqlite",
            durable,
            multi_process: durable,
            exact_search: self.shared.exact_search,
        }
    }

    fn schema(&self) -> &ScopeSchema {
        &self.schema
    }

    async fn scopes(&self, filter: &Filter, limit: usize) -> Result<Vec<ScopeState>> {
        let (schema, filter) = (self.schema.clone(), filter.clone());
        self.read(move |connection| scopes::scopes(connection, &schema, &filter, limit))
            .await
    }

    async fn log_position(&self, scope: &Scope) -> Result<LogPosition> {
        let scope = scope.clone();
        self.read(move |connection| {
            Ok(scopes::log_position(scopes::scope_row(connection, &scope)?))
        })
        .await
    }

    async fn resources(&self, query: &Query) -> Result<Page<Resource>> {
        let query = query.clone();
        self.read(move |connection| read::page(connection, &query))
            .await
    }

    async fn segments(&self, query: &Query) -> Result<Page<Segment>> {
        let query = query.clone();
        self.read(move |connection| read::page(connection, &query))
            .await
    }

    async fn items(&self, query: &Query) -> Result<Page<MemoryItem>> {
        let query = query.clone();
        self.read(move |connection| read::item_page(connection, &query))
            .await
    }

    async fn categories(&self, query: &Query) -> Result<Page<MemoryCategory>> {
        let query = query.clone();
        self.read(move |connection| read::page(connection, &query))
            .await
    }

    async fn relations(&self, query: &Query) -> Result<Page<CategoryItem>> {
        let query = query.clone();
        self.read(move |connection| read::page(connection, &query))
            .await
    }

    async fn model_replies(&self, query: &Query) -> Result<Page<ModelReply>> {
        let query = query.clone();
        self.read(move |connection| read::page(connection, &query))
            .await
    }

    async fn blob(&self, scope: &Scope, hash: &ContentHash) -> Result<Option<Blob>> {
        let (scope, hash) = (scope.clone(), *hash);
        self.read(move |connection| read::blob(connection, &scope, &hash))
            .await
    }

    async fn embeddings(
        &self,
        scope: &Scope,
        identity: &EmbedderIdentity,
        kind: OwnerKind,
        owners: &[Id],
    ) -> Result<Vec<OwnedEmbedding>> {
        let (scope, identity, owners) = (scope.clone(), identity.clone(), owners.to_vec());
        self.read(move |connection| {
            vectors::embeddings(connection, &scope, &identity, kind, &owners)
        })
        .await
    }

    async fn embedding_sets(&self) -> Result<Vec<EmbeddingSet>> {
        self.read(read::embedding_sets).await
    }

    async fn changes(&self, scope: &Scope, after: u64, limit: usize) -> Result<Vec<Change>> {
        let scope = scope.clone();
        self.read(move |connection| scopes::changes(connection, &scope, after, limit))
            .await
    }

    async fn search(&self, query: &VectorQuery) -> Result<Vec<VectorHit>> {
        let (query, shared) = (query.clone(), self.shared.clone());
        self.read(move |connection| {
            codes::search(connection, &shared.codes, shared.exact_search, &query)
        })
        .await
    }

    async fn outline(
        &self,
        scope: &Scope,
        known: Option<Arc<ScopeOutline>>,
    ) -> Result<Arc<ScopeOutline>> {
        let scope = scope.clone();
        self.read(move |connection| outlines::outline(connection, &scope, known))
            .await
    }

    async fn ids(&self, kind: OwnerKind, query: &Query) -> Result<Vec<Id>> {
        let query = query.clone();
        self.read(move |connection| read::ids(connection, kind, &query))
            .await
    }

    async fn records(&self, scope: &Scope, ids: &RecordIds) -> Result<RecordSet> {
        let (scope, ids) = (scope.clone(), ids.clone());
        self.read(move |connection| read::records(connection, &scope, ids))
            .await
    }

    async fn commit(&self, batch: WriteBatch) -> Result<Committed> {
        self.write(move |connection, shared, cancelled| {
            let (schema, columns) = (&shared.schema, &shared.columns);
            commit::commit(connection, schema, columns, shared.wait, cancelled, &batch)
        })
        .await
    }

    async fn clear(&self, scopes: &[Scope]) -> Result<Cleared> {
        let scopes = scopes.to_vec();
        self.write(move |connection, shared, cancelled| {
            clear::clear(connection, shared.wait, cancelled, &scopes)
        })
        .await
    }

    async fn begin_set(&self, identity: &EmbedderIdentity) -> Result<()> {
        let identity = identity.clone();
        self.write(move |connection, shared, cancelled| {
            write(connection, shared.wait, cancelled, || {
                sets::begin(connection, &identity)
            })
        })
        .await
    }

    async fn build_vectors(
        &self,
        scope: &Scope,
        identity: &EmbedderIdentity,
        vectors: Vec<BuiltVector>,
    ) -> Result<usize> {
        let (scope, identity) = (scope.clone(), identity.clone());
        self.write(move |connection, shared, cancelled| {
            write(connection, shared.wait, cancelled, || {
                let format = shared.columns.format();
                sets::build(connection, format, &scope, &identity, &vectors)
            })
        })
        .await
    }

    async fn activate_set(
        &self,
        identity: &EmbedderIdentity,
        built: Vec<BuiltScope>,
    ) -> Result<Vec<Scope>> {
        let identity = identity.clone();
        self.write(move |connection, shared, cancelled| {
            write(connection, shared.wait, cancelled, || {
                sets::activate(connection, &shared.schema, &identity, &built)
            })
        })
        .await
    }

    async fn drop_replaced(&self, limit: usize) -> Result<usize> {
        self.write(move |connection, shared, cancelled| {
            write(connection, shared.wait, cancelled, || {
                sets::drop_replaced(connection, shared.columns.format(), limit)
            })
        })
        .await
    }

    async fn check(&self, repair: bool) -> Result<Report> {
        let shared = self.shared.clone();
        let look = move |connection: &Connection, cancelled: &dyn Fn() -> bool| {
            let (schema, path) = (&shared.schema, shared.path.as_deref());
            check::check(connection, schema, path, shared.wait, cancelled, repair)
        };
        if repair {
            return self
                .write(move |connection, _, cancelled| look(connection, cancelled))
                .await;
        }
        // Nothing is written: that can be done to any file.
        let readers = self.readers.as_ref().unwrap_or(&self.writer);
        readers.run(look).await
    }

    async fn close(&self) -> Result<()> {
        let shared = self.shared.clone();
        let tidied = self
            .writer
            .run(move |connection, _| {
                shared.tidy().close(connection);
                Ok(())
            })
            .await;
        let (readers, writer) = (self.readers.clone(), self.writer.clone());
        offload(&TokioExecutor as &dyn Executor, move || {
            // The writer last and alone: the last connection removes the empty write-ahead
            // log, unless another one is closing at the same time.
            for workers in readers.iter().chain([&writer]) {
                workers.close();
                workers.join();
            }
        })
        .await?;
        match tidied {
            Err(error) if error.kind() != memu_core::ErrorKind::Storage => Err(error),
            // Closed before: nothing was left to do.
            _ => Ok(()),
        }
    }
}
