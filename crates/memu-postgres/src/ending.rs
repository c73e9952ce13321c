//! Ending a transaction that writes.

use std::time::Duration;

use deadpool_postgres::Transaction;
use memu_core::{Error, Result};

use crate::connect::{Connections, Reach};
use crate::error::{is_lost, storage};
use crate::rows::Reader;
use crate::sql::Sql;
use crate::values::Key;

/// For how long, and after how long each time, a server that went away is asked what became of
/// a transaction.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(250);

/// Since when a server counts what it does. It begins anew after each crash, from which it may
/// come back without the number of a transaction that it had begun, and give that to another.
const COUNTING_SINCE: &str = "pg_stat_get_bgwriter_stat_reset_time()::text";

/// By which a server knows a transaction, and since when it has counted.
#[derive(Debug)]
struct Numbered {
    number: String,
    counting_since: Option<String>,
}

/// A transaction that was to be committed when its connection broke.
#[derive(Debug)]
pub(crate) struct Unanswered {
    here: Numbered,
    there: There,
    error: Error,
}

/// What a transaction is on the servers of a cluster.
#[derive(Debug)]
enum There {
    /// Nothing: it is whatever it is here.
    Nothing,
    /// It wrote to one scope. The server of that may have committed it alone.
    One(Key, Numbered),
    /// It may have written to several scopes.
    Many,
}

/// Commits. When the connection breaks just then, only the server knows whether it did:
/// [`Unanswered::settle`] asks it. So it is when a cluster fails to commit, whose server of a
/// scope may have.
///
/// # Errors
/// When nothing was committed.
pub(crate) async fn commit(
    on: Transaction<'_>,
    connections: &Connections,
    reach: Reach<'_>,
) -> Result<Option<Unanswered>> {
    let is_cluster = connections.is_cluster();
    let (here, there) = if is_cluster {
        futures_util::try_join!(
            numbered(&on, "pg_current_xact_id()", None),
            there(&on, reach)
        )?
    } else {
        let here = numbered(&on, "pg_current_xact_id_if_assigned()", None).await?;
        (here, There::Nothing)
    };
    let Err(error) = on.commit().await.map_err(storage) else {
        return Ok(None);
    };
    match here {
        Some(here) if is_cluster || is_lost(&error) => Ok(Some(Unanswered { here, there, error })),
        // Without a number it wrote nothing.
        _ => Err(error),
    }
}

async fn there(on: &Transaction<'_>, reach: Reach<'_>) -> Result<There> {
    let Reach::Scopes([only]) = reach else {
        return Ok(There::Many);
    };
    let key = Key::of(only);
    let numbered = numbered(on, "pg_current_xact_id_if_assigned()", Some(key)).await?;
    Ok(numbered.map_or(There::Nothing, |numbered| There::One(key, numbered)))
}

/// The transaction's number by this function, of this server or that of a scope; `None` when it
/// has written nothing there.
async fn numbered(on: &Transaction<'_>, number: &str, of: Option<Key>) -> Result<Option<Numbered>> {
    let row = at(&format!("{number}::text, {COUNTING_SINCE}"), of)
        .first(on)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let mut reader = Reader::new(&row);
    let number: Option<String> = reader.take()?;
    let counting_since = reader.take()?;
    Ok(number.map(|number| Numbered {
        number,
        counting_since,
    }))
}

/// The statement that finds what this server, or that of a scope, says of itself.
fn at<'v>(expressions: &str, of: Option<Key>) -> Sql<'v> {
    match of {
        None => Sql::new(&format!("SELECT {expressions}")),
        // Counting finds one row even where there is no such scope.
        Some(key) => Sql::new(&format!(
            "SELECT {expressions}, count(*) FROM memu_scopes WHERE scope_key = $1"
        ))
        .with(key),
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
        let (status, crashed) = self.here.status(&on, None).await?;
        let here = match status.as_deref() {
            Some("aborted") => Answer::Not,
            Some("committed") if !crashed => Answer::Committed,
            // Perhaps it was, perhaps another one that was given its number.
            Some("committed") | None => Answer::Unknown,
            // Nothing of before a crash goes on after it, so that this is another.
            Some(_) if crashed => Answer::Not,
            Some(_) => Answer::Later,
        };
        match (&self.there, here) {
            (There::Nothing, here) | (_, here @ (Answer::Committed | Answer::Later)) => Ok(here),
            (There::Many, _) => Ok(Answer::Unknown),
            (There::One(key, there), _) => {
                let (status, crashed) = there.status(&on, Some(*key)).await?;
                Ok(match status.as_deref() {
                    // It may be that the scope lies on another server by now.
                    _ if crashed => Answer::Unknown,
                    Some("aborted") => Answer::Not,
                    Some("committed") => Answer::Committed,
                    None => Answer::Unknown,
                    Some(_) => Answer::Later,
                })
            }
        }
    }
}

impl Numbered {
    /// What became of the transaction, and whether the server crashed since.
    async fn status(
        &self,
        on: &Transaction<'_>,
        of: Option<Key>,
    ) -> Result<(Option<String>, bool)> {
        // Numbers that were not given yet have no status. They are digits.
        let number = format!("'{}'::xid8", self.number);
        let status = format!(
            "CASE WHEN {number} < pg_snapshot_xmax(pg_current_snapshot()) \
             THEN pg_xact_status({number}) ELSE 'unknown' END, {COUNTING_SINCE}"
        );
        let Some(row) = at(&status, of).first(on).await? else {
            return Ok((None, true));
        };
        let mut reader = Reader::new(&row);
        let (status, since) = (reader.take()?, reader.take::<Option<String>>()?);
        Ok((status, since != self.counting_since))
    }
}

/// What the server says of a transaction.
enum Answer {
    Committed,
    Not,
    Unknown,
    Later,
}
