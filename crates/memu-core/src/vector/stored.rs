//! Codes as bytes: a version, a checksum, counts, and the arrays, little-endian.

use super::beyond::Beyond;
use super::bits::{GROUP, group_bytes};
use super::codes::{CodeBlock, LowBits};
use super::planes::{low_bytes, middle_bytes};
use super::shares::Shares;
use crate::error::{Error, ErrorKind, Result};

/// Changes with the format and with how vectors are coded: codes of another version are
/// made anew from the vectors.
const VERSION: u8 = 4;
const CHECKSUM: usize = 8;

impl CodeBlock {
    /// The block as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(self.owners.len(), self.dimension);
        writer.owners(&self.owners);
        writer.numbers(&[self.longest]);
        writer.shorts(&self.centre);
        writer.fine_shares(&self.factors);
        writer.fine_shares(&self.scales);
        writer.shares(&self.spreads);
        writer.shares(&self.errors);
        writer.shares(&self.cut_off);
        writer.0.extend_from_slice(&self.first);
        writer.0.extend_from_slice(&self.middle);
        writer.finish()
    }

    /// The block of these bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when they are damaged or of another version; codes can be
    /// made anew from the vectors.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (mut reader, count, dimension) = Reader::new(bytes)?;
        let bits = times(count.div_ceil(GROUP), group_bytes(dimension))?;
        let block = Self {
            owners: reader.owners(count)?,
            dimension,
            longest: reader.number()?,
            centre: reader.shorts(dimension)?.into(),
            factors: reader.fine_shares(count)?,
            scales: reader.fine_shares(count)?,
            spreads: reader.shares(count)?,
            errors: reader.shares(count)?,
            cut_off: reader.shares(count)?,
            first: reader.take(bits)?.to_vec().into(),
            middle: reader
                .take(times(count, middle_bytes(dimension))?)?
                .to_vec()
                .into(),
        };
        reader.finish(block)
    }
}

impl LowBits {
    /// The bits as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new(self.errors.steps.len(), self.dimension);
        writer.shares(&self.byte_errors);
        writer.shares(&self.errors);
        writer.beyond(&self.beyond, self.errors.steps.len());
        writer.0.extend_from_slice(&self.rows);
        writer.finish()
    }

    /// The bits of these bytes.
    ///
    /// # Errors
    /// As [`CodeBlock::from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (mut reader, count, dimension) = Reader::new(bytes)?;
        let low = Self {
            byte_errors: reader.shares(count)?,
            errors: reader.shares(count)?,
            beyond: reader.beyond(count)?,
            rows: reader
                .take(times(count, low_bytes(dimension))?)?
                .to_vec()
                .into(),
            dimension,
        };
        reader.finish(low)
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn new(count: usize, dimension: usize) -> Self {
        let mut writer = Self(vec![0; 1 + CHECKSUM]);
        for number in [count, dimension] {
            writer.0.extend((number as u32).to_le_bytes());
        }
        writer
    }

    fn numbers(&mut self, numbers: &[f32]) {
        self.0.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
    }

    fn shares(&mut self, shares: &Shares<u8>) {
        self.numbers(&[shares.greatest]);
        self.0.extend_from_slice(&shares.steps);
    }

    fn shorts(&mut self, numbers: &[u16]) {
        self.0.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
    }

    fn fine_shares(&mut self, shares: &Shares<u16>) {
        self.numbers(&[shares.greatest]);
        self.shorts(&shares.steps);
    }

    /// Owners as differences to the one before: mostly a byte each.
    fn owners(&mut self, owners: &[u64]) {
        let mut before = 0;
        for owner in owners {
            self.varied(owner.wrapping_sub(before));
            before = *owner;
        }
    }

    /// By vector how many there are; of each how far it is from the one before, and by how many
    /// steps it is beyond, negative ones between the others.
    fn beyond(&mut self, beyond: &Beyond, vectors: usize) {
        for vector in 0..vectors {
            let numbers = beyond.of(vector);
            self.varied(numbers.len() as u64);
            let mut before = 0;
            for (place, steps) in numbers {
                self.varied(u64::from(place.wrapping_sub(before)));
                before = *place;
                let zigzag = (steps << 1) ^ (steps >> 15);
                self.varied(u64::from(zigzag.cast_unsigned()));
            }
        }
    }

    /// A number in as many bytes as it needs (LEB128).
    fn varied(&mut self, mut number: u64) {
        while number >= 128 {
            self.0.push(number as u8 | 128);
            number >>= 7;
        }
        self.0.push(number as u8);
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
        let (count, dimension) = (reader.count()?, reader.count()?);
        Ok((reader, count, dimension))
    }

    fn count(&mut self) -> Result<usize> {
        let bytes = self.take(4)?.first_chunk().ok_or_else(damaged)?;
        Ok(u32::from_le_bytes(*bytes) as usize)
    }

    fn take(&mut self, count: usize) -> Result<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<f32> {
        let bytes = self.take(4)?.first_chunk().ok_or_else(damaged)?;
        Ok(f32::from_le_bytes(*bytes))
    }

    fn shorts(&mut self, count: usize) -> Result<Vec<u16>> {
        let bytes = self.take(times(count, 2)?)?;
        let numbers = bytes.as_chunks().0.iter().copied();
        Ok(numbers.map(u16::from_le_bytes).collect())
    }

    fn shares(&mut self, count: usize) -> Result<Shares<u8>> {
        Ok(Shares {
            greatest: self.number()?,
            steps: self.take(count)?.to_vec().into(),
        })
    }

    fn fine_shares(&mut self, count: usize) -> Result<Shares<u16>> {
        Ok(Shares {
            greatest: self.number()?,
            steps: self.shorts(count)?.into(),
        })
    }

    fn beyond(&mut self, count: usize) -> Result<Beyond> {
        let mut beyond = Beyond::default();
        let mut numbers = Vec::new();
        for _ in 0..count {
            numbers.clear();
            let mut place = 0_u16;
            for _ in 0..self.varied()? {
                let further = u16::try_from(self.varied()?).map_err(|_| damaged())?;
                place = place.wrapping_add(further);
                let zigzag = u16::try_from(self.varied()?).map_err(|_| damaged())?;
                let steps = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
                numbers.push((place, steps));
            }
            beyond.push(&numbers);
        }
        Ok(beyond)
    }

    fn owners(&mut self, count: usize) -> Result<Vec<u64>> {
        let mut owners = Vec::with_capacity(count.min(self.0.len()));
        let mut before = 0_u64;
        for _ in 0..count {
            before = before.wrapping_add(self.varied()?);
            owners.push(before);
        }
        Ok(owners)
    }

    fn varied(&mut self) -> Result<u64> {
        let mut number = 0;
        for place in 0..10 {
            let [byte] = self.take(1)?.first_chunk().copied().ok_or_else(damaged)?;
            number |= u64::from(byte & 127) << (7 * place);
            if byte < 128 {
                return Ok(number);
            }
        }
        Err(damaged())
    }

    fn finish<T>(self, value: T) -> Result<T> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(damaged())
        }
    }
}

