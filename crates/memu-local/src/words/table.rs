use std::fmt;

use super::tokenizer::Tokenizer;

/// The first bytes of a table.
const MAGIC: &[u8; 8] = b"MEMUWORD";
/// The version of the layout.
const VERSION: u32 = 1;
const HEADER: usize = 24;
/// The entry of the most frequent word; those before are marks and characters.
pub(crate) const FIRST_WORD: u16 = 1996;
/// So many letters a word must have for each of its pieces, if it has several.
const LETTERS_PER_PIECE: usize = 2;

/// Vectors of the entries of a WordPiece vocabulary.
///
/// The file: `MEMUWORD`, then as little-endian numbers of 32 bits the version 1, the
/// dimension, the number of entries and the number of bytes of all entries; a scale
/// (f32) for each entry; the dimension's codes (i8) for each; the entries' texts, each
/// followed by a line feed. A vector is its codes times its scale. Entries are in the
/// order of the vocabulary they come from, which is about that of their frequency.
pub struct WordTable {
    dimension: usize,
    /// By entry: its scale, as four bytes.
    scales: &'static [u8],
    /// By entry: how many letters it stands for.
    letters: Vec<f32>,
    codes: &'static [u8],
    entries: &'static str,
    tokenizer: Tokenizer,
}

/// What is wrong with the bytes of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    /// It does not begin as a table does.
    #[error("it does not begin as a word table of version 1 does")]
    Header,
    /// Bytes are missing or too many.
    #[error("it has {found} bytes where {expected} are needed")]
    Length {
        /// As its header says.
        expected: usize,
        /// As there are.
        found: usize,
    },
    /// The texts of the entries cannot be read.
    #[error("its entries are not text, or are not as many as it says")]
    Entries,
}

impl WordTable {
    /// Reads a table; the vectors stay where they are.
    ///
    /// # Errors
    /// [`Damaged`] for bytes that are no table.
    pub fn open(bytes: &'static [u8]) -> Result<Self, Damaged> {
        let (header, body) = bytes.split_at_checked(HEADER).ok_or(Damaged::Header)?;
        let (magic, numbers) = header
            .split_at_checked(MAGIC.len())
            .ok_or(Damaged::Header)?;
        let mut numbers = numbers.chunks_exact(4).map(number);
        let mut next = || numbers.next().ok_or(Damaged::Header);
        let (version, dimension, count, text) = (next()?, next()?, next()?, next()?);
        let (dimension, count, text) = (dimension as usize, count as usize, text as usize);
        if magic != MAGIC || version != VERSION || dimension == 0 || count > 1 << 16 {
            return Err(Damaged::Header);
        }
        let wrong_length = || Damaged::Length {
            expected: HEADER + count * (4 + dimension) + text,
            found: bytes.len(),
        };
        let (scales, rest) = body.split_at_checked(count * 4).ok_or_else(wrong_length)?;
        let codes = rest.split_at_checked(count * dimension);
        let (codes, entries) = codes.ok_or_else(wrong_length)?;
        if entries.len() != text {
            return Err(wrong_length());
        }
        let entries = std::str::from_utf8(entries).map_err(|_| Damaged::Entries)?;
        let tokenizer = Tokenizer::new(entries);
        let ends_well = entries.is_empty() || entries.ends_with('\n');
        if tokenizer.entries().len() != count || !ends_well {
            return Err(Damaged::Entries);
        }
        Ok(Self {
            dimension,
            scales,
            letters: tokenizer.entries().letters().collect(),
            codes,
            entries,
            tokenizer,
        })
    }

