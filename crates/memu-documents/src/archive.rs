//! The parts of a ZIP archive, within bounds: a small file may unpack to more than there is room
//! for.

use std::io::{Cursor, Read as _};

use memu_core::{Error, Result};
use zip::ZipArchive;
use zip::result::ZipError;

/// What one part may have when it is unpacked, in bytes.
const LARGEST_PART: u64 = 64 << 20;
/// What all parts that are read may have together.
const LARGEST_WHOLE: u64 = 256 << 20;
/// How many parts an archive may have.
const MOST_PARTS: usize = 65_536;

/// An archive whose parts can be read.
pub(crate) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// How much may still be read.
    left: u64,
}

impl<'a> Archive<'a> {
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
        if zip.len() > MOST_PARTS {
            return Err(Error::input(format!(
                "the archive has {} parts; at most {MOST_PARTS} are read",
                zip.len()
            )));
        }
        Ok(Self {
            zip,
            left: LARGEST_WHOLE,
        })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// A part, unpacked; `None` when there is none of that name.
    pub(crate) fn part(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        let name_of_part = name;
        let part = match self.zip.by_name(name) {
            Err(ZipError::FileNotFound) => return Ok(None),
            part => part.map_err(|cause| broken(cause).with("part", name_of_part))?,
        };
        let most = LARGEST_PART.min(self.left);
        let mut bytes = Vec::new();
        // What the archive says about sizes is not believed.
        part.take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(|cause| {
                Error::input("a part of the archive is damaged")
                    .with("part", name_of_part)
                    .caused_by(cause)
            })?;
        let length = bytes.len() as u64;
        if length > most {
            return Err(Error::input(format!(
                "a part of the archive unpacks to more than {most} bytes; that much is not read"
            ))
            .with("part", name_of_part));
        }
        self.left -= length;
        Ok(Some(bytes))
    }

    /// A part that has to be there.
    pub(crate) fn required(&mut self, name: &str) -> Result<Vec<u8>> {
        self.part(name)?.ok_or_else(|| {
            Error::input(format!(
                "the archive lacks its part {name}, so it is no document"
            ))
        })
    }
}

fn broken(cause: ZipError) -> Error {
    let message = match &cause {
        ZipError::UnsupportedArchive(reason) if *reason == ZipError::PASSWORD_REQUIRED => {
            "the archive is locked with a password; hand in a copy without one"
        }
        ZipError::UnsupportedArchive(_) => "the archive is packed in a way that is not supported",
        _ => "the archive is damaged or was cut off",
    };
    Error::input(message).caused_by(cause)
}
