//! Keys of encrypted files.

use std::fmt;
use std::sync::Arc;

use memu_core::{Error, Result};
use rusqlite::{Connection, ErrorCode};

use super::connection::PAGE_SIZE;
use super::error::storage;

/// The key of an encrypted file: a passphrase, or a raw key as SQLCipher writes it,
/// `x'…'` with 64 hexadecimal digits, which opens a file at once.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Arc<str>);

impl Key {
    /// A key for files.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config) for an empty one;
    /// [`ErrorKind::Unsupported`](memu_core::ErrorKind::Unsupported) when this build
    /// cannot encrypt.
    pub fn new(secret: &str) -> Result<Self> {
        if secret.is_empty() {
            return Err(Error::config(
                "the encryption key is empty; leave it out for a file that is not encrypted",
            ));
        }
        if !cfg!(feature = "sqlcipher") {
            return Err(Error::unsupported(
                "this build cannot encrypt files; build it with the feature sqlcipher \
                 (cargo install memu-cli --features sqlcipher)",
            ));
        }
        Ok(Self(secret.into()))
    }

    /// Lets a connection that has read nothing yet read and write an encrypted file.
    pub(super) fn give_to(&self, connection: &Connection) -> Result<()> {
        // What SQLCipher has to tell is told by our errors, not on the standard error.
        let given = connection
            .pragma_update(None, "cipher_log_level", "NONE")
            .and_then(|()| connection.pragma_update(None, "key", &*self.0))
            .and_then(|()| connection.pragma_update(None, "cipher_page_size", PAGE_SIZE));
        // The cause may quote the statement, and the key with it.
        given.map_err(|_| Error::storage("the database does not take the key"))?;
        let read = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
        read.map_err(|cause| match cause.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Error::permission(
                "the key does not open this database: it is another one's, or the beginning of \
                 the file is damaged",
            ),
            _ => storage(cause),
        })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// Gives a connection its key, if there is one.
pub(super) fn unlock(connection: &Connection, key: Option<&Key>) -> Result<()> {
    key.map_or(Ok(()), |key| key.give_to(connection))
}
