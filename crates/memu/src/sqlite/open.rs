//! Opening a file: making its tables, or finding out whether it is ours.

use std::io;
use std::path::Path;
use std::time::Duration;

use memu_core::original::UpgradeReport;
use memu_core::scope::ScopeSchema;
use memu_core::{Error, ErrorKind, Result};
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode};

use super::Options;
use super::check::rebuild;
use super::connection::{Access, open, prepare_to_write, use_write_ahead_log, write};
use super::error::storage;
use super::key::{Key, explained, is_no_database};
use super::schema::{
    APPLICATION_ID, MIGRATIONS, OUTLINES_BESIDE_THEIR_INDEX, READABLE_SINCE, RECORD_TABLES,
    VERSION, create, outlines_moved,
};
use super::scopes::every_scope;
use super::upgrade;
use crate::disk::{beside, lasting, size_of};

/// Columns of `memu_scopes` that are not scope fields.
const OWN_COLUMNS: [&str; 4] = ["scope_id", "scope_key", "seq", "derived_seq"];

/// How often a new encrypted file is opened at most.
const TRIES: usize = 3;

/// Opens the first connection, after which the tables are there and as they should be.
pub(super) fn open_first(options: &Options) -> Result<Opened> {
    if let Some(path) = &options.path {
        inspect(path, options.create)?;
    }
    let (path, key) = (options.path.as_deref(), options.key.as_ref());
    let opened = match (open_among_others(options), path) {
        (Err(error), Some(path)) if may_be_read_only(path, &error) => {
            // What cannot be written may still be read; if not, why it cannot be written
            // is what the caller must hear.
            open_to_read(path, options).map_err(|other| match other.kind() {
                ErrorKind::Storage => error,
                _ => other,
            })
        }
        (opened, _) => opened,
    };
    opened.map_err(|error| explained(error, path, key))
}

/// Opens a new encrypted file again when it turns out that others made it at the same time:
/// each chooses a salt, and only one of them stays.
fn open_among_others(options: &Options) -> Result<Opened> {
    let is_new = options.path.as_ref().is_some_and(|path| size_of(path) == 0);
    let tries = if is_new && options.key.is_some() {
        TRIES
    } else {
        1
    };
    let mut opened = open_to_write(options);
    for _ in 1..tries {
        match &opened {
            // What the salt does not fit is taken for no database, or for a read-only one.
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Permission) => {
                opened = open_to_write(options);
            }
            _ => break,
        }
    }
    opened
}

fn open_to_write(options: &Options) -> Result<Opened> {
    let wait = options.busy_timeout;
    let access = if options.create {
        Access::Create
    } else {
        Access::Write
    };
    let (path, key) = (options.path.as_deref(), options.key.as_ref());
    let connection = match (open(path, key, access, wait), &options.path) {
        (Err(error), Some(path))
            if error.kind() == ErrorKind::Corrupt
                && options.create
                && key.is_none()
                && !is_no_database(&error) =>
        {
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
        read_only: false,
    })
}

/// Whether a file with content could not be opened for want of leave to write beside it, and
/// is complete without a log.
fn may_be_read_only(path: &Path, error: &Error) -> bool {
    let path = lasting(path);
    matches!(error.kind(), ErrorKind::Permission | ErrorKind::Storage)
        && size_of(&path) > 0
        && size_of(&beside(&path, "-wal")) == 0
        && size_of(&beside(&path, "-journal")) == 0
}

/// Opens a file that can be read only, without locks: whoever has no leave to write cannot
/// have the memory that processes share.
fn open_to_read(path: &Path, options: &Options) -> Result<Opened> {
    let (key, wait) = (options.key.as_ref(), options.busy_timeout);
    let connection = open(Some(path), key, Access::Immutable, wait)?;
    if upgrade::is_original(&connection)? || is_older(&connection)? {
        return Err(Error::permission(
            "the database must be brought up to date when it is opened, for which it and its \
             folder must be writable",
        ));
    }
    check_file(&connection, false)?;
    let schema = as_wanted(stored_schema(&connection)?, options)?;
    Ok(Opened {
        connection,
        schema,
        upgraded: None,
        read_only: true,
    })
}

