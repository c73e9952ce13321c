//! The open details of a memory: which of them have a meaning, and which are not the caller's.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ToolCall;
use super::tool::{CALLS, TOOL};
use crate::error::{Error, Result};

/// What MemU keeps itself.
const KEPT: [&str; 4] = [
    "content_hash",
    "ref_id",
    "reinforcement_count",
    "last_reinforced_at",
];
const WHEN_TO_USE: &str = "when_to_use";
const METADATA: &str = "metadata";
/// The longest details of a memory, in bytes of JSON.
const MAX_BYTES: usize = 1 << 20;

/// Checks the details that a caller gives to a memory of this type. One that is null takes away
/// what was there.
///
/// # Errors
/// [`ErrorKind::Input`](crate::ErrorKind::Input), naming the detail and what it must be.
pub(crate) fn check_extra(extra: &Map<String, Value>, memory_type: &str) -> Result<()> {
    for (name, value) in extra {
        check_detail(name, value, memory_type)?;
    }
    let length = Value::Object(extra.clone()).to_string().len();
    if length > MAX_BYTES {
        return Err(Error::input(format!(
            "the details of the memory have {length} bytes; at most {MAX_BYTES} are allowed"
        )));
    }
    Ok(())
}

fn check_detail(name: &str, value: &Value, memory_type: &str) -> Result<()> {
    if KEPT.contains(&name) {
        return Err(Error::input(format!(
            "MemU keeps {name} of a memory itself; leave it out"
        )));
    }
    let expected = match (name, value) {
        (_, Value::Null) | (METADATA, Value::Object(_)) => return Ok(()),
        (WHEN_TO_USE, Value::String(text)) if !text.trim().is_empty() => return Ok(()),
        (WHEN_TO_USE, _) => "a text",
        (METADATA, _) => "an object",
        (CALLS, Value::Array(calls)) => return check_calls(calls, memory_type),
        (CALLS, _) => "a list",
        _ => return Ok(()),
    };
    Err(Error::input(format!("{name} of a memory must be {expected}")).with("value", value))
}

fn check_calls(calls: &[Value], memory_type: &str) -> Result<()> {
    if memory_type != TOOL {
        return Err(Error::input(format!(
            "tool calls are noted with memories of type {TOOL:?}; this one is of type \
             {memory_type:?}"
        )));
    }
    for (number, call) in calls.iter().enumerate() {
        let checked = ToolCall::deserialize(call)
            .map_err(|cause| Error::input("this is no tool call").caused_by(cause))
            .and_then(|call| call.check());
        checked.map_err(|error| error.with("tool_call", number))?;
    }
    Ok(())
}

/// Sets details of a memory; those that are null are taken away.
pub(crate) fn set_extra(of: &mut Map<String, Value>, extra: &Map<String, Value>) {
    for (name, value) in extra {
        if value.is_null() {
            of.remove(name);
        } else {
            of.insert(name.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn details_with_a_meaning_have_their_form() {
        for (memory_type, extra, expected) in [
            (
                "tool",
                json!({"when_to_use": "At low tide", "metadata": {"a": 1}, "own": [2]}),
                None,
            ),
            (
                "event",
                json!({"when_to_use": null, "tool_calls": null}),
                None,
            ),
            (
                "tool",
                json!({"tool_calls": [{"tool_name": "tides"}]}),
                None,
            ),
            ("event", json!({"when_to_use": 3}), Some("must be a text")),
            ("event", json!({"when_to_use": " "}), Some("must be a text")),
            (
                "event",
                json!({"metadata": ["a"]}),
                Some("must be an object"),
            ),
            ("tool", json!({"tool_calls": {}}), Some("must be a list")),
            (
                "event",
                json!({"tool_calls": []}),
                Some("of type \"event\""),
            ),
            (
                "tool",
                json!({"tool_calls": [{"score": 1}]}),
                Some("no tool call"),
            ),
            (
                "tool",
                json!({"tool_calls": [{"tool_name": "a", "score": 2}]}),
                Some("from 0 to 1"),
            ),
            (
                "event",
                json!({"content_hash": "a"}),
                Some("MemU keeps content_hash"),
            ),
            ("event", json!({"ref_id": null}), Some("MemU keeps ref_id")),
            (
                "event",
                json!({"reinforcement_count": 9}),
                Some("MemU keeps"),
            ),
            (
                "event",
                json!({"own": "a".repeat(MAX_BYTES)}),
                Some("at most 1048576"),
            ),
        ] {
            let given = extra.as_object().unwrap();
            let message = check_extra(given, memory_type)
                .err()
                .map(|error| error.to_string());
            let fits = match (&message, expected) {
                (Some(message), Some(expected)) => message.contains(expected),
                (found, expected) => found.is_none() && expected.is_none(),
            };
            assert!(fits, "{memory_type}: {message:?}, {expected:?}");
        }
    }
}
