use std::fmt;

use tokio_postgres::{Config, Error};
use uuid::Uuid;

use super::address::{elsewhere, parse, url};
use super::session::{rows, told, with};
use super::template::template;

/// A database of one test, with the extension `vector` and a role that owns it. Both are dropped
/// with it, and whoever is still connected is cut off.
///
/// Names begin with `memu_test_`, so that what a killed test left behind is found.
pub struct Database {
    name: String,
    /// The server, by the user that made this database, in the database where that one came in.
    server: Config,
    dsn: String,
    plain_user: String,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.name)
    }
}

impl Database {
    /// Makes a database on the server of a DSN.
    ///
    /// # Panics
    /// When it cannot be made.
    pub(super) fn create(dsn: &str) -> Self {
        let server = parse(dsn);
        let name = format!("memu_test_{}", Uuid::new_v4().simple());
        let password = Uuid::new_v4().simple().to_string();
        if let Err(error) = make(&server, &name, &password) {
            panic!(
                "no database can be made on the test server: {}",
                told(&error)
            );
        }
        let inside = elsewhere(&server, &name);
        let mut plain = inside.clone();
        plain.user(&name).password(&password);
        Self {
            name,
            server,
            dsn: url(&inside),
            plain_user: url(&plain),
        }
    }

    /// The DSN for the user that [`SHARED`](super::SHARED) names or, on a [`Server`](super::Server)
    /// of the test's own, for its superuser. Row security does not bind a superuser.
    pub fn dsn(&self) -> &str {
        &self.dsn
    }

    /// The DSN for a role that owns the database and is nothing more: row security binds it where
    /// a table forces that on its owner, and wherever the table is another's.
    pub fn as_plain_user(&self) -> &str {
        &self.plain_user
    }

    /// The name of the database, and of the role that owns it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rows of a statement by the user of [`Database::dsn`], every value as the text that
    /// PostgreSQL shows; of several statements, the rows of all.
    ///
    /// # Panics
    /// When the server refuses it.
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        match with(&parse(&self.dsn), async |client| rows(client, sql).await) {
            Ok(rows) => rows,
            Err(error) => panic!("{sql}: {}", told(&error)),
        }
    }

    /// The only value that a statement finds; the empty text for `NULL`.
    ///
    /// # Panics
    /// When the server refuses it, or it finds less or more.
    pub fn value(&self, sql: &str) -> String {
        let mut values: Vec<_> = self.rows(sql).into_iter().flatten().collect();
        assert_eq!(values.len(), 1, "{sql}: finds {values:?}");
        values.pop().flatten().unwrap_or_default()
    }
}

fn make(server: &Config, name: &str, password: &str) -> Result<(), Error> {
    with(server, async |client| {
        let template = template(server, client).await?;
        // The last but one only matters to a user who is no superuser.
        for statement in [
            format!("CREATE ROLE {name} LOGIN PASSWORD '{password}'"),
            format!("GRANT {name} TO CURRENT_USER"),
            format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {name}"),
        ] {
            rows(client, &statement).await?;
        }
        Ok(())
    })
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = &self.name;
        let dropped = with(&self.server, async |client| {
            rows(client, &format!("DROP DATABASE {name} WITH (FORCE)")).await?;
            rows(client, &format!("DROP ROLE {name}")).await
        });
        // A test may have killed the server.
        if let Err(error) = dropped {
            announce(&format!("{name} is left on the server: {}", told(&error)));
        }
    }
}

#[expect(clippy::print_stderr, reason = "a test reports to who runs it")]
fn announce(message: &str) {
    eprintln!("{message}");
}
