//! Objects of JSON as `jsonb` can hold them: it has no U+0000, and numbers without a sign of
//! being floats become integers. The order of keys is its own.

use std::io;

use memu_core::{Error, Result};
use serde::Serialize;
use serde_json::ser::Formatter;
use serde_json::{Map, Value};

use crate::error::corrupt;
use crate::values::{Json, held, told};

/// An object as it is written.
pub(crate) fn written(object: &Map<String, Value>) -> Result<Json> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Floats);
    writable(object)
        .serialize(&mut serializer)
        .map_err(|cause| Error::input("details are not JSON").caused_by(cause))?;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|cause| Error::internal("JSON is not text").caused_by(cause))?;
    Ok(Json(text))
}

/// The object that [`written`] was given.
pub(crate) fn read(Json(text): &Json) -> Result<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(plain(object)),
        _ => Err(corrupt("details that are not a JSON object")),
    }
}

/// Writes floats so that they can be told from integers, also where they are whole and large:
/// `jsonb` keeps digits after the point, and no exponents.
struct Floats;

impl Formatter for Floats {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        if value.fract() == 0.0 {
            return write!(writer, "{value:.1}");
        }
        write!(writer, "{value:?}")
    }
}

fn writable(object: &Map<String, Value>) -> Map<String, Value> {
    let entries = object.iter();
    entries
        .map(|(key, value)| (held(key).into_owned(), writable_value(value)))
        .collect()
}

fn writable_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(held(text).into_owned()),
        Value::Array(values) => values.iter().map(writable_value).collect(),
        Value::Object(object) => Value::Object(writable(object)),
        other => other.clone(),
    }
}

fn plain(object: Map<String, Value>) -> Map<String, Value> {
    let entries = object.into_iter();
    entries
        .map(|(key, value)| (told(key), plain_value(value)))
        .collect()
}

fn plain_value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(told(text)),
        Value::Array(values) => values.into_iter().map(plain_value).collect(),
        Value::Object(object) => Value::Object(plain(object)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn floats_stay_floats_and_integers_integers() {
        let value = json!({
            "integers": [0, -1, 10_000_000_000_000_000_u64, u64::MAX, i64::MIN],
            "floats": [0.5, 1.0, -3.0, 1e16, 1.5e300, 1e-7, 5e-324, f64::MAX, 0.1],
            "nul\0": ["a\0b", {"\u{FDD0}": null}],
        });
        let object = value.as_object().unwrap();
        let written = written(object).unwrap();
        assert!(!written.0.contains("\\u0000"), "{}", written.0);
        assert_eq!(&read(&written).unwrap(), object);
        assert!(written.0.contains("10000000000000000.0"), "{}", written.0);
    }
}
