//! What a DSN says.

use std::time::Duration;

use memu_core::{Error, Result};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// How long a server may take to answer, unless the DSN says so.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// After how long without an answer a server that does not even say that it is alive is given
/// up, unless the DSN says so: a host that lost its power breaks no connection.
const SILENCE: Duration = Duration::from_mins(1);

/// Where servers listen when nothing else is said.
const STANDARD_PORT: u16 = 5432;

/// A DSN, taken apart.
#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) config: Config,
    pub(crate) trust: Trust,
}

/// Which certificates of a server are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Any: the connection is encrypted, and whose it is remains unknown.
    Any,
    /// Those that lead to a root, whatever name they have.
    AnyName(Roots),
    /// Those that lead to a root and have the server's name.
    Full(Roots),
}

/// Whom certificates lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Those that the system trusts.
    System,
    /// Those in a file of PEM certificates.
    File(String),
}

impl Address {
    /// Reads a DSN.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config); never with the DSN, which holds a
    /// password.
    pub(crate) fn parse(dsn: &str) -> Result<Self> {
        let (scheme, rest) = dsn.split_once("://").ok_or_else(unreadable)?;
        // SQLAlchemy's form names a driver of Python: postgresql+psycopg://…
        let scheme = scheme.split_once('+').map_or(scheme, |(scheme, _)| scheme);
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut mode, mut roots, mut others) = (None, None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value.to_owned()),
                Some(("sslrootcert", value)) => roots = Some(plain(value)),
                _ => others.push(parameter),
            }
        }
        let mut bare = format!("{scheme}://{place}");
        if !others.is_empty() {
            bare = format!("{bare}?{}", others.join("&"));
        }
        let mut config: Config = bare
            .parse()
            .map_err(|cause| unreadable().caused_by(cause))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        if !query.contains("keepalives") {
            config.keepalives_idle(SILENCE / 2);
            config.keepalives_interval(SILENCE / 6);
            config.keepalives_retries(3);
        }
        if config.get_application_name().is_none() {
            config.application_name("memu");
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host("localhost");
        }
        let trust = trust(&mut config, mode.as_deref(), roots)?;
        Ok(Self { config, trust })
    }

    /// The server and the database, for people: without user, password and parameters.
    pub(crate) fn place(&self) -> String {
        let ports = self.config.get_ports().iter();
        let port = ports.copied().next().filter(|port| *port != STANDARD_PORT);
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(host)) if host.contains(':') => format!("[{host}]"),
            Some(Host::Tcp(host)) => host.clone(),
            #[cfg(unix)]
            Some(Host::Unix(folder)) => folder.display().to_string(),
            None => String::new(),
        };
        let user = self.config.get_user().unwrap_or_default();
        let database = self.config.get_dbname().unwrap_or(user);
        format!("postgresql://{host}{port}/{database}")
    }
}

fn trust(config: &mut Config, mode: Option<&str>, roots: Option<String>) -> Result<Trust> {
    let file = roots.filter(|file| file != "system");
    let named = file.is_some();
    let roots = file.map_or(Roots::System, Roots::File);
    let (ssl_mode, trust) = match mode {
        Some("disable") => (SslMode::Disable, Trust::Any),
        None | Some("prefer" | "allow") => (SslMode::Prefer, Trust::Any),
        // As libpq does: who names a root wants it looked at.
        Some("require") if named => (SslMode::Require, Trust::AnyName(roots)),
        Some("require") => (SslMode::Require, Trust::Any),
        Some("verify-ca") => (SslMode::Require, Trust::AnyName(roots)),
        Some("verify-full") => (SslMode::Require, Trust::Full(roots)),
        Some(other) => {
            return Err(Error::config(format!(
                "sslmode={other} is unknown; use disable, prefer, require, verify-ca or \
                 verify-full"
            )));
        }
    };
    config.ssl_mode(ssl_mode);
    Ok(trust)
}

/// A parameter without the escapes of URLs.
fn plain(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten();
        let escaped = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = escaped {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn unreadable() -> Error {
    Error::config(
        "the DSN of PostgreSQL cannot be read; it has the form \
         postgresql://user:password@host:5432/database?sslmode=verify-full",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_forms_are_read() {
        for (dsn, mode, trust) in [
            (
                "postgresql://ann:s3cret@db/memu",
                SslMode::Prefer,
                Trust::Any,
            ),
            (
                "postgresql+psycopg://ann@db/memu?sslmode=disable",
                SslMode::Disable,
                Trust::Any,
            ),
            (
                "postgres://db/memu?sslmode=require",
                SslMode::Require,
                Trust::Any,
            ),
            (
                "postgres://db/memu?sslmode=require&sslrootcert=/etc/a%20b.pem",
                SslMode::Require,
                Trust::AnyName(Roots::File("/etc/a b.pem".to_owned())),
            ),
            (
                "postgres://db/memu?sslrootcert=system&sslmode=verify-full&connect_timeout=3",
                SslMode::Require,
                Trust::Full(Roots::System),
            ),
        ] {
            let address = Address::parse(dsn).unwrap();
            assert_eq!(address.config.get_ssl_mode(), mode, "{dsn}");
            assert_eq!(address.trust, trust, "{dsn}");
            assert_eq!(address.config.get_dbname(), Some("memu"));
        }
    }

    #[test]
    fn people_are_told_no_password() {
        for (dsn, place) in [
            (
                "postgresql://ann:s3cret@db:5433/memu?sslmode=require",
                "postgresql://db:5433/memu",
            ),
            ("postgresql://ann@[::1]/memu", "postgresql://[::1]/memu"),
            ("postgresql://ann:s3cret@db", "postgresql://db/ann"),
        ] {
            assert_eq!(Address::parse(dsn).unwrap().place(), place);
        }
    }

    #[test]
    fn a_bad_dsn_is_refused_without_its_password() {
        for dsn in [
            "postgresql://ann:s3cret@db:port/memu",
            "postgresql://ann:s3cret@db/memu?sslmode=maybe",
            "postgresql://ann:s3cret@db/memu?nonsense=1",
            "s3cret",
        ] {
            let error = Address::parse(dsn).unwrap_err();
            assert_eq!(error.kind(), memu_core::ErrorKind::Config, "{dsn}");
            assert!(
                !format!("{error:?} {error}").contains("s3cret"),
                "{error:?}"
            );
        }
    }
}
