//! Members of salvaged values, by the several names and forms that models give them.

use serde_json::{Map, Value};

/// From where on names are like each other, by the measure of Jaro and Winkler.
const LIKE: f64 = 0.8;

/// A name without case, spaces and punctuation, so that `Work Life` is `work_life`.
pub(super) fn folded(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The one of these names that is meant: the same but for case and punctuation, or its
/// plural or singular.
pub(super) fn resolve<'n>(
    meant: &str,
    names: impl Iterator<Item = &'n str> + Clone,
) -> Option<usize> {
    let meant_folded = folded(meant);
    let single = |name: &str| name.strip_suffix('s').unwrap_or(name).to_owned();
    names
        .clone()
        .position(|name| name == meant)
        .or_else(|| {
            // Names of symbols alone are only themselves.
            let mut names = names.clone();
            (!meant_folded.is_empty())
                .then(|| names.position(|name| folded(name) == meant_folded))
                .flatten()
        })
        .or_else(|| {
            let meant = single(&meant_folded);
            let mut names = names;
            (!meant.is_empty())
                .then(|| names.position(|name| single(&folded(name)) == meant))
                .flatten()
        })
}

/// The one of these names that is most like another, if one is.
pub(super) fn nearest(meant: &str, names: &[&str]) -> Option<usize> {
    let meant = folded(meant);
    let likeness = names
        .iter()
        .map(|name| strsim::jaro_winkler(&folded(name), &meant))
        .enumerate();
    let (at, _) = likeness
        .filter(|(_, likeness)| *likeness >= LIKE)
        // The first of those that are equally like it.
        .rev()
        .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    Some(at)
}

/// The first of these members that is there, whatever its case.
pub(super) fn member<'v>(map: &'v Map<String, Value>, names: &[&str]) -> Option<&'v Value> {
    names.iter().find_map(|name| {
        map.get(*name).or_else(|| {
            let wanted = folded(name);
            map.iter()
                .find(|(key, _)| folded(key) == wanted)
                .map(|(_, value)| value)
        })
    })
}

/// The text of a value; `None` when there is none.
pub(super) fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim(),
        Value::Object(map) => return member(map, &["#text", "content"]).and_then(text),
        Value::Array(list) => return list.iter().find_map(text),
        Value::Number(number) => return Some(number.to_string()),
        _ => return None,
    };
    // What models write for nothing.
    let nothing = ["", "null", "none", "n/a", "...", "…"];
    (!nothing.contains(&&*text.to_lowercase())).then(|| text.to_owned())
}

/// All texts in a value, however deep.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        other => text(other).into_iter().collect(),
    }
}

/// All whole numbers in a value: as such, and in texts such as `[3]`, `3, 4` and `3-5`.
/// A range has at most as many numbers as `most`.
pub(super) fn numbers(value: &Value, most: usize) -> Vec<u64> {
    match value {
        Value::Number(number) => {
            let float = number
                .as_f64()
                .filter(|float| float.fract() == 0.0 && *float >= 0.0);
            let number = number.as_u64().or(float.map(|float| float as u64));
            number.into_iter().collect()
        }
        Value::Array(list) => list.iter().flat_map(|one| numbers(one, most)).collect(),
        Value::Object(map) => map.values().flat_map(|one| numbers(one, most)).collect(),
        Value::String(text) => in_text(text, most),
        _ => Vec::new(),
    }
}

fn in_text(text: &str, most: usize) -> Vec<u64> {
    let mut numbers: Vec<u64> = Vec::new();
    let mut rest = text;
    let mut ranges = false;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (between, digits) = rest.split_at_checked(start).unwrap_or_default();
        ranges |= matches!(between.trim(), "-" | "–" | "to" | "..") && !numbers.is_empty();
        let end = digits
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(digits.len());
        let (number, after) = digits.split_at_checked(end).unwrap_or_default();
        if let Ok(number) = number.parse::<u64>() {
            let first = numbers.last().copied().filter(|_| ranges);
            match first {
                Some(first) => numbers.extend((first.saturating_add(1)..=number).take(most)),
                None => numbers.push(number),
            }
        }
        ranges = false;
        rest = after;
    }
    numbers
}

/// Whether a value says yes or no.
pub(super) fn truth(value: &Value) -> Option<bool> {
    if let Value::Bool(truth) = value {
        return Some(*truth);
    }
    match folded(&text(value)?).as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// The beginning of a reply, for an error about it.
pub(super) fn beginning(reply: &str) -> String {
    const LENGTH: usize = 120;
    let line = super::prompt::one_line(reply);
    let mut start: String = line.chars().take(LENGTH).collect();
    if start.len() < line.len() {
        start.push('…');
    }
    start
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_resolved_across_case_punctuation_and_number() {
        let names = ["event", "work_life", "skills"];
        for (meant, at) in [("Event", 0), ("events", 0), ("Work Life", 1), ("SKILL", 2)] {
            assert_eq!(resolve(meant, names.into_iter()), Some(at), "{meant}");
        }
        let symbols = ["💼", "🏠"];
        assert_eq!(resolve("🏠", symbols.into_iter()), Some(1));
        assert_eq!(resolve("🚗", symbols.into_iter()), None);
        for meant in ["", "s", "even", "-"] {
            assert_eq!(resolve(meant, names.into_iter()), None, "{meant}");
        }
    }

    #[test]
    fn numbers_are_found_in_every_form() {
        let value = json!([1.0, "2", "[3]", "4, 6–8", {"message": [9]}, "10 to 12", -1, 1.5, -2.0]);
        assert_eq!(numbers(&value, 5), [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12]);
        assert_eq!(numbers(&json!("1-99999999999"), 3), [1, 2, 3, 4]);
        assert!(numbers(&json!("none"), 3).is_empty());
    }
}
