//! Opening a file: making its tables, or finding out whether it is ours.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use memu_core::scope::ScopeSchema;
use memu_core::{Error, ErrorKind, Result};
use rusqlite::Connection;

use super::Options;
use super::connection::{PAGE_SIZE, open, prepare_to_write, use_write_ahead_log, write};
use super::error::storage;
use super::key::Key;
use super::schema::{APPLICATION_ID, MIGRATIONS, RECORD_TABLES, VERSION, create};
use super::upgrade::{self, UpgradeReport};

/// What a file begins with when it is a SQLite database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Columns of `memu_scopes` that are not scope fields.
const OWN_COLUMNS: [&str; 4] = ["scope_id", "scope_key", "seq", "derived_seq"];

/// Opens the first connection, after which the tables are there and as they should be.
pub(super) fn open_first(options: &Options) -> Result<Opened> {
    if let Some(path) = &options.path {
        inspect(path, options.create, options.key.as_ref())?;
    }
    let wait = options.busy_timeout;
    let connection = match (
        open(
            options.path.as_deref(),
            options.key.as_ref(),
            options.create,
            wait,
        ),
        &options.path,
    ) {
        (Err(error), Some(path)) if error.kind() == ErrorKind::Corrupt && options.create => {
            upgrade::open_reserved(path, wait)?.ok_or(error)?
        }
        (opened, _) => opened?,
    };
    let upgraded = match &options.path {
        Some(path) if options.create && upgrade::is_original(&connection)? => {
            let wanted = options.schema.as_ref();
            upgrade::upgrade(&connection, path, wanted, wait)?
        }
        _ => None,
    };
    if options.path.is_some() && is_empty_or_ours(&connection)? {
        use_write_ahead_log(&connection, wait)?;
    }
    let schema = prepare(&connection, options)?;
    prepare_to_write(&connection)?;
    Ok(Opened {
        connection,
        schema,
        upgraded,
    })
}

/// A connection to a file that is as it should be.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) schema: ScopeSchema,
    /// What was done to a file of memU 1.x.
    pub(super) upgraded: Option<UpgradeReport>,
}

/// Refuses, by name, what SQLite would refuse in passing.
pub(super) fn inspect(path: &Path, may_create: bool, key: Option<&Key>) -> Result<()> {
    let file = |error: Error| error.with("file", path.display());
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            Err(file(Error::input("this is a folder, not a database file")))
        }
        Ok(metadata) if metadata.len() > 0 => inspect_start(path, key.is_some()).map_err(file),
        Ok(_) => Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound && !may_create => Err(file(
            Error::not_found("the database does not exist, and ddl_mode is \"validate\""),
        )),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => make_parent(path),
        Err(cause) => Err(file(
            Error::permission("the database cannot be reached").caused_by(cause),
        )),
    }
}

/// Tells by the first page of a file whether it can be opened as it is to be.
fn inspect_start(path: &Path, with_key: bool) -> Result<()> {
    let mut start = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| {
        let page = PAGE_SIZE.unsigned_abs();
        file.take(page).read_to_end(&mut start)
    });
    match read {
        Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => Err(Error::permission(
            "the database cannot be read: permission denied",
        )
        .caused_by(cause)),
        Ok(_) if start.starts_with(MAGIC) && with_key => Err(Error::permission(
            "the database is not encrypted, but a key is given: leave out MEMU_KEY and \
             encryption_key to open it, or choose another path for an encrypted one",
        )),
        Ok(_) if start.starts_with(MAGIC) || (with_key && looks_encrypted(&start)) => Ok(()),
        Ok(_) if looks_encrypted(&start) => Err(Error::permission(
            "the file is no SQLite database that can be read without a key; if it is encrypted, \
             give its key: MEMU_KEY or database_config.metadata_store.encryption_key",
        )),
        _ => Err(Error::corrupt("the file is not a SQLite database")),
    }
}

