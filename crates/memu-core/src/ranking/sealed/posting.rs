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
    let (count, mut rest) = number(bytes)?;
    let count = usize::try_from(count).map_err(|_| damaged())?;
    // How many it says there are may be damaged, too.
    let mut postings = Vec::with_capacity((count / 3).min(bytes.len()));
    let mut next = || -> Result<u64> {
        let (found, after) = number(rest)?;
        rest = after;
        Ok(found)
    };
    let (mut left, mut place) = (count, 0_u64);
    while left > 0 {
        let further = next()?;
        place = place.wrapping_add(further >> 1);
        let has_which = further & 1 == 1;
        left = left
            .checked_sub(3 + usize::from(has_which))
            .ok_or_else(damaged)?;
        let which = if has_which { next()? } else { 0 };
        let small = |number: u64| u32::try_from(number).map_err(|_| damaged());
        postings.push(Posting {
            place,
            which: small(which)?,
            count: small(next()?)?,
            length: small(next()?)?,
        });
    }
    Ok(postings)
}

fn damaged() -> Error {
    Error::new(ErrorKind::Corrupt, "a list of postings is damaged")
}

/// The next number of a list.
fn number(bytes: &[u8]) -> Result<(u64, &[u8])> {
    postcard::take_from_bytes(bytes).map_err(|cause| damaged().caused_by(cause))
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
