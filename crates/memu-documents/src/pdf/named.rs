//! What the bytes of a PDF say about how it is packed, before anything is unpacked. Where objects
//! begin is for the file to say, so every key counts, wherever it stands.

use std::collections::BTreeSet;

use memu_core::{Error, Result};

use super::filters::Filter;

/// What a file names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Named {
    /// In what orders filters are applied.
    pub(super) chains: BTreeSet<Vec<Filter>>,
    /// Whether objects may lie in streams.
    pub(super) packs_objects: bool,
    pub(super) is_encrypted: bool,
    /// Whether it names filters by reference or among other things.
    pub(super) is_unclear: bool,
}

impl Named {
    pub(super) fn in_file(bytes: &[u8]) -> Self {
        let mut named = Self::default();
        let mut rest = Tokens(bytes);
        while let Some(slash) = rest.0.iter().position(|byte| *byte == b'/') {
            let before = bytes.len() - rest.0.len() + slash;
            rest.0 = rest.0.get(slash..).unwrap_or_default();
            let Some(Token::Name(name)) = rest.next() else {
                continue;
            };
            match name.as_slice() {
                b"ObjStm" => named.packs_objects = true,
                b"Encrypt" => named.is_encrypted = true,
                b"W" => named.packs_objects |= is_three_numbers(rest.clone()),
                b"Filter" => named.value(rest.clone(), true),
                b"F" if !is_nested(bytes.get(..before)) => named.value(rest.clone(), false),
                _ => {}
            }
        }
        named
    }

    /// Takes the value of a key; `F` has other meanings, too.
    fn value(&mut self, mut tokens: Tokens<'_>, is_filter: bool) {
        match tokens.next() {
            Some(Token::Name(name)) => self
                .chains
                .extend(Filter::named(&name).map(|one| vec![one])),
            Some(Token::Number) => {
                let is_reference = tokens.next() == Some(Token::Number)
                    && tokens.next() == Some(Token::Other(b'R'));
                self.is_unclear |= is_reference;
            }
            Some(Token::Open) => self.array(tokens, is_filter),
            _ => {}
        }
    }

    fn array(&mut self, tokens: Tokens<'_>, is_filter: bool) {
        let mut chain = Vec::new();
        let (mut has_others, mut has_reference) = (false, false);
        for token in tokens {
            match token {
                Token::Close => break,
                Token::Name(name) => chain.extend(Filter::named(&name)),
                other => {
                    has_others = true;
                    has_reference |= other == Token::Other(b'R');
                }
            }
        }
        self.is_unclear |= has_others && (is_filter || has_reference || !chain.is_empty());
        if !chain.is_empty() {
            self.chains.insert(chain);
        }
    }

    /// What cannot be counted before objects are unpacked.
    pub(super) fn check(&self) -> Result<()> {
        if self.packs_objects && self.is_unclear {
            return Err(Error::input(
                "the PDF names its filters by reference, so that what it unpacks to cannot be \
                 known; print it to a PDF anew",
            ));
        }
        Ok(())
    }
}

fn is_three_numbers(mut tokens: Tokens<'_>) -> bool {
    tokens.next() == Some(Token::Open)
        && (0..3).all(|_| tokens.next() == Some(Token::Number))
        && tokens.next() == Some(Token::Close)
}

/// Whether a key is the first of a dictionary that is the value of a key itself, as in `/EF << /F
/// 9 0 R >>`. The dictionary of a stream is no value.
fn is_nested(before: Option<&[u8]>) -> bool {
    let before = before.unwrap_or_default().trim_ascii_end();
    let Some(before) = before.strip_suffix(b"<<").map(<[u8]>::trim_ascii_end) else {
        return false;
    };
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let start = before.iter().rposition(is_end).unwrap_or_default();
    let line = before.get(start..).unwrap_or_default();
    let name = line.rsplit(|byte| !is_regular(*byte)).next();
    let slash = line.len() - name.map_or(0, <[u8]>::len);
    let has_name = slash.checked_sub(1).and_then(|at| line.get(at)) == Some(&b'/');
    has_name && !line.contains(&b'%')
}

