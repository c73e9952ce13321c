use std::borrow::Cow;

use serde_json::Value;

use super::json;
use super::xml::{self, ClosingTags};
use super::{Repair, Repairs, Root, Salvaged};

/// How often reading starts again after an opening that led nowhere up to the end of the text.
const RETRIES: usize = 16;

/// How the attempt to read a value ended.
pub(super) struct Attempt {
    /// What was read; `None` when nothing of it is complete.
    pub(super) root: Option<Root>,
    /// Where to go on.
    pub(super) end: usize,
    /// Whether the text ended before the value did.
    pub(super) ran_out: bool,
}

impl Attempt {
    /// What to call it when nothing was read.
    fn loss(&self, repairs: &Repairs) -> Repair {
        if repairs.count(Repair::TooDeep) > 0 {
            Repair::TooDeep
        } else if self.ran_out {
            Repair::CutOff
        } else {
            Repair::Prose
        }
    }
}

/// The structured values in a text: JSON, what is meant as JSON, and XML.
///
/// They may stand in code fences, between other text, and one after another; thoughts between
/// `<think>` tags are skipped. A reply without any value has no roots, and is no error here.
pub fn salvage(text: &str) -> Salvaged {
    let mut found = Salvaged::default();
    let text = without_stray_characters(text, &mut found);
    // A whole reply that is a JSON string holds the values inside of it.
    if let Ok(Value::String(inner)) = serde_json::from_str(text.trim()) {
        found.repairs.note(Repair::Quoted);
        scan(&inner, &mut found);
    } else {
        scan(&text, &mut found);
    }
    found
}

fn without_stray_characters<'t>(text: &'t str, found: &mut Salvaged) -> Cow<'t, str> {
    if text.starts_with('\u{feff}') || text.contains('\0') {
        found.repairs.note(Repair::StrayCharacters);
        Cow::Owned(text.trim_start_matches('\u{feff}').replace('\0', ""))
    } else {
        Cow::Borrowed(text)
    }
}

fn scan(text: &str, found: &mut Salvaged) {
    let closing = ClosingTags::of(text);
    let mut at = end_of_thoughts(text, found);
    let mut retries = RETRIES;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(ahead) = rest.find(['{', '[', '<']) else {
            break note_prose(rest, found);
        };
        note_prose(rest.get(..ahead).unwrap_or_default(), found);
        let start = at + ahead;
        let mut repairs = Repairs::default();
        let Some(attempt) = attempt(text, start, &closing, &mut repairs) else {
            at = start + 1;
            continue;
        };
        at = attempt.end.max(start + 1);
        if let Some(root) = attempt.root {
            found.repairs.add(&repairs);
            found.roots.push(root);
            continue;
        }
        let loss = attempt.loss(&repairs);
        if found.repairs.count(loss) == 0 {
            found.repairs.note(loss);
        }
        if attempt.ran_out && retries > 0 {
            retries -= 1;
            at = start + 1;
        }
    }
}

/// Tries to read a value at `start`; `None` when the character there opens none.
fn attempt(
    text: &str,
    start: usize,
    closing: &ClosingTags<'_>,
    repairs: &mut Repairs,
) -> Option<Attempt> {
    if text.get(start..)?.starts_with('<') {
        xml::read(text, start, closing, repairs)
    } else {
        json::read(text, start, repairs)
    }
}

/// Models that reason may write down how, before the answer; some without the opening tag.
fn end_of_thoughts(text: &str, found: &mut Salvaged) -> usize {
    let body = text.trim_start();
    let offset = text.len() - body.len();
    for name in ["think", "thinking", "reasoning"] {
        let opens = body
            .strip_prefix('<')
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('>'));
        if !opens && body.starts_with(['{', '[', '<', '`']) {
            continue;
        }
        let tag = format!("</{name}>");
        if let Some(end) = body.find(&tag).map(|at| at + tag.len())
            && (opens || answer_begins(body.get(end..).unwrap_or_default()))
        {
            found.repairs.note(Repair::Thoughts);
            return offset + end;
        }
        if opens {
            found.repairs.note(Repair::Thoughts);
            found.repairs.note(Repair::CutOff);
            return text.len();
        }
    }
    0
}

/// Whether this can follow the end of thoughts, and is not the rest of a text that holds
/// such a tag.
fn answer_begins(rest: &str) -> bool {
    let rest = rest.trim_start_matches(' ');
    rest.is_empty() || rest.starts_with(['\n', '\r', '{', '[', '<', '`'])
}

/// A reply without the model's thoughts before it.
pub(crate) fn after_thoughts(text: &str) -> &str {
    let end = end_of_thoughts(text, &mut Salvaged::default());
    text.get(end..).unwrap_or_default()
}

fn note_prose(between: &str, found: &mut Salvaged) {
    if between.contains("```") || between.contains("~~~") {
        found.repairs.note(Repair::Fence);
    }
    let prose = between.lines().any(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with("```") && !line.starts_with("~~~")
    });
    if prose && found.repairs.count(Repair::Prose) == 0 {
        found.repairs.note(Repair::Prose);
    }
}
