//! What a memory of type `tool` knows about how a tool was used.

use std::fmt::Write as _;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::MemoryItem;
use crate::error::{Error, Result};

/// The type of memories that note how a tool was used.
pub(super) const TOOL: &str = "tool";
pub(super) const CALLS: &str = "tool_calls";

/// How many of the latest uses statistics are of, unless told otherwise; as in memU 1.x.
pub const RECENT_CALLS: usize = 20;

/// One use of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The tool.
    pub tool_name: String,
    /// What it was given: an object, or a text. Default an empty text.
    #[serde(default = "empty")]
    pub input: Value,
    /// What it gave back. Default empty.
    #[serde(default)]
    pub output: String,
    /// Whether it worked. Default yes.
    #[serde(default = "yes")]
    pub success: bool,
    /// How long it took, in seconds, from 0. Default 0.
    #[serde(default)]
    pub time_cost: f64,
    /// How many tokens it took; -1 when that is not known, which is the default.
    #[serde(default = "unknown")]
    pub token_cost: i64,
    /// How good the result was, from 0 to 1. Default 0.
    #[serde(default)]
    pub score: f64,
    /// The hash of name, input and output; see [`ToolCall::hash`]. Made where it is empty.
    #[serde(default)]
    pub call_hash: String,
    /// When it was, in ISO 8601. Set where it is empty.
    #[serde(default)]
    pub created_at: String,
}

fn empty() -> Value {
    Value::String(String::new())
}

fn yes() -> bool {
    true
}

fn unknown() -> i64 {
    -1
}

impl ToolCall {
    /// A use that worked, of which nothing else is known.
    pub fn new(tool_name: impl Into<String>) -> Self {
        Self {
            tool_name: tool_name.into(),
            input: empty(),
            output: String::new(),
            success: true,
            time_cost: 0.0,
            token_cost: -1,
            score: 0.0,
            call_hash: String::new(),
            created_at: String::new(),
        }
    }

