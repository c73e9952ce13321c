//! What the server's errors mean to a caller.

use std::time::Duration;

use deadpool_postgres::{HookError, PoolError, TimeoutType};
use memu_core::{Error, ErrorKind};
use tokio_postgres::error::SqlState;

/// Translates an error of the server or of the connection to it. The original is kept as
/// the cause.
pub(crate) fn storage(cause: tokio_postgres::Error) -> Error {
    let Some(told) = cause.as_db_error() else {
        return lost(cause);
    };
    let (code, said) = (told.code().clone(), told.message().to_owned());
    let place = [told.table(), told.column(), told.constraint()];
    let place = place.into_iter().flatten().collect::<Vec<_>>().join(", ");
    // A replica says that it lacks a feature, which would be writing.
    let code = if code == SqlState::FEATURE_NOT_SUPPORTED && said.ends_with("during recovery") {
        SqlState::READ_ONLY_SQL_TRANSACTION
    } else {
        code
    };
    let (kind, message, retryable) = meaning(&code);
    let mut error = Error::new(kind, message).with("server", said);
    if !place.is_empty() {
        error = error.with("place", place);
    }
    if retryable {
        error = error.retryable(true);
    }
    error.caused_by(cause)
}

/// The kind of a code of the server, a message, and whether trying again may help.
fn meaning(code: &SqlState) -> (ErrorKind, &'static str, bool) {
    match *code {
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => (
            ErrorKind::Storage,
            "the server is stopping or starting; try again in a moment",
            true,
        ),
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT | SqlState::IDLE_SESSION_TIMEOUT => (
            ErrorKind::Storage,
            "the server waited for too long for the next statement; try again",
            true,
        ),
        SqlState::CONNECTION_FAILURE
        | SqlState::CONNECTION_EXCEPTION
        | SqlState::CONNECTION_DOES_NOT_EXIST
        | SqlState::SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION => (
            ErrorKind::Storage,
            "the server does not reach another one of its cluster; try again in a moment",
            true,
        ),
        SqlState::OUT_OF_MEMORY => (ErrorKind::Storage, "the server is out of memory", true),
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => (
            ErrorKind::Busy,
            "others wrote at the same time; try again",
            true,
        ),
        SqlState::LOCK_NOT_AVAILABLE => (
            ErrorKind::Busy,
            "others kept the scope locked for longer than busy_timeout_s",
            true,
        ),
        SqlState::QUERY_CANCELED => (
            ErrorKind::Busy,
            "a statement took longer than statement_timeout_s",
            true,
        ),
        SqlState::TOO_MANY_CONNECTIONS => (
            ErrorKind::Busy,
            "the server has no connection left; lower pool_size, or raise max_connections there",
            true,
        ),
        SqlState::DISK_FULL => (ErrorKind::Storage, "the server's disk is full", true),
        SqlState::INVALID_PASSWORD => (
            ErrorKind::Permission,
            "the server refused the user or the password of the DSN",
            false,
        ),
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => (
            ErrorKind::Permission,
            "the server does not let this user in from here, or not in this way; see sslmode",
            false,
        ),
        SqlState::INSUFFICIENT_PRIVILEGE => (
            ErrorKind::Permission,
            "the server does not let this user do that",
            false,
        ),
        SqlState::READ_ONLY_SQL_TRANSACTION => (
            ErrorKind::Permission,
            "the server only reads: it is a replica, or was told to; with ddl_mode \"validate\" it \
             can be read",
            false,
        ),
        SqlState::INVALID_CATALOG_NAME => (
            ErrorKind::Config,
            "the server has no database of this name; create it first",
            false,
        ),
        SqlState::FEATURE_NOT_SUPPORTED | SqlState::UNDEFINED_FILE => (
            ErrorKind::Unsupported,
            "the server cannot do that; pgvector must be installed there",
            false,
        ),
        SqlState::PROGRAM_LIMIT_EXCEEDED | SqlState::DATETIME_FIELD_OVERFLOW => (
            ErrorKind::Input,
            "a value is beyond what PostgreSQL can hold",
            false,
        ),
        SqlState::UNIQUE_VIOLATION => (
            ErrorKind::Conflict,
            "the store already has a record in this place; read it again and retry",
            true,
        ),
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => (
            ErrorKind::Corrupt,
            "the server found damaged data; memu doctor tells more",
            false,
        ),
        _ => (ErrorKind::Storage, "the server failed", false),
    }
}

