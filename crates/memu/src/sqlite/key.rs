//! Keys of encrypted files.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
#[cfg(feature = "sqlcipher")]
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use memu_core::{Error, ErrorKind, Result};
use rusqlite::{Connection, ErrorCode};

#[cfg(feature = "sqlcipher")]
use super::backup::read_only;
#[cfg(feature = "sqlcipher")]
use super::cipher;
use super::connection::{Access, PAGE_SIZE, open};
use super::error::{sqlite_cause, storage};
use super::upgrade;
use crate::disk::size_of;

/// The first bytes of a file. An encrypted one begins with its salt, which is random.
pub(super) type Start = [u8; 16];

/// What a file begins with when it is a SQLite database that is not encrypted.
const MAGIC: &Start = b"SQLite format 3\0";

/// The key of an encrypted file: a passphrase, or a raw key as SQLCipher writes it,
/// `x'…'` with 64 hexadecimal digits, which opens a file at once.
///
/// Making the key of the pages from a passphrase takes a tenth of a second or more. Copies
/// of a `Key` share what was made, so that a store does it once.
#[derive(Clone)]
pub struct Key(Arc<Content>);

struct Content {
    secret: String,
    /// The keys of pages, by the salt that they were made with.
    #[cfg(feature = "sqlcipher")]
    made: Mutex<Vec<(Start, String)>>,
}

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
        if secret.contains('\0') {
            return Err(Error::config("the encryption key contains a NUL character"));
        }
        if !cfg!(feature = "sqlcipher") {
            return Err(cannot_encrypt());
        }
        Ok(Self(Arc::new(Content {
            secret: secret.to_owned(),
            #[cfg(feature = "sqlcipher")]
            made: Mutex::default(),
        })))
    }

    pub(super) fn secret(&self) -> &str {
        &self.0.secret
    }

    #[cfg(feature = "sqlcipher")]
    pub(super) fn made(&self) -> MutexGuard<'_, Vec<(Start, String)>> {
        let made = self.0.made.lock();
        made.unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.secret == other.0.secret
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

fn cannot_encrypt() -> Error {
    Error::unsupported(
        "this build cannot encrypt files; build it with the feature sqlcipher \
         (cargo install memu-cli --features sqlcipher)",
    )
}

/// Lets a connection that has read nothing yet read and write an encrypted file, if there
/// is a key.
pub(super) fn unlock(
    connection: &Connection,
    path: Option<&Path>,
    key: Option<&Key>,
    wait: Duration,
) -> Result<()> {
    let Some(key) = key else {
        return Ok(());
    };
    // The first thing that is done reads the file, and may have to wait for others.
    connection.busy_timeout(wait).map_err(storage)?;
    #[cfg(feature = "sqlcipher")]
    let given = cipher::unlock(connection, key);
    #[cfg(not(feature = "sqlcipher"))]
    let given = Err(cannot_encrypt());
    given.map_err(|error| explained(error, path, Some(key)))
}

/// Tells what a file is that SQLite takes for none of its own: with and without a key, that
/// is all that SQLite says.
pub(super) fn explained(error: Error, path: Option<&Path>, key: Option<&Key>) -> Error {
    let Some(path) = path.filter(|_| is_no_database(&error)) else {
        return error;
    };
    let start = start_of(path);
    let encrypted = start.is_some_and(|start| is_random(&start)) && has_whole_pages(path);
    match key {
        Some(_) if start.as_ref() == Some(MAGIC) => not_encrypted(path).caused_by(error),
        Some(_) if encrypted => Error::permission(
            "the key does not open this database: it is another one's, or the beginning of the \
             file is damaged",
        )
        .caused_by(error),
        None if encrypted => needs_key().caused_by(error),
        _ => error,
    }
}

/// Whether SQLite, or what encrypts for it, found no database in a file.
pub(super) fn is_no_database(error: &Error) -> bool {
    error.kind() == ErrorKind::Corrupt && comes_of_no_database(error)
}

/// Whether it was refused for want of the key, or because it has another one or none.
pub(crate) fn is_refused_key(error: &Error) -> bool {
    error.kind() == ErrorKind::Permission && comes_of_no_database(error)
}

fn comes_of_no_database(error: &Error) -> bool {
    sqlite_cause(error)
        .is_some_and(|cause| cause.sqlite_error_code() == Some(ErrorCode::NotADatabase))
}

fn needs_key() -> Error {
    Error::permission(if cfg!(feature = "sqlcipher") {
        "the file is no database that can be read without a key; if it is encrypted, give its \
         key: MEMU_KEY or database_config.metadata_store.encryption_key"
    } else {
        "the file is no database that can be read without a key; if it is encrypted, it takes a \
         build with the feature sqlcipher (cargo install memu-cli --features sqlcipher)"
    })
}

fn not_encrypted(path: &Path) -> Error {
    // Without leaving anything beside it.
    let original = open(Some(path), None, Access::Immutable, Duration::ZERO)
        .and_then(|connection| upgrade::is_original(&connection));
    Error::permission(if original.unwrap_or(false) {
        "this file was written by memU 1.x and is not encrypted, but a key is given: upgrade it \
         without MEMU_KEY and encryption_key (memu upgrade), then encrypt it (memu rekey)"
    } else {
        "the database is not encrypted, but a key is given: leave out MEMU_KEY and \
         encryption_key to open it, or encrypt it first (memu rekey)"
    })
}

#[cfg(feature = "sqlcipher")]
fn start_of(path: &Path) -> Option<Start> {
    read_only(path).ok().and_then(|file| cipher::start(&file))
}

/// A build that cannot read encrypted files has none open: closing this one lets go of no
/// locks that matter.
#[cfg(not(feature = "sqlcipher"))]
fn start_of(path: &Path) -> Option<Start> {
    let mut start = Start::default();
    let mut file = std::fs::File::open(path).ok()?;
    std::io::Read::read_exact(&mut file, &mut start).ok()?;
    Some(start)
}

/// Whether bytes may be a salt: of a million random ones, 15 are taken for a text, and one
/// for something else that is none.
fn is_random(start: &Start) -> bool {
    let mut different = *start;
    different.sort_unstable();
    let repeated = different
        .windows(2)
        .filter(|pair| pair.first() == pair.last());
    !start.is_ascii() && repeated.count() < 6
}

fn has_whole_pages(path: &Path) -> bool {
    let length = size_of(path);
    length > 0 && length.is_multiple_of(PAGE_SIZE.unsigned_abs())
}
