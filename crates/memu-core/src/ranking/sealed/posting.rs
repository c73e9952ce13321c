use crate::error::{Error, ErrorKind, Result};
use crate::ranking::outline::{Block, Entry, ItemOutline, SegmentOutline};

/// That a document holds a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Posting {
    /// The place of its record.
    pub place: u64,
    /// Of a segment: which of its passages it is, from 0. Of an item: 1 if it cites segments,
    /// else 0.
    pub which: u32,
    /// How often the word occurs in it; not 0.
    pub count: u32,
    /// How many words it has.
    pub length: u32,
}

/// A kind of record that can be sealed.
pub trait Sealable: Entry {
    /// Calls `visit` for every word of every document of a record of this block.
    fn for_each_posting(&self, block: &Block<Self>, visit: impl FnMut(&str, Posting));
}

impl Sealable for SegmentOutline {
    fn for_each_posting(&self, block: &Block<Self>, mut visit: impl FnMut(&str, Posting)) {
        for (which, passage) in (0..).zip(&self.passages) {
            let length = passage.iter().map(|(_, count)| count).sum();
            for (word, count) in passage {
                let posting = Posting {
                    place: self.place,
                    which,
                    count: *count,
                    length,
                };
                visit(block.text(*word).unwrap_or_default(), posting);
            }
        }
    }
}

impl Sealable for ItemOutline {
    fn for_each_posting(&self, block: &Block<Self>, mut visit: impl FnMut(&str, Posting)) {
        let posting = Posting {
            place: self.place,
            which: u32::from(!self.segments.is_empty()),
            count: 0,
            length: self.words.iter().map(|(_, count)| count).sum(),
        };
        for (word, count) in &self.words {
            let posting = Posting {
                count: *count,
                ..posting
            };
            visit(block.text(*word).unwrap_or_default(), posting);
        }
    }
}

/// Postings, in order, as bytes: of each how much farther its place is than the one before,
/// doubled, and one more where `which` follows; its count; its length.
pub(super) fn packed(postings: &[Posting]) -> Result<Vec<u8>> {
    let mut numbers = Vec::with_capacity(3 * postings.len());
    let mut last = 0;
    for posting in postings {
        let further = posting.place.wrapping_sub(last);
        last = posting.place;
        if posting.which == 0 {
            numbers.push(further << 1);
        } else {
            numbers.extend([further << 1 | 1, u64::from(posting.which)]);
        }
        numbers.extend([u64::from(posting.count), u64::from(posting.length)]);
    }
    let cause = |cause| Error::internal("postings cannot be written").caused_by(cause);
    postcard::to_stdvec(&numbers).map_err(cause)
}

/// The postings of these bytes.
pub(super) fn unpacked(bytes: &[u8]) -> Result<Vec<Posting>> {
    let damaged = || Error::new(ErrorKind::Corrupt, "a list of postings is damaged");
    let numbers: Vec<u64> =
        postcard::from_bytes(bytes).map_err(|cause| damaged().caused_by(cause))?;
    let mut postings = Vec::with_capacity(numbers.len() / 3);
    let mut numbers = numbers.into_iter();
    let mut place = 0_u64;
    while let Some(first) = numbers.next() {
        let small = |number: Option<u64>| {
            let number = number.and_then(|number| u32::try_from(number).ok());
            number.ok_or_else(damaged)
        };
        place = place.wrapping_add(first >> 1);
        let which = match first & 1 {
            0 => 0,
            _ => small(numbers.next())?,
        };
        postings.push(Posting {
            place,
            which,
            count: small(numbers.next())?,
            length: small(numbers.next())?,
        });
    }
    Ok(postings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postings_come_back_and_damage_is_found() {
        let posting = |place, which, count, length| Posting {
            place,
            which,
            count,
            length,
        };
        let postings = [
            posting(3, 0, 1, 12),
            posting(3, 2, 4, 50),
            posting(1 << 40, 1, 1, 300),
        ];
        let bytes = packed(&postings).unwrap();
        assert_eq!(unpacked(&bytes).unwrap(), postings);
        assert_eq!(packed(&postings[..1]).unwrap().len(), 4, "three bytes each");
        assert!(unpacked(&packed(&[]).unwrap()).unwrap().is_empty());
        for end in 0..bytes.len() {
            let error = unpacked(&bytes[..end]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
        }
        let numbers: Vec<u64> = vec![6, 1 << 33, 1];
        assert!(unpacked(&postcard::to_stdvec(&numbers).unwrap()).is_err());
    }
}
