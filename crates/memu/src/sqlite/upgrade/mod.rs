//! Files of memU 1.x: recognising them, and turning them into ours.
//!
//! The upgrade is one transaction on the file itself: a crash leaves the old file or the
//! new one, and other processes wait their turn. Before it begins, a copy of the file is
//! put beside it.

mod original;
mod writer;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use memu_core::environment::{Clock, SystemClock};
use memu_core::original::{Converter, UpgradeReport};
use memu_core::scope::ScopeSchema;
use memu_core::{Error, ErrorKind, Result};
use rusqlite::{Connection, OpenFlags};

use self::original::Originals;
use super::backup::{copy, read_only, verify};
use super::commit::Layout;
use super::connection::{PAGE_SIZE, prepare, write};
use super::error::storage;
use super::key::{Key, explained, unlock};
use super::open::pragma;
use super::schema::{APPLICATION_ID, create};
use crate::disk::{beside, create_private, put_in_place, size_of};
use crate::settings::EmbeddingFormat;

/// Whether a file was written by memU 1.x and is not upgraded yet.
pub(super) fn is_original(connection: &Connection) -> Result<bool> {
    Ok(pragma(connection, "application_id")? == 0 && Originals::find(connection)?.is_some())
}

/// Opens a file with tables whose names SQLite keeps for itself: with indexes on them, it
/// takes the whole file for damaged. `None` when that is not why.
pub(super) fn open_reserved(path: &Path, wait: Duration) -> Result<Option<Connection>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(storage)?;
    read_any_schema(&connection)?;
    prepare(&connection, wait)?;
    Ok(is_original(&connection)?.then_some(connection))
}

/// Lets a connection read schemas with names that SQLite keeps for itself.
fn read_any_schema(connection: &Connection) -> Result<()> {
    connection
        .execute_batch("PRAGMA writable_schema = ON")
        .map_err(storage)
}

/// Turns a file of memU 1.x into one of ours; `None` when another process has done it
/// in the meantime. `wanted` are the scope fields that must come out.
pub(super) fn upgrade(
    connection: &Connection,
    path: &Path,
    wanted: Option<&ScopeSchema>,
    wait: Duration,
) -> Result<Option<UpgradeReport>> {
    let bytes_before = size_of(path);
    let upgraded = write(connection, wait, &|| false, || {
        if !is_original(connection)? {
            return Ok(None);
        }
        verify(connection)?;
        let schema = found(connection)?.schema(wanted)?;
        let backup = back_up(path, wait)?;
        let mut report = convert_all(connection, &schema)?;
        report.backup = Some(backup.display().to_string());
        Ok(Some(report))
    })
    .map_err(with_needs)?;
    let Some(mut report) = upgraded else {
        return Ok(None);
    };
    compact(connection);
    report.place = path.display().to_string();
    report.bytes_before = bytes_before;
    report.bytes_after = size_of(path);
    Ok(Some(report))
}

/// What upgrading a file of memU 1.x would do; `None` for a file that needs none. The
/// file is only read.
///
/// # Errors
/// [`ErrorKind::NotFound`] when there is no file; [`ErrorKind::Corrupt`] when it is
/// damaged or no database; [`ErrorKind::Permission`] when it is encrypted and the key does not
/// open it, or the other way round.
pub fn preview_upgrade(path: &Path, key: Option<&Key>) -> Result<Option<UpgradeReport>> {
    let named = |error: Error| error.with("file", path.display());
    if !path.is_file() {
        return Err(named(Error::not_found("there is no such file")));
    }
    preview(path, key).map_err(|error| named(explained(error, Some(path), key)))
}

/// Copies a file of memU 1.x, which is only read, to `to`; false for any other file.
///
/// # Errors
/// As [`preview_upgrade`].
pub(crate) fn copy_original(path: &Path, key: Option<&Key>, to: &Path) -> Result<bool> {
    let copied = || {
        // Ours may need to be mended first, which takes more than reading.
        if is_marked_as_ours(path) {
            return Ok(false);
        }
        let file = read_only(path)?;
        unlock(&file, Some(path), key, Duration::ZERO)?;
        read_any_schema(&file)?;
        if !is_original(&file)? {
            return Ok(false);
        }
        copy_of(path, to, Duration::ZERO).map(|()| true)
    };
    copied().map_err(|error| explained(error, Some(path), key).with("file", path.display()))
}

