//! How much a PDF unpacks to, before anybody unpacks it: once for what has to be unpacked to find
//! its objects, and once for all of them.

use std::io::{self, Read};

use hayro_interpret::hayro_syntax::object::{Object, Stream};
use hayro_interpret::hayro_syntax::{Filter as Known, Pdf};
use memu_core::{Error, Result};

use super::filters::Filter;
use super::named::Named;

/// What all streams of a file may have together, in bytes.
const LARGEST_WHOLE: u64 = 512 << 20;
/// How many filters may be applied to a stream, one after the other.
const LONGEST_CHAIN: usize = 4;
/// In how many ways streams of a file may be packed.
const MOST_CHAINS: usize = 16;
/// How many bytes come out of one at most (deflate).
const MOST_PER_BYTE: u64 = 1032;

/// Refuses what would unpack to too much while the objects of a file are looked for. Those may lie
/// in any stream, so every stream is unpacked in every way that the file names, a piece at a time,
/// and nothing is kept.
pub(super) fn check_bytes(bytes: &[u8]) -> Result<()> {
    let mut named = Named::in_file(bytes);
    for chain in &named.chains {
        check_length(chain.len())?;
    }
    if !named.packs_objects {
        return Ok(());
    }
    named.check()?;
    if named.is_encrypted {
        return check_encrypted(bytes.len() as u64, &named);
    }
    if named.chains.len() > MOST_CHAINS {
        return Err(Error::input(format!(
            "the PDF is packed in more than {MOST_CHAINS} ways; print it to a PDF anew"
        )));
    }
    named.chains.insert(vec![Filter::Flate]);
    let mut left = LARGEST_WHOLE;
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(next_stream) {
        at += found;
        let packed = bytes.get(at..).unwrap_or_default();
        let mut longest = 0;
        for chain in &named.chains {
            longest = longest.max(unpacked(packed, chain, left)?.length);
        }
        left -= longest;
    }
    Ok(())
}

/// What is encrypted cannot be counted before it is loaded, so only as much is read as has room
/// whatever it unpacks to.
fn check_encrypted(length: u64, named: &Named) -> Result<()> {
    let is_simple = |chain: &Vec<Filter>| match chain.as_slice() {
        [] => true,
        [one] => !matches!(one, Filter::Lzw { .. }),
        _ => false,
    };
    let most = LARGEST_WHOLE / MOST_PER_BYTE;
    if length > most || !named.chains.iter().all(is_simple) {
        return Err(Error::input(format!(
            "the PDF is encrypted with its objects packed, so that what it unpacks to cannot be \
             known; of such files at most {most} bytes, packed once, are read: hand in a copy \
             without encryption"
        )));
    }
    Ok(())
}

/// Refuses what would unpack to too much while the pages of a file are read.
pub(super) fn check_objects(pdf: &Pdf) -> Result<()> {
    // Where an object is not found, the file is searched anew, and others may turn up.
    for _ in 0..2 {
        let mut left = LARGEST_WHOLE;
        for object in pdf.objects() {
            if let Object::Stream(stream) = object {
                left -= length(&stream, left)?;
            }
        }
    }
    Ok(())
}

fn length(stream: &Stream<'_>, left: u64) -> Result<u64> {
    let mut chain = Vec::new();
    let known = stream.filters();
    check_length(known.len())?;
    for filter in known {
        chain.push(match filter {
            Known::FlateDecode => Filter::Flate,
            Known::LzwDecode => Filter::Lzw { early: true },
            Known::RunLengthDecode => Filter::RunLength,
            Known::Ascii85Decode => Filter::Ascii85,
            Known::AsciiHexDecode => Filter::AsciiHex,
            Known::Crypt => continue,
            // Pictures are not unpacked.
            _ => return Ok(0),
        });
    }
    let packed = stream.raw_data();
    let unpacked = unpacked(&packed, &chain, left)?;
    if unpacked.is_damaged {
        // It is unpacked all the same, as far as it goes, by a reader that minds less.
        let layers = chain.iter().filter(|one| **one == Filter::Flate).count();
        let factor = MOST_PER_BYTE.saturating_pow(layers as u32);
        if (packed.len() as u64).saturating_mul(factor) > left {
            return Err(super::damaged());
        }
    }
    Ok(unpacked.length)
}

fn check_length(chain: usize) -> Result<()> {
    if chain > LONGEST_CHAIN {
        return Err(Error::input(format!(
            "the PDF has a stream that was packed {chain} times; at most {LONGEST_CHAIN} times \
             are read"
        )));
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

struct Unpacked {
    /// Its length; of several ways to unpack it, that of the longest.
    length: u64,
    is_damaged: bool,
}

/// How much a stream unpacks to at every stage of its chain.
fn unpacked(packed: &[u8], chain: &[Filter], most: u64) -> Result<Unpacked> {
    let late = |filter: &Filter| match filter {
        Filter::Lzw { .. } => Filter::Lzw { early: false },
        other => *other,
    };
    let late: Vec<Filter> = chain.iter().map(late).collect();
    let mut found = Unpacked {
        length: 0,
        is_damaged: false,
    };
    let chains = [chain, &late];
    // Which of the two a chain with LZW is, its parameters say; the greater counts.
    let ways = if late == chain { 1 } else { 2 };
    for chain in chains.into_iter().take(ways) {
        for stage in 1..=chain.len() {
            let counted = count(packed, chain.get(..stage).unwrap_or_default(), most + 1);
            if counted.length > most {
                return Err(Error::input(format!(
                    "the PDF unpacks to more than {LARGEST_WHOLE} bytes; that much is not read"
                )));
            }
            found.length = found.length.max(counted.length);
            found.is_damaged |= counted.is_damaged;
            if counted.length == 0 {
                break;
            }
        }
    }
    Ok(found)
}

fn count(packed: &[u8], chain: &[Filter], most: u64) -> Unpacked {
    let mut counted = Counted(0);
    let mut reader: io::Result<Box<dyn Read + '_>> = Ok(Box::new(packed));
    for filter in chain {
        reader = reader.and_then(|input| filter.unpack(input));
    }
    let copied = reader.and_then(|reader| io::copy(&mut reader.take(most), &mut counted));
    // What is cut off unpacks to what is there.
    let is_cut = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    Unpacked {
        length: counted.0,
        is_damaged: copied.is_err_and(|error| !is_cut(&error)),
    }
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
