//! Ending a transaction that writes.

use std::time::Duration;

use deadpool_postgres::Transaction;
use memu_core::{Error, Result};

use crate::connect::{Connections, Reach};
use crate::error::{is_lost, storage};
use crate::rows::Reader;
use crate::sql::Sql;

/// How often, and after how long each time, a server that went away is asked what became of
/// a transaction.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// Commits. When the connection breaks just then, only the server knows whether it did: it is
/// asked as soon as it is there again.
///
/// # Errors
/// A retryable [`ErrorKind::Storage`](memu_core::ErrorKind::Storage) when nothing was
/// committed, or when it cannot be known; the message tells which.
pub(crate) async fn commit(on: Transaction<'_>, connections: &Connections) -> Result<()> {
    let number = Sql::new("SELECT pg_current_xact_id_if_assigned()::text")
        .first(&on)
        .await?;
    let number: Option<String> = number.map_or(Ok(None), |row| Reader::new(&row).take())?;
    let Err(error) = on.commit().await.map_err(storage) else {
        return Ok(());
    };
    match number {
        Some(number) if is_lost(&error) => match outcome(connections, &number).await {
            Some(true) => Ok(()),
            Some(false) => Err(Error::storage(
                "the connection to the server broke, and nothing was written; try again",
            )
            .retryable(true)
            .caused_by(error)),
            None => Err(Error::storage(
                "the connection to the server broke while it was writing, and it has not come \
                 back: whether it did is not known; look, or try again",
            )
            .retryable(true)
            .caused_by(error)),
        },
        _ => Err(error),
    }
}

/// Whether a transaction was committed; `None` when the server does not tell.
async fn outcome(connections: &Connections, number: &str) -> Option<bool> {
    for _ in 0..TRIES {
        match ask(connections, number).await {
            Ok(Some(status)) if status == "committed" => return Some(true),
            Ok(Some(status)) if status == "aborted" => return Some(false),
            Ok(None) => return None,
            // It is not there yet, or still at it.
            Ok(Some(_)) | Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    None
}

async fn ask(connections: &Connections, number: &str) -> Result<Option<String>> {
    let mut client = connections.get().await?;
    let on = connections.snapshot(&mut client, Reach::Everything).await?;
    let status = Sql::new("SELECT pg_xact_status($1::text::xid8)")
        .with(number)
        .first(&on)
        .await?;
    status.map_or(Ok(None), |row| Reader::new(&row).take())
}
