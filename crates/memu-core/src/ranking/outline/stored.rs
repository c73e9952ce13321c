//! Blocks as bytes.

use super::block::Block;
use super::entry::Entry;
use crate::error::Result;
use crate::ranking::framed::{damaged, framed, unframed};

/// Changes with the format, and with whatever turns texts into words or flags: a
/// block of another version is made anew from its records.
const VERSION: u8 = 2;

impl<T: Entry> Block<T> {
    /// The block as bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) when it cannot be written, which has
    /// no known cause.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        framed(VERSION, self)
    }

    /// The block of these bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when they are damaged or of another
    /// version; a block can be made anew from its records.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let body = unframed(VERSION, bytes)?;
        postcard::from_bytes(body).map_err(|cause| damaged().caused_by(cause))
    }
}

/// Ids, of which most are UUIDs, in 17 bytes instead of 37.
pub(super) mod compact_id {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::records::Id;

    #[derive(Serialize, Deserialize)]
    enum Compact<'i> {
        Uuid([u8; 16]),
        Text(&'i str),
    }

    pub(in super::super) fn serialize<S: Serializer>(
        id: &Id,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match id.to_uuid_bytes() {
            Some(bytes) => Compact::Uuid(bytes).serialize(serializer),
            None => Compact::Text(id.as_str()).serialize(serializer),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Id, D::Error> {
        Ok(match Compact::deserialize(deserializer)? {
            Compact::Uuid(bytes) => Id::from_uuid_bytes(bytes),
            Compact::Text(text) => Id::from(text),
        })
    }
}

/// Words that occur once, as most do, as one number instead of two.
pub(super) mod compact_words {
    use std::fmt;

    use serde::de::{Error, SeqAccess, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::super::entry::Occurrence;

    /// The words of one text.
    pub(super) struct Packed<'w>(pub(super) &'w [Occurrence]);

    impl Serialize for Packed<'_> {
        /// Twice the number of each word, and one more where how often it occurs follows.
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut packed = Vec::with_capacity(self.0.len());
            for (number, count) in self.0 {
                let doubled = 2 * u64::from(*number);
                if *count == 1 {
                    packed.push(doubled);
                } else {
                    packed.extend([doubled + 1, u64::from(*count)]);
                }
            }
            serializer.collect_seq(packed)
        }
    }

    /// The words of [`Packed`].
    pub(super) struct Unpacked(pub(super) Vec<Occurrence>);

    impl<'de> Deserialize<'de> for Unpacked {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_seq(PackedNumbers).map(Self)
        }
    }

    struct PackedNumbers;

    impl<'de> Visitor<'de> for PackedNumbers {
        type Value = Vec<Occurrence>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of words")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let number = |wide: u64| {
                u32::try_from(wide).map_err(|_| A::Error::custom("a number of a word is too large"))
            };
            // How long it says it is may be damaged, too.
            let mut words = Vec::with_capacity(list.size_hint().unwrap_or_default().min(64));
            while let Some(doubled) = list.next_element::<u64>()? {
                let count = match doubled % 2 {
                    0 => 1,
                    _ => list
                        .next_element::<u64>()?
                        .ok_or_else(|| A::Error::custom("a word without its count"))?,
                };
                words.push((number(doubled / 2)?, number(count)?));
            }
            Ok(words)
        }
    }

    pub(in super::super) fn serialize<S: Serializer>(
        words: &[Occurrence],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Packed(words).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Occurrence>, D::Error> {
        Ok(Unpacked::deserialize(deserializer)?.0)
    }
}

/// The same for each passage.
pub(super) mod compact_passages {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::super::entry::Occurrence;
    use super::compact_words::{Packed, Unpacked};

    pub(in super::super) fn serialize<S: Serializer>(
        passages: &[Vec<Occurrence>],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(passages.iter().map(|words| Packed(words)))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Vec<Occurrence>>, D::Error> {
        let passages: Vec<Unpacked> = Deserialize::deserialize(deserializer)?;
        Ok(passages.into_iter().map(|words| words.0).collect())
    }
}

/// Civil times by their parts.
pub(super) mod compact_time {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::time::civil::DateTime;

    type Parts = (i16, i8, i8, i8, i8, i8, i32);

    // Serde's `with` hands over a reference to the field, an `&Option`.
    #[allow(clippy::ref_option)]
    pub(in super::super) fn serialize<S: Serializer>(
        time: &Option<DateTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let parts: Option<Parts> = time.map(|time| {
            (
                time.year(),
                time.month(),
                time.day(),
                time.hour(),
                time.minute(),
                time.second(),
                time.subsec_nanosecond(),
            )
        });
        parts.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime>, D::Error> {
        let parts: Option<Parts> = Deserialize::deserialize(deserializer)?;
        parts
            .map(|(year, month, day, hour, minute, second, nanosecond)| {
                DateTime::new(year, month, day, hour, minute, second, nanosecond)
                    .map_err(D::Error::custom)
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BlockBuilder, SegmentOutline};
    use super::*;
    use crate::error::ErrorKind;
    use crate::records::{Id, Meta, Role, Segment};
    use crate::scope::ScopeSchema;
    use crate::time::Timestamp;

    fn block() -> Block<SegmentOutline> {
        let scope = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
        let mut builder = BlockBuilder::default();
        let ids = ["0f8fad5b-d9cb-469f-a165-70867728950e", "0F8FAD5B", "m-1"];
        for (place, id) in (5..).zip(ids) {
            let segment = Segment {
                meta: Meta::new(Id::from(id), scope.clone(), Timestamp::from_micros(1)),
                resource_id: Id::from("r"),
                ordinal: place as u32,
                session: 2,
                topic: 0,
                role: Some(Role::User),
                speaker: Some("Nora".to_owned()),
                message_id: None,
                text: "Always answer in Dutch. I'd rather row: would you?".to_owned(),
                caption: Some("a red boat".to_owned()),
                topic_caption: None,
                span: None,
                happened_at: crate::time::parse_civil("2026-01-02T03:04:05.678901").ok(),
                happened_at_text: None,
            };
            builder.push(|texts| SegmentOutline::new(&segment, place, 3, 50, texts));
        }
        let [block] = builder.finish().try_into().unwrap();
        block
    }

    #[test]
    fn a_block_comes_back_as_it_was_written() {
        let block = block();
        assert_eq!(
            Block::from_bytes(&block.to_bytes().unwrap()).unwrap(),
            block
        );
        let first = &block.entries[0];
        assert_eq!(first.role(), Some(Role::User));
        assert_eq!(block.text(first.speaker.unwrap()), Some("Nora"));
        assert!(first.asks && first.ends_asking && first.instructs && first.prefers);
    }

    #[test]
    fn damage_is_found_wherever_it_is() {
        let bytes = block().to_bytes().unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            let error = Block::<SegmentOutline>::from_bytes(&damaged).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "byte {at}");
            assert!(Block::<SegmentOutline>::from_bytes(&bytes[..at]).is_err());
        }
    }

    /// When this fails, files hold blocks that this code would not write: raise
    /// [`VERSION`], so that they are made anew.
    #[test]
    fn the_version_tells_what_the_bytes_are() {
        let hash = blake3::hash(&block().to_bytes().unwrap()).to_hex();
        assert_eq!((VERSION, hash.get(..16)), (2, Some("463f4b620d541383")));
    }
}
