//! What is wrong with settings, in words.

use memu_core::Error;
use serde_json::{Map, Value};

use super::{LlmProfile, Settings};

/// Names the setting that cannot be used and what it should be, but not what it is: that may be
/// a key, or a section with one in it.
pub(super) fn unusable(settings: &Value, cause: &serde_json::Error) -> Error {
    let mut path = Vec::new();
    let mut value = settings;
    // The deepest one that fails by itself.
    while let Some((name, child)) = broken_child(&path, value) {
        path.push(name);
        value = child;
    }
    // Of what Serde says, only this does not come from the value.
    let message = cause.to_string();
    let expected = match message.rsplit_once(", expected ") {
        Some((_, expected)) if expected.starts_with("struct ") => "a section with settings in it",
        Some((_, "usize" | "u32" | "u64")) => "a whole number",
        Some((_, "f32" | "f64")) => "a number",
        Some((_, expected)) => expected,
        None => "another value",
    };
    let name = match path.as_slice() {
        [] => "the whole configuration".to_owned(),
        path => path.join("."),
    };
    Error::config(format!(
        "{name} has an unusable value; it must be {expected}"
    ))
}

/// The first setting of a section that cannot be used.
fn broken_child<'v>(path: &[&str], section: &'v Value) -> Option<(&'v str, &'v Value)> {
    let mut children = section.as_object()?.iter();
    if !is_usable(path, Value::Object(Map::new())) {
        // It should be no section.
        return None;
    }
    let broken = children.find(|(name, child)| {
        let child = serde_json::json!({ name.as_str(): child });
        !is_usable(path, child)
    });
    broken.map(|(name, child)| (name.as_str(), child))
}

/// Whether a setting can be used when there is no other.
fn is_usable(path: &[&str], value: Value) -> bool {
    let nest = |inner, name: &&str| serde_json::json!({ *name: inner });
    let alone = path.iter().rev().fold(value, nest);
    serde_json::from_value::<Settings>(alone).is_ok()
}

pub(super) fn unknown_key(path: &str) -> Error {
    let (parent, key) = path.rsplit_once('.').unwrap_or(("", path));
    let defaults = serde_json::to_value(Settings::default()).unwrap_or_default();
    let profile = serde_json::to_value(LlmProfile::default()).unwrap_or_default();
    let mut parts = parent.split('.').filter(|part| !part.is_empty());
    let section = match parent.strip_prefix("llm_profiles.") {
        // Whatever the profile is called.
        Some(name) if !name.contains('.') => Some(&profile),
        _ => parts.try_fold(&defaults, |value, part| value.get(part)),
    };
    let valid: Vec<&String> = section
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|object| object.keys())
        .collect();
    let nearest = valid
        .iter()
        .map(|name| (strsim::jaro_winkler(name, key), name))
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match nearest {
        Some((similarity, name)) if similarity > 0.7 => {
            Error::config(format!("unknown setting {path:?}; did you mean {name:?}?"))
        }
        _ => {
            let names: Vec<&str> = valid.iter().map(|name| name.as_str()).collect();
            let hint = if names.is_empty() {
                String::new()
            } else {
                format!("; valid here: {}", names.join(", "))
            };
            Error::config(format!("unknown setting {path:?}{hint}"))
        }
    }
}
