//! Connections, and how a write transaction waits for its turn.

use std::path::Path;
use std::time::{Duration, Instant};

use memu_core::{Error, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::{opening, storage};
use super::key::{Key, unlock};

/// How many prepared statements a connection keeps.
const STATEMENTS: usize = 128;

/// Size of a page in new files. Four 384-dimensional vectors fit without waste.
pub(super) const PAGE_SIZE: i64 = 8192;

/// How much of a transaction the writing connection holds in memory.
const WRITE_CACHE_KIB: u32 = 64 * 1024;

/// The longest pause between two attempts to get the write lock.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// What a connection may do to its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Write it, and create it if it is not there.
    Create,
    Write,
    /// Read it without locks, as if nobody could change it.
    Immutable,
}

/// Opens a connection with everything set but the journal mode.
pub(super) fn open(
    path: Option<&Path>,
    key: Option<&Key>,
    access: Access,
    busy: Duration,
) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX
        | match access {
            Access::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Access::Immutable => OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
        };
    let connection = match path {
        Some(path) => {
            #[cfg(unix)]
            super::forks::prepare();
            let opened = match access {
                Access::Immutable => Connection::open_with_flags(immutable(path)?, flags),
                _ => Connection::open_with_flags(path, flags),
            };
            opened.map_err(|cause| opening(path, cause))?
        }
        None => Connection::open_in_memory().map_err(storage)?,
    };
    let ready = unlock(&connection, path, key, busy).and_then(|()| prepare(&connection, busy));
    if ready.is_err() {
        // A log that is there stays as it is: closing would move it into the file. Failing to
        // set this costs nothing but that.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }
    ready.map(|()| connection)
}

/// The address under which SQLite reads a file as one that nobody can change.
fn immutable(path: &Path) -> Result<String> {
    let path = path
        .to_str()
        .ok_or_else(|| Error::unsupported("a read-only database needs a path in Unicode"))?;
    let path = path
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    Ok(format!("file:{path}?immutable=1"))
}

/// Sets everything but the journal mode.
pub(super) fn prepare(connection: &Connection, busy: Duration) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(busy).map_err(storage)?;
    // Otherwise SQLite plans a kept statement anew whenever a bound value may matter to the
    // plan: a quarter of what a small write costs.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(storage)?;
    connection
        .execute_batch(&format!(
            "PRAGMA page_size = {PAGE_SIZE}; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;
             PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON;"
        ))
        .map_err(storage)
}

/// Lets the writing connection hold a large transaction in memory until it is committed.
/// [`checkpoint`] is called when its time comes, not in the middle of a commit.
pub(super) fn prepare_to_write(connection: &Connection) -> Result<()> {
    connection
        .execute_batch(&format!(
            "PRAGMA cache_size = -{WRITE_CACHE_KIB}; PRAGMA wal_autocheckpoint = 0;"
        ))
        .map_err(storage)
}

/// Switches a file to write-ahead logging. Several processes may do so at once.
pub(super) fn use_write_ahead_log(connection: &Connection, wait: Duration) -> Result<()> {
    let mode = retrying(wait, || {
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        })
    })?;
    if mode == "wal" {
        return Ok(());
    }
    // SQLite stays in the mode that it had where files cannot be locked or memory not shared.
    Err(Error::unsupported(format!(
        "the file system does not let processes share a database (SQLite stays in the journal \
         mode {mode:?} instead of a write-ahead log); put it on a local disk"
    )))
}

/// Runs `work` in a write transaction and commits it, unless `cancelled` says that
/// nobody waits for it any more.
pub(super) fn write<T>(
    connection: &Connection,
    wait: Duration,
    cancelled: &dyn Fn() -> bool,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    if cancelled() {
        return Err(Error::cancelled(
            "the caller gave up before the write began",
        ));
    }
    retrying(wait, || connection.execute_batch("BEGIN IMMEDIATE"))?;
    // From here on the transaction is ours; whatever fails rolls it back.
    let finished = work().and_then(|value| {
        if cancelled() {
            return Err(Error::cancelled(
                "the caller gave up before the write was committed",
            ));
        }
        connection.execute_batch("COMMIT").map_err(storage)?;
        Ok(value)
    });
    if finished.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").map_err(storage)?;
    }
    finished
}

/// Repeats what finds the database locked, with growing, uneven pauses, until `wait`
/// is over.
pub(super) fn retrying<T>(
    wait: Duration,
    mut attempt: impl FnMut() -> rusqlite::Result<T>,
) -> Result<T> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match attempt() {
            Err(cause) if is_busy(&cause) && started.elapsed() < wait => {
                std::thread::sleep(uneven(pause));
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(cause) if is_busy(&cause) => {
                let waited = started.elapsed().as_secs_f64();
                return Err(Error::busy(format!(
                    "other processes kept the database locked for {waited:.1} s; gave up"
                ))
                .caused_by(cause));
            }
            other => return other.map_err(storage),
        }
    }
}

fn is_busy(cause: &rusqlite::Error) -> bool {
    matches!(
        cause.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Between half of `pause` and all of it, so that waiting processes do not march in
/// step. The process id and the clock are random enough for that.
fn uneven(pause: Duration) -> Duration {
    let clock = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let noise = (clock.subsec_nanos() ^ std::process::id().wrapping_mul(2_654_435_761)) % 1000;
    pause / 2 + pause.mul_f64(f64::from(noise) / 2000.0)
}

/// Moves the write-ahead log into the database file, so that the file alone is a
/// complete copy. Says whether it could: a reader in the middle of something prevents
/// it, and then the next write or the next idle moment does it. `how` is `TRUNCATE` for an
/// empty log, or `RESTART` for one that begins anew in the room that it has.
pub(super) fn checkpoint(connection: &Connection, how: &str, busy: Duration) -> Result<bool> {
    // Never wait for a reader here: the write is done and durable.
    let hurried = connection.busy_timeout(Duration::ZERO).is_ok();
    let blocked = connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| {
        row.get::<_, i64>(0)
    });
    if hurried {
        // The timeout is a number in memory; setting it cannot fail after it could.
        let _ = connection.busy_timeout(busy);
    }
    blocked.map(|blocked| blocked == 0).map_err(storage)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Temporary files would be legible, and so would what is deleted.
    #[test]
    fn every_connection_keeps_temporary_data_in_memory_and_overwrites_what_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let keys = [
            None,
            #[cfg(feature = "sqlcipher")]
            Some(Key::new("passphrase").unwrap()),
        ];
        for (number, key) in keys.iter().enumerate() {
            let path = folder.path().join(format!("{number}.db"));
            for access in [Access::Create, Access::Write, Access::Immutable] {
                let connection =
                    open(Some(&path), key.as_ref(), access, Duration::from_secs(1)).unwrap();
                let pragma = |name: &str| -> i64 {
                    let sql = format!("PRAGMA {name}");
                    connection.query_row(&sql, [], |row| row.get(0)).unwrap()
                };
                assert_eq!(pragma("temp_store"), 2, "{access:?}");
                assert_eq!(pragma("secure_delete"), 1, "{access:?}");
                if access == Access::Create {
                    connection.execute_batch("CREATE TABLE t (a)").unwrap();
                }
            }
        }
    }
}
