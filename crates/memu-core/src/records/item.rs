use serde::Serialize;
use serde_json::{Map, Value};

use super::{Id, Meta};
use crate::time::When;

/// One memory.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemoryItem {
    /// Identity, scope and times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The resource it was extracted from; `None` when a caller wrote it.
    pub resource_id: Option<Id>,
    /// `profile`, `event`, `knowledge`, `behavior`, `skill`, `tool`, or a
    /// configured type.
    pub memory_type: String,
    /// The memory itself, in a sentence that stands alone.
    pub summary: String,
    /// When it happened.
    #[serde(serialize_with = "serialize_start", rename = "happened_at")]
    pub happened: Option<When>,
    /// Open details: `content_hash`, `reinforcement_count`, `last_reinforced_at`,
    /// `ref_id`, `when_to_use`, `metadata`, `tool_calls`, and the caller's own.
    pub extra: Map<String, Value>,
    /// The segments it was drawn from, in order.
    #[serde(skip)]
    pub segment_ids: Vec<Id>,
}

impl MemoryItem {
    /// How often the same memory was met: `extra.reinforcement_count`, at least 1.
    pub fn reinforcement_count(&self) -> u64 {
        self.extra
            .get("reinforcement_count")
            .and_then(Value::as_u64)
            .unwrap_or(1)
            .max(1)
    }

    /// The hash that recognises an equal memory; see [`content_hash`].
    pub fn content_hash(&self) -> String {
        content_hash(&self.memory_type, &self.summary)
    }
}

// Serde's `serialize_with` hands over a reference to the field, an `&Option`.
#[allow(clippy::ref_option)]
/// `happened_at` is written as the original's column holds it: the beginning.
fn serialize_start<S: serde::Serializer>(
    when: &Option<When>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match when {
        Some(when) => serializer.collect_str(&when.start),
        None => serializer.serialize_none(),
    }
}

/// Recognises an equal memory across spacing and case, in the original's form:
/// the first 16 hex digits of SHA-256 over `"{memory_type}:{summary}"`, the
/// summary lower-cased with its white space collapsed.
pub fn content_hash(memory_type: &str, summary: &str) -> String {
    use sha2::{Digest, Sha256};

    let mut hasher = Sha256::new();
    hasher.update(memory_type);
    let mut before = ":";
    for word in summary.to_lowercase().split_whitespace() {
        hasher.update(before);
        hasher.update(word);
        before = " ";
    }
    if before == ":" {
        hasher.update(before);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let first = digest.first_chunk().copied().unwrap_or_default();
    format!("{:016x}", u64::from_be_bytes(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_hash_is_the_originals() {
        // python: hashlib.sha256(b"profile:i love coffee").hexdigest()[:16]
        let expected = "95462f38f6f41326";
        assert_eq!(content_hash("profile", "I love coffee"), expected);
        assert_eq!(content_hash("profile", "  i   LOVE\n coffee "), expected);
        assert_ne!(content_hash("event", "I love coffee"), expected);
        // python: hashlib.sha256(b"profile:").hexdigest()[:16]
        assert_eq!(content_hash("profile", " "), "370f4dcec3add8b4");
    }
}
