use std::fmt;

use serde_json::{Map, Value};

use super::super::answer::{self, Instructions};
use super::super::fields;
use super::super::prompt::{CustomPrompt, PromptName};
use super::super::salvage::{Repair, Salvaged, salvage};
use super::references::{length_without, with_ids};
use super::request::SummaryTask;

/// A summary may have so many times its target length before it counts as useless.
const FAR_TOO_LONG: usize = 3;

/// Shorter ones are never too long, whatever the target.
const ALWAYS_SHORT: usize = 200;

/// A summary that can take the old one's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The summary. Its citations are `[ref:abc123]` of items in the request, or none when
    /// they were not asked for.
    pub text: String,
    /// Marks that were taken out, since no item has them.
    pub unknown_references: Vec<String>,
}

/// Why a reply has no summary for a category, so that the old one is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoSummary {
    /// The reply does not have it.
    Missing,
    /// The reply ended before it did.
    CutOff,
    /// It says nothing.
    Empty,
    /// It is far too long.
    TooLong {
        /// How many characters it has, citations not counted.
        characters: usize,
        /// How many were asked for.
        target: usize,
    },
    /// The model declined.
    Refusal,
    /// It repeats the instructions.
    Echo,
}

impl fmt::Display for NoSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the reply holds no summary of it"),
            Self::CutOff => f.write_str("the reply was cut off before the end of its summary"),
            Self::Empty => f.write_str("its summary is empty"),
            Self::TooLong { characters, target } => write!(
                f,
                "its summary has {characters} characters where {target} were asked for"
            ),
            Self::Refusal => f.write_str("the model declined to write its summary"),
            Self::Echo => f.write_str("its summary repeats the instructions"),
        }
    }
}

/// Reads the reply to [`summary_request`](super::summary_request) for the same tasks: for each
/// of them, in order, a summary or the reason why there is none.
///
/// The summary of a category with a prompt of its own may also be the reply itself, as prompts
/// of memU 1.x ask for it; ours ask for JSON, and what is none is no summary.
pub fn read_summaries(reply: &str, tasks: &[SummaryTask]) -> Vec<Result<Summary, NoSummary>> {
    let Salvaged { roots, repairs } = salvage(reply);
    let mut entries = Entries {
        names: tasks
            .iter()
            .map(|task| &*task.request.category.name)
            .collect(),
        found: vec![None; tasks.len()],
    };
    for root in &roots {
        entries.visit(&root.value, None);
    }
    let own_prompt = tasks.iter().any(|task| task.prompt.is_some());
    if let ([found @ None], true) = (&mut *entries.found, own_prompt) {
        *found = answer::plain(reply).map(str::to_owned);
    }
    let missing = if repairs.count(Repair::CutOff) > 0 {
        NoSummary::CutOff
    } else {
        NoSummary::Missing
    };
    let judged = entries.found.into_iter().zip(tasks).map(|(found, task)| {
        let text = found.ok_or_else(|| missing.clone())?;
        judged(&text, task)
    });
    judged.collect()
}

fn judged(text: &str, task: &SummaryTask) -> Result<Summary, NoSummary> {
    let (text, unknown_references) = with_ids(text.trim(), task.cited());
    let text = text.trim();
    let characters = length_without(text);
    let target = task.request.target_length;
    if fields::text(&Value::from(text)).is_none() || !text.contains(char::is_alphanumeric) {
        return Err(NoSummary::Empty);
    }
    if answer::is_refusal(text) {
        return Err(NoSummary::Refusal);
    }
    if instructions(task).are_echoed_by(text) {
        return Err(NoSummary::Echo);
    }
    if characters > ALWAYS_SHORT.max(target.saturating_mul(FAR_TOO_LONG)) {
        return Err(NoSummary::TooLong { characters, target });
    }
    Ok(Summary {
        text: text.to_owned(),
        unknown_references,
    })
}

/// The texts that a summary must not repeat.
fn instructions(task: &SummaryTask) -> Instructions {
    let ours = [PromptName::Summaries.source(), PromptName::Summary.source()];
    Instructions::of(
        ours.into_iter()
            .chain(task.prompt.iter().flat_map(CustomPrompt::texts)),
    )
}

/// The summaries in a reply, by category.
struct Entries<'a> {
    names: Vec<&'a str>,
    found: Vec<Option<String>>,
}

impl Entries<'_> {
    fn visit(&mut self, value: &Value, around: Option<usize>) {
        match value {
            Value::Array(list) => list.iter().for_each(|one| self.visit(one, around)),
            Value::Object(map) => self.object(map, around),
            Value::String(text) => self.put(around, text),
            _ => {}
        }
    }

    fn object(&mut self, map: &Map<String, Value>, around: Option<usize>) {
        let text = fields::member(map, &["summary", "content", "text", "#text"]);
        if let Some(Value::String(text)) = text {
            let named = fields::member(map, &["category", "name", "topic"]).and_then(fields::text);
            let only = (self.names.len() == 1).then_some(0);
            let at = match named {
                Some(name) => self.resolve(&name),
                None => around.or(only),
            };
            self.put(at, text);
            return;
        }
        for (key, member) in map {
            let at = self.resolve(key);
            // Only a category's own name leads to its text.
            if at.is_some() || !member.is_string() {
                self.visit(member, at);
            }
        }
    }

    fn resolve(&self, name: &str) -> Option<usize> {
        fields::resolve(name, self.names.iter().copied())
    }

    /// The first summary of a category counts.
    fn put(&mut self, at: Option<usize>, text: &str) {
        if let Some(found) = at.and_then(|at| self.found.get_mut(at)) {
            found.get_or_insert_with(|| text.to_owned());
        }
    }
}
