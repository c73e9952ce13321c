use std::fmt::Write;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// Where servers listen when nothing else is said.
pub(super) const STANDARD_PORT: u16 = 5432;

/// What a DSN says, in either of the two forms that PostgreSQL knows.
pub(super) fn parse(dsn: &str) -> Config {
    match dsn.parse() {
        Ok(config) => config,
        // The DSN itself may hold a password.
        Err(error) => panic!("the DSN of the test server cannot be read: {error}"),
    }
}

/// The same server by another user, in another database.
pub(super) fn elsewhere(config: &Config, database: &str) -> Config {
    let mut other = config.clone();
    other.dbname(database);
    other
}

/// The DSN as a URL. Of several hosts it names the first; settings that tests do not use are
/// left out.
pub(super) fn url(config: &Config) -> String {
    let mut settings = Vec::new();
    let port = config.get_ports().first().copied().unwrap_or(STANDARD_PORT);
    let place = match config.get_hosts().first() {
        Some(Host::Tcp(host)) if host.contains(':') => format!("[{host}]:{port}"),
        Some(Host::Tcp(host)) => format!("{host}:{port}"),
        Some(Host::Unix(folder)) => {
            let folder = encoded(folder.as_os_str().as_encoded_bytes());
            settings.extend([format!("host={folder}"), format!("port={port}")]);
            String::new()
        }
        None => String::new(),
    };
    if config.get_ssl_mode() == SslMode::Require {
        settings.push("sslmode=require".to_owned());
    }
    if let Some(options) = config.get_options() {
        settings.push(format!("options={}", encoded(options.as_bytes())));
    }
    let user = user(config);
    let database = encoded(config.get_dbname().unwrap_or_default().as_bytes());
    let mark = if settings.is_empty() { "" } else { "?" };
    let settings = settings.join("&");
    format!("postgresql://{user}{place}/{database}{mark}{settings}")
}

/// The user and the password, as they stand before the host.
fn user(config: &Config) -> String {
    let name = config.get_user().map(|user| encoded(user.as_bytes()));
    match (name, config.get_password().map(encoded)) {
        (Some(name), Some(password)) => format!("{name}:{password}@"),
        (Some(name), None) => format!("{name}@"),
        (None, _) => String::new(),
    }
}

/// Text for any part of a URL.
fn encoded(text: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in text {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            encoded.push(char::from(*byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_what_a_dsn_said() {
        for dsn in [
            "postgresql://ann:p%40ss%2F%3Aw%C3%B6rd@db.example:5433/house?sslmode=require",
            "host=localhost port=5433 user=ann password='a b' dbname=house options='-c jit=off'",
            "postgresql://ann@[::1]:5433/house",
            "host=/var/run/postgresql port=5433 user=ann dbname=house",
        ] {
            let config = parse(dsn);
            assert_eq!(parse(&url(&config)), config, "{dsn}");
        }
    }

    #[test]
    fn another_database_is_on_the_same_server() {
        let config = parse("postgresql://ann:secret@localhost:5433/house");
        assert_eq!(
            url(&elsewhere(&config, "garden")),
            "postgresql://ann:secret@localhost:5433/garden"
        );
    }
}