/// No answer of the server: the connection broke, or could not be made, or what was to be
/// sent or was received does not fit.
fn lost(cause: tokio_postgres::Error) -> Error {
    if is_of_connection(&cause) {
        return Error::storage(
            "the connection to the server is lost, or could not be made; try again",
        )
        .retryable(true)
        .caused_by(cause);
    }
    let said = cause.to_string();
    let source = std::error::Error::source(&cause).map(ToString::to_string);
    let source = source.unwrap_or_default();
    if said.starts_with(TLS) {
        return Error::config(if source.contains("does not support TLS") {
            "the server speaks no TLS, which sslmode asks for; turn it on there, or use \
             sslmode=disable where nobody can listen"
        } else {
            "no TLS connection to the server: its certificate is not accepted, or it speaks \
             another version; see sslmode and sslrootcert"
        })
        .caused_by(cause);
    }
    if said.starts_with("invalid configuration") || said.starts_with("authentication error") {
        return Error::permission(
            "the server wants to know the user in a way that the DSN does not allow; is there a \
             password?",
        )
        .caused_by(cause);
    }
    if source.contains("overflow") || source.contains("too large") {
        return Error::input("a value is beyond what PostgreSQL can hold").caused_by(cause);
    }
    Error::internal("a value does not fit its column").caused_by(cause)
}

/// How the driver begins what it says of TLS.
const TLS: &str = "error performing TLS";

/// Whether an error that the server did not send is the connection's.
fn is_of_connection(cause: &tokio_postgres::Error) -> bool {
    let source = std::error::Error::source(cause);
    let broken = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    let text = cause.to_string();
    if text.starts_with(TLS) {
        // What TLS refuses comes as an error of reading, too, but of what was read.
        return broken.is_some_and(|broken| broken.kind() != std::io::ErrorKind::InvalidData);
    }
    cause.is_closed()
        || broken.is_some()
        || ["error connecting", "timeout", "error communicating"]
            .iter()
            .any(|beginning| text.starts_with(beginning))
}

/// Whether the connection is gone, so that the same may be tried on another one.
pub(crate) fn is_lost(error: &Error) -> bool {
    let first = std::error::Error::source(error);
    let mut causes = std::iter::successors(first, |cause| cause.source());
    let found = causes.find_map(|cause| cause.downcast_ref::<tokio_postgres::Error>());
    found.is_some_and(|cause| match cause.code() {
        None => is_of_connection(cause),
        Some(code) => [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::IDLE_SESSION_TIMEOUT,
        ]
        .contains(code),
    })
}

/// Translates an error of the pool of connections.
pub(crate) fn pool(cause: PoolError, size: usize, wait: Duration) -> Error {
    match cause {
        PoolError::Backend(cause) | PoolError::PostCreateHook(HookError::Backend(cause)) => {
            storage(cause)
        }
        PoolError::Timeout(TimeoutType::Wait) => Error::busy(format!(
            "all {size} connections were in use for longer than {} s; raise pool_size or \
             pool_timeout_s",
            wait.as_secs_f64()
        )),
        PoolError::Timeout(_) => Error::storage(format!(
            "the server did not answer within {} s",
            wait.as_secs_f64()
        ))
        .retryable(true),
        PoolError::Closed => Error::storage("the store is closed"),
        PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            Error::storage("a new connection could not be set up").caused_by(cause)
        }
    }
}

/// Stored data that no version of this program would have written.
pub(crate) fn corrupt(what: &str) -> Error {
    Error::corrupt(format!("the database holds {what}; memu doctor tells more"))
}