/// Whether nearly every byte occurs in a whole page, as where it is encrypted.
fn looks_encrypted(page: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in page {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    let different = seen.iter().filter(|seen| **seen).count();
    page.len() as u64 == PAGE_SIZE.unsigned_abs() && different >= 250
}

fn make_parent(path: &Path) -> Result<()> {
    let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    else {
        return Ok(());
    };
    std::fs::create_dir_all(parent).map_err(|cause| {
        Error::permission("the folder of the database cannot be created")
            .with("folder", parent.display())
            .caused_by(cause)
    })
}

fn is_empty_or_ours(connection: &Connection) -> Result<bool> {
    Ok(pragma(connection, "application_id")? == APPLICATION_ID || tables(connection)?.is_empty())
}

/// Makes the tables of an empty file; checks those of any other.
fn prepare(connection: &Connection, options: &Options) -> Result<ScopeSchema> {
    if tables(connection)?.is_empty() && options.create {
        make_tables(connection, options)?;
    }
    check_file(connection, options.create)?;
    if options.create {
        migrate(connection, options)?;
    }
    let stored = stored_schema(connection)?;
    match &options.schema {
        Some(wanted) if *wanted != stored => Err(Error::config(format!(
            "the store has the scope fields {}, but {} are configured (user_config.model)",
            names(&stored),
            names(wanted)
        ))),
        _ => Ok(stored),
    }
}

fn make_tables(connection: &Connection, options: &Options) -> Result<()> {
    let default = options.default_schema.clone().unwrap_or_default();
    let schema = options.schema.clone().unwrap_or(default);
    write(connection, options.busy_timeout, &|| false, || {
        // Another process may have made them while this one waited for its turn.
        if tables(connection)?.is_empty() {
            connection
                .execute_batch(&create(&schema))
                .map_err(storage)?;
        }
        Ok(())
    })
}

/// Brings the tables of an earlier version up to date.
fn migrate(connection: &Connection, options: &Options) -> Result<()> {
    if pragma(connection, "user_version")? == VERSION {
        return Ok(());
    }
    write(connection, options.busy_timeout, &|| false, || {
        // Another process may have done it while this one waited for its turn.
        let version = pragma(connection, "user_version")?;
        let done = usize::try_from(version - 1).unwrap_or_default();
        for step in MIGRATIONS.iter().skip(done) {
            let schema = stored_schema(connection)?;
            connection.execute_batch(&step(&schema)).map_err(storage)?;
        }
        let set = format!("PRAGMA user_version = {}", VERSION.max(version));
        connection.execute_batch(&set).map_err(storage)
    })
}

/// Refuses files that are not ours, or not yet.
pub(super) fn check_file(connection: &Connection, may_migrate: bool) -> Result<()> {
    let tables = tables(connection)?;
    if pragma(connection, "application_id")? != APPLICATION_ID {
        return Err(foreign(connection, &tables)?);
    }
    let version = pragma(connection, "user_version")?;
    if version < VERSION && !may_migrate {
        return Err(Error::unsupported(format!(
            "the database has the schema {version} and needs {VERSION}, but ddl_mode is \
             \"validate\"; open it once with \"create\""
        )));
    }
    if version > VERSION {
        return Err(Error::too_new(format!(
            "the database was written by a newer version of MemU: its schema is {version}, this \
             version knows {VERSION}"
        )));
    }
    let missing = RECORD_TABLES
        .iter()
        .find(|table| !tables.iter().any(|name| name == *table));
    match missing {
        Some(table) => Err(Error::corrupt(format!(
            "the database lacks the table {table}"
        ))),
        None => Ok(()),
    }
}

fn foreign(connection: &Connection, tables: &[String]) -> Result<Error> {
    if upgrade::is_original(connection)? {
        return Ok(Error::unsupported(
            "this file was written by memU 1.x and must be upgraded first: run memu upgrade",
        ));
    }
    if tables.is_empty() {
        return Ok(Error::unsupported(
            "the database has no tables, and ddl_mode is \"validate\"; open it with \"create\"",
        ));
    }
    Ok(Error::unsupported(
        "this SQLite file belongs to another program; choose another path",
    ))
}

pub(super) fn tables(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'sqlite_sequence'",
        )
        .map_err(storage)?;
    statement
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(storage)
}

pub(super) fn pragma(connection: &Connection, name: &str) -> Result<i32> {
    connection
        .query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
        .map_err(storage)
}

/// The scope fields of the tables.
fn stored_schema(connection: &Connection) -> Result<ScopeSchema> {
    let mut statement = connection
        .prepare("SELECT name FROM pragma_table_info('memu_scopes') ORDER BY cid")
        .map_err(storage)?;
    let columns: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(storage)?;
    ScopeSchema::new(
        columns
            .iter()
            .filter(|column| !OWN_COLUMNS.contains(&column.as_str())),
    )
    .map_err(|cause| Error::corrupt("the scope fields are unusable").caused_by(cause))
}

fn names(schema: &ScopeSchema) -> String {
    schema.fields().collect::<Vec<_>>().join(", ")
}

/// A further connection to a file that is prepared.
pub(super) fn open_another(path: &Path, key: Option<&Key>, wait: Duration) -> Result<Connection> {
    let connection = open(Some(path), key, false, wait)?;
    connection
        .execute_batch("PRAGMA query_only = ON")
        .map_err(storage)?;
    Ok(connection)
}
