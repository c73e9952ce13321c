use serde_json::{Map, Value};

use super::{Repair, Repairs};

/// Tags that format text rather than structure a reply: they stay part of the text.
const FORMATTING: [&str; 22] = [
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "del",
    "div",
    "em",
    "font",
    "hr",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "span",
    "strong",
    "sub",
    "u",
    "ul",
];

/// An opening tag.
pub(super) struct Tag<'t> {
    pub(super) name: &'t str,
    pub(super) attributes: Map<String, Value>,
    /// Whether it is closed in itself: `<name/>`.
    pub(super) empty: bool,
    /// How many bytes it has.
    pub(super) length: usize,
}

impl<'t> Tag<'t> {
    /// The opening tag at the beginning of a text.
    pub(super) fn read(text: &'t str, repairs: &mut Repairs) -> Option<Self> {
        let inside = text.strip_prefix('<')?;
        let name = name(inside)?;
        if FORMATTING.contains(&name) {
            return None;
        }
        let end = inside.find(['>', '<'])?;
        let body = inside.get(name.len()..end)?;
        if !inside.get(end..)?.starts_with('>') || !body.is_empty() && !starts_attributes(body) {
            return None;
        }
        let empty = body.ends_with('/');
        Some(Self {
            name,
            attributes: attributes(body.trim_end_matches('/'), repairs),
            empty,
            length: end + 2,
        })
    }
}

/// The name of an element at the beginning of a text.
pub(super) fn name(text: &str) -> Option<&str> {
    let starts = |character: char| character.is_ascii_alphabetic() || character == '_';
    if !text.starts_with(starts) {
        return None;
    }
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')))
        .unwrap_or(text.len());
    text.get(..end)
}

fn starts_attributes(body: &str) -> bool {
    body.starts_with(|character: char| character.is_whitespace() || character == '/')
}

fn attributes(mut body: &str, repairs: &mut Repairs) -> Map<String, Value> {
    let mut map = Map::new();
    loop {
        body = body.trim_start();
        let Some(name) = name(body) else {
            return map;
        };
        let after = body.get(name.len()..).unwrap_or_default().trim_start();
        let Some(value) = after.strip_prefix('=').map(str::trim_start) else {
            body = after;
            continue;
        };
        let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return map;
        };
        let Some((text, rest)) = value.get(1..).and_then(|text| text.split_once(quote)) else {
            return map;
        };
        let mut decoded = String::new();
        decode(text, &mut decoded, repairs);
        map.insert(name.to_owned(), Value::String(decoded));
        body = rest;
    }
}

/// Appends text with its entities replaced. An `&` that begins none is one.
pub(super) fn decode(text: &str, into: &mut String, repairs: &mut Repairs) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        into.push_str(before);
        if let Some((character, length)) = entity(after) {
            into.push(character);
            rest = after.get(length..).unwrap_or_default();
        } else {
            repairs.note(Repair::Ampersand);
            into.push('&');
            rest = after;
        }
    }
    into.push_str(rest);
}

/// The character that an entity means, and how long the entity is behind its `&`.
fn entity(after: &str) -> Option<(char, usize)> {
    // The longest is `#x10FFFF;`.
    let end = after.bytes().take(10).position(|byte| byte == b';')?;
    let name = after.get(..end)?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => digits.parse(),
            };
            code.ok().and_then(char::from_u32)?
        }
    };
    Some((character, end + 1))
}
