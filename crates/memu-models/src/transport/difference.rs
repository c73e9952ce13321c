//! How two requests differ, so that a developer sees why one is not the other.

use std::collections::HashSet;

use serde_json::Value;

/// How many characters before and after the first difference are shown.
const BEFORE: usize = 20;
const AFTER: usize = 40;

/// How much two requests share, as JSON: bytes in lines that both have, then bytes at their ends.
pub(super) fn in_common(one: &str, other: &str) -> (usize, usize) {
    let lines: HashSet<&str> = other.split("\\n").collect();
    let shared = one.split("\\n").filter(|line| lines.contains(line));
    let same = |(one, other): &(u8, u8)| one == other;
    let start = one.bytes().zip(other.bytes()).take_while(same).count();
    let end = one.bytes().rev().zip(other.bytes().rev());
    let ends = start + end.take_while(same).count();
    (shared.map(str::len).sum(), ends)
}

/// The first difference, as `at /pointer: … here, … there`; `None` when there is none.
pub(super) fn difference(here: &Value, there: &Value) -> Option<String> {
    let mut pointer = String::new();
    let (here, there) = first(Some(here), Some(there), &mut pointer)?;
    let place = if pointer.is_empty() { "/" } else { &pointer };
    Some(format!("at {place}: {here} here, {there} in the recording"))
}

fn first(
    here: Option<&Value>,
    there: Option<&Value>,
    pointer: &mut String,
) -> Option<(String, String)> {
    match (here, there) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let added = other.keys().filter(|key| !one.contains_key(*key));
            let mut keys = one.keys().chain(added);
            keys.find_map(|key| at(key, one.get(key), other.get(key), pointer))
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => (0..one.len().max(other.len()))
            .find_map(|at_| at(&at_.to_string(), one.get(at_), other.get(at_), pointer)),
        (one, other) if one == other => None,
        (Some(Value::String(one)), Some(Value::String(other))) => Some(texts(one, other)),
        (one, other) => Some((shown(one), shown(other))),
    }
}

/// What differs first in two texts. Lines with tags come last: they have codes, which follow from
/// what stands between them.
fn texts(here: &str, there: &str) -> (String, String) {
    let mut lines = here.lines().zip(there.lines());
    let told = |(one, other): &(&str, &str)| one != other && !one.starts_with('<');
    let (here, there) = lines.find(told).unwrap_or((here, there));
    let same = |(one, other): &(char, char)| one == other;
    let same = here.chars().zip(there.chars()).take_while(same).count();
    (excerpt(here, same), excerpt(there, same))
}

fn at(
    key: &str,
    here: Option<&Value>,
    there: Option<&Value>,
    pointer: &mut String,
) -> Option<(String, String)> {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(key);
    let found = first(here, there, pointer);
    if found.is_none() {
        pointer.truncate(length);
    }
    found
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("nothing".to_owned(), |value| excerpt(&value.to_string(), 0))
}

/// What stands around a place in a text.
fn excerpt(text: &str, place: usize) -> String {
    let start = place.saturating_sub(BEFORE);
    let part: String = text
        .chars()
        .skip(start)
        .take(place - start + AFTER)
        .collect();
    let before = if start > 0 { "…" } else { "" };
    let after = if text.chars().nth(place + AFTER).is_some() {
        "…"
    } else {
        ""
    };
    format!("{:?}", format!("{before}{part}{after}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_shown_with_what_is_around_it() {
        let here =
            json!({"model": "one", "messages": [{"content": "What does Nora like to eat?"}]});
        let there =
            json!({"model": "one", "messages": [{"content": "What does Nora like to drink?"}]});
        assert_eq!(
            difference(&here, &there).unwrap(),
            "at /messages/0/content: \"…t does Nora like to eat?\" here, \"…t does Nora like to \
             drink?\" in the recording"
        );
        assert_eq!(difference(&here, &here), None);
        assert_eq!(
            difference(&json!("<a-1>\nNora\n</a-1>"), &json!("<a-2>\nInes\n</a-2>")).unwrap(),
            "at /: \"Nora\" here, \"Ines\" in the recording"
        );
        assert_eq!(
            difference(&json!("<a-1>"), &json!("<a-2>\nInes")).unwrap(),
            "at /: \"<a-1>\" here, \"<a-2>\\nInes\" in the recording"
        );
        assert_eq!(
            difference(&json!({"a": [1]}), &json!({"a": [1], "b": 2})).unwrap(),
            "at /b: nothing here, \"2\" in the recording"
        );
        assert_eq!(
            difference(&json!({"a": [1, 2]}), &json!({"a": [1]})).unwrap(),
            "at /a/1: \"2\" here, nothing in the recording"
        );
        assert_eq!(
            difference(&json!([]), &json!({})).unwrap(),
            "at /: \"[]\" here, \"{}\" in the recording"
        );
    }

    #[test]
    fn the_nearest_shares_most() {
        assert!(in_common("abcXdef", "abcYdef") > in_common("abcXdef", "abZZZef"));
        let [asked, one, other] = ["<1>\\nInes rows\\nb", "<2>\\nInes rows\\nc", "<1>\\nx\\nb"];
        assert!(in_common(asked, one) > in_common(asked, other));
    }
}
