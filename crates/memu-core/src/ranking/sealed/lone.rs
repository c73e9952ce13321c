use crate::error::Result;
use crate::ranking::outline::{Block, Entry};

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

impl LoneEntry {
    /// Of a record of this block.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) when it cannot be written, which has
    /// no known cause.
    pub fn of<T: Entry>(block: &Block<T>, entry: &T) -> Result<Self> {
        let mut bare = entry.clone();
        let length = bare.lay_bare();
        Ok(Self {
            place: entry.place(),
            length,
            bare: block.alone(&bare).to_bytes()?,
            full: block.alone(entry).to_bytes()?,
        })
    }
}
