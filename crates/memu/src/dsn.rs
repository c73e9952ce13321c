//! Where a store is, as a URL-like text.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use memu_core::{Error, Result};

/// A data source name. Its `Display` form never shows a password.
#[derive(Clone, PartialEq, Eq)]
pub enum Dsn {
    /// In this process, gone with it.
    InMemory,
    /// A SQLite database that lives in memory: `sqlite:///:memory:`.
    SqliteMemory,
    /// A SQLite file: `sqlite:///relative.db` or `sqlite:////absolute.db`.
    Sqlite(PathBuf),
    /// A PostgreSQL server.
    Postgres(String),
}

impl Dsn {
    /// A DSN, or else the path of a SQLite file.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config) as [`Dsn::from_str`].
    pub fn from_dsn_or_path(text: &str) -> Result<Self> {
        if text.contains("://") || text == "inmemory" {
            return text.parse();
        }
        match text {
            "" => Err(Error::config("the database path is empty")),
            ":memory:" => Ok(Self::SqliteMemory),
            path => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }
}

impl FromStr for Dsn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "inmemory" || text == "inmemory://" {
            return Ok(Self::InMemory);
        }
        // SQLAlchemy's form names a driver of Python, too: postgresql+psycopg://…
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        let server = scheme.map(|scheme| scheme.split_once('+').map_or(scheme, |(it, _)| it));
        if matches!(server, Some("postgres" | "postgresql")) {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let Some(path) = text.strip_prefix("sqlite:///") else {
            return Err(Error::config(format!(
                "{:?} is not a DSN; use sqlite:///relative.db, sqlite:////absolute.db, \
                 sqlite:///:memory: or postgresql://…",
                without_password(text)
            )));
        };
        match path {
            "" => Err(Error::config(
                "the DSN names no file: sqlite:///memu.db does",
            )),
            ":memory:" => Ok(Self::SqliteMemory),
            path => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }
}

impl fmt::Display for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InMemory => f.write_str("inmemory"),
            Self::SqliteMemory => f.write_str("sqlite:///:memory:"),
            Self::Sqlite(path) => write!(f, "sqlite:///{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

impl fmt::Debug for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A DSN, or the path of a file, as it may be shown.
pub(crate) fn shown(text: &str) -> String {
    if text.contains("://") {
        without_password(text)
    } else {
        text.to_owned()
    }
}

/// Hides what stands between the user's name and the host, and `password=`
/// parameters.
pub(crate) fn without_password(url: &str) -> String {
    let masked = match url.split_once("password=") {
        Some((before, secret)) => {
            let after = secret.find('&').and_then(|at| secret.get(at..));
            format!("{before}password=***{}", after.unwrap_or_default())
        }
        None => url.to_owned(),
    };
    let (scheme, rest) = match masked.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), masked.as_str()),
    };
    // A password may hold any character, also those that end a host.
    let credentials = rest.rsplit_once('@');
    let named = credentials.and_then(|(user, host)| Some((user.split_once(':')?.0, host)));
    match named {
        Some((user, host)) => format!("{scheme}{user}:***@{host}"),
        None => format!("{scheme}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_forms_are_read() {
        for (text, expected) in [
            ("sqlite:///memory.db", Dsn::Sqlite("memory.db".into())),
            (
                "sqlite:////var/lib/memory.db",
                Dsn::Sqlite("/var/lib/memory.db".into()),
            ),
            ("sqlite:///:memory:", Dsn::SqliteMemory),
            ("inmemory", Dsn::InMemory),
            (
                "postgresql+psycopg://db/memu",
                Dsn::Postgres("postgresql+psycopg://db/memu".to_owned()),
            ),
        ] {
            assert_eq!(text.parse::<Dsn>().unwrap(), expected);
            assert_eq!(expected.to_string(), text);
        }
        assert_eq!(
            Dsn::from_dsn_or_path("notes/a.db").unwrap(),
            Dsn::Sqlite("notes/a.db".into())
        );
    }

    #[test]
    fn passwords_are_never_shown() {
        for (text, shown) in [
            (
                "postgresql://ann:s3cret@db/memu",
                "postgresql://ann:***@db/memu",
            ),
            (
                "postgresql://ann:p@ss@db:5432/memu",
                "postgresql://ann:***@db:5432/memu",
            ),
            (
                "postgresql://db/memu?password=s3cret&x=1",
                "postgresql://db/memu?password=***&x=1",
            ),
            ("postgresql://ann@db/memu", "postgresql://ann@db/memu"),
            (
                "postgresql://ann:s/3?c#r@et@db/memu",
                "postgresql://ann:***@db/memu",
            ),
        ] {
            let dsn: Dsn = text.parse().unwrap();
            assert_eq!(dsn.to_string(), shown);
            assert_eq!(format!("{dsn:?}"), shown);
        }
        let error = "mysql://ann:s3cret@db/memu".parse::<Dsn>().unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}
