//! Keeps the database file complete without its write-ahead log.
//!
//! A commit is durable in the log. Whoever copies the file alone wants it there, too, when
//! the call returns. The first write of a store, and a short one by itself, move the log into
//! the file, durably, and empty it, which costs more than the write. Writes that follow each
//! other closely, and long ones, do it in two steps: each moves its pages into the file without
//! waiting for the disk, and the moment of rest after the last one waits for the disk and
//! empties the log.
//!
//! Until then the log must stay, for the pages may not be on the disk yet, even if this
//! process is killed and another one writes. SQLite begins a log anew only when all of it is
//! in the file, and whoever moves its end waits until the whole file is on the disk. So the
//! end is never moved here without waiting: every quick write puts a *mark* behind its
//! pages, one page that no later write needs in the file, and moves what is before the mark.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use memu_core::{Error, Result};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::connection::{Access, checkpoint, open};
use super::error::{after_failed_sync, is_failed_sync, storage};
use super::key::Key;
use crate::disk::{beside, size_of};

/// Writes with less time between them follow each other closely.
const CLOSELY: Duration = Duration::from_millis(50);

/// So many times as long as a write took may pass as well: whoever stores much at once
/// prepares longer what comes next.
const CLOSELY_AS_LONG: u32 = 2;

/// Never so long as this, for a write may have waited for those of other processes.
const LONGEST_CLOSELY: Duration = Duration::from_secs(2);

/// A write that took so long is one of many memories, or of a slow disk: it is worth to wait once
/// only. Not for the first one of a store, which may be the only one of its program.
const LONG: Duration = Duration::from_millis(10);

/// How many pages the log may have before one write waits until all of them are in the file,
/// on the disk.
const LONGEST_LOG: i64 = 1_000;

/// What one store does to keep its file complete.
#[derive(Debug)]
pub(super) struct Tidy {
    path: Option<PathBuf>,
    key: Option<Key>,
    wait: Duration,
    last_write: Option<Instant>,
    /// How long after the last write another one still follows it closely.
    near: Duration,
    /// Whether the last write followed another one closely.
    in_series: bool,
    /// Whether all of the log is in the file, on the disk.
    settled: bool,
    /// Reads at the end of the log, so that what comes behind is not moved.
    bound: Option<Connection>,
    /// SQLite's number of what others had written when the last mark was made.
    others: Option<i64>,
    /// Whether the disk failed to confirm something. Then the log has what the file may
    /// lack, and must stay for whoever opens it next.
    failed: bool,
}

impl Tidy {
    pub(super) fn new(path: Option<PathBuf>, key: Option<Key>, wait: Duration) -> Self {
        Self {
            path,
            key,
            wait,
            last_write: None,
            near: CLOSELY,
            in_series: false,
            settled: false,
            bound: None,
            others: None,
            failed: false,
        }
    }

    /// Sees to it that the file is complete after a write that began at `began`, unless
    /// somebody reads from an older state of it.
    pub(super) fn after_write(&mut self, connection: &Connection, began: Instant) {
        let now = Instant::now();
        let before = self.last_write.replace(now);
        let took = now.duration_since(began);
        self.near = (CLOSELY_AS_LONG * took).clamp(CLOSELY, LONGEST_CLOSELY);
        self.settled = false;
        let pause = before.map(|before| began.saturating_duration_since(before));
        self.in_series = pause.is_some_and(|pause| pause < self.near);
        if self.failed {
            return;
        }
        let may_wait = self.in_series || (before.is_some() && took >= LONG);
        match may_wait.then(|| self.move_pages(connection)).flatten() {
            Some(length) if length < LONGEST_LOG => {}
            // What the next writes put into the log then takes the place of what is there,
            // which costs the disk less than a log that grows.
            Some(_) => drop(self.empty(connection, "RESTART")),
            None => drop(self.at_rest(connection)),
        }
        self.last_write = Some(Instant::now());
    }

    /// Completes the file if whoever had it open before was killed.
    pub(super) fn at_open(&mut self, connection: &Connection) {
        let log = self.path.as_deref().map(|path| beside(path, "-wal"));
        if log.is_some_and(|log| size_of(&log) > 0) {
            self.at_rest(connection);
        }
    }

    /// Sees to it that the file is complete and on the disk when nothing is written for a
    /// while. Says whether nothing is left to do. While long writes of a series may be followed
    /// by another one, the log keeps its room: writing into it costs less than making room.
    pub(super) fn rest(&mut self, connection: &Connection) -> bool {
        let pause = self.last_write.map(|last| last.elapsed());
        if self.in_series && self.near > CLOSELY && pause.is_some_and(|pause| pause < self.near) {
            self.settled = self.settled || self.empty(connection, "RESTART");
            return false;
        }
        self.at_rest(connection)
    }

    /// Empties the log. Says whether it could: a reader in the middle of something, or
    /// another writer, prevents it.
    pub(super) fn at_rest(&mut self, connection: &Connection) -> bool {
        self.empty(connection, "TRUNCATE")
    }

