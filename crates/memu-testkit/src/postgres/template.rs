use tokio_postgres::{Client, Config, Error};

use super::address::elsewhere;
use super::session::{finds, rows, with};

/// Held while a template is made: any number that nobody else is likely to take.
const LOCK: i64 = 0x6d65_6d75_7465_7374;

/// What a database with the extension `vector` is copied from; made by the first who asks, and
/// kept by the server. Copying takes a fraction of what creating the extension does, and the
/// copy's owner need not be allowed to create it.
pub(super) async fn template(config: &Config, client: &Client) -> Result<String, Error> {
    let version = version(client).await?;
    let name = format!("memu_test_template_{}", version.replace('.', "_"));
    if is_ready(client, &name).await? {
        return Ok(name);
    }
    // Ends with the session, however it ends.
    rows(client, &format!("SELECT pg_advisory_lock({LOCK})")).await?;
    if !is_ready(client, &name).await? {
        make(config, client, &name).await?;
    }
    rows(client, &format!("SELECT pg_advisory_unlock({LOCK})")).await?;
    Ok(name)
}

/// The version of pgvector that the server would create.
async fn version(client: &Client) -> Result<String, Error> {
    let sql = "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'";
    let found = rows(client, sql).await?;
    let Some(Some(version)) = found.into_iter().flatten().next() else {
        panic!("the test server has no extension vector: install pgvector 0.8 or later");
    };
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    assert!(
        found >= (0, 8),
        "the test server has pgvector {version}: install 0.8 or later"
    );
    Ok(version)
}

/// A template is marked as one when it is complete.
async fn is_ready(client: &Client, name: &str) -> Result<bool, Error> {
    let sql = format!("SELECT FROM pg_database WHERE datname = '{name}' AND datistemplate");
    finds(client, &sql).await
}

async fn make(config: &Config, client: &Client, name: &str) -> Result<(), Error> {
    // Half of one, whose maker was killed.
    rows(client, &format!("DROP DATABASE IF EXISTS {name}")).await?;
    let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
    rows(client, &create).await?;
    let inside = elsewhere(config, name);
    with(&inside, async |inside| {
        rows(inside, "CREATE EXTENSION vector").await
    })?;
    // Nobody may copy a database in which somebody is.
    let done = format!("ALTER DATABASE {name} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false");
    rows(client, &done).await?;
    Ok(())
}
