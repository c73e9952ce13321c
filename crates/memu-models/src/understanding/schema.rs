//! JSON schemas of replies, in the strict form that providers want: every field is required,
//! and there are no others.

use serde_json::{Map, Value, json};

/// One of these texts; any where there are none, since a schema must not be impossible.
pub(super) fn choice(names: &[&str]) -> Value {
    if names.is_empty() {
        json!({"type": "string"})
    } else {
        json!({"type": "string", "enum": names})
    }
}

pub(super) fn list(element: &Value) -> Value {
    json!({"type": "array", "items": element})
}

/// An object with exactly these fields.
pub(super) fn object<K: Into<String>>(fields: impl IntoIterator<Item = (K, Value)>) -> Value {
    let fields: Map<String, Value> = fields
        .into_iter()
        .map(|(name, schema)| (name.into(), schema))
        .collect();
    let names: Vec<&String> = fields.keys().collect();
    let mut schema = json!({"type": "object", "required": names, "additionalProperties": false});
    if let Value::Object(members) = &mut schema {
        members.insert("properties".into(), Value::Object(fields));
    }
    schema
}
