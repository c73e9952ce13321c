//! The filters by which streams of a PDF are packed (ISO 32000-2, 7.4), a piece at a time.

use std::io::{self, BufReader, Cursor, Read};

use flate2::read::DeflateDecoder;

/// How many bytes are unpacked at a time, at least.
const PIECE: usize = 8192;

/// A filter whose result can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Filter {
    Flate,
    /// Codes become longer one code early, or not.
    Lzw {
        early: bool,
    },
    RunLength,
    Ascii85,
    AsciiHex,
}

impl Filter {
    /// The filter of that name, which may be one of the short ones.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"FlateDecode" | b"Fl" => Self::Flate,
            b"LZWDecode" | b"LZW" => Self::Lzw { early: true },
            b"RunLengthDecode" | b"RL" => Self::RunLength,
            b"ASCII85Decode" | b"A85" => Self::Ascii85,
            b"ASCIIHexDecode" | b"AHx" => Self::AsciiHex,
            _ => return None,
        })
    }

    /// What comes out of `input`, up to its end or to what is damaged in it.
    pub(super) fn unpack<'i>(self, input: Box<dyn Read + 'i>) -> io::Result<Box<dyn Read + 'i>> {
        let step: Box<dyn Step> = match self {
            Self::Flate => {
                return Ok(Box::new(DeflateDecoder::new(after_zlib_header(input)?)));
            }
            Self::Lzw { early } => Box::new(Lzw::new(early)),
            Self::RunLength => Box::new(RunLength),
            Self::Ascii85 => Box::new(Ascii85),
            Self::AsciiHex => Box::new(AsciiHex),
        };
        Ok(Box::new(Unpacking {
            input: BufReader::new(input).bytes(),
            step,
            ready: Vec::new(),
            taken: 0,
            is_done: false,
        }))
    }
}

/// What follows the header of zlib; streams without one are read, too.
fn after_zlib_header<'i>(mut input: Box<dyn Read + 'i>) -> io::Result<Box<dyn Read + 'i>> {
    let mut start = Vec::new();
    input.by_ref().take(2).read_to_end(&mut start)?;
    let is_header = match start.as_slice() {
        [method, flags] => {
            let check = u16::from_be_bytes([*method, *flags]);
            method & 0x0F == 8 && check.is_multiple_of(31) && flags & 0x20 == 0
        }
        _ => false,
    };
    if is_header {
        return Ok(input);
    }
    Ok(Box::new(Cursor::new(start).chain(input)))
}

type Input<'s> = &'s mut dyn Iterator<Item = io::Result<u8>>;

/// What makes the next bytes out of what comes in.
trait Step {
    /// Adds bytes to `ready`, if there are any yet; `None` at the end.
    fn next(&mut self, input: Input<'_>, ready: &mut Vec<u8>) -> Option<()>;
}

struct Unpacking<R> {
    input: io::Bytes<R>,
    step: Box<dyn Step>,
    ready: Vec<u8>,
    taken: usize,
    is_done: bool,
}

impl<R: Read> Read for Unpacking<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken >= self.ready.len() {
            self.ready.clear();
            self.taken = 0;
            if self.is_done {
                return Ok(0);
            }
            while !self.is_done && self.ready.len() < PIECE {
                let more = self.step.next(&mut self.input, &mut self.ready);
                self.is_done = more.is_none();
            }
        }
        let mut left = self.ready.get(self.taken..).unwrap_or_default();
        let count = left.read(into)?;
        self.taken += count;
        Ok(count)
    }
}

fn byte(input: Input<'_>) -> Option<u8> {
    input.next()?.ok()
}

fn byte_but_space(input: Input<'_>) -> Option<u8> {
    loop {
        let byte = byte(input)?;
        if !matches!(byte, 0 | b'\t' | b'\n' | 0x0C | b'\r' | b' ') {
            return Some(byte);
        }
    }
}

struct RunLength;

impl Step for RunLength {
    fn next(&mut self, input: Input<'_>, ready: &mut Vec<u8>) -> Option<()> {
        match byte(input)? {
            128 => return None,
            length @ 0..128 => {
                for _ in 0..=length {
                    ready.push(byte(input)?);
                }
            }
            length => {
                let repeated = byte(input)?;
                ready.extend(std::iter::repeat_n(repeated, 257 - usize::from(length)));
            }
        }
        Some(())
    }
}

struct AsciiHex;

impl Step for AsciiHex {
    fn next(&mut self, input: Input<'_>, ready: &mut Vec<u8>) -> Option<()> {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let high = digit(byte_but_space(input)?)?;
        let low = byte_but_space(input).and_then(digit);
        ready.push((high << 4 | low.unwrap_or_default()) as u8);
        low.map(|_| ())
    }
}

struct Ascii85;

