use clap::Args;
use memu::core::records::{MemoryItem, ToolStatistics};
use serde_json::{Map, Value};

use crate::args::pair;
use crate::output::{Line, Tone};

/// What a memory may say beside its words.
#[derive(Debug, Args)]
pub(crate) struct Details {
    /// In which situation it helps again; empty to take away what it said
    #[arg(long, value_name = "TEXT")]
    when_to_use: Option<String>,
    /// More about it, in place of what there was; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
}

impl Details {
    /// What the service takes.
    pub(super) fn extra(self) -> Map<String, Value> {
        let mut extra = Map::new();
        if let Some(text) = self.when_to_use {
            let value = if text.is_empty() {
                Value::Null
            } else {
                text.into()
            };
            extra.insert("when_to_use".to_owned(), value);
        }
        if !self.metadata.is_empty() {
            let fields = self.metadata.into_iter();
            let fields = fields.map(|(name, value)| (name, Value::from(value)));
            extra.insert("metadata".to_owned(), Value::Object(fields.collect()));
        }
        extra
    }
}

/// What a memory says beside its words, for people.
pub(super) fn details(item: &MemoryItem) -> Vec<Line> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut lines = Vec::new();
    if let Some(when_to_use) = item.extra.get("when_to_use") {
        lines.push(fact("when", &text(when_to_use)));
    }
    let metadata = item.extra.get("metadata").and_then(Value::as_object);
    for (name, value) in metadata.into_iter().flatten() {
        lines.push(fact("metadata", &format!("{name} = {}", text(value))));
    }
    lines
}

/// What the uses of a tool have in common, for people.
pub(super) fn statistics(of: &ToolStatistics) -> Vec<Line> {
    let tokens = (of.avg_token_cost > 0.0).then(|| format!(", {:.0} tokens", of.avg_token_cost));
    let is_part = of.total_calls > of.recent_calls_analyzed;
    let part = is_part.then(|| format!(" (the latest {})", of.recent_calls_analyzed));
    let told = format!(
        "{}, {:.0} % worked; on average {:.3} s, score {:.2}{}{}",
        of.total_calls,
        100.0 * of.success_rate,
        of.avg_time_cost,
        of.avg_score,
        tokens.unwrap_or_default(),
        part.unwrap_or_default()
    );
    vec![fact("tool calls", &told)]
}

pub(super) fn fact(name: &str, value: &str) -> Line {
    Line::new()
        .add(Tone::Faint, &format!("  {name:<11}"))
        .plain(value)
}