    /// Moves the log into the file, durably, so that it begins anew; says whether it could.
    fn empty(&mut self, connection: &Connection, how: &str) -> bool {
        if self.failed {
            return true;
        }
        let emptied = checkpoint(connection, how, self.wait);
        emptied.unwrap_or_else(|error| {
            self.note(connection, &error);
            false
        })
    }

    /// Takes note of an error of a write: after a sync that failed, nothing may be written
    /// any more, for what comes behind it in the log could be cut off with it.
    pub(super) fn note(&mut self, connection: &Connection, error: &Error) {
        if is_failed_sync(error) {
            self.failed = true;
            keep_log(connection);
            // It is not the last one, so closing it empties nothing.
            self.bound = None;
        }
    }

    /// Closes a connection that reads, perhaps as the last one.
    pub(super) fn close_reader(&self, connection: Connection) {
        if self.failed {
            keep_log(&connection);
        }
        drop(connection);
    }

    /// Refuses writes when the disk failed to confirm one.
    pub(super) fn check(&self) -> Result<()> {
        if self.failed {
            return Err(after_failed_sync());
        }
        Ok(())
    }

    /// Empties the log if it can, and lets go of everything.
    pub(super) fn close(&mut self, connection: Connection) {
        self.at_rest(&connection);
        self.bound = None;
        drop(connection);
    }

    /// Moves the log into the file without waiting for the disk, and returns how many pages
    /// it has; `None` when that cannot be done.
    fn move_pages(&mut self, connection: &Connection) -> Option<i64> {
        if self.bound.is_none() {
            let (path, key) = (self.path.as_deref(), self.key.as_ref());
            let open = |path| open(Some(path), key, Access::Write, self.wait).ok();
            self.bound = path.and_then(open);
        }
        let bound = self.bound.take()?;
        let moved = move_before_mark(connection, &bound, self.wait, &mut self.others);
        // Whatever happened: only a connection that reads nothing can serve again.
        if bound.is_autocommit() || run(&bound, "ROLLBACK").is_ok() {
            self.bound = Some(bound);
        }
        if let Err(error) = &moved {
            self.note(connection, error);
        }
        set_synchronous(connection, true).ok().and(moved.ok())
    }
}

/// Returns how many pages the log has. The connection does not wait for the disk afterwards.
fn move_before_mark(
    connection: &Connection,
    bound: &Connection,
    wait: Duration,
    others: &mut Option<i64>,
) -> Result<i64> {
    // What was written last is in the log only, so that is where this reads.
    run(bound, "BEGIN")?;
    number(bound, "SELECT 1 FROM sqlite_schema LIMIT 1", 0)?;
    set_synchronous(connection, false)?;
    mark(connection, wait)?;
    let now = number(connection, "PRAGMA data_version", 0)?;
    // The mark of another process may be before the bound, and not on the disk yet: then the
    // log comes first. What this process wrote waited for the disk, and for all before it.
    if others.replace(now) != Some(now) {
        set_synchronous(connection, true)?;
    }
    number(connection, "PRAGMA wal_checkpoint(PASSIVE)", 1)
}

/// Runs a statement that every quick write runs.
fn run(connection: &Connection, sql: &str) -> Result<()> {
    let statement = connection.prepare_cached(sql);
    let run = statement.and_then(|mut statement| statement.execute([]));
    run.map(drop).map_err(storage)
}

/// The number in a column of the first row of such a statement.
fn number(connection: &Connection, sql: &str, column: usize) -> Result<i64> {
    let statement = connection.prepare_cached(sql);
    let number = statement.and_then(|mut statement| statement.query_row([], |row| row.get(column)));
    number.map_err(storage)
}

/// Leaves the log as it is when the connection is closed, which would empty it after the last
/// one.
fn keep_log(connection: &Connection) {
    let kept = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    // If this cannot be set, the connection is of no use any more, not even for that.
    let _ = connection.set_db_config(kept, true);
}

fn set_synchronous(connection: &Connection, full: bool) -> Result<()> {
    let level = if full { "FULL" } else { "OFF" };
    connection
        .execute_batch(&format!("PRAGMA synchronous = {level}"))
        .map_err(storage)
}

/// Writes a page that no commit writes: what is moved leaves out the pages that are in the
/// log behind the bound as well.
fn mark(connection: &Connection, wait: Duration) -> Result<()> {
    // Never wait here for others: there will be another moment.
    let hurried = connection.busy_timeout(Duration::ZERO).is_ok();
    let marked = connection
        .prepare_cached(
            "INSERT INTO memu_meta VALUES ('log_mark', '0') ON CONFLICT (key)
             DO UPDATE SET value = CASE value WHEN '0' THEN '1' ELSE '0' END",
        )
        .and_then(|mut statement| statement.execute([]));
    if hurried {
        // The timeout is a number in memory; setting it cannot fail after it could.
        let _ = connection.busy_timeout(wait);
    }
    match marked.map_err(storage)? {
        1 => Ok(()),
        _ => Err(Error::internal("the log was not marked")),
    }
}
