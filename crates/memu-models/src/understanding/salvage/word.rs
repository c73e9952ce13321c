//! Words without quotation marks, and comments.

use serde_json::Value;

use super::string::Place;
use super::{Repair, Repairs};

/// The word without quotation marks at the beginning of a text; may be empty.
pub(super) fn bare(rest: &str, place: Place) -> &str {
    let end = rest.find(|character: char| {
        !(character.is_alphanumeric()
            || matches!(character, '_' | '-' | '+' | '.' | '$')
            || (character == ':' && place != Place::Key))
    });
    rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
}

/// Whether a word without quotation marks can end before this. One of several words is not
/// taken: the rest of them would be lost.
pub(super) fn can_end(after: &str) -> bool {
    let rest = after.trim_start();
    let line_ends = after.get(..after.len() - rest.len());
    rest.is_empty()
        || rest.starts_with([',', ']', '}', '"', '\''])
        || begins_comment(rest)
        || line_ends.is_some_and(|blank| blank.contains('\n'))
}

/// What a word without quotation marks means.
pub(super) fn value(word: &str, repairs: &mut Repairs) -> Value {
    if let Ok(value) = serde_json::from_str(word) {
        return value;
    }
    let literal = match word {
        "True" | "TRUE" => Some(Value::Bool(true)),
        "False" | "FALSE" => Some(Value::Bool(false)),
        "None" | "NULL" | "Null" | "nil" | "undefined" | "NaN" | "Infinity" | "-Infinity" => {
            Some(Value::Null)
        }
        _ => None,
    };
    repairs.note(if literal.is_some() {
        Repair::ForeignLiteral
    } else {
        Repair::Unquoted
    });
    literal.unwrap_or_else(|| Value::String(word.to_owned()))
}

/// Whether a text begins with a comment.
pub(super) fn begins_comment(text: &str) -> bool {
    ["#", "//", "/*"].iter().any(|mark| text.starts_with(mark))
}

/// How long the comment at the beginning of a text is; 0 when there is none.
pub(super) fn comment_length(text: &str) -> usize {
    let to_line_end = || text.find('\n').unwrap_or(text.len());
    match text.as_bytes() {
        [b'#', ..] | [b'/', b'/', ..] => to_line_end(),
        [b'/', b'*', ..] => text.find("*/").map_or(text.len(), |end| end + 2),
        _ => 0,
    }
}
