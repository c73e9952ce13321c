//! JSON as PostgreSQL can hold it: without U+0000, and with numbers that stay what they are.

use serde_json::{Map, Number, Value};

use crate::values;

/// Begins a text that stands for a number which would come back as another: `jsonb` writes
/// `1e15` as a whole number, and `1e300` with all its digits, which not every reader takes; and
/// ours may be wrong in the last of 17 digits.
const NUMBER: &str = "\u{FDD0}2";

/// An object as it is stored.
pub(crate) fn held(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter()
        .map(|(key, value)| (values::held(key).into_owned(), held_value(value)))
        .collect()
}

fn held_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(values::held(text).into_owned()),
        Value::Array(values) => values.iter().map(held_value).collect(),
        Value::Object(map) => Value::Object(held(map)),
        Value::Number(number) => held_number(number),
        other => other.clone(),
    }
}

fn held_number(number: &Number) -> Value {
    let text = number.to_string();
    let read: Result<Number, _> = serde_json::from_str(&text);
    let is_kept = read.is_ok_and(|read| read == *number);
    if !is_kept || text.contains(['e', 'E']) || text == "-0.0" {
        Value::String(format!("{NUMBER}{text}"))
    } else {
        Value::Number(number.clone())
    }
}

/// The object that [`held`] was given.
pub(crate) fn told(map: Map<String, Value>) -> Map<String, Value> {
    map.into_iter()
        .map(|(key, value)| (values::told(key), told_value(value)))
        .collect()
}

fn told_value(value: Value) -> Value {
    match value {
        Value::String(text) => match told_number(&text) {
            Some(number) => Value::Number(number),
            None => Value::String(values::told(text)),
        },
        Value::Array(values) => values.into_iter().map(told_value).collect(),
        Value::Object(map) => Value::Object(told(map)),
        other => other,
    }
}

fn told_number(text: &str) -> Option<Number> {
    let number = text.strip_prefix(NUMBER)?.parse().ok()?;
    Number::from_f64(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_held_is_told_again() {
        let object = json!({
            "digits": 123_456_789.123_456_79,
            "a\0\u{FDD0}": [1e15, 1e300, 5e-324, f64::MAX, -0.0, 0.1, 1, -1, u64::MAX, 1.0],
            "\u{FDD0}2": "\u{FDD0}21e5",
            "deep": {"\0": [{"\0": "\0"}]}
        });
        let object = object.as_object().unwrap();
        let held = held(object);
        let text = serde_json::to_string(&held).unwrap();
        assert!(!text.contains("\\u0000"), "{text}");
        assert!(!text.contains("e15,") && !text.contains("e300,"), "{text}");
        let told = told(held);
        assert_eq!(told, *object);
        let zero = told["a\0\u{FDD0}"][4].as_f64().unwrap();
        assert!(zero.is_sign_negative());
    }
}