impl Step for Ascii85 {
    fn next(&mut self, input: Input<'_>, ready: &mut Vec<u8>) -> Option<()> {
        let mut value: u32 = 0;
        let mut count = 0;
        while count < 5 {
            match byte_but_space(input) {
                Some(b'z') if count == 0 => {
                    ready.extend([0; 4]);
                    return Some(());
                }
                Some(byte @ b'!'..=b'u') => {
                    let digit = u32::from(byte - b'!');
                    value = value.checked_mul(85)?.checked_add(digit)?;
                    count += 1;
                }
                _ => break,
            }
        }
        // A last group may be short, and lacks the highest digits then.
        for _ in count..5 {
            value = value.checked_mul(85)?.checked_add(84)?;
        }
        ready.extend(value.to_be_bytes().iter().take(usize::max(count, 1) - 1));
        (count == 5).then_some(())
    }
}

const CLEAR: usize = 256;
const END: usize = 257;
const MOST_CODES: usize = 4096;

/// Every code but the first ones stands for what another one stands for, and one byte more.
struct Lzw {
    early: bool,
    /// The code that it prolongs, its last byte, and how long it is.
    codes: Vec<(usize, u8, usize)>,
    before: Option<usize>,
    bits: u32,
    held: u32,
}

impl Lzw {
    fn new(early: bool) -> Self {
        let mut lzw = Self {
            early,
            codes: Vec::new(),
            before: None,
            bits: 0,
            held: 0,
        };
        lzw.clear();
        lzw
    }

    fn clear(&mut self) {
        let bytes = 0..=u8::MAX;
        self.codes = bytes.map(|byte| (CLEAR, byte, 1)).collect();
        self.codes.extend([(CLEAR, 0, 0), (CLEAR, 0, 0)]);
        self.before = None;
    }

    fn code(&mut self, input: Input<'_>) -> Option<usize> {
        let length = match self.codes.len() + usize::from(self.early) {
            ..512 => 9,
            512..1024 => 10,
            1024..2048 => 11,
            _ => 12,
        };
        while self.held < length {
            self.bits = self.bits << 8 | u32::from(byte(input)?);
            self.held += 8;
        }
        self.held -= length;
        Some((self.bits >> self.held & ((1 << length) - 1)) as usize)
    }

    /// Writes what a code stands for, and returns its first byte.
    fn write(&self, code: usize, ready: &mut Vec<u8>) -> Option<u8> {
        let start = ready.len();
        let (mut at, length) = (code, self.codes.get(code)?.2);
        for _ in 0..length {
            let (shorter, last, _) = self.codes.get(at)?;
            ready.push(*last);
            at = *shorter;
        }
        ready.get_mut(start..)?.reverse();
        ready.get(start).copied()
    }
}

impl Step for Lzw {
    fn next(&mut self, input: Input<'_>, ready: &mut Vec<u8>) -> Option<()> {
        let code = self.code(input)?;
        match code {
            CLEAR => self.clear(),
            END => return None,
            _ => {
                let is_new = code == self.codes.len();
                let known = if is_new { self.before? } else { code };
                let first = self.write(known, ready)?;
                if is_new {
                    ready.push(first);
                }
                if let Some(before) = self.before
                    && self.codes.len() < MOST_CODES
                {
                    let length = self.codes.get(before)?.2;
                    self.codes.push((before, first, length + 1));
                }
                self.before = Some(code);
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpack(filter: Filter, packed: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut reader = filter.unpack(Box::new(packed)).unwrap();
        reader.read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn each_filter_gives_back_what_was_packed() {
        let runs = [2, b'a', b'b', b'c', 254, b'd', 128, b'x'];
        assert_eq!(unpack(Filter::RunLength, &runs), b"abcddd");
        assert_eq!(unpack(Filter::AsciiHex, b"41 4\n2 5>43"), b"ABP");
        assert_eq!(
            unpack(Filter::Ascii85, b"87cUR\nD]i,\"Ebo7z~>"),
            b"Hello World"
        );
        assert_eq!(unpack(Filter::Ascii85, b"z~>"), [0; 4]);
        // The example of ISO 32000-2, 7.4.4.2.
        let lzw = [0x80, 0x0B, 0x60, 0x50, 0x22, 0x0C, 0x0C, 0x85, 0x01];
        let early = Filter::Lzw { early: true };
        assert_eq!(
            unpack(early, &lzw),
            [45, 45, 45, 45, 45, 65, 45, 45, 45, 66]
        );
        let stored = [0x78, 0x9C, 1, 2, 0, 0xFD, 0xFF, b'h', b'i'];
        assert_eq!(unpack(Filter::Flate, &stored), b"hi");
        assert_eq!(unpack(Filter::Flate, stored.get(2..).unwrap()), b"hi");
    }
}
