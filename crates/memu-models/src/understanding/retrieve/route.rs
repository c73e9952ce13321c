use memu_core::provider::Route;
use memu_core::{Error, Result};
use serde_json::json;

use super::super::prompt::{Filling, PromptName, Prompted, prompted};
use super::super::salvage::salvage;
use super::super::schema::object;
use super::super::{answer, fields};
use super::{conversation, find, query};

/// Asks whether a question needs the memory, and what it asks without the lines before it.
///
/// # Errors
/// None that a caller can cause.
pub fn route_request(question: &str, context: &[String]) -> Result<Prompted> {
    let (context, question, _) = conversation(context, question, "");
    prompted(
        PromptName::Route,
        Filling {
            values: &[("context", context), ("question", question)],
            custom: None,
            schema: object([
                ("needs_retrieval", json!({"type": "boolean"})),
                ("rewritten_query", json!({"type": "string"})),
            ]),
            images: Vec::new(),
        },
    )
}

/// Reads the reply to [`route_request`]. A rewritten question that cannot be used is the
/// question.
///
/// # Errors
/// [`ErrorKind::Model`](memu_core::ErrorKind::Model) when it does not say whether the memory
/// is needed.
pub fn read_route(reply: &str, question: &str, context: &[String]) -> Result<Route> {
    let roots = salvage(reply).roots;
    let decision = find(&roots, &["needs_retrieval", "decision", "retrieve"]);
    let needs_retrieval = match decision {
        Some(value) => fields::truth(value).or_else(|| said(&fields::text(value)?)),
        None => answer::plain(reply).and_then(said),
    };
    let needs_retrieval = needs_retrieval.ok_or_else(|| {
        Error::model("the model's reply does not say whether the memory is needed")
            .with("reply", fields::beginning(reply))
    })?;
    let mut asked = vec![question];
    asked.extend(context.iter().map(String::as_str));
    let rewritten = query(&roots, &["rewritten_query", "query"], &asked);
    Ok(Route {
        needs_retrieval,
        query: rewritten.unwrap_or_else(|| question.to_owned()),
    })
}

/// The words of memU 1.x for it.
fn said(text: &str) -> Option<bool> {
    match fields::folded(text).as_str() {
        "retrieve" => Some(true),
        "noretrieve" => Some(false),
        _ => None,
    }
}
