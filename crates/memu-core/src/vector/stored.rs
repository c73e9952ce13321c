//! Codes as bytes: a version, a checksum, counts, and the arrays, little-endian.

use super::bits::{GROUP, QUAD};
use super::codes::{CodeBlock, CodeBytes, quads};
use crate::error::{Error, ErrorKind, Result};

/// Changes with the format and with how vectors are coded: codes of another version are
/// made anew from the vectors.
const VERSION: u8 = 1;
const CHECKSUM: usize = 8;

impl CodeBlock {
    /// The block as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(self.owners.len(), self.dimension);
        writer.all(self.owners.iter().map(|owner| owner.to_le_bytes()));
        for numbers in [&self.centre, &self.factors, &self.spreads] {
            writer.all(numbers.iter().map(|x| x.to_le_bytes()));
        }
        writer.0.extend_from_slice(&self.signs);
        writer.finish()
    }

    /// The block of these bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when they are damaged or of another version; codes can be
    /// made anew from the vectors.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (mut reader, count, dimension) = Reader::new(bytes)?;
        let signs = count.div_ceil(GROUP) * quads(dimension) * QUAD;
        let block = Self {
            owners: reader.all(count, u64::from_le_bytes)?,
            dimension,
            centre: reader.all(dimension, f32::from_le_bytes)?,
            factors: reader.all(count, f32::from_le_bytes)?,
            spreads: reader.all(count, f32::from_le_bytes)?,
            signs: reader.take(signs)?.to_vec(),
        };
        reader.finish(block)
    }
}

impl CodeBytes {
    /// The codes as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let count = self.scales.len();
        let mut writer = Writer::new(count, self.codes.len() / count.max(1));
        for numbers in [&self.scales, &self.errors, &self.lengths] {
            writer.all(numbers.iter().map(|x| x.to_le_bytes()));
        }
        writer.all(self.codes.iter().map(|code| code.to_le_bytes()));
        writer.finish()
    }

    /// The codes of these bytes.
    ///
    /// # Errors
    /// As [`CodeBlock::from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (mut reader, count, dimension) = Reader::new(bytes)?;
        let codes = Self {
            scales: reader.all(count, f32::from_le_bytes)?,
            errors: reader.all(count, f32::from_le_bytes)?,
            lengths: reader.all(count, f32::from_le_bytes)?,
            codes: reader.all(count * dimension, i8::from_le_bytes)?,
        };
        reader.finish(codes)
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn new(count: usize, dimension: usize) -> Self {
        let mut writer = Self(vec![0; 1 + CHECKSUM]);
        writer.all([count, dimension].map(|number| (number as u32).to_le_bytes()));
        writer
    }

    fn all<const N: usize>(&mut self, numbers: impl IntoIterator<Item = [u8; N]>) {
        self.0.extend(numbers.into_iter().flatten());
    }

    fn finish(mut self) -> Vec<u8> {
        let checksum = checksum(self.0.get(1 + CHECKSUM..).unwrap_or_default());
        let head = std::iter::once(VERSION).chain(checksum);
        for (byte, value) in self.0.iter_mut().zip(head) {
            *byte = value;
        }
        self.0
    }
}

fn checksum(body: &[u8]) -> impl Iterator<Item = u8> + use<> {
    let hash: [u8; 32] = blake3::hash(body).into();
    hash.into_iter().take(CHECKSUM)
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    /// A reader behind the head, and how many vectors of how many numbers there are.
    fn new(bytes: &'b [u8]) -> Result<(Self, usize, usize)> {
        let (head, body) = bytes.split_at_checked(1 + CHECKSUM).ok_or_else(damaged)?;
        let expected = std::iter::once(VERSION).chain(checksum(body));
        if !expected.eq(head.iter().copied()) {
            return Err(damaged());
        }
        let mut reader = Self(body);
        let counts = reader.all(2, u32::from_le_bytes)?;
        match counts.as_slice() {
            [count, dimension] => Ok((reader, *count as usize, *dimension as usize)),
            _ => Err(damaged()),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn all<T, const N: usize>(&mut self, count: usize, read: fn([u8; N]) -> T) -> Result<Vec<T>> {
        let bytes = self.take(count.checked_mul(N).ok_or_else(damaged)?)?;
        Ok(bytes.as_chunks::<N>().0.iter().copied().map(read).collect())
    }

    fn finish<T>(self, value: T) -> Result<T> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(damaged())
        }
    }
}

fn damaged() -> Error {
    Error::new(ErrorKind::Corrupt, "a block of codes is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coded() -> (CodeBlock, CodeBytes) {
        let vectors: Vec<Vec<f32>> = (0..40)
            .map(|vector| (0..20).map(|at| (vector * at) as f32 % 7.0 - 3.0).collect())
            .collect();
        let owned: Vec<(u64, &[f32])> = (5..).zip(vectors.iter().map(Vec::as_slice)).collect();
        CodeBlock::encode(&owned)
    }

    #[test]
    fn codes_come_back_as_they_were_written() {
        let (block, bytes) = coded();
        assert_eq!(CodeBlock::from_bytes(&block.to_bytes()).unwrap(), block);
        assert_eq!(CodeBytes::from_bytes(&bytes.to_bytes()).unwrap(), bytes);
    }

    #[test]
    fn damage_is_found_wherever_it_is() {
        let (block, _) = coded();
        let bytes = block.to_bytes();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 16;
            let error = CodeBlock::from_bytes(&damaged).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "byte {at}");
            assert!(CodeBlock::from_bytes(&bytes[..at]).is_err());
        }
    }

    /// When this fails, files hold codes that this code would not write: raise
    /// [`VERSION`], so that they are made anew.
    #[test]
    fn the_version_tells_what_the_bytes_are() {
        let (block, bytes) = coded();
        let both = [block.to_bytes(), bytes.to_bytes()].concat();
        let hash = blake3::hash(&both).to_hex();
        assert_eq!((VERSION, hash.get(..16)), (1, Some("8c86fe6a4123ead7")));
    }
}
