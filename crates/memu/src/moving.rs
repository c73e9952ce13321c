//! Opening the two ends of a move: see [`memu_core::transfer`].

use std::path::Path;
use std::sync::Arc;

use memu_core::environment::{Executor, offload};
use memu_core::scope::ScopeSchema;
use memu_core::store::InMemoryStore;
use memu_core::transfer::Side;
use memu_core::{Error, Result};
use tempfile::TempDir;

use crate::disk::lasting;
use crate::settings::EmbeddingFormat;
use crate::sqlite::SqliteStore;
use crate::sqlite::{Key, UpgradeReport, copy_original, preview_upgrade};
use crate::{Dsn, MemoryServiceBuilder, TokioExecutor, sqlite};

/// An open end of a move.
#[derive(Debug)]
pub struct End {
    /// The store with its large files.
    pub side: Side,
    /// Where it is, without a password.
    pub place: Dsn,
    /// What was taken over from a file of memU 1.x, of which a copy is read.
    pub upgraded: Option<UpgradeReport>,
    /// The copy; gone with this.
    _copy: Option<TempDir>,
}

/// Opens the memory that is to be moved. It must be there. A file of memU 1.x stays as it is:
/// a copy of it is upgraded and read.
///
/// # Errors
/// [`ErrorKind::NotFound`](memu_core::ErrorKind::NotFound) when there is no such file;
/// [`ErrorKind::Unsupported`](memu_core::ErrorKind::Unsupported) for a memory in this process
/// and tables of memU 1.x on a server; those of [`MemoryServiceBuilder::build`].
pub async fn open_source(builder: MemoryServiceBuilder) -> Result<End> {
    let place = outside(builder.dsn()?)?;
    refuse_original_tables(&builder).await?;
    let Dsn::Sqlite(file) = &place else {
        return open(builder, place).await;
    };
    if !file.is_file() {
        return Err(Error::not_found("there is no such file").with("file", file.display()));
    }
    let (file, key) = (file.clone(), builder.key()?);
    let copied = offload(&TokioExecutor as &dyn Executor, move || {
        original_in_a_copy(&file, key.as_ref())
    });
    let Some(folder) = copied.await?? else {
        return open(builder, place).await;
    };
    let options = sqlite::Options::file(folder.path().join(COPY));
    let store = SqliteStore::open(options).await?;
    let mut upgraded = store.upgraded().cloned();
    if let (Some(report), Dsn::Sqlite(file)) = (&mut upgraded, &place) {
        report.place = file.display().to_string();
        report.backup = None;
    }
    Ok(End {
        side: Side {
            store: Arc::new(store),
            files: None,
        },
        place,
        upgraded,
        _copy: Some(folder),
    })
}

/// Opens the store that a memory is to be moved to, or makes it, with the source's scope
/// fields. Vectors are kept in full, whatever format is configured for new ones.
///
/// # Errors
/// [`ErrorKind::Config`](memu_core::ErrorKind::Config) when the store has other scope fields;
/// [`ErrorKind::Input`](memu_core::ErrorKind::Input) when it is the source;
/// [`ErrorKind::Unsupported`](memu_core::ErrorKind::Unsupported) for a memory in this process
/// and what memU 1.x wrote; those of [`MemoryServiceBuilder::build`].
pub async fn open_target(builder: MemoryServiceBuilder, source: &End) -> Result<End> {
    let place = check_target(&builder, source).await?;
    let schema = source.side.store.schema();
    let mut builder = builder.scope_fields(schema.fields());
    let store = &mut builder.settings.database_config.metadata_store;
    if store.embedding_format == EmbeddingFormat::F16 {
        store.embedding_format = EmbeddingFormat::F32;
    }
    open(builder, place).await
}

/// Opens the store that records are to be added to, or makes it, with these scope fields unless
/// the settings name them.
///
/// # Errors
/// As [`MemoryServiceBuilder::build`], as far as they are about the store;
/// [`ErrorKind::Unsupported`](memu_core::ErrorKind::Unsupported) for a memory in this process.
pub async fn open_to_import(builder: MemoryServiceBuilder, fields: &[String]) -> Result<End> {
    let place = outside(builder.dsn()?)?;
    open(builder.default_scope_fields(fields.iter().cloned()), place).await
}

