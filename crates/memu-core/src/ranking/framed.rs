//! Derived data as bytes: a version, a checksum, and the data in postcard's format.

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};

const CHECKSUM: usize = 8;

/// Data as bytes.
pub(super) fn framed(version: u8, data: &impl Serialize) -> Result<Vec<u8>> {
    let header = vec![0; 1 + CHECKSUM];
    let mut bytes = postcard::to_extend(data, header)
        .map_err(|cause| Error::internal("derived data cannot be written").caused_by(cause))?;
    let checksum = checksum(bytes.get(1 + CHECKSUM..).unwrap_or_default());
    let head = std::iter::once(version).chain(checksum);
    for (byte, value) in bytes.iter_mut().zip(head) {
        *byte = value;
    }
    Ok(bytes)
}

/// The data of these bytes, in postcard's format; an error when they are damaged or of another
/// version.
pub(super) fn unframed(version: u8, bytes: &[u8]) -> Result<&[u8]> {
    let (head, body) = bytes.split_at_checked(1 + CHECKSUM).ok_or_else(damaged)?;
    let expected = std::iter::once(version).chain(checksum(body));
    if expected.eq(head.iter().copied()) {
        Ok(body)
    } else {
        Err(damaged())
    }
}

/// The error for data that cannot be read, and can be made anew from its records.
pub(super) fn damaged() -> Error {
    Error::new(
        ErrorKind::Corrupt,
        "what is derived from records is damaged",
    )
}

fn checksum(body: &[u8]) -> impl Iterator<Item = u8> + use<> {
    let hash: [u8; 32] = blake3::hash(body).into();
    hash.into_iter().take(CHECKSUM)
}
