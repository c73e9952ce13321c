use serde_json::{Value, json};

use super::Asked;

/// The answer of a model that understands MemU's requests: one memory of every message, filed
/// under the first category, and summaries that cite the first memory where they are to cite.
/// To what asks for no form it says `ok`.
///
/// # Panics
/// When it is asked for something else.
pub fn obliging(asked: &Asked) -> String {
    let Some(schema) = &asked.schema else {
        return "ok".to_owned();
    };
    let has = |name: &str| schema.pointer(&format!("/properties/{name}")).is_some();
    if has("caption") {
        json!({"caption": "a talk", "items": memories(&asked.prompt)}).to_string()
    } else if has("summaries") {
        let names = schema.pointer("/properties/summaries/items/properties/category/enum");
        json!({"summaries": summaries(names, &asked.system)}).to_string()
    } else if has("needs_retrieval") {
        json!({"needs_retrieval": true, "rewritten_query": "what was said"}).to_string()
    } else if has("sufficient") {
        json!({"sufficient": false, "next_query": null}).to_string()
    } else {
        assert!(
            has("items"),
            "nobody knows what this asks: {schema}\n{}",
            asked.prompt
        );
        json!({"categories": [1], "items": [2, 1], "resources": [1]}).to_string()
    }
}

fn memories(prompt: &str) -> Vec<Value> {
    let numbers = prompt.lines().filter_map(|line| {
        let line = line.trim_start().strip_prefix('[')?;
        let (number, text) = line.split_once("] ")?;
        Some((number.parse::<u32>().ok()?, text))
    });
    let memories = numbers.map(|(number, text)| {
        json!({
            "memory_type": "event",
            "content": format!("Somebody said {text}"),
            "message_numbers": [number],
            "categories": ["activities"],
            "happened_at": null,
        })
    });
    memories.collect()
}

fn summaries(names: Option<&Value>, instructions: &str) -> Vec<Value> {
    let names = names.and_then(Value::as_array).into_iter().flatten();
    let cites = instructions.contains("[ref:");
    let text = if cites {
        "What was said, in short [ref:1]."
    } else {
        "What was said, in short."
    };
    let summaries = names.map(|name| json!({"category": name, "summary": text}));
    summaries.collect()
}