/// Refuses a memory that goes with this process, for what is to last.
///
/// # Errors
/// [`ErrorKind::Unsupported`](memu_core::ErrorKind::Unsupported) for one;
/// [`ErrorKind::Config`](memu_core::ErrorKind::Config) for a malformed DSN.
pub fn check_lasting(builder: &MemoryServiceBuilder) -> Result<()> {
    outside(builder.dsn()?).map(drop)
}

/// As [`open_target`], and makes nothing: a store that is not there is taken for an empty one.
///
/// # Errors
/// As [`open_target`].
pub async fn look_at_target(builder: MemoryServiceBuilder, source: &End) -> Result<End> {
    let place = check_target(&builder, source).await?;
    if matches!(&place, Dsn::Sqlite(file) if !file.exists()) {
        let schema: ScopeSchema = source.side.store.schema().clone();
        return Ok(End {
            side: Side {
                store: Arc::new(InMemoryStore::new(schema)),
                files: None,
            },
            place,
            upgraded: None,
            _copy: None,
        });
    }
    open_target(builder, source).await
}

async fn check_target(builder: &MemoryServiceBuilder, source: &End) -> Result<Dsn> {
    let place = outside(builder.dsn()?)?;
    if is_same(&place, &source.place) {
        return Err(
            Error::input("the memory is to be moved to where it is; name another place")
                .with("place", place),
        );
    }
    // What cannot be read without writing, such as a file that was cut off when it was made, is
    // for opening to mend or to refuse.
    if let Dsn::Sqlite(file) = &place
        && file.is_file()
        && matches!(preview_upgrade(file, builder.key()?.as_ref()), Ok(Some(_)))
    {
        return Err(Error::unsupported(
            "the target is a file of memU 1.x; `memu upgrade` makes a memory of it",
        )
        .with("file", file.display()));
    }
    refuse_original_tables(builder).await?;
    Ok(place)
}

/// Refuses a database with tables of memU 1.x: opening it would upgrade them.
async fn refuse_original_tables(builder: &MemoryServiceBuilder) -> Result<()> {
    let Some(options) = builder.server()? else {
        return Ok(());
    };
    if !Box::pin(memu_postgres::holds_original(&options)).await? {
        return Ok(());
    }
    Err(Error::unsupported(
        "the database holds tables of memU 1.x; `memu upgrade` makes a memory of them first, and \
         keeps them as they are in a schema of their own",
    )
    .with("database", builder.dsn()?))
}

/// Refuses what goes with this process.
fn outside(place: Dsn) -> Result<Dsn> {
    match place {
        Dsn::InMemory | Dsn::SqliteMemory => Err(Error::unsupported(format!(
            "{place} is in this process and goes with it; name a file or a server"
        ))),
        place => Ok(place),
    }
}

fn is_same(one: &Dsn, other: &Dsn) -> bool {
    match (one, other) {
        (Dsn::Sqlite(one), Dsn::Sqlite(other)) => lasting(one) == lasting(other),
        (one, other) => one == other,
    }
}

async fn open(builder: MemoryServiceBuilder, place: Dsn) -> Result<End> {
    let executor: Arc<dyn Executor> = Arc::new(TokioExecutor);
    Ok(End {
        side: Side {
            files: builder.files(&executor)?,
            store: builder.open_store().await?,
        },
        place,
        upgraded: None,
        _copy: None,
    })
}

/// The name of the copy in its folder.
const COPY: &str = "memu.db";

/// A folder with a copy of a file of memU 1.x; `None` for any other file.
fn original_in_a_copy(file: &Path, key: Option<&Key>) -> Result<Option<TempDir>> {
    let folder = tempfile::tempdir().map_err(|cause| {
        Error::storage("there is no folder for temporary files").caused_by(cause)
    })?;
    let copied = copy_original(file, key, &folder.path().join(COPY))?;
    Ok(copied.then_some(folder))
}
