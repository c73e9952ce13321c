//! Keys in what providers send back.

use std::fmt;
use std::ops::Range;

use memu_core::{Error, Secret};

use super::escapes::{Escapes, Unescaped};
use super::secrets::literal_length;

/// What stands in place of a key.
pub(crate) const MASK: &str = "***";
/// A shorter one is no secret, and is found in every other text.
pub(super) const SHORTEST_KEY: usize = 4;
/// Providers quote a key with its middle left out; this much of its beginning tells that it
/// is the key.
const TELLING_CHARS: usize = 6;
/// How a middle is left out.
const ELIDED: [&str; 6] = ["**", "…", "...", "••", "xxxx", "XXXX"];
/// How often a text may be wrapped in escapes.
const WRAPPINGS: usize = 4;
/// The words of JSON, and of Python where it writes what is none.
const BARE_WORDS: [&str; 5] = ["true", "false", "null", "Infinity", "NaN"];

/// Takes a key out of texts.
#[derive(Clone)]
pub(super) struct Redaction(Option<Sought>);

/// A key, and how it is found.
#[derive(Clone)]
struct Sought {
    key: Secret,
    /// Its beginning, where that tells something.
    start: Option<String>,
    /// Whether JSON may hold it outside of texts, in a number or a word.
    is_bare: bool,
    /// Whether it might be the name of a field.
    is_name: bool,
}

/// Where a key stands.
#[derive(Default)]
struct Places {
    whole: Vec<Range<usize>>,
    /// Words that begin as the key does, and whether some of them is visibly left out.
    begun: Vec<(Range<usize>, bool)>,
}

impl fmt::Debug for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redaction")
    }
}

impl Redaction {
    pub(super) fn new(key: Option<Secret>) -> Self {
        let key = key.filter(|key| key.reveal().len() >= SHORTEST_KEY);
        Self(key.map(Sought::new))
    }

    /// The key.
    pub(super) fn key(&self) -> Option<&Secret> {
        self.0.as_ref().map(|sought| &sought.key)
    }

    /// A body without the key, however it is escaped. Of JSON only texts are changed. Where it is
    /// an error (`is_error`, or it says so itself), what is left of a key that was quoted in part
    /// goes too.
    pub(super) fn body(&self, body: String, is_error: bool) -> String {
        let Some(sought) = &self.0 else {
            return body;
        };
        let mut places = Places::default();
        let is_error = if body.trim_start().starts_with(['{', '[']) {
            sought.in_json(&body, &mut places) || is_error
        } else {
            sought.search(&body, 0, Escapes::All, &mut places);
            true
        };
        places.masked(&body, is_error).unwrap_or(body)
    }

    /// An error that tells of no key.
    pub(super) fn error(&self, error: Error) -> Error {
        error.redacted(|text| self.changed(text))
    }

    /// A text of an error without the key.
    pub(super) fn text(&self, text: String) -> String {
        self.changed(&text).unwrap_or(text)
    }

    fn changed(&self, text: &str) -> Option<String> {
        let mut places = Places::default();
        self.0.as_ref()?.search(text, 0, Escapes::All, &mut places);
        places.masked(text, true)
    }
}

impl Sought {
    fn new(key: Secret) -> Self {
        let text = key.reveal();
        let start: String = text.chars().take(TELLING_CHARS).collect();
        let in_number = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
        Self {
            start: (start.chars().count() == TELLING_CHARS).then_some(start),
            is_bare: text.chars().all(in_number)
                || BARE_WORDS.iter().any(|word| word.contains(text)),
            is_name: text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            key,
        }
    }

    /// Searches what looks like JSON, also when it is cut off or holds `NaN`. Tells whether it
    /// says that there was an error.
    fn in_json(&self, body: &str, places: &mut Places) -> bool {
        let mut is_error = false;
        let mut rest = body;
        while let Some((before, quoted)) = rest.find('"').and_then(|at| rest.split_at_checked(at)) {
            self.between(before, body.len() - rest.len(), places);
            let (literal, after) = quoted
                .split_at_checked(literal_length(quoted))
                .unwrap_or((quoted, ""));
            let value = after.trim_start().strip_prefix(':').map(str::trim_start);
            let text = literal.strip_prefix('"').unwrap_or(literal);
            let text = text.strip_suffix('"').unwrap_or(text);
            is_error |= matches!(text, "error" | "errors")
                && value.is_some_and(|value| !value.starts_with("null"));
            // Not the name of a field, though a key may be called so where none is needed.
            if value.is_none() || !self.is_name {
                self.search(text, body.len() - quoted.len() + 1, Escapes::Json, places);
            }
            rest = after;
        }
        self.between(rest, body.len() - rest.len(), places);
        is_error
    }

