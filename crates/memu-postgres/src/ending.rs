//! Ending a transaction that writes.

use std::time::Duration;

use deadpool_postgres::Transaction;
use memu_core::{Error, Result};

use crate::connect::{Connections, Reach};
use crate::error::{is_lost, storage};
use crate::rows::Reader;
use crate::sql::Sql;

/// For how long, and after how long each time, a server that went away is asked what became of
/// a transaction.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(250);

/// Since when the server counts what it does. It begins anew after each crash, from which it may
/// come back without the number of a transaction that it had begun, and give that to another.
const COUNTING_SINCE: &str = "(SELECT stats_reset::text FROM pg_stat_bgwriter)";

/// A transaction that was to be committed when its connection broke.
#[derive(Debug)]
pub(crate) struct Unanswered {
    /// By which the server knows it.
    number: String,
    counting_since: Option<String>,
    error: Error,
}

/// Commits. When the connection breaks just then, only the server knows whether it did:
/// [`Unanswered::settle`] asks it.
///
/// # Errors
/// When nothing was committed.
pub(crate) async fn commit(on: Transaction<'_>) -> Result<Option<Unanswered>> {
    let sql = format!("SELECT pg_current_xact_id_if_assigned()::text, {COUNTING_SINCE}");
    let found = Sql::new(&sql).first(&on).await?;
    let (number, counting_since) = match &found {
        Some(row) => {
            let mut reader = Reader::new(row);
            (reader.take::<Option<String>>()?, reader.take()?)
        }
        None => (None, None),
    };
    let Err(error) = on.commit().await.map_err(storage) else {
        return Ok(None);
    };
    match number {
        Some(number) if is_lost(&error) => Ok(Some(Unanswered {
            number,
            counting_since,
            error,
        })),
        // Without a number it wrote nothing.
        _ => Err(error),
    }
}

impl Unanswered {
    /// Asks the server, as soon as it is there again, what became of the transaction.
    ///
    /// # Errors
    /// A retryable [`ErrorKind::Storage`](memu_core::ErrorKind::Storage) when nothing was
    /// committed, or when it cannot be known; the message tells which.
    pub(crate) async fn settle(self, connections: &Connections) -> Result<()> {
        let message = match self.outcome(connections).await {
            Some(true) => return Ok(()),
            Some(false) => "the connection to the server broke, and nothing was written; try again",
            None => {
                "the connection to the server broke while it was writing, and whether it did is \
                 not known; look, or try again"
            }
        };
        let error = Error::storage(message).retryable(true);
        Err(error.caused_by(self.error))
    }

    /// Whether it was committed; `None` when the server does not tell.
    async fn outcome(&self, connections: &Connections) -> Option<bool> {
        let asking = async {
            loop {
                match self.ask(connections).await {
                    Ok(Answer::Committed) => return Some(true),
                    Ok(Answer::Not) => return Some(false),
                    Ok(Answer::Unknown) => return None,
                    Err(_) if connections.is_closed() => return None,
                    // The server is not there yet, or still at it.
                    Ok(Answer::Later) | Err(_) => {}
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.unwrap_or(None)
    }

    async fn ask(&self, connections: &Connections) -> Result<Answer> {
        let mut client = connections.get().await?;
        let on = connections.snapshot(&mut client, Reach::Everything).await?;
        let since = Sql::new(&format!("SELECT {COUNTING_SINCE}"));
        let since = since.first(&on).await?;
        let since: Option<String> = since.map_or(Ok(None), |row| Reader::new(&row).take())?;
        let crashed = since != self.counting_since;
        // Numbers that were not given yet have no status.
        let status = Sql::new(
            "SELECT CASE WHEN $1::text::xid8 < pg_snapshot_xmax(pg_current_snapshot()) \
             THEN pg_xact_status($1::text::xid8) ELSE 'unknown' END",
        )
        .with(self.number.as_str())
        .first(&on)
        .await?;
        let status: Option<String> = status.map_or(Ok(None), |row| Reader::new(&row).take())?;
        Ok(match status.as_deref() {
            Some("aborted") => Answer::Not,
            Some("committed") if !crashed => Answer::Committed,
            // Perhaps it was, perhaps another one that was given its number.
            Some("committed") | None => Answer::Unknown,
            // Nothing of before a crash goes on after it, so that this is another.
            Some(_) if crashed => Answer::Not,
            Some(_) => Answer::Later,
        })
    }
}

/// What the server says of a transaction.
enum Answer {
    Committed,
    Not,
    Unknown,
    Later,
}
