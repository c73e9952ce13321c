use memu_core::provider::Sufficiency;
use memu_core::{Error, Result};
use serde_json::json;

use super::super::prompt::{Filling, PromptName, Prompted, bullets, prompted};
use super::super::salvage::salvage;
use super::super::schema::object;
use super::super::{answer, fields};
use super::{conversation, find, query};

/// Asks whether what was found so far answers the question.
///
/// # Errors
/// None that a caller can cause.
pub fn sufficiency_request(
    question: &str,
    context: &[String],
    found: &[String],
) -> Result<Prompted> {
    let mut lines = bullets(found);
    if lines.is_empty() {
        lines.push_str("(nothing)");
    }
    let (context, question, code) = conversation(context, question, &lines);
    prompted(
        PromptName::Sufficiency,
        Filling {
            values: &[
                ("context", context),
                ("question", question),
                ("found", code.around("found", &lines)),
            ],
            custom: None,
            schema: object([
                ("sufficient", json!({"type": "boolean"})),
                ("next_query", json!({"type": ["string", "null"]})),
            ]),
            images: Vec::new(),
        },
    )
}

/// Reads the reply to [`sufficiency_request`]; without a next query where the model has no better
/// idea than the question.
///
/// # Errors
/// [`ErrorKind::Model`](memu_core::ErrorKind::Model) when it does not say whether it is
/// enough.
pub fn read_sufficiency(reply: &str, question: &str, context: &[String]) -> Result<Sufficiency> {
    let roots = salvage(reply).roots;
    let judgement = find(&roots, &["sufficient", "judgement", "judgment", "enough"]);
    let sufficient = match judgement {
        Some(value) => fields::truth(value).or_else(|| said(&fields::text(value)?)),
        None => answer::plain(reply).and_then(said),
    };
    let sufficient = sufficient.ok_or_else(|| {
        Error::model("the model's reply does not say whether what was found is enough")
            .with("reply", fields::beginning(reply))
    })?;
    let mut asked = vec![question];
    asked.extend(context.iter().map(String::as_str));
    let next = query(
        &roots,
        &["next_query", "rewritten_query", "next_step_query"],
        &asked,
    );
    Ok(Sufficiency {
        suffices: sufficient,
        next_query: next.filter(|_| !sufficient),
    })
}

/// The words of memU 1.x for it.
fn said(text: &str) -> Option<bool> {
    match fields::folded(text).as_str() {
        "enough" | "sufficient" => Some(true),
        "more" | "notenough" | "insufficient" => Some(false),
        _ => None,
    }
}