fn is_older(connection: &Connection) -> Result<bool> {
    Ok(pragma(connection, "application_id")? == APPLICATION_ID
        && pragma(connection, "user_version")? < READABLE_SINCE)
}

/// A connection to a file that is as it should be.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) schema: ScopeSchema,
    /// What was done to a file of memU 1.x.
    pub(super) upgraded: Option<UpgradeReport>,
    /// Whether it is read without locks, and never written.
    pub(super) read_only: bool,
}

/// Refuses, by name, what SQLite would refuse in passing. The file is not opened: closing it
/// would let go of the locks that this process has on it (POSIX), and a torn first page is
/// for SQLite to mend.
pub(super) fn inspect(path: &Path, may_create: bool) -> Result<()> {
    let file = |error: Error| error.with("file", path.display());
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            Err(file(Error::input("this is a folder, not a database file")))
        }
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
    as_wanted(stored_schema(connection)?, options)
}

/// Refuses a store with other scope fields than the configured ones.
fn as_wanted(stored: ScopeSchema, options: &Options) -> Result<ScopeSchema> {
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

/// Brings the tables of an earlier version up to date. Where outlines are damaged, all stay in
/// their index: every statement works on both forms, the file opens, and `memu doctor` tells what
/// is wrong. Of an encrypted file it does not where a page was changed: SQLCipher then refuses all.
fn migrate(connection: &Connection, options: &Options) -> Result<()> {
    if pragma(connection, "user_version")? == VERSION {
        return Ok(());
    }
    let mut damaged = false;
    let moved = bring_up_to_date(connection, options, || {
        let moved = connection.execute_batch(&outlines_moved());
        moved.map_err(|error| {
            let code = error.sqlite_error_code();
            damaged = matches!(
                code,
                Some(
                    ErrorCode::DatabaseCorrupt | ErrorCode::ConstraintViolation | ErrorCode::TooBig
                )
            );
            storage(error)
        })
    });
    // A transaction that met a damaged page takes no more writes, so it begins anew.
    if damaged {
        return bring_up_to_date(connection, options, || Ok(()));
    }
    moved
}

fn bring_up_to_date(
    connection: &Connection,
    options: &Options,
    move_outlines: impl FnOnce() -> Result<()>,
) -> Result<()> {
    write(connection, options.busy_timeout, &|| false, || {
        // Another process may have done it while this one waited for its turn.
        let version = pragma(connection, "user_version")?;
        let done = usize::try_from(version - 1).unwrap_or_default();
        for step in MIGRATIONS.iter().skip(done) {
            let schema = stored_schema(connection)?;
            connection.execute_batch(&step(&schema)).map_err(storage)?;
        }
        if version < OUTLINES_BESIDE_THEIR_INDEX {
            move_outlines()?;
        }
        if version < READABLE_SINCE {
            let schema = stored_schema(connection)?;
            for (scope_id, scope) in every_scope(connection, &schema)? {
                rebuild(connection, scope_id, &scope)?;
            }
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
    if version < READABLE_SINCE && !may_migrate {
        return Err(Error::unsupported(format!(
            "the database has the schema {version} and needs {READABLE_SINCE}, but ddl_mode is \
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
        .filter(|_| version >= READABLE_SINCE)
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
    let value = connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, Value>(0));
    match value.map_err(storage)? {
        Value::Integer(number) => i32::try_from(number).ok(),
        // That is how SQLCipher answers those that it changes.
        Value::Text(number) => number.parse().ok(),
        _ => None,
    }
    .ok_or_else(|| Error::internal(format!("PRAGMA {name} is no number")))
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
pub(super) fn open_another(
    path: &Path,
    key: Option<&Key>,
    access: Access,
    wait: Duration,
) -> Result<Connection> {
    let connection = open(Some(path), key, access, wait)?;
    connection
        .execute_batch("PRAGMA query_only = ON")
        .map_err(storage)?;
    Ok(connection)
}
