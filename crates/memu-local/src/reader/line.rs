use super::message::attribute;
use super::moment::Stamp;

use memu_core::records::Role;

/// The beginning of a message in a transcript.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Opening<'t> {
    /// The time before the name, as written.
    pub(super) stamp: Option<&'t str>,
    /// The speaker; `None` in a stamped notice such as "Anna joined".
    pub(super) label: Option<&'t str>,
    /// Where the text begins within the line.
    pub(super) text_start: usize,
}

/// The longest accepted name, in bytes.
const LONGEST_NAME: usize = 48;

/// Particles that a name may hold in lower case.
const PARTICLES: [&str; 16] = [
    "al", "bin", "ben", "da", "de", "del", "della", "der", "di", "dos", "la", "le", "van", "vom",
    "von", "y",
];

/// Labels that prose puts before a colon and that are no speakers.
const LABELS: [&str; 34] = [
    "note",
    "notes",
    "nb",
    "ps",
    "p.s",
    "pps",
    "example",
    "examples",
    "ingredients",
    "steps",
    "step",
    "summary",
    "todo",
    "tip",
    "tips",
    "warning",
    "update",
    "edit",
    "subject",
    "date",
    "time",
    "re",
    "fwd",
    "fw",
    "cc",
    "bcc",
    "to",
    "result",
    "results",
    "output",
    "input",
    "error",
    "conclusion",
    "important",
];

/// Reads `Name: text`, optionally after a time in brackets or before a dash; or
/// a stamped notice without a speaker. `None` for a line that opens no message.
pub(super) fn opening(line: &str) -> Option<Opening<'_>> {
    let start = line.len() - line.trim_start_matches(is_filler).len();
    let body = line.get(start..)?;
    let Some((stamp, length)) = leading_stamp(body) else {
        let (label, text) = label(body)?;
        return Some(Opening {
            stamp: None,
            label: Some(label),
            text_start: start + text,
        });
    };
    let rest_start = start + length;
    let rest = line.get(rest_start..)?;
    let (label, text) = label(rest).map_or((None, 0), |(label, text)| (Some(label), text));
    Some(Opening {
        stamp: Some(stamp),
        label,
        text_start: rest_start + text,
    })
}

impl Opening<'_> {
    /// Role and name of the speaker.
    pub(super) fn speaker(&self) -> (Option<Role>, Option<String>) {
        attribute(None, self.label)
    }

    /// Whether the label is a role word such as `User` or `AI`.
    pub(super) fn is_role(&self) -> bool {
        self.label
            .is_some_and(|label| Role::from_name(label).is_some())
    }

    /// Whether the label is written as names are, rather than as a handle.
    pub(super) fn is_capitalised(&self) -> bool {
        self.label
            .is_some_and(|label| !label.starts_with(char::is_lowercase))
    }
}

/// White space and the invisible marks that some exports put around names.
fn is_filler(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{feff}')
}

/// The name before a colon, and where the text after it begins. The name may be
/// bold (`**Anna:** …`).
fn label(line: &str) -> Option<(&str, usize)> {
    let inner = line.trim_start_matches('*');
    let stars = line.len() - inner.len();
    let (before, after) = inner.split_once(':')?;
    let unstarred = after.trim_start_matches('*');
    let name = before.trim_end_matches('*').trim();
    let spaced = unstarred.is_empty() || unstarred.starts_with(char::is_whitespace);
    let bold_is_closed = stars == 0 || unstarred.len() < after.len() || before.ends_with('*');
    if stars > 2 || !spaced || !bold_is_closed || !is_name(name) {
        return None;
    }
    let text = unstarred.trim_start_matches(is_filler);
    Some((name, line.len() - text.len()))
}

fn is_name(name: &str) -> bool {
    let mut words = name.split_whitespace();
    let Some(first) = words.next() else {
        return false;
    };
    let one_word = name.len() == first.len();
    name.len() <= LONGEST_NAME
        && name.starts_with(char::is_alphabetic)
        && name.chars().all(|c| {
            c.is_alphanumeric()
                || matches!(c, ' ' | '.' | '\'' | '\u{2019}' | '-' | '_' | '(' | ')')
        })
        && name.split_whitespace().count() <= 5
        && (one_word || !first.starts_with(char::is_lowercase))
        && words.all(|word| !word.starts_with(char::is_lowercase) || PARTICLES.contains(&word))
        && !LABELS.contains(&name.to_lowercase().as_str())
}

/// A time at the beginning of a line, and where what follows it begins.
fn leading_stamp(line: &str) -> Option<(&str, usize)> {
    let closing = match line.chars().next()? {
        '[' => ']',
        '(' => ')',
        digit if digit.is_ascii_digit() => return bare_stamp(line),
        _ => return None,
    };
    let end = line.find(closing)?;
    let inner = line.get(1..end)?;
    let mut stamp = Stamp::default();
    let all_time = tokens(inner).all(|(token, _)| stamp.take(token));
    let rest = line.get(end + 1..)?;
    (all_time && (stamp.has_clock() || stamp.has_date()))
        .then(|| (inner.trim(), line.len() - after_dash(rest).len()))
}