/// Whether the first bytes of a file say that it is one of ours.
fn is_marked_as_ours(path: &Path) -> bool {
    let mut start = [0; 72];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    let (_, mark) = start.split_at(68);
    read.is_ok() && mark == APPLICATION_ID.to_be_bytes()
}

fn preview(path: &Path, key: Option<&Key>) -> Result<Option<UpgradeReport>> {
    let file = read_only(path)?;
    unlock(&file, Some(path), key, Duration::ZERO)?;
    read_any_schema(&file)?;
    if !is_original(&file)? {
        return Ok(None);
    }
    verify(&file)?;
    // A database without a name is a file that vanishes with its connection.
    let mut trial = Connection::open("").map_err(storage)?;
    copy(&file, &mut trial, Duration::ZERO, |_, _| true)?;
    read_any_schema(&trial)?;
    let schema = found(&trial)?.schema(None)?;
    let mut report = convert_all(&trial, &schema)?;
    report.place = path.display().to_string();
    report.bytes_before = size_of(path);
    Ok(Some(report))
}

fn found(connection: &Connection) -> Result<Originals> {
    Originals::find(connection)?.ok_or_else(|| Error::internal("the tables of memU 1.x are gone"))
}

/// Makes our tables from the original's, which are gone afterwards.
fn convert_all(connection: &Connection, schema: &ScopeSchema) -> Result<UpgradeReport> {
    let mut originals = found(connection)?;
    originals.make_way(connection)?;
    connection.execute_batch(&create(schema)).map_err(storage)?;
    let columns = Layout::new(schema, EmbeddingFormat::F32);
    let mut converter = Converter::new(schema.clone(), SystemClock.now());
    originals.each_row(connection, |row| {
        writer::write(connection, &columns, converter.convert(&row))
    })?;
    let (rest, report) = converter.finish();
    writer::write(connection, &columns, rest)?;
    originals.remove(connection)?;
    Ok(report)
}

/// Puts a copy of the file beside it, under a name that is free.
fn back_up(path: &Path, wait: Duration) -> Result<PathBuf> {
    // Whoever upgrades holds the write lock, so this name is nobody else's.
    let unfinished = beside(path, ".unfinished-backup");
    let place = free_name(path);
    let made =
        copy_of(path, &unfinished, wait).and_then(|()| put_in_place(&unfinished, &place, path));
    if made.is_err() {
        // What failed is what the caller must hear.
        let _ = std::fs::remove_file(&unfinished);
    }
    made.map(|()| place)
}

fn copy_of(path: &Path, to: &Path, wait: Duration) -> Result<()> {
    create_private(to)?;
    // A connection of its own: the one that holds the write lock may not be copied from.
    let from = read_only(path)?;
    let mut to = Connection::open(to).map_err(storage)?;
    copy(&from, &mut to, wait, |_, _| true)?;
    read_any_schema(&to)?;
    verify(&to)?;
    to.close().map_err(|(_, cause)| storage(cause))
}

fn free_name(path: &Path) -> PathBuf {
    let first = beside(path, ".memu-1.x.bak");
    let others = (2..).map(|number: u32| beside(path, &format!(".memu-1.x-{number}.bak")));
    std::iter::once(first.clone())
        .chain(others)
        .find(|name| !name.exists())
        .unwrap_or(first)
}

/// Gives back the room of the old tables. The file is whole without it, so a failure
/// (no room for a copy, a reader) costs nothing but that room.
fn compact(connection: &Connection) {
    let _ = connection.execute_batch(&format!(
        "PRAGMA temp_store = FILE; PRAGMA page_size = {PAGE_SIZE}; VACUUM;"
    ));
    let _ = connection.execute_batch("PRAGMA temp_store = MEMORY");
}

fn with_needs(error: Error) -> Error {
    if error.kind() == ErrorKind::Permission || error.kind() == ErrorKind::Storage {
        return error.with(
            "needed",
            "a file of memU 1.x is upgraded when it is opened, for which it and its folder must \
             be writable",
        );
    }
    error
}
