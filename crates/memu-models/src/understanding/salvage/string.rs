use super::{Repair, Repairs, word};

/// Where a string or word stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the key of an object.
    Key,
    /// It is the value of a key.
    Member,
    /// It is an element of a list.
    Element,
}

/// Whether a character opens a string.
pub(super) fn opens(character: char) -> bool {
    !closers(character).is_empty()
}

/// The characters that may close a string which this one opened.
fn closers(opening: char) -> &'static [char] {
    match opening {
        '"' => &['"'],
        '\'' => &['\''],
        '“' | '”' | '„' => &['”', '“', '"'],
        '‘' | '’' | '‚' => &['’', '‘', '\''],
        _ => &[],
    }
}

/// Reads the string that opens at `at`, and moves `at` behind it; `None` when it does not
/// end, and `at` is the end of the text then.
///
/// A quotation mark ends the string only where JSON can go on behind it, so that one that
/// should have had a backslash stays part of the text.
pub(super) fn read(
    text: &str,
    at: &mut usize,
    place: Place,
    repairs: &mut Repairs,
) -> Option<String> {
    let start = *at;
    let mut characters = text.get(start..).unwrap_or_default().char_indices();
    let (_, opening) = characters.next()?;
    let closers = closers(opening);
    if opening != '"' {
        repairs.note(Repair::QuotationMarks);
    }
    let mut value = String::new();
    while let Some((offset, character)) = characters.next() {
        if character == '\\' {
            if escape(&mut characters, &mut value, repairs).is_none() {
                break;
            }
        } else if closers.contains(&character) {
            let after = start + offset + character.len_utf8();
            if ends_string(text.get(after..).unwrap_or_default(), place) {
                *at = after;
                return Some(value);
            }
            repairs.note(Repair::InnerQuote);
            value.push(character);
        } else {
            if character.is_control() && character < ' ' {
                repairs.note(Repair::ControlCharacter);
            }
            value.push(character);
        }
    }
    *at = text.len();
    None
}

/// Reads what follows a backslash; `None` when the text ends within it.
fn escape(
    characters: &mut std::str::CharIndices<'_>,
    value: &mut String,
    repairs: &mut Repairs,
) -> Option<()> {
    let (_, character) = characters.next()?;
    match character {
        '"' | '\\' | '/' => value.push(character),
        'b' => value.push('\u{8}'),
        'f' => value.push('\u{c}'),
        'n' => value.push('\n'),
        'r' => value.push('\r'),
        't' => value.push('\t'),
        'u' => unicode_escape(characters, value, repairs)?,
        '\'' | '`' | '“' | '”' => {
            repairs.note(Repair::Escape);
            value.push(character);
        }
        // Such as `C:\dir` and `\alpha`: what was meant is what was written.
        other => {
            repairs.note(Repair::Escape);
            value.push('\\');
            value.push(other);
        }
    }
    Some(())
}

fn unicode_escape(
    characters: &mut std::str::CharIndices<'_>,
    value: &mut String,
    repairs: &mut Repairs,
) -> Option<()> {
    let Some(first) = code_unit(characters)? else {
        repairs.note(Repair::Escape);
        value.push_str("\\u");
        return Some(());
    };
    if let Some(character) = char::from_u32(first) {
        value.push(character);
        return Some(());
    }
    // Half of a pair: the other half must follow.
    let mut ahead = characters.clone();
    let pair = match (ahead.next(), ahead.next()) {
        (Some((_, '\\')), Some((_, 'u'))) => code_unit(&mut ahead)?,
        (None, _) | (Some((_, '\\')), None) => return None,
        _ => None,
    };
    let both = pair.and_then(|second| char::decode_utf16([first as u16, second as u16]).next());
    if let Some(Ok(character)) = both {
        value.push(character);
        *characters = ahead;
    } else {
        repairs.note(Repair::Escape);
        value.push(char::REPLACEMENT_CHARACTER);
    }
    Some(())
}

/// Four hexadecimal digits; `Some(None)`, and nothing is taken, when they are something else,
/// `None` when the text ends within them.
#[expect(
    clippy::option_option,
    reason = "ended, absent and present are three cases"
)]
fn code_unit(characters: &mut std::str::CharIndices<'_>) -> Option<Option<u32>> {
    let mut ahead = characters.clone();
    let mut unit = 0;
    for _ in 0..4 {
        let (_, character) = ahead.next()?;
        let Some(digit) = character.to_digit(16) else {
            return Some(None);
        };
        unit = unit * 16 + digit;
    }
    *characters = ahead;
    Some(Some(unit))
}

/// Whether JSON can go on like this behind a string.
fn ends_string(after: &str, place: Place) -> bool {
    let rest = after.trim_start();
    let Some(next) = rest.chars().next() else {
        return true;
    };
    let blank = after.len() > rest.len();
    // A `#` right behind it is rather a number one in quotation marks.
    let comment = word::begins_comment(rest) && (blank || next != '#');
    if comment || rest.starts_with("```") {
        return true;
    }
    match (next, place) {
        (':', Place::Key) => true,
        (_, Place::Key) => false,
        ('}' | ']', _) => true,
        (',', _) => continues(rest.get(1..).unwrap_or_default().trim_start(), place),
        // A comma is missing.
        (_, Place::Member) => opens(next) && key_follows(rest),
        (_, Place::Element) => {
            let line_ends = after
                .get(..after.len() - rest.len())
                .is_some_and(|blank| blank.contains('\n'));
            line_ends && opens(next)
        }
    }
}

/// Whether the next member or element can begin like this behind a comma.
fn continues(rest: &str, place: Place) -> bool {
    let Some(next) = rest.chars().next() else {
        return true;
    };
    if opens(next) || matches!(next, '}' | ']' | ',' | '…') || word::begins_comment(rest) {
        return true;
    }
    if rest.starts_with("...") || rest.starts_with("```") {
        return true;
    }
    match place {
        Place::Element => {
            matches!(next, '{' | '[' | '-') || next.is_ascii_digit() || {
                let literal = word::bare(rest, place);
                !literal.is_empty() && word::can_end(rest.get(literal.len()..).unwrap_or_default())
            }
        }
        _ => key_follows(rest),
    }
}

/// Whether a text begins with a simple key and a colon, or ends before it can be told.
fn key_follows(rest: &str) -> bool {
    let bare = rest.strip_prefix(opens).unwrap_or(rest);
    let name = word::bare(bare, Place::Key);
    let after = bare.get(name.len()..).unwrap_or_default();
    let after = after.strip_prefix(opens).unwrap_or(after).trim_start();
    after.is_empty() || (!name.is_empty() && after.starts_with(':'))
}
