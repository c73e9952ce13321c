//! Names of files and references of memories: safe on every system, and the same in every
//! export.

use rustc_hash::FxHashSet;

use crate::records::Id;
use crate::scope::Scope;

/// How much of a name that is not safe as it is stays readable, in bytes.
const READABLE_BYTES: usize = 40;
/// The longest name that is taken as it is, in bytes.
const PLAIN_BYTES: usize = 60;

/// Names that Windows gives to devices, and those of our own files.
const RESERVED: [&str; 5] = ["con", "prn", "aux", "nul", "index"];

/// The name of a file for something called `name`, without its ending. A name of lower-case
/// letters, digits, `_` and `-` is taken as it is; of any other the readable part, with a sum of
/// the name, so that names which differ in case or in signs stay apart on file systems that do
/// not tell them apart.
fn stem(name: &str) -> String {
    if is_plain(name) {
        return name.to_owned();
    }
    joined(&readable(name), &digits(name, 8))
}

fn is_plain(name: &str) -> bool {
    let bytes = name.as_bytes();
    let device = name.strip_prefix("com").or(name.strip_prefix("lpt"));
    let is_device = device.is_some_and(|rest| rest.len() == 1);
    (1..=PLAIN_BYTES).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && !RESERVED.contains(&name)
        && !is_device
}

/// The letters and digits of a text, in lower case, with `-` for what is between them.
fn readable(text: &str) -> String {
    let mut readable = String::new();
    for character in text.chars().flat_map(char::to_lowercase) {
        let kept = if character.is_alphanumeric() || character == '_' {
            character
        } else if readable.is_empty() || readable.ends_with('-') {
            continue;
        } else {
            '-'
        };
        if readable.len() + kept.len_utf8() > READABLE_BYTES {
            break;
        }
        readable.push(kept);
    }
    readable.trim_end_matches('-').to_owned()
}

fn joined(readable: &str, sum: &str) -> String {
    if readable.is_empty() {
        return sum.to_owned();
    }
    format!("{readable}-{sum}")
}

/// The first digits of a sum of a text.
fn digits(text: &str, count: usize) -> String {
    let sum = blake3::hash(text.as_bytes()).to_hex();
    sum.chars().take(count).collect()
}

/// Names that are given out, each once.
#[derive(Debug, Default)]
pub(super) struct Names {
    given: FxHashSet<String>,
}

impl Names {
    /// The name of the folder of a scope: its value where there is one field, otherwise all of
    /// them.
    pub(super) fn of_scope(&mut self, scope: &Scope) -> String {
        let mut values = scope.iter();
        let name = if let (Some((_, Some(value))), None) = (values.next(), values.next()) {
            stem(value)
        } else {
            let given: Vec<&str> = scope.iter().filter_map(|(_, value)| value).collect();
            joined(&readable(&given.join(" ")), &digits(&scope.to_string(), 8))
        };
        self.give(&name, &scope.key().to_string())
    }

    /// The name of the file of a category.
    pub(super) fn of_category(&mut self, name: &str, id: &Id) -> String {
        self.give(&stem(name), id.as_str())
    }

    /// The name of the file of a resource: what its URL ends with, and its reference.
    pub(super) fn of_resource(&mut self, url: &str, id: &Id) -> String {
        let name = last_part(url);
        let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
        let name = joined(&readable(name), &reference(id));
        self.give(&name, id.as_str())
    }

    /// The reference of a memory: the beginning of its id where that can be one.
    pub(super) fn of_item(&mut self, id: &Id) -> String {
        self.give(&reference(id), id.as_str())
    }

    /// The name, with a sum of what it is for when somebody else has it.
    fn give(&mut self, name: &str, of: &str) -> String {
        let mut free = name.to_owned();
        for count in (16..=64).step_by(8) {
            if self.given.insert(free.clone()) {
                return free;
            }
            free = format!("{name}-{}", digits(of, count));
        }
        free
    }
}

/// The last part of a path or URL that says something.
pub(super) fn last_part(url: &str) -> &str {
    let mut parts = url.rsplit(['/', '\\']);
    parts.find(|part| !part.is_empty()).unwrap_or(url)
}

fn reference(id: &Id) -> String {
    let beginning: String = id.as_str().chars().take(8).collect();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if beginning.len() == 8 && beginning.chars().all(fits) {
        return beginning;
    }
    digits(id.as_str(), 16)
}

/// Whether a text has the form of a reference.
pub(super) fn is_reference(text: &str) -> bool {
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (8..=90).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_stay_apart() {
        assert_eq!(stem("personal_info"), "personal_info");
        let strange = [
            "Personal_info",
            "PERSONAL_INFO",
            "con",
            "CON",
            "com1",
            "index",
            "..",
            ".",
            "",
            "a/b",
            "a\\b",
            "../../etc/passwd",
            "🦀",
            "☕ tea",
            "tea.",
            "tea ",
            "Größe",
            "日本語",
            "a:b",
            "a?b",
            "-tea",
            "\u{0}",
            "İstanbul",
        ];
        let long = "x".repeat(300);
        let mut seen = FxHashSet::default();
        for name in strange.into_iter().chain([long.as_str()]) {
            let stem = stem(name);
            assert!(seen.insert(stem.to_lowercase()), "{name:?}: {stem}");
            assert!((8..=PLAIN_BYTES).contains(&stem.len()), "{name:?}: {stem}");
            assert_eq!(stem, stem.to_lowercase(), "{name:?}");
            let safe = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
            assert!(stem.chars().all(safe), "{name:?}: {stem}");
        }
    }

    #[test]
    fn what_has_the_same_name_gets_another() {
        let mut names = Names::default();
        assert_eq!(names.of_category("tea", &Id::from("1")), "tea");
        let second = names.of_category("tea", &Id::from("2"));
        assert!(second.starts_with("tea-"), "{second}");
        let id = Id::from("34d51528-a88e-4530-ac6b-59e5af0f58e1");
        assert_eq!(names.of_item(&id), "34d51528");
        let other = names.of_item(&Id::from("34d51528-0000-4530-ac6b-59e5af0f58e1"));
        assert!(
            other.starts_with("34d51528-") && is_reference(&other),
            "{other}"
        );
        assert!(is_reference(&names.of_item(&Id::from("Tea / 1"))));
        assert_eq!(
            names.of_resource("/home/n/Friends.json", &id),
            "friends-34d51528"
        );
    }
}
