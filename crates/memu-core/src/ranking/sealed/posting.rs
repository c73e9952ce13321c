use crate::error::{Error, Result};
use crate::ranking::framed::damaged;

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

/// Postings, in order, as bytes: how many there are; of each how much farther its place is than
/// the one before, doubled, and one more where `which` follows; its count; its length.
pub(super) fn packed(postings: &[Posting]) -> Result<Vec<u8>> {
    let mut numbers = Vec::with_capacity(1 + 3 * postings.len());
    numbers.push(postings.len() as u64);
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
    let mut bytes = Vec::with_capacity(numbers.len());
    for number in numbers {
        bytes = postcard::to_extend(&number, bytes)
            .map_err(|cause| Error::internal("postings cannot be written").caused_by(cause))?;
    }
    Ok(bytes)
}

/// The postings of these bytes.
pub(super) fn unpacked(mut bytes: &[u8]) -> Result<Vec<Posting>> {
    let count = number(&mut bytes)?;
    // How many it says there are may be damaged, too; each takes three bytes or more.
    let room = usize::try_from(count).unwrap_or(usize::MAX);
    let mut postings = Vec::with_capacity(room.min(bytes.len() / 3));
    let mut place = 0_u64;
    for _ in 0..count {
        let further = number(&mut bytes)?;
        place = place.wrapping_add(further >> 1);
        let has_which = further & 1 == 1;
        postings.push(Posting {
            place,
            which: if has_which { small(&mut bytes)? } else { 0 },
            count: small(&mut bytes)?,
            length: small(&mut bytes)?,
        });
    }
    Ok(postings)
}

/// Takes the next number of a list.
fn number(bytes: &mut &[u8]) -> Result<u64> {
    let (number, rest) =
        postcard::take_from_bytes(bytes).map_err(|cause| damaged().caused_by(cause))?;
    *bytes = rest;
    Ok(number)
}

fn small(bytes: &mut &[u8]) -> Result<u32> {
    u32::try_from(number(bytes)?).map_err(|_| damaged())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

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
        // Of one posting, whose count is too large.
        let too_large = postcard::to_stdvec(&(1_u64, 6_u64, 1_u64 << 33, 1_u64)).unwrap();
        assert!(unpacked(&too_large).is_err());
    }
}