#[derive(Debug, PartialEq)]
enum Token {
    /// A name, with its escapes resolved.
    Name(Vec<u8>),
    Number,
    /// The beginning and the end of an array.
    Open,
    Close,
    /// Something else, and what it begins with.
    Other(u8),
}

/// The tokens from some place on. Comments are skipped.
#[derive(Clone)]
struct Tokens<'b>(&'b [u8]);

impl<'b> Tokens<'b> {
    fn take_while(&mut self, is_part: impl Fn(u8) -> bool) -> &'b [u8] {
        let end = self.0.iter().position(|byte| !is_part(*byte));
        let (taken, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        taken
    }

    fn skip_string(&mut self) {
        let mut depth = 0_usize;
        while let Some((byte, rest)) = self.0.split_first() {
            self.0 = rest;
            match byte {
                b'\\' => self.0 = rest.get(1..).unwrap_or_default(),
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            self.take_while(is_space);
            if self.0.first() != Some(&b'%') {
                break;
            }
            self.take_while(|byte| !matches!(byte, b'\n' | b'\r'));
        }
        let (first, rest) = self.0.split_first()?;
        if *first == b'(' {
            self.skip_string();
            return Some(Token::Other(b'('));
        }
        self.0 = rest;
        Some(match first {
            b'/' => Token::Name(unescape(self.take_while(is_regular))),
            b'[' => Token::Open,
            b']' => Token::Close,
            b'0'..=b'9' | b'+' | b'-' | b'.' => {
                self.take_while(|byte| byte.is_ascii_digit() || byte == b'.');
                Token::Number
            }
            first => {
                if is_regular(*first) {
                    self.take_while(is_regular);
                }
                Token::Other(*first)
            }
        })
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0C | b'\r' | b' ')
}

fn is_regular(byte: u8) -> bool {
    !is_space(byte)
        && !matches!(
            byte,
            b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
        )
}

/// A name in which bytes may be written as `#46`.
fn unescape(mut written: &[u8]) -> Vec<u8> {
    let mut name = Vec::new();
    while let Some((first, rest)) = written.split_first() {
        let digits = rest
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let value = value.filter(|_| *first == b'#');
        name.push(value.unwrap_or(*first));
        written = match value {
            Some(_) => rest.get(2..).unwrap_or_default(),
            None => rest,
        };
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_found_however_they_are_written() {
        use Filter::{Ascii85, Flate};
        for (written, chains, unclear) in [
            (&b"<< /Filter/FlateDecode >>"[..], vec![vec![Flate]], false),
            (
                b"/F#69lter [ /A85 %]\n/#46l ]",
                vec![vec![Ascii85, Flate]],
                false,
            ),
            (b"/F /Fl", vec![vec![Flate]], false),
            (b"/Filter [/DCTDecode] /F 4 /F (a) /F << >>", vec![], false),
            (b"/Filter 9 0 R", vec![], true),
            (b"/F [9 0 R 10 0 R]", vec![], true),
            (b"/F [(]) /Fl]", vec![vec![Flate]], true),
            (b"/EF << /F 9 0 R >> /Font<</F 9 0 R", vec![], false),
            (b"9 0 obj << /F 9 0 R >>", vec![], true),
            (b"% /EF <<\n/F 9 0 R >>", vec![], true),
        ] {
            let named = Named::in_file(written);
            let shown = String::from_utf8_lossy(written);
            assert_eq!(Vec::from_iter(named.chains), chains, "{shown}");
            assert_eq!(named.is_unclear, unclear, "{shown}");
        }
    }

    #[test]
    fn objects_in_streams_and_encryption_are_noticed() {
        for (written, packs, encrypted) in [
            (&b"/Type /ObjStm"[..], true, false),
            (b"/W [1 2\n1]", true, false),
            (b"/W [0 [500 600]] /W [1 2 500 7 8 400]", false, false),
            (b"trailer << /Encrypt 5 0 R >>", false, true),
        ] {
            let named = Named::in_file(written);
            assert_eq!(
                (named.packs_objects, named.is_encrypted),
                (packs, encrypted)
            );
        }
    }
}
