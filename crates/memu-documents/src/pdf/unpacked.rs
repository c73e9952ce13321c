//! How much a PDF unpacks to, before anybody unpacks it.

use std::io::{self, Read};

use flate2::read::ZlibDecoder;
use memu_core::{Error, Result};

/// What all streams of a file may have together, in bytes.
const LARGEST_WHOLE: u64 = 512 << 20;
/// How often a stream may be packed again.
const DEEPEST: usize = 4;

/// Unpacks every stream that is packed, a piece at a time, and keeps nothing.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let mut left = LARGEST_WHOLE;
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(next_stream) {
        at += found;
        let packed = bytes.get(at..).unwrap_or_default();
        let Some(length) = unpacked(packed, left) else {
            return Err(Error::input(format!(
                "the PDF unpacks to more than {LARGEST_WHOLE} bytes; that much is not read"
            )));
        };
        left -= length;
    }
    Ok(())
}

/// Where the content of the next stream begins.
fn next_stream(bytes: &[u8]) -> Option<usize> {
    const MARK: &[u8] = b"stream";
    let at = bytes
        .windows(MARK.len())
        .position(|window| window == MARK)?;
    let after = at + MARK.len();
    let ends = match bytes.get(after..) {
        Some([b'\r', b'\n', ..]) => 2,
        Some([b'\n' | b'\r', ..]) => 1,
        _ => 0,
    };
    Some(after + ends)
}

/// How long a stream is when it is unpacked as often as it was packed; `None` when that is more
/// than `most`.
fn unpacked(packed: &[u8], most: u64) -> Option<u64> {
    let mut longest = 0;
    for depth in 1..=DEEPEST {
        let mut reader: Box<dyn Read + '_> = Box::new(packed);
        for _ in 0..depth {
            reader = Box::new(ZlibDecoder::new(reader));
        }
        // What comes before a damage counts, too.
        let mut counted = Counted(0);
        let _ = io::copy(&mut reader.take(most + 1), &mut counted);
        if counted.0 > most {
            return None;
        }
        if counted.0 == 0 {
            break;
        }
        longest = longest.max(counted.0);
    }
    Some(longest)
}

/// Counts what is written, and forgets it.
struct Counted(u64);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
