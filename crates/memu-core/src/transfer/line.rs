//! A memory as JSON Lines: a header, a line for each record, and a last line that counts them.
//! `docs/formats.md` shows them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::records::{EmbedderIdentity, Embedding};
use crate::scope::Scope;

/// The form that this version writes, and the only one that it reads.
pub const VERSION: u32 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// What the file is: `memory`.
    pub memu: String,
    /// Its form.
    pub version: u32,
    /// The scope fields of the store that it came from, in order.
    pub scope_fields: Vec<String>,
    /// The embedder whose vectors were in use there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedder: Option<EmbedderIdentity>,
}

impl Header {
    /// What the first line says that it is.
    pub const MEMORY: &str = "memory";
}

/// The last line: without it, a file was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// How many records came before it.
    pub records: u64,
}

/// What a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// A resource with its content.
    Resource,
    /// A segment.
    Segment,
    /// An item.
    Item,
    /// A category.
    Category,
    /// A relation.
    Relation,
    /// A reply of a model.
    ModelReply,
    /// What models took.
    ModelUsage,
}

/// A record with all that is its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What it is.
    pub kind: LineKind,
    /// Whose it is.
    pub scope: Map<String, Value>,
    /// Its fields.
    pub record: Value,
    /// Its vectors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vectors: Vec<Vector>,
    /// The content of a resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
}

impl Line {
    pub(super) fn new(kind: LineKind, scope: &Scope, record: &impl Serialize) -> Result<Self> {
        let fields = scope.iter();
        let named = fields.filter_map(|(field, value)| Some((field.to_owned(), value?.into())));
        Ok(Self {
            kind,
            scope: named.collect(),
            record: serde_json::to_value(record).map_err(no_json)?,
            vectors: Vec::new(),
            content: None,
        })
    }

    /// The text of the line, without its end.
    pub(super) fn text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(no_json)
    }
}

pub(super) fn no_json(cause: serde_json::Error) -> Error {
    Error::internal("a record has no JSON form").caused_by(cause)
}

/// A vector, bit by bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Who made it.
    pub embedder: EmbedderIdentity,
    /// Its numbers as little-endian 32-bit floats, in base64.
    pub f32: String,
}

impl Vector {
    pub(super) fn new(embedder: &EmbedderIdentity, vector: &Embedding) -> Self {
        let bytes: Vec<u8> = vector
            .as_slice()
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        Self {
            embedder: embedder.clone(),
            f32: STANDARD.encode(bytes),
        }
    }

    pub(super) fn embedding(&self) -> Result<Embedding> {
        let bytes = STANDARD.decode(&self.f32);
        let bytes = bytes.map_err(|cause| {
            Error::input("the numbers of a vector are not base64").caused_by(cause)
        })?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(Error::input("a vector ends in the middle of a number"));
        }
        let numbers = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes));
        Embedding::checked(numbers.collect(), self.embedder.dimension)
    }
}

/// The content of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Content that is UTF-8.
    Text(String),
    /// Any other, in base64.
    Base64(String),
}

impl Content {
    pub(super) fn new(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }

    pub(super) fn into_bytes(self) -> Result<Vec<u8>> {
        match self {
            Self::Text(text) => Ok(text.into_bytes()),
            Self::Base64(text) => STANDARD
                .decode(text)
                .map_err(|cause| Error::input("the content is not base64").caused_by(cause)),
        }
    }
}
