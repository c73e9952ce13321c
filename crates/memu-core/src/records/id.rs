use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The longest accepted identifier, in bytes.
pub(crate) const MAX_ID_BYTES: usize = 256;

/// The identifier of a record. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(Arc<str>);

impl Id {
    /// An identifier chosen by a caller.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) when it is empty, longer than
    /// 256 bytes or holds a control character.
    pub fn checked(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::input("an id must not be empty"));
        }
        if text.len() > MAX_ID_BYTES {
            return Err(Error::input(format!(
                "an id has {} bytes; at most {MAX_ID_BYTES} are allowed",
                text.len()
            )));
        }
        if text.chars().any(char::is_control) {
            return Err(Error::input("an id must not hold control characters")
                .with("id", format!("{text:?}")));
        }
        Ok(Self(text.into()))
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes of an identifier that is a UUID in its usual form, of lower-case letters
    /// and digits; `None` for any other.
    pub fn to_uuid_bytes(&self) -> Option<[u8; 16]> {
        let uuid = uuid::Uuid::try_parse(&self.0).ok()?;
        // Other ways to write a UUID must come back as they were.
        let mut buffer = uuid::Uuid::encode_buffer();
        (*uuid.hyphenated().encode_lower(&mut buffer) == *self.0).then(|| uuid.into_bytes())
    }

    /// The identifier of which [`Self::to_uuid_bytes`] gives these bytes.
    pub fn from_uuid_bytes(bytes: [u8; 16]) -> Self {
        let mut buffer = uuid::Uuid::encode_buffer();
        let uuid = uuid::Uuid::from_bytes(bytes);
        Self::from(&*uuid.hyphenated().encode_lower(&mut buffer))
    }

    /// The short reference that summaries cite: the first six characters.
    pub fn short(&self) -> &str {
        match self.0.char_indices().nth(6) {
            Some((end, _)) => self.0.get(..end).unwrap_or(&self.0),
            None => &self.0,
        }
    }
}

impl From<String> for Id {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl AsRef<str> for Id {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}
