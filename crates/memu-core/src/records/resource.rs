use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Meta;
use crate::error::{Error, Result};

/// What kind of thing a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Modality {
    /// Messages between speakers.
    Conversation,
    /// Running text, plain or Markdown.
    Document,
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A recording.
    Audio,
}

impl Modality {
    /// Every modality.
    pub const ALL: [Self; 5] = [
        Self::Conversation,
        Self::Document,
        Self::Image,
        Self::Video,
        Self::Audio,
    ];

    /// The stable name, as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Document => "document",
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }

    /// Whether the content itself is text.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Conversation | Self::Document)
    }
}

impl FromStr for Modality {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let name = name.trim().to_lowercase();
        Self::ALL
            .into_iter()
            .find(|modality| modality.as_str() == name)
            .ok_or_else(|| {
                Error::input(format!(
                    "unknown modality {name:?}; use conversation, document, image, video or audio"
                ))
            })
    }
}

impl fmt::Display for Modality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// BLAKE3 of a resource's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The raw hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A hash from its raw bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

impl Serialize for ContentHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for ContentHash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut bytes = [0; 32];
        let digits = text.as_bytes();
        let lower = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if digits.len() == 64 && digits.iter().all(lower) {
            for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                *byte = pair.iter().fold(0, |value, digit| {
                    value << 4 | char::from(*digit).to_digit(16).unwrap_or_default() as u8
                });
            }
            return Ok(Self(bytes));
        }
        Err(Error::input(format!(
            "{text:?} is no content hash; it has 64 digits from 0 to f"
        )))
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One ingested thing, content-addressed within its scope: a scope holds one
/// resource per content hash and modality.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Resource {
    /// Identity, scope and times.
    #[serde(flatten)]
    pub meta: Meta,
    /// Where it came from, as the caller named it.
    pub url: String,
    /// What kind of thing it is.
    pub modality: Modality,
    /// Where a large file lies, below the folder for them; empty when the content is in
    /// the store. Any other path is where memU 1.x kept its copy, which MemU neither
    /// reads nor removes; the content hash then names the record and not its content.
    pub local_path: String,
    /// What it is about, in a sentence.
    pub caption: Option<String>,
    /// The hash of its content.
    pub content_hash: ContentHash,
    /// The caller's own id for a conversation, by which it is recognised when it
    /// has grown.
    pub external_id: Option<String>,
    /// How many segments it has.
    pub segment_count: u32,
}

/// The bytes of a resource, kept once per scope and hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob {
    /// The hash that names them.
    pub hash: ContentHash,
    /// The bytes themselves.
    pub bytes: std::sync::Arc<[u8]>,
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({}, {} bytes)", self.hash, self.bytes.len())
    }
}
