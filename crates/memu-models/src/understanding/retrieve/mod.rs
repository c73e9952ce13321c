//! What a model decides while memories are searched.

mod ranking;
mod route;
mod sufficiency;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use ranking::{RankCandidates, Ranked, Ranking, rank_request, read_ranking};
pub use route::{read_route, route_request};
pub use sufficiency::{read_sufficiency, sufficiency_request};

use super::fields;
use super::prompt::{Code, bullets};
use super::salvage::Root;

/// A rewritten question may have so many times the characters of the question and its context.
const FAR_TOO_LONG: usize = 3;

/// The first member of one of these names, in any of the roots and however deep.
fn find<'v>(roots: &'v [Root], names: &[&str]) -> Option<&'v Value> {
    roots.iter().find_map(|root| find_in(&root.value, names))
}

fn find_in<'v>(value: &'v Value, names: &[&str]) -> Option<&'v Value> {
    match value {
        Value::Array(list) => list.iter().find_map(|one| find_in(one, names)),
        Value::Object(map) => {
            fields::member(map, names).or_else(|| map.values().find_map(|one| find_in(one, names)))
        }
        _ => None,
    }
}

/// Earlier lines and the question, as material of one code.
fn conversation(context: &[String], question: &str, found: &str) -> (String, String, Code) {
    let lines = bullets(context);
    let code = Code::of(&[&lines, question, found]);
    let context = if lines.is_empty() {
        String::new()
    } else {
        code.around("context", &lines)
    };
    (context, code.around("question", question), code)
}

/// A query that a model wrote, when it is one.
fn query(roots: &[Root], names: &[&str], asked: &[&str]) -> Option<String> {
    let text = super::prompt::one_line(&fields::text(find(roots, names)?)?);
    let characters: usize = asked.iter().map(|text| text.chars().count()).sum();
    let usable = text.chars().count() <= 200.max(characters.saturating_mul(FAR_TOO_LONG))
        && !super::answer::is_refusal(&text);
    usable.then_some(text)
}
