//! What SQLCipher needs to read and write encrypted files.

use std::num::NonZeroU32;

use memu_core::{Error, Result};
use ring::pbkdf2::{PBKDF2_HMAC_SHA512, derive};
use rusqlite::Connection;

use super::connection::PAGE_SIZE;
use super::error::storage;
use super::key::{Key, Start};

/// How often SQLCipher 4 hashes a passphrase.
const ROUNDS: NonZeroU32 = match NonZeroU32::new(256_000) {
    Some(rounds) => rounds,
    None => NonZeroU32::MIN,
};

/// Gives a connection that has read nothing yet its key, and tries it. A connection that
/// could not read with one key cannot write with another.
pub(super) fn unlock(connection: &Connection, key: &Key) -> Result<()> {
    set_key(connection, key.secret())?;
    // That of the file; for a new one, it is chosen here.
    if let Some(salt) = salt(connection).filter(|_| !is_raw(key.secret())) {
        set_key(connection, &page_key(key, &salt)?)?;
    }
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(storage)
}

fn set_key(connection: &Connection, key: &str) -> Result<()> {
    // What SQLCipher has to tell is told by our errors, not on the standard error.
    connection
        .pragma_update(None, "cipher_log_level", "NONE")
        .and_then(|()| connection.pragma_update(None, "key", key))
        .and_then(|()| connection.pragma_update(None, "cipher_page_size", PAGE_SIZE))
        // The cause may quote the statement, and the key with it.
        .map_err(|_| Error::storage("the database does not take the key"))
}

/// What a file begins with, as a connection without a key sees it.
pub(super) fn start(connection: &Connection) -> Option<Start> {
    // Any key: the file is not decrypted.
    set_key(connection, "start").ok()?;
    salt(connection)
}

fn salt(connection: &Connection) -> Option<Start> {
    let salt = connection.query_row("PRAGMA cipher_salt", [], |row| row.get::<_, String>(0));
    let bytes = u128::from_str_radix(&salt.ok()?, 16).ok()?;
    Some(bytes.to_be_bytes())
}

/// Whether SQLCipher takes a key as it is, without hashing it.
fn is_raw(secret: &str) -> bool {
    let digits = secret
        .strip_prefix("x'")
        .or_else(|| secret.strip_prefix("X'"))
        .and_then(|rest| rest.strip_suffix('\''))
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    digits.is_some_and(|digits| [64, 96, 160].contains(&digits.len()))
}

/// The key of the pages with the salt, as SQLCipher takes it: made as SQLCipher makes it, but
/// once for all connections.
fn page_key(key: &Key, salt: &Start) -> Result<String> {
    let mut made = key.made();
    if let Some((_, known)) = made.iter().find(|(of, _)| of == salt) {
        return Ok(known.clone());
    }
    let mut bytes = [0; 32];
    derive(
        PBKDF2_HMAC_SHA512,
        ROUNDS,
        salt,
        key.secret().as_bytes(),
        &mut bytes,
    );
    let mut text = String::from("x'");
    for byte in bytes.iter().chain(salt) {
        use std::fmt::Write;
        write!(text, "{byte:02x}")
            .map_err(|cause| Error::internal("a key cannot be written").caused_by(cause))?;
    }
    text.push('\'');
    made.push((*salt, text.clone()));
    Ok(text)
}