    /// How many numbers a vector has.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.tokenizer.entries().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries, by number; continuations of words begin with `##`.
    pub fn entries(&self) -> impl Iterator<Item = &'static str> {
        self.entries.split_terminator('\n')
    }

    /// Calls `visit` with the pieces of each word of `text`, in order, as numbers of
    /// entries; none for a word that is not made of known pieces.
    pub fn for_each_word(&self, text: &str, visit: impl FnMut(&[u16])) {
        self.tokenizer.for_each_word(text, visit);
    }

    /// Adds the mean vector of all pieces of `word`, as [`Self::add_mean`] does, times `weight`, to `sum`, which
    /// has [`Self::dimension`] places. `false` when a part of it is unknown, or when it
    /// falls apart into little more than letters, which mean nothing; nothing is added
    /// then.
    pub fn add(&self, word: &str, weight: f32, sum: &mut [f32]) -> bool {
        let mut all = Vec::new();
        let mut known = true;
        self.for_each_word(word, |pieces| {
            known &= !pieces.is_empty();
            all.extend_from_slice(pieces);
        });
        let letters = word.chars().count();
        let is_rubble = all.len() > 1 && letters < LETTERS_PER_PIECE * all.len();
        if !known || all.is_empty() || is_rubble {
            return false;
        }
        self.add_mean(&all, weight, sum);
        true
    }

    /// Which word it is by frequency, from 1; words of several pieces are rarer than all
    /// entries.
    pub fn rank(&self, word: &str) -> f32 {
        let (mut pieces, mut rarest) = (0, 0);
        self.for_each_word(word, |some| {
            pieces += some.len();
            rarest = some.iter().copied().fold(rarest, u16::max);
        });
        let entry = if pieces == 1 {
            usize::from(rarest)
        } else {
            self.len()
        };
        entry.saturating_sub(usize::from(FIRST_WORD)) as f32 + 1.0
    }

    /// Adds the mean vector of these entries, in which each weighs its letters, times
    /// `weight`, to `sum`: the longer a piece, the more of the word it means.
    pub fn add_mean(&self, pieces: &[u16], weight: f32, sum: &mut [f32]) {
        let letters = |piece: &u16| {
            let letters = self.letters.get(usize::from(*piece));
            letters.copied().unwrap_or(1.0)
        };
        let share = weight / pieces.iter().map(letters).sum::<f32>().max(1.0);
        // The widest instructions that this processor has; each number is added up on its
        // own, so that all of them get the same sums.
        pulp::Arch::new().dispatch(|| {
            for piece in pieces {
                let at = usize::from(*piece) * self.dimension;
                let codes = self.codes.get(at..at + self.dimension);
                let scale = usize::from(*piece) * 4;
                let scale = self.scales.get(scale..scale + 4);
                let (Some(codes), Some(scale)) = (codes, scale) else {
                    continue;
                };
                let factor = share * letters(piece) * f32::from_bits(number(scale));
                for (sum, code) in sum.iter_mut().zip(codes) {
                    *sum += factor * f32::from(code.cast_signed());
                }
            }
        });
    }
}

impl fmt::Debug for WordTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WordTable")
            .field("entries", &self.len())
            .field("dimension", &self.dimension)
            .finish_non_exhaustive()
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of `a` and `##bcd`, in two dimensions.
    fn bytes() -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for number in [VERSION, 2, 2, 8] {
            bytes.extend(number.to_le_bytes());
        }
        for scale in [0.5_f32, 2.0] {
            bytes.extend(scale.to_le_bytes());
        }
        bytes.extend([4, 0xfe, 3, 0]);
        bytes.extend(b"a\n##bcd\n");
        bytes
    }

    fn open(bytes: Vec<u8>) -> Result<WordTable, Damaged> {
        WordTable::open(bytes.leak())
    }

    #[test]
    fn a_vector_is_the_mean_of_its_pieces() {
        let table = open(bytes()).unwrap();
        let mut sum = [0.0; 2];
        assert!(table.add("a", 2.0, &mut sum));
        assert_eq!(sum, [4.0, -2.0]);
        let mut sum = [0.0; 2];
        assert!(table.add("abcd", 1.0, &mut sum));
        assert_eq!(sum, [5.0, -0.25]);
        assert!(!table.add("ab", 1.0, &mut sum), "it is not known");
        assert_eq!((table.len(), table.dimension(), sum), (2, 2, [5.0, -0.25]));
    }

    #[test]
    fn damaged_tables_are_refused() {
        let intact = bytes();
        assert_eq!(open(Vec::new()).unwrap_err(), Damaged::Header);
        assert_eq!(
            open(intact[..intact.len() - 1].to_vec()).unwrap_err(),
            Damaged::Length {
                expected: 44,
                found: 43
            }
        );
        let damaged = |at: usize, byte: u8| {
            let mut bytes = intact.clone();
            bytes[at] = byte;
            open(bytes).unwrap_err()
        };
        assert_eq!(damaged(0, b'X'), Damaged::Header);
        assert_eq!(damaged(8, 9), Damaged::Header);
        assert_eq!(
            damaged(16, 3),
            Damaged::Length {
                expected: 50,
                found: 44
            }
        );
        assert_eq!(damaged(36, 0xff), Damaged::Entries);
        assert_eq!(damaged(37, b'x'), Damaged::Entries);
    }
}
