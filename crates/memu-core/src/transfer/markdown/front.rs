//! The front matter of a page.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::VERSION;
use crate::error::{Error, Result};
use crate::scope::Scope;

/// The line that begins and ends it.
const FENCE: &str = "---";

/// What a page says of itself before its text.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Front {
    /// What kind of page it is.
    pub(super) memu: Option<String>,
    pub(super) version: Option<u32>,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) scope: Option<Map<String, Value>>,
    pub(super) revision: Option<u64>,
}

/// Writes front matter, line by line.
#[derive(Debug)]
pub(super) struct Writer(String);

impl Writer {
    /// That of a page of this kind.
    pub(super) fn new(kind: &str) -> Self {
        Self(format!("{FENCE}\nmemu: {kind}\nversion: {VERSION}\n"))
    }

    pub(super) fn text(mut self, key: &str, value: &str) -> Self {
        let _ = writeln!(self.0, "{key}: {}", scalar(value));
        self
    }

    pub(super) fn number(mut self, key: &str, value: u64) -> Self {
        let _ = writeln!(self.0, "{key}: {value}");
        self
    }

    /// The fields of a scope that are not empty.
    pub(super) fn scope(mut self, scope: &Scope) -> Self {
        if scope.is_empty() {
            self.0.push_str("scope: {}\n");
            return self;
        }
        self.0.push_str("scope:\n");
        for (field, value) in scope.iter() {
            if let Some(value) = value {
                let _ = writeln!(self.0, "  {field}: {}", scalar(value));
            }
        }
        self
    }

    pub(super) fn end(mut self) -> String {
        self.0.push_str(FENCE);
        self.0.push('\n');
        self.0
    }
}

/// A text as a scalar of YAML: as it is where nobody can take it for anything else, otherwise as
/// a string of JSON, which YAML reads as well.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let stays = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text.chars().all(plain)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if stays {
        return text.to_owned();
    }
    let json = Value::from(text).to_string();
    let printable = json.chars().map(|c| match c {
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
            format!("\\u{:04x}", u32::from(c))
        }
        c => c.to_string(),
    });
    printable.collect()
}

/// A page in two: its front matter, and its body with the number of the line where that begins.
///
/// # Errors
/// [`ErrorKind::Input`](crate::ErrorKind::Input) for front matter that is not closed or not
/// understood, naming the line.
pub(super) fn split(page: &str) -> Result<(Front, &str, usize)> {
    let Some(rest) = page.strip_prefix("---\n") else {
        return Ok((Front::default(), page, 1));
    };
    let closed = match rest.strip_prefix("---\n") {
        Some(body) => Some(("", body)),
        None => rest
            .split_once("\n---\n")
            .or_else(|| Some((rest.strip_suffix("\n---")?, ""))),
    };
    let Some((front, body)) = closed else {
        return Err(Error::input("the front matter is not closed by a line ---").with("line", 1));
    };
    let first = page.len() - body.len();
    let before = page.get(..first).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    Ok((parse(front)?, body, line))
}

fn parse(front: &str) -> Result<Front> {
    if front.trim().is_empty() {
        return Ok(Front::default());
    }
    serde_saphyr::from_str(front).map_err(|cause| {
        let line = cause.location().map(|location| location.line());
        let told = cause.without_snippet().to_string();
        let error = Error::input("the front matter is not understood").caused_by(told);
        match line {
            // The fence is above it.
            Some(line) => error.with("line", line + 1),
            None => error,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back() {
        for text in [
            "tea",
            "",
            " ",
            "yes",
            "1",
            "1e3",
            "null",
            "~",
            "a: b",
            "a #b",
            "- a",
            "---",
            "a\n---\nb",
            "\"",
            "\\",
            "'",
            "{}",
            "🦀",
            "\u{0}\u{1f}",
            "\u{7f}\u{85}\u{9f}",
            "a\u{2028}b",
            "\u{feff}",
            "{{ a }}",
            "a\tb",
            "@a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "%a",
            "`a`",
            "No",
            "a b-c_d",
        ] {
            let page = Writer::new("category").text("name", text).end() + "body\n";
            let (front, body, line) = split(&page).unwrap();
            assert_eq!(front.name.as_deref(), Some(text), "{page}");
            assert_eq!((body, line), ("body\n", 6));
        }
    }

    #[test]
    fn what_is_not_understood_is_named_by_its_line() {
        for (page, line, because) in [
            ("---\nname: a\ncolour: red\n---\n", 3, "colour"),
            ("---\nname: a\nname: b\n---\n", 3, "name"),
            ("---\nname: [a\n---\n", 2, ""),
            ("---\nrevision: many\n---\n", 2, ""),
            ("---\nname: a\n", 1, ""),
        ] {
            let error = split(page).unwrap_err();
            let told = format!("{error:?}");
            assert!(told.contains(&format!("line: {line}")), "{page}: {told}");
            assert!(told.contains(because), "{page}: {told}");
        }
        let (front, body, line) = split("Just text\n").unwrap();
        assert_eq!((front, body, line), (Front::default(), "Just text\n", 1));
    }
}
