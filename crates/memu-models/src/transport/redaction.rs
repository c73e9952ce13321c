use std::fmt;

use memu_core::Secret;

/// What stands in place of a key.
pub(super) const MASK: &str = "***";
/// A shorter one is no secret, and is found in every other text.
pub(super) const SHORTEST_KEY: usize = 4;
/// Providers quote a key with its middle left out; this much of its beginning tells that it
/// is the key.
const TELLING_CHARS: usize = 6;

/// Takes a key out of texts.
#[derive(Clone)]
pub(super) struct Redaction(Option<Secret>);

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redaction")
    }
}

impl Redaction {
    pub(super) fn new(key: Option<Secret>) -> Self {
        Self(key.filter(|key| key.reveal().len() >= SHORTEST_KEY))
    }

    /// The key.
    pub(super) fn key(&self) -> Option<&Secret> {
        self.0.as_ref()
    }

    /// The text without the key, and where it is an error (`quoted`) without what is left of
    /// a key that was quoted in part.
    pub(super) fn apply(&self, text: String, quoted: bool) -> String {
        let Some(key) = self.0.as_ref().map(Secret::reveal) else {
            return text;
        };
        let text = if text.contains(key) {
            text.replace(key, MASK)
        } else {
            text
        };
        let start: String = key.chars().take(TELLING_CHARS).collect();
        if quoted && start.chars().count() == TELLING_CHARS && text.contains(&start) {
            return mask_words(&text, &start);
        }
        text
    }
}

/// Masks every word that starts like a key.
fn mask_words(text: &str, start: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, found)) = rest.split_once(start) {
        out.push_str(before);
        out.push_str(MASK);
        rest = found.trim_start_matches(|c: char| c.is_alphanumeric() || "-_.*…".contains(c));
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(key: &str, text: &str) -> String {
        Redaction::new(Some(Secret::new(key))).apply(text.to_owned(), true)
    }

    #[test]
    fn a_key_is_masked_in_full_and_in_part() {
        let key = "sk-proj-abcdefgh1234";
        for text in [
            "wrong key: sk-proj-abcdefgh1234.",
            "wrong key: sk-proj-********1234.",
            "wrong key: sk-proj…",
        ] {
            let text = redacted(key, text);
            assert!(!text.contains("sk-pro") && !text.contains("1234"), "{text}");
            assert!(text.starts_with("wrong key: ***"), "{text}");
        }
    }

    #[test]
    fn a_short_key_is_masked_and_the_text_around_it_is_not() {
        assert_eq!(redacted("test", "a testing text"), "a ***ing text");
        assert_eq!(redacted("x", "an extra text"), "an extra text");
    }
}
