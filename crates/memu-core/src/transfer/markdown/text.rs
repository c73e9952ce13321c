//! Texts as they stand in a page: a memory as one item of a list, a summary above the list.
//!
//! A text stands there as it is, Markdown and all; the lines of a page say where it begins and
//! ends, and nothing inside of it does. One that would not come back so, because of spaces at
//! its ends or of signs that no editor keeps, stands as a string of JSON between backquotes.

use super::dates;
use super::names::is_reference;
use crate::time::When;

/// How a continued line of a memory begins.
pub(super) const INDENT: &str = "  ";

/// A memory as a page says it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Memory {
    /// Its type; `None` on a new line that does not say it.
    pub(super) kind: Option<String>,
    pub(super) text: String,
    pub(super) happened: Option<When>,
}

/// What a list item says: a memory and the reference by which it is known again.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) memory: Memory,
    pub(super) reference: Option<String>,
}

/// Why a list item cannot be understood.
pub(super) type Reason = &'static str;

/// Writes a text so that [`decode`] gives it back.
pub(super) fn encode(text: &str) -> String {
    let ordinary = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    let lines_stay = text
        .lines()
        .all(|line| line.is_empty() || !line.trim().is_empty());
    let stays = !text.is_empty()
        && text.trim() == text
        && lines_stay
        && text.chars().all(ordinary)
        && decode(text) == text;
    if stays { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let escaped = json.chars().map(|c| match c {
        c if c == '`' || c.is_control() => escape(c),
        c => c.to_string(),
    });
    format!("`{}`", escaped.collect::<String>())
}

/// A sign as JSON escapes it.
fn escape(sign: char) -> String {
    format!("\\u{:04x}", u32::from(sign))
}

/// Reads what [`encode`] wrote.
pub(super) fn decode(text: &str) -> String {
    let text = text.trim();
    let inner = text
        .strip_prefix('`')
        .and_then(|rest| rest.strip_suffix('`'))
        .filter(|inner| inner.starts_with('"'));
    inner
        .and_then(|inner| serde_json::from_str(inner).ok())
        .unwrap_or_else(|| text.to_owned())
}

/// Writes a memory as an item of a list, links to its sources among it.
pub(super) fn write(memory: &Memory, links: &[String], reference: &str) -> String {
    let mut written = String::from("- ");
    for (number, line) in encode(&memory.text).split('\n').enumerate() {
        if number > 0 {
            written.push('\n');
            if !line.is_empty() {
                written.push_str(INDENT);
            }
        }
        written.push_str(line);
    }
    written.push_str(" *(");
    written.push_str(&write_type(memory.kind.as_deref().unwrap_or_default()));
    if let Some(when) = &memory.happened {
        written.push_str(", ");
        written.push_str(&dates::write(when));
    }
    written.push_str(")*");
    for link in links {
        written.push(' ');
        written.push_str(link);
    }
    written.push_str(" ^");
    written.push_str(reference);
    written.push('\n');
    written
}

/// A type as it is, or as a string of JSON without what has a meaning here.
fn write_type(memory_type: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let stays = !memory_type.is_empty()
        && memory_type.trim() == memory_type
        && memory_type.chars().all(plain);
    if stays {
        return memory_type.to_owned();
    }
    let json = serde_json::Value::from(memory_type).to_string();
    let escaped = json.chars().map(|c| match c {
        '*' | '_' | '(' | ')' | ',' => escape(c),
        c if c.is_control() => escape(c),
        c => c.to_string(),
    });
    escaped.collect()
}

/// Reads an item of a list, without its bullet and indents.
pub(super) fn read(item: &str) -> Result<Entry, Reason> {
    let item = item.trim();
    let (rest, reference) = match item.rsplit_once('^') {
        Some((rest, reference))
            if is_reference(reference) && (rest.is_empty() || rest.ends_with([' ', '\n'])) =>
        {
            (rest.trim_end(), Some(reference.to_owned()))
        }
        _ => (item, None),
    };
    let (text, said) = match with_details(rest, reference.is_some()) {
        Some((text, details)) => (text, Some(details)),
        None => (rest, None),
    };
    let (kind, happened) = match said.map(read_details) {
        Some(Some((kind, happened))) => (Some(kind), happened),
        None if reference.is_some() => {
            return Err(
                "the type of the memory is missing before its reference; write it as \
                 *(event)* or *(event, 28 February 2026)*",
            );
        }
        Some(None) => {
            return Err(
                "what stands in *(…)* at the end is no type with a date, such as \
                 *(event, 28 February 2026)*",
            );
        }
        None => (None, None),
    };
    Ok(Entry {
        memory: Memory {
            kind,
            text: decode(text),
            happened,
        },
        reference,
    })
}

/// What stands before the last `*(…)*`, and inside of it; links may follow it when the item is
/// one that was exported.
fn with_details(item: &str, exported: bool) -> Option<(&str, &str)> {
    let mut rest = item;
    while exported && !rest.ends_with(")*") && !rest.ends_with(")_") {
        rest = before_link(rest)?;
    }
    let inner = |open: &str, close: &str| {
        let inside = rest.strip_suffix(close)?;
        let (text, details) = inside.rsplit_once(open)?;
        (text.is_empty() || text.ends_with([' ', '\n'])).then_some((text.trim_end(), details))
    };
    inner("*(", ")*").or_else(|| inner("_(", ")_"))
}

/// What stands before a link ` [label](target)` at the end.
fn before_link(text: &str) -> Option<&str> {
    let inside = text.strip_suffix(')')?;
    let (label, _target) = inside.rsplit_once("](")?;
    let (before, _label) = label.rsplit_once('[')?;
    Some(before.trim_end())
}

fn read_details(details: &str) -> Option<(String, Option<When>)> {
    let (memory_type, date) = match details.split_once(',') {
        Some((memory_type, date)) => (memory_type, Some(date)),
        None => (details, None),
    };
    let memory_type = memory_type.trim();
    let memory_type = if memory_type.starts_with('"') {
        serde_json::from_str(memory_type).ok()?
    } else {
        memory_type.to_owned()
    };
    let happened = match date {
        Some(date) => Some(dates::read(date)?),
        None => None,
    };
    (!memory_type.is_empty() || details.starts_with('"')).then_some((memory_type, happened))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str, memory_type: &str, happened: Option<When>, links: &[String]) {
        let memory = Memory {
            kind: Some(memory_type.to_owned()),
            text: text.to_owned(),
            happened,
        };
        let written = write(&memory, links, "34d51528");
        let mut lines = written.trim_end_matches('\n').split('\n');
        let first = lines.next().unwrap().strip_prefix("- ").unwrap();
        let rest = lines.map(|line| {
            let text = line.strip_prefix(INDENT);
            assert!(text.is_some() || line.is_empty(), "{written}");
            text.unwrap_or(line)
        });
        let item: Vec<&str> = std::iter::once(first).chain(rest).collect();
        let entry = read(&item.join("\n")).unwrap();
        assert_eq!(entry.memory, memory, "{written}");
        assert_eq!(entry.reference.as_deref(), Some("34d51528"), "{written}");
    }

    #[test]
    fn every_text_and_type_comes_back() {
        let texts = [
            "Theo moved.",
            "",
            " ",
            "a\nb",
            "a\n\nb",
            "a\n \nb",
            "a\n  - b\n- c",
            "- a",
            "# a",
            "---",
            "a\n---\nb",
            "```\ncode",
            "<!-- a",
            "<script>alert(1)</script>",
            "a ^34d51528",
            "^34d51528",
            "a *(event)* ^34d51528",
            "a *(event)*",
            "*(event, 2026)*",
            "a [b](c)",
            "[a](b)",
            "`\"a\"`",
            "`\"a`",
            "`a`",
            "``",
            "a\r\nb",
            "a\rb",
            "a\tb",
            "\ta",
            "a\n",
            "\u{0}",
            "\u{7f}\u{85}",
            "a\u{2028}b",
            "\u{feff}a",
            "## Memories",
            "a\n## Memories",
            "[ref:ab12cd]",
            "| a | b |",
            "\\*a\\*",
            "🦀 日本語",
            "a  \nb",
            "[ ] a",
        ];
        let links = ["[friends.json](../resources/friends-6030eedb.md#^m3)".to_owned()];
        let day = Some(When::day(crate::time::civil::date(2026, 2, 28)));
        for text in texts {
            for memory_type in [
                "event", "", " a", "a, b", "a)* *(b", "\"", "a_b-c d", "é*\n",
            ] {
                round(text, memory_type, None, &[]);
                round(text, memory_type, day, &links);
            }
        }
    }

    #[test]
    fn a_new_line_needs_no_type() {
        for (line, memory_type, text) in [
            ("Likes tea (green)", None, "Likes tea (green)"),
            ("Likes tea *(knowledge)*", Some("knowledge"), "Likes tea"),
            (
                "Likes tea _(knowledge, 2026)_",
                Some("knowledge"),
                "Likes tea",
            ),
            ("See [here](there)", None, "See [here](there)"),
            ("2 ^ 3 ^10", None, "2 ^ 3 ^10"),
        ] {
            let entry = read(line).unwrap();
            assert_eq!(entry.memory.kind.as_deref(), memory_type, "{line}");
            assert_eq!((&*entry.memory.text, entry.reference), (text, None));
        }
        for (line, expected) in [
            ("Likes tea ^34d51528", "the type of the memory is missing"),
            ("Likes tea *(event, soon)* ^34d51528", "no type with a date"),
            ("Likes tea *(event, soon)*", "no type with a date"),
        ] {
            let reason = read(line).unwrap_err();
            assert!(reason.contains(expected), "{line}: {reason}");
        }
    }
}