    /// The hash of name, input and output by which memU 1.x recognises an equal use: MD5 over
    /// `"{tool_name}|{input}|{output}"`, an object as Python's `json.dumps` writes it with sorted
    /// keys.
    pub fn hash(&self) -> String {
        let mut text = format!("{}|", self.tool_name);
        match &self.input {
            Value::String(input) => text.push_str(input),
            input => push_python_json(input, &mut text),
        }
        text.push('|');
        text.push_str(&self.output);
        let digest = Md5::digest(text.as_bytes());
        digest.iter().fold(String::new(), |mut hex, byte| {
            // Writing into a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input), naming the field, its value and its range.
    pub fn check(&self) -> Result<()> {
        let wrong = |field: &str, value: &dyn std::fmt::Display, range: &str| {
            Err(Error::input(format!(
                "{field} of a tool call is {value}; it must be {range}"
            )))
        };
        if self.tool_name.trim().is_empty() {
            return Err(Error::input("a tool call names no tool"));
        }
        if !matches!(self.input, Value::String(_) | Value::Object(_)) {
            return wrong("input", &self.input, "an object or a text");
        }
        if !(self.time_cost.is_finite() && self.time_cost >= 0.0) {
            return wrong("time_cost", &self.time_cost, "at least 0");
        }
        if !(0.0..=1.0).contains(&self.score) {
            return wrong("score", &self.score, "from 0 to 1");
        }
        if self.token_cost < -1 {
            return wrong(
                "token_cost",
                &self.token_cost,
                "at least 0, or -1 for unknown",
            );
        }
        Ok(())
    }
}

/// What the uses of a tool have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ToolStatistics {
    /// How many uses are noted.
    pub total_calls: usize,
    /// Of how many, the latest, the rest is told.
    pub recent_calls_analyzed: usize,
    /// How long they took on average, in seconds.
    pub avg_time_cost: f64,
    /// The share of those that worked.
    pub success_rate: f64,
    /// How good their results were on average.
    pub avg_score: f64,
    /// How many tokens they took on average, of those where that is known.
    pub avg_token_cost: f64,
}

impl MemoryItem {
    /// The uses of its tool, in the order in which they were noted; those that cannot be read
    /// are left out, and stay.
    pub fn tool_calls(&self) -> Vec<ToolCall> {
        let calls = self.extra.get(CALLS).and_then(Value::as_array);
        let calls = calls.into_iter().flatten();
        calls
            .filter_map(|call| ToolCall::deserialize(call).ok())
            .collect()
    }

    /// Notes a use of its tool.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) when it is no memory of a tool, or the use
    /// says something impossible.
    pub fn add_tool_call(&mut self, mut call: ToolCall) -> Result<()> {
        if self.memory_type != TOOL {
            return Err(Error::input(format!(
                "tool calls are noted with memories of type \"tool\"; this one is of type {:?}",
                self.memory_type
            )));
        }
        call.check()?;
        if call.call_hash.is_empty() {
            call.call_hash = call.hash();
        }
        let call = serde_json::to_value(call)
            .map_err(|cause| Error::internal("a tool call has no JSON form").caused_by(cause))?;
        match self.extra.get_mut(CALLS) {
            Some(Value::Array(calls)) => calls.push(call),
            Some(other) => {
                return Err(
                    Error::input("tool_calls of this memory is no list").with("tool_calls", other)
                );
            }
            None => {
                self.extra
                    .insert(CALLS.to_owned(), Value::Array(vec![call]));
            }
        }
        Ok(())
    }

    /// What the latest `recent` uses of its tool have in common.
    pub fn tool_statistics(&self, recent: usize) -> ToolStatistics {
        let calls = self.tool_calls();
        let latest = calls
            .get(calls.len().saturating_sub(recent)..)
            .unwrap_or_default();
        let mean = |of: &dyn Fn(&ToolCall) -> Option<f64>| {
            let values: Vec<f64> = latest.iter().filter_map(of).collect();
            values.iter().sum::<f64>() / values.len().max(1) as f64
        };
        ToolStatistics {
            total_calls: calls.len(),
            recent_calls_analyzed: latest.len(),
            avg_time_cost: mean(&|call| Some(call.time_cost)),
            success_rate: mean(&|call| Some(f64::from(u8::from(call.success)))),
            avg_score: mean(&|call| Some(call.score)),
            avg_token_cost: mean(&|call| (call.token_cost >= 0).then_some(call.token_cost as f64)),
        }
    }
}

/// As Python's `json.dumps(value, sort_keys=True)`.
fn push_python_json(value: &Value, out: &mut String) {
    match value {
        Value::Array(values) => {
            out.push('[');
            for (place, value) in values.iter().enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                push_python_json(value, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (place, (name, value)) in sorted(fields).into_iter().enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                push_ascii(name, out);
                out.push_str(": ");
                push_python_json(value, out);
            }
            out.push('}');
        }
        Value::String(text) => push_ascii(text, out),
        other => out.push_str(&other.to_string()),
    }
}

fn sorted(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    fields
}

/// A JSON text in which all but ASCII is escaped.
fn push_ascii(text: &str, out: &mut String) {
    for c in Value::from(text).to_string().chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            // Writing into a String cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::records::{Id, Meta};
    use crate::scope::ScopeSchema;
    use crate::time::Timestamp;

    fn item(memory_type: &str) -> MemoryItem {
        let scope = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
        MemoryItem {
            meta: Meta::new(Id::from("i"), scope, Timestamp::from_micros(1)),
            resource_id: None,
            memory_type: memory_type.to_owned(),
            summary: "The tide table needs the harbour's code".to_owned(),
            happened: None,
            extra: Map::new(),
            segment_ids: Vec::new(),
        }
    }

    #[test]
    fn the_hash_is_the_originals() {
        let mut call = ToolCall::new("tides");
        call.input = json!({"port": "Kiel ü", "days": [1, 2.5, true, null], "a": {}});
        call.output = "low".to_owned();
        // python: hashlib.md5(("tides|" + json.dumps({...}, sort_keys=True) + "|low").encode())
        assert_eq!(call.hash(), "7d0ab7e4a3dc446db4fb5c89b3e61353");
        call.input = json!("Kiel");
        // python: hashlib.md5(b"tides|Kiel|low").hexdigest()
        assert_eq!(call.hash(), "b60d0e16c6ecad853005dc29c887f464");
    }

    #[test]
    fn statistics_are_of_the_latest_uses() {
        let mut item = item("tool");
        assert_eq!(item.tool_statistics(20), ToolStatistics::default());
        for number in 0..5_u8 {
            let mut call = ToolCall::new("tides");
            call.success = number != 4;
            call.time_cost = f64::from(number);
            call.score = 0.5;
            call.token_cost = if number == 3 { 30 } else { -1 };
            item.add_tool_call(call).unwrap();
        }
        let expected = ToolStatistics {
            total_calls: 5,
            recent_calls_analyzed: 2,
            avg_time_cost: 3.5,
            success_rate: 0.5,
            avg_score: 0.5,
            avg_token_cost: 30.0,
        };
        assert_eq!(item.tool_statistics(2), expected);
        assert_eq!(item.tool_calls()[0].call_hash.len(), 32);
    }

    #[test]
    fn what_is_no_use_of_a_tool_is_refused_and_changes_nothing() {
        let mut other = item("event");
        let error = other.add_tool_call(ToolCall::new("tides")).unwrap_err();
        assert!(error.message().contains("\"event\""));
        let mut item = item("tool");
        let wrong = |change: fn(&mut ToolCall)| {
            let mut call = ToolCall::new("tides");
            change(&mut call);
            call
        };
        for call in [
            wrong(|call| call.score = 1.5),
            wrong(|call| call.time_cost = f64::NAN),
            wrong(|call| call.token_cost = -2),
            wrong(|call| call.input = json!(7)),
            wrong(|call| call.tool_name = " ".to_owned()),
        ] {
            item.add_tool_call(call).unwrap_err();
        }
        item.extra.insert(CALLS.to_owned(), json!("nothing"));
        item.add_tool_call(ToolCall::new("tides")).unwrap_err();
        assert_eq!(item.extra[CALLS], json!("nothing"));
    }
}
