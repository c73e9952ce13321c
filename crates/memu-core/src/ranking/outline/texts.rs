//! Texts by number, in one piece.

use std::fmt;

use serde::de::{DeserializeSeed, Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Texts by number. A block has thousands: each would be a piece of memory of its own.
/// Stored as a list of texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::ranking) struct BlockTexts {
    all: String,
    /// By text: where it ends.
    ends: Vec<usize>,
}

impl BlockTexts {
    pub(in crate::ranking) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(in crate::ranking) fn get(&self, number: u32) -> Option<&str> {
        let number = number as usize;
        let end = *self.ends.get(number)?;
        let start = match number.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.all.get(start..end)
    }

    pub(in crate::ranking) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let range = std::mem::replace(&mut start, *end)..*end;
            self.all.get(range).unwrap_or_default()
        })
    }

    /// Appends a text, which gets the next number.
    pub(in crate::ranking) fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(self.all.len());
    }
}

impl Serialize for BlockTexts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for BlockTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListOfTexts)
    }
}

struct ListOfTexts;

impl<'de> Visitor<'de> for ListOfTexts {
    type Value = BlockTexts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<BlockTexts, A::Error> {
        let mut texts = BlockTexts::default();
        while list.next_element_seed(Appended(&mut texts))?.is_some() {}
        Ok(texts)
    }
}

/// Appends a text where it is read, without a copy in between.
struct Appended<'t>(&'t mut BlockTexts);

impl<'de> DeserializeSeed<'de> for Appended<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Appended<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.push(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_stored_as_a_list_of_texts() {
        let mut texts = BlockTexts::default();
        for text in ["boat", "", "é"] {
            texts.push(text);
        }
        let bytes = postcard::to_stdvec(["boat", "", "é"].as_slice()).unwrap();
        assert_eq!(postcard::to_stdvec(&texts).unwrap(), bytes);
        assert_eq!(postcard::from_bytes::<BlockTexts>(&bytes).unwrap(), texts);
        assert_eq!([1, 2, 3].map(|n| texts.get(n)), [Some(""), Some("é"), None]);
    }
}
