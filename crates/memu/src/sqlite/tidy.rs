//! Keeps the database file complete without its write-ahead log.
//!
//! A commit is durable in the log. Whoever copies the file alone wants it there, too, when
//! the call returns. One write by itself moves the log into the file, durably, and empties
//! it, which costs more than the write. Writes that follow each other closely do it in two
//! steps: each moves its pages into the file without waiting for the disk, and the moment
//! of rest after the last one waits for the disk and empties the log.
//!
//! Until then the log must stay, for the pages may not be on the disk yet. A connection
//! that goes on reading from the log keeps SQLite from beginning it anew: the *pin*.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use memu_core::Result;
use rusqlite::Connection;

use super::connection::{checkpoint, open};
use super::error::storage;
use super::key::Key;
use super::schema::VERSION;

/// Writes with less time between them follow each other closely.
const CLOSELY: Duration = Duration::from_millis(50);

/// How many pages the log may have before one write waits until it is empty.
const LONGEST_LOG: i64 = 4_000;

/// What one store does to keep its file complete.
#[derive(Debug)]
pub(super) struct Tidy {
    path: Option<PathBuf>,
    key: Option<Key>,
    wait: Duration,
    last_write: Option<Instant>,
    helpers: Option<Helpers>,
}

/// Connections beside the one that writes.
#[derive(Debug)]
struct Helpers {
    /// Reads from the log while it must stay.
    pin: Connection,
    /// Moves pages from the log into the file without waiting for the disk.
    mover: Connection,
}

impl Tidy {
    pub(super) fn new(path: Option<PathBuf>, key: Option<Key>, wait: Duration) -> Self {
        Self {
            path,
            key,
            wait,
            last_write: None,
            helpers: None,
        }
    }

    /// Sees to it that the file is complete after a write, unless somebody reads from an
    /// older state of it.
    pub(super) fn after_write(&mut self, connection: &Connection) {
        let now = Instant::now();
        let before = self.last_write.replace(now);
        let closely = before.is_some_and(|before| now.duration_since(before) < CLOSELY);
        if !closely || !self.move_pages() {
            self.at_rest(connection);
        }
        self.last_write = Some(Instant::now());
    }

    /// Empties the log. Says whether it could: a reader in the middle of something, or
    /// another writer, prevents it.
    pub(super) fn at_rest(&mut self, connection: &Connection) -> bool {
        if self.helpers.as_ref().is_some_and(Helpers::is_pinning) {
            // One more page in the log, so that moving it waits until the whole file is on
            // the disk.
            if !touch(connection, self.wait) {
                return false;
            }
            if let Some(helpers) = &self.helpers
                && helpers.release().is_err()
            {
                self.helpers = None;
            }
        }
        checkpoint(connection, self.wait)
    }

    /// Empties the log if it can, and lets go of everything.
    pub(super) fn close(&mut self, connection: &Connection) {
        self.at_rest(connection);
        self.helpers = None;
    }

    /// Moves the log into the file without waiting for the disk; `false` when that cannot
    /// be done, or should not be done any longer.
    fn move_pages(&mut self) -> bool {
        if self.helpers.is_none() {
            let path = self.path.as_deref();
            let open = |path| Helpers::open(path, self.key.as_ref(), self.wait).ok();
            self.helpers = path.and_then(open);
        }
        let moved = self.helpers.as_ref().map(Helpers::move_pages);
        matches!(moved, Some(Ok(length)) if length < LONGEST_LOG)
    }
}

impl Helpers {
    fn open(path: &Path, key: Option<&Key>, wait: Duration) -> Result<Self> {
        let pin = open(Some(path), key, false, wait)?;
        let mover = open(Some(path), key, false, wait)?;
        mover
            .execute_batch("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0")
            .map_err(storage)?;
        Ok(Self { pin, mover })
    }

    fn is_pinning(&self) -> bool {
        !self.pin.is_autocommit()
    }

    fn release(&self) -> Result<()> {
        self.pin.execute_batch("ROLLBACK").map_err(storage)
    }

    /// Returns how many pages the log has.
    fn move_pages(&self) -> Result<i64> {
        if self.is_pinning() {
            self.release()?;
        }
        // What was written last is in the log only, so that is where this reads.
        self.pin
            .execute_batch("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1")
            .map_err(storage)?;
        self.mover
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))
            .map_err(storage)
    }
}

/// Writes a page as it is.
fn touch(connection: &Connection, wait: Duration) -> bool {
    // Never wait here for others: there will be another moment.
    let hurried = connection.busy_timeout(Duration::ZERO).is_ok();
    let touched = connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; PRAGMA user_version = {VERSION}; COMMIT"
    ));
    if touched.is_err() && !connection.is_autocommit() {
        // Rolling back what was not written cannot fail in a way that matters here.
        let _ = connection.execute_batch("ROLLBACK");
    }
    if hurried {
        // The timeout is a number in memory; setting it cannot fail after it could.
        let _ = connection.busy_timeout(wait);
    }
    touched.is_ok()
}