fn times(count: usize, bytes: usize) -> Result<usize> {
    count.checked_mul(bytes).ok_or_else(damaged)
}

fn damaged() -> Error {
    Error::new(ErrorKind::Corrupt, "a block of codes is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coded() -> (CodeBlock, LowBits) {
        let vectors: Vec<Vec<f32>> = (0..40)
            .map(|vector| (0..20).map(|at| (vector * at) as f32 % 7.0 - 3.0).collect())
            .collect();
        let owned: Vec<(u64, &[f32])> = (5..).zip(vectors.iter().map(Vec::as_slice)).collect();
        CodeBlock::encode(&owned)
    }

    #[test]
    fn codes_come_back_as_they_were_written() {
        let (block, low) = coded();
        assert_eq!(CodeBlock::from_bytes(&block.to_bytes()).unwrap(), block);
        assert_eq!(LowBits::from_bytes(&low.to_bytes()).unwrap(), low);
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

    /// Bytes that nobody wrote, but with the right checksum.
    #[test]
    fn whatever_the_bytes_say_is_read_or_refused() {
        let (block, low) = coded();
        for (is_low, bytes) in [(false, block.to_bytes()), (true, low.to_bytes())] {
            let mut refused = 0;
            for at in 1 + CHECKSUM..bytes.len() {
                for value in [0, 1, 127, 128, 255] {
                    let mut changed = bytes.clone();
                    changed[at] = value;
                    let sum: Vec<u8> = checksum(&changed[1 + CHECKSUM..]).collect();
                    changed[1..=CHECKSUM].copy_from_slice(&sum);
                    refused += usize::from(if is_low {
                        LowBits::from_bytes(&changed).is_err()
                    } else {
                        CodeBlock::from_bytes(&changed).is_err()
                    });
                }
            }
            assert!(refused > 0);
            let cut = bytes.get(..bytes.len() - 1).unwrap();
            assert!(LowBits::from_bytes(cut).is_err() && CodeBlock::from_bytes(cut).is_err());
        }
    }

    /// When this fails, files hold codes that this code would not write: raise
    /// [`VERSION`], so that they are made anew.
    #[test]
    fn the_version_tells_what_the_bytes_are() {
        let (block, low) = coded();
        let both = [block.to_bytes(), low.to_bytes()].concat();
        let hash = blake3::hash(&both).to_hex();
        assert_eq!((VERSION, hash.get(..16)), (4, Some("942cf7aab4f86d95")));
    }
}
