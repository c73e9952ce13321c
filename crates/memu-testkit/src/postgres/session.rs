use std::time::Duration;

use tokio::runtime;
use tokio_postgres::{Client, Config, Error, NoTls, SimpleQueryMessage};

/// How long a server may take to answer a connection.
const PATIENCE: Duration = Duration::from_secs(20);

/// Connects, lets `work` use the connection, and closes it. Blocks; in a thread of its own,
/// because the caller may be inside a runtime, which allows no other.
pub(super) fn with<T: Send>(
    config: &Config,
    work: impl AsyncFnOnce(&Client) -> Result<T, Error> + Send,
) -> Result<T, Error> {
    let mut config = config.clone();
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(PATIENCE);
    }
    let run = move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let (client, connection) = config.connect(NoTls).await?;
            let connection = tokio::spawn(connection);
            let done = work(&client).await;
            // The server has taken leave when the next one looks.
            drop(client);
            let _ = connection.await;
            done
        })
    };
    std::thread::scope(|scope| scope.spawn(run).join()).expect("the thread of a session")
}

/// The rows of a statement, or of several, as text.
pub(super) async fn rows(client: &Client, sql: &str) -> Result<Vec<Vec<Option<String>>>, Error> {
    let messages = client.simple_query(sql).await?;
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            let cells = (0..row.len()).map(|column| row.get(column).map(str::to_owned));
            Some(cells.collect())
        }
        _ => None,
    });
    Ok(rows.collect())
}

/// Whether a statement finds any row.
pub(super) async fn finds(client: &Client, sql: &str) -> Result<bool, Error> {
    Ok(!rows(client, sql).await?.is_empty())
}

/// An error with what the server said.
pub(super) fn told(error: &Error) -> String {
    match error.as_db_error() {
        Some(said) => format!(
            "{}: {} ({})",
            said.severity(),
            said.message(),
            said.code().code()
        ),
        None => std::error::Error::source(error)
            .map_or_else(|| error.to_string(), |source| format!("{error}: {source}")),
    }
}