    /// Searches what stands between the texts of JSON: mostly numbers, which stay as they are.
    fn between(&self, text: &str, at: usize, places: &mut Places) {
        // All at once, and not up to the first: long lists of numbers are common.
        let is_plain = |byte: u8| byte < b'A' && byte != b'%' && byte != b'&' || byte == b'e';
        let is_brace = |byte: u8| matches!(byte, b'[' | b']' | b'{' | b'}');
        let numbers = text
            .bytes()
            .fold(true, |all, byte| all & (is_plain(byte) | is_brace(byte)));
        if !numbers && !self.is_bare {
            self.search(text, at, Escapes::All, places);
        }
    }

    /// Searches a text that begins `at` a place, and what it becomes when its escapes are undone.
    fn search(&self, text: &str, at: usize, escapes: Escapes, places: &mut Places) {
        let mut layers: Vec<Unescaped> = Vec::new();
        let mut escapes = escapes;
        // What begins in the middle of an escape of JSON cannot be masked alone.
        if matches!(escapes, Escapes::All) {
            self.search_layer(text, at, &layers, places);
        } else if !text.contains('\\') {
            self.search_layer(text, at, &layers, places);
            escapes = Escapes::All;
        }
        for _ in 0..WRAPPINGS {
            let last = layers.last().map_or(text, |layer| &layer.text);
            let Some(next) = Unescaped::of(last, escapes) else {
                return;
            };
            layers.push(next);
            let last = layers.last().map_or("", |layer| &layer.text);
            self.search_layer(last, at, &layers, places);
            escapes = Escapes::All;
        }
    }

    fn search_layer(&self, text: &str, at: usize, layers: &[Unescaped], places: &mut Places) {
        let origin = |place: usize| {
            let layers = layers.iter().rev();
            at + layers.fold(place, |place, layer| layer.origin(place))
        };
        let key = self.key.reveal();
        // To find that there is none is faster than to find all.
        if text.contains(key) {
            let found = text.match_indices(key);
            places
                .whole
                .extend(found.map(|(start, found)| origin(start)..origin(start + found.len())));
        }
        let Some(begin) = self.start.as_deref().filter(|begin| text.contains(*begin)) else {
            return;
        };
        for (start, _) in text.match_indices(begin) {
            let after = start + begin.len();
            let tail = text.get(after..).unwrap_or_default();
            let length = tail.find(|c| !self.may_follow(c)).unwrap_or(tail.len());
            let tail = tail.get(..length).unwrap_or_default();
            let elided = ELIDED.iter().any(|sign| tail.contains(sign));
            let place = origin(start)..origin(after + length);
            places.begun.push((place, elided));
        }
    }

    /// Whether a character may be part of a key that was quoted in part.
    fn may_follow(&self, character: char) -> bool {
        let in_key = || self.key.reveal().contains(character);
        character.is_alphanumeric()
            || "-_.*…•".contains(character)
            || !character.is_whitespace() && character != '"' && in_key()
    }
}

impl Places {
    /// A text with all of them masked; `None` where there are none.
    fn masked(mut self, text: &str, is_error: bool) -> Option<String> {
        let whole = self.whole.len();
        for (place, elided) in self.begun {
            let known = self.whole.iter().take(whole);
            let mut known = known.filter(|one| one.start <= place.start && place.start < one.end);
            if (is_error || elided) && known.next().is_none() {
                self.whole.push(place);
            }
        }
        if self.whole.is_empty() {
            return None;
        }
        self.whole.sort_by_key(|place| place.start);
        let mut masked = String::with_capacity(text.len());
        let mut end = 0;
        for place in self.whole {
            if place.start >= end {
                masked.push_str(text.get(end..place.start).unwrap_or_default());
                masked.push_str(MASK);
            }
            end = end.max(place.end);
        }
        masked.push_str(text.get(end..).unwrap_or_default());
        Some(masked)
    }
}

#[cfg(test)]
mod tests;
