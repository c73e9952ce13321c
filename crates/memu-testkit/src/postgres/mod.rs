//! Real PostgreSQL servers: databases on one that all tests share, and servers of a test's own
//! that may be stopped, killed and started again. All calls block and need no runtime.
//!
//! ```no_run
//! use memu_testkit::postgres;
//!
//! # fn rows_stay_apart() {
//! let Some(database) = postgres::database("rows_stay_apart") else {
//!     return;
//! };
//! // … point a store at database.dsn(), or at database.as_plain_user(); then look into it:
//! assert_eq!(database.value("SELECT count(*) FROM items"), "2");
//! # }
//! ```
//!
//! `scripts/with-postgres COMMAND` runs a command with a shared server and with the variables
//! that both need.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test cannot go on without its server"
)]

mod address;
mod database;
mod keeper;
mod place;
mod processes;
mod programs;
mod server;
mod session;
mod template;
mod tls;

use std::env;
use std::path::PathBuf;

pub use database::Database;
pub use server::{Builder, Server, Stop};
pub use tls::{TlsFront, certificate_authority};

use crate::skip;

/// The variable with the DSN of the server on which [`database`] makes databases. Its user may
/// make databases and roles, and is best a superuser; the server has pgvector 0.8 or later.
pub const SHARED: &str = "MEMU_TEST_POSTGRES";

/// The variable that names the folder of the programs `postgres` and `initdb`, which a
/// [`Server`] of a test's own is started from.
pub const PROGRAMS: &str = "MEMU_POSTGRES_BIN";

/// The variable that makes a missing server a failure where it is otherwise a skip, when it is
/// set to anything but nothing and `0`.
pub const REQUIRED: &str = "REQUIRE_POSTGRES";

/// A new database on the shared server, empty but for the extension `vector`, or `None` after
/// recording that `test` is skipped, because [`SHARED`] names no server. The test then returns.
///
/// # Panics
/// When [`REQUIRED`] is set and [`SHARED`] is not; when the server that is named does not
/// answer, may not be used, or has no pgvector: that is a failure, not a reason to skip.
pub fn database(test: &str) -> Option<Database> {
    let dsn = set_or_skip(SHARED, test)?;
    Some(Database::create(&dsn))
}

/// The folder with the programs of a server, or `None` after recording that `test` is skipped,
/// because [`PROGRAMS`] names none.
///
/// # Panics
/// When [`REQUIRED`] is set and [`PROGRAMS`] is not.
pub fn programs(test: &str) -> Option<PathBuf> {
    set_or_skip(PROGRAMS, test).map(PathBuf::from)
}

fn set_or_skip(variable: &str, test: &str) -> Option<String> {
    let value = env::var(variable).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        let required = env::var(REQUIRED).unwrap_or_default();
        assert!(
            matches!(required.as_str(), "" | "0"),
            "{test} needs PostgreSQL: {variable} is not set, and {REQUIRED} is; \
             run the tests through scripts/with-postgres"
        );
        skip(test, &format!("{variable} is not set"));
    }
    value
}
