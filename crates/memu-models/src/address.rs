//! Addresses as they may be shown.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::transport::MASK;

/// What parameters are called that hold no key.
const HARMLESS: [&str; 3] = ["api-version", "alt", "version"];

/// An address without a user name and a password, and without the values of parameters that may
/// be keys. It need not be a valid one: what was meant for a password is one.
pub fn masked_address(address: &str) -> String {
    let start = address.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = address.split_at_checked(start).unwrap_or(("", address));
    // A password may hold any character, also those that end a host.
    let (user, place) = match rest.rsplit_once('@') {
        Some((_, place)) => (Some(MASK), place),
        None => (None, rest),
    };
    let (place, fragment) = cut(place, '#');
    let (place, query) = cut(place, '?');
    let mut masked = scheme.to_owned();
    masked.extend(user.into_iter().chain(user.map(|_| "@")));
    masked.push_str(place);
    if let Some(query) = query {
        let pairs: Vec<Cow<'_, str>> = query.split('&').map(masked_pair).collect();
        masked.extend(["?", &pairs.join("&")]);
    }
    if fragment.is_some() {
        masked.extend(["#", MASK]);
    }
    masked
}

fn cut(text: &str, sign: char) -> (&str, Option<&str>) {
    match text.split_once(sign) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn masked_pair(pair: &str) -> Cow<'_, str> {
    match pair.split_once('=') {
        Some((name, _)) if HARMLESS.contains(&name) => pair.into(),
        Some((name, _)) => format!("{name}={MASK}").into(),
        None => MASK.into(),
    }
}

/// A profile as it may be shown: what is set in it, without its key, and with masked addresses.
/// `serialized` is its JSON, which has no key.
pub fn masked_profile(serialized: Value) -> Value {
    let Value::Object(fields) = serialized else {
        return Value::Null;
    };
    let mask = |value: Value| match value {
        Value::String(address) => masked_address(&address).into(),
        other => other,
    };
    let shown = fields.into_iter().filter_map(|(name, value)| match value {
        Value::Null => None,
        Value::Object(paths) if paths.is_empty() => None,
        Value::Object(paths) => {
            let paths = paths.into_iter().map(|(name, path)| (name, mask(path)));
            Some((name, Value::Object(paths.collect())))
        }
        value if name == "base_url" => Some((name, mask(value))),
        value => Some((name, value)),
    });
    Value::Object(shown.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_may_be_a_key_is_masked_in_an_address() {
        for (address, masked) in [
            ("https://h.example/v1", "https://h.example/v1"),
            ("https://nora:pw@h.example/v1", "https://***@h.example/v1"),
            (
                "https://nora:p/w?o#r@d@h.example/v1",
                "https://***@h.example/v1",
            ),
            ("nora:pw@h.example", "***@h.example"),
            (
                "https://h.example/v1?api-version=3&key=pw&pw#pw",
                "https://h.example/v1?api-version=3&key=***&***#***",
            ),
            ("/chat?key=pw", "/chat?key=***"),
            ("", ""),
        ] {
            assert_eq!(masked_address(address), masked);
        }
    }
}
