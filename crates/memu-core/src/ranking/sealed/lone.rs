use super::part::Kind;
use crate::error::Result;
use crate::ranking::outline::{Block, BlockBuilder, ItemOutline, SegmentOutline};

/// What ranking needs to know of one record of a scope that is sealed, as bytes of a block of its
/// own: so a question reads no more than what it finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoneEntry {
    /// Its place.
    pub place: u64,
    /// How many words it has.
    pub length: u32,
    /// All but its words.
    pub bare: Vec<u8>,
    /// All of it.
    pub full: Vec<u8>,
}

/// A kind of record of which entries can stand alone.
trait Bare: Kind {
    /// Leaves the words out, and returns how many there were.
    fn lay_bare(&mut self) -> u32;
}

impl Bare for SegmentOutline {
    fn lay_bare(&mut self) -> u32 {
        let passages = std::mem::take(&mut self.passages);
        passages.iter().flatten().map(|(_, count)| count).sum()
    }
}

impl Bare for ItemOutline {
    fn lay_bare(&mut self) -> u32 {
        let words = std::mem::take(&mut self.words);
        words.iter().map(|(_, count)| count).sum()
    }
}

impl LoneEntry {
    /// Of a segment of this block.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) when it cannot be written, which has
    /// no known cause.
    pub fn of_segment(block: &Block<SegmentOutline>, entry: &SegmentOutline) -> Result<Self> {
        Self::of(block, entry)
    }

    /// Of an item of this block.
    ///
    /// # Errors
    /// As [`Self::of_segment`].
    pub fn of_item(block: &Block<ItemOutline>, entry: &ItemOutline) -> Result<Self> {
        Self::of(block, entry)
    }

    fn of<T: Bare>(block: &Block<T>, entry: &T) -> Result<Self> {
        let alone = |entry: &T| -> Result<Vec<u8>> {
            let mut builder = BlockBuilder::default();
            builder.push_from(block, entry);
            let alone = builder.finish();
            alone
                .first()
                .map_or_else(|| Ok(Vec::new()), Block::to_bytes)
        };
        let full = alone(entry)?;
        let mut entry = entry.clone();
        let length = entry.lay_bare();
        Ok(Self {
            place: entry.place(),
            length,
            bare: alone(&entry)?,
            full,
        })
    }
}