/// `2024-05-01 10:00 - `, `01/05/2024, 10:00 - `, `10:00 `: a clock, perhaps
/// after a date.
fn bare_stamp(line: &str) -> Option<(&str, usize)> {
    let mut stamp = Stamp::default();
    let mut end = 0;
    for (token, token_end) in tokens(line).take(3) {
        let taken = if stamp.has_clock() {
            stamp.take_meridiem(token)
        } else {
            stamp.take_numeric_date(token)
                || stamp.take_clock(token)
                || take_joined(&mut stamp, token)
        };
        if !taken {
            break;
        }
        end = token_end;
    }
    let rest = line.get(end..)?;
    let parted = rest.starts_with(|c: char| c.is_whitespace());
    (stamp.has_clock() && parted).then(|| {
        let written = line.get(..end).unwrap_or_default();
        (written, line.len() - after_dash(rest).len())
    })
}

/// `2024-05-01T10:00:00Z`, as one token.
fn take_joined(stamp: &mut Stamp, token: &str) -> bool {
    token.split_once('T').is_some_and(|(date, clock)| {
        let clock = clock
            .split_once(['Z', '+', '-'])
            .map_or(clock, |(clock, _)| clock);
        stamp.take_numeric_date(date) && stamp.take_clock(clock)
    })
}

/// The tokens of a written time with their ends, the commas between them left out.
fn tokens(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let is_gap = |c: char| c.is_whitespace() || c == ',';
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.get(from..)?;
        let token = rest.trim_start_matches(is_gap);
        let start = text.len() - token.len();
        let length = token.find(is_gap).unwrap_or(token.len());
        from = start + length;
        (length > 0).then(|| (text.get(start..from).unwrap_or_default(), from))
    })
}

/// What follows a stamp, without the dash or colon that may part them.
fn after_dash(rest: &str) -> &str {
    let rest = rest.trim_start_matches(is_filler);
    let unparted = rest.strip_prefix(['-', '–', '—', ':']).unwrap_or(rest);
    unparted.trim_start_matches(is_filler)
}

#[cfg(test)]
#[allow(clippy::string_slice)]
mod tests {
    use super::*;

    fn parts(line: &str) -> Option<(Option<&str>, Option<&str>, &str)> {
        opening(line).map(|found| (found.stamp, found.label, &line[found.text_start..]))
    }

    #[test]
    fn finds_the_name_before_the_colon() {
        for (line, name, text) in [
            ("Anna: hello: you", "Anna", "hello: you"),
            ("  Dr. Ana de la Cruz:\thi", "Dr. Ana de la Cruz", "hi"),
            ("bob_92: yo", "bob_92", "yo"),
            ("Jürgen O'Neil (work): ja", "Jürgen O'Neil (work)", "ja"),
            ("山田: はい", "山田", "はい"),
            ("Anna:", "Anna", ""),
            ("**Anna:** hi **there**", "Anna", "hi **there**"),
            ("**Anna**: hi", "Anna", "hi"),
        ] {
            assert_eq!(parts(line), Some((None, Some(name), text)), "{line}");
        }
    }

    #[test]
    fn finds_the_time_before_the_name() {
        for (line, stamp) in [
            ("[2024-05-01 10:00] Anna: hi", "2024-05-01 10:00"),
            ("(10:00) Anna: hi", "10:00"),
            ("2024-05-01 10:00 - Anna: hi", "2024-05-01 10:00"),
            ("01/05/2024, 10:00 - Anna: hi", "01/05/2024, 10:00"),
            (
                "5/1/24, 1:56\u{202f}PM - Anna: hi",
                "5/1/24, 1:56\u{202f}PM",
            ),
            (
                "\u{200e}[01.05.24, 10:00:07] Anna: hi",
                "01.05.24, 10:00:07",
            ),
            ("2024-05-01T10:00:00Z Anna: hi", "2024-05-01T10:00:00Z"),
            ("10:00 Anna: hi", "10:00"),
        ] {
            assert_eq!(
                parts(line),
                Some((Some(stamp), Some("Anna"), "hi")),
                "{line}"
            );
        }
        assert_eq!(
            parts("01/05/2024, 10:00 - Anna joined"),
            Some((Some("01/05/2024, 10:00"), None, "Anna joined"))
        );
    }

    #[test]
    fn does_not_take_prose_for_a_speaker() {
        for line in [
            "",
            "https://example.org",
            "Here are the ingredients: flour",
            "Note: this is no speaker",
            "see: there",
            "- Anna: in a list",
            "[1, 2]: numbers",
            "[link](there): x",
            "10 apples: cheap",
            "2024 was a year: long",
            "***Anna: x",
        ] {
            let found = parts(line);
            let handle = found.is_some_and(|(_, label, _)| label == Some("see"));
            assert!(found.is_none() || handle, "{line}: {found:?}");
        }
    }
}
