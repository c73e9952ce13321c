use std::collections::HashSet;
use std::fmt::Write as _;

use memu_core::provider::{SummaryItem, SummaryRequest};
use memu_core::records::Id;
use memu_core::{Error, Result};
use serde_json::{Value, json};

use super::super::moment;
use super::super::prompt::{
    Code, CustomPrompt, Filling, PromptName, Prompted, bullets, one_line, prompted,
};
use super::super::schema::{choice, list, object};
use super::references::numbered;

/// A category whose summary is to be written anew, and what has changed in it. One without
/// items has nothing to summarise, and no call is needed to know it.
#[derive(Clone, Debug)]
pub struct SummaryTask {
    /// The category and all its items, the new ones included.
    pub request: SummaryRequest,
    /// The category's own prompt; it is asked for alone then.
    pub prompt: Option<CustomPrompt>,
}

impl SummaryTask {
    /// The memories that can be cited, by their numbers from 1: ids are random, and a request
    /// that held some would be another one in every attempt.
    pub(super) fn cited(&self) -> &[SummaryItem] {
        if self.request.references {
            &self.request.items
        } else {
            &[]
        }
    }
}

/// Which tasks to ask for together, as indexes: those with a prompt of their own alone, the
/// others by at most `most`, evenly, in order.
pub fn summary_calls(tasks: &[SummaryTask], most: usize) -> Vec<Vec<usize>> {
    let (alone, shared): (Vec<usize>, Vec<usize>) =
        (0..tasks.len()).partition(|at| tasks.get(*at).is_some_and(|task| task.prompt.is_some()));
    // Evenly, for a call takes as long as its longest answer.
    let calls = shared.len().div_ceil(most.max(1)).max(1);
    let size = shared.len().div_ceil(calls).max(1);
    let shared = shared.chunks(size).map(<[usize]>::to_vec);
    shared.chain(alone.into_iter().map(|at| vec![at])).collect()
}

/// One request for the summaries of several categories.
///
/// New items are all shown. Of the others, at most about `budget` characters are, shared by
/// the categories: those that were met most often, the latest first.
///
/// # Errors
/// [`ErrorKind::Config`](memu_core::ErrorKind::Config) when a custom prompt cannot be used;
/// [`ErrorKind::Internal`](memu_core::ErrorKind::Internal) for a category with a prompt of its
/// own among others.
pub fn summary_request(tasks: &[SummaryTask], budget: usize) -> Result<Prompted> {
    match tasks {
        [task] if task.prompt.is_some() => alone(task, budget),
        _ if tasks.iter().any(|task| task.prompt.is_some()) => Err(Error::internal(
            "a category with a prompt of its own is summarised alone",
        )),
        _ => together(tasks, budget),
    }
}

fn together(tasks: &[SummaryTask], budget: usize) -> Result<Prompted> {
    let share = budget / tasks.len().max(1);
    let shown: Vec<Shown> = tasks.iter().map(|task| Shown::of(task, share)).collect();
    let texts: Vec<&str> = shown.iter().flat_map(Shown::texts).collect();
    let code = Code::of(&texts);
    let categories: Vec<String> = shown.iter().map(|one| one.write(&code)).collect();
    let names: Vec<&str> = tasks
        .iter()
        .map(|task| &*task.request.category.name)
        .collect();
    let entry = object([
        ("category", choice(&names)),
        ("summary", json!({"type": "string"})),
    ]);
    prompted(
        PromptName::Summaries,
        Filling {
            values: &[
                ("references", references(tasks)),
                ("categories", categories.join("\n\n")),
            ],
            custom: None,
            schema: object([("summaries", list(&entry))]),
            images: Vec::new(),
        },
    )
}

fn alone(task: &SummaryTask, budget: usize) -> Result<Prompted> {
    let shown = Shown::of(task, budget);
    let code = Code::of(&shown.texts().collect::<Vec<_>>());
    let description = one_line(&task.request.category.description);
    let category = match description.as_str() {
        "" => shown.name.clone(),
        _ => format!("{} ({description})", shown.name),
    };
    let all = format!("{}{}", shown.new, shown.others);
    let schema: Value = object([("summary", json!({"type": "string"}))]);
    prompted(
        PromptName::Summary,
        Filling {
            values: &[
                ("category", category),
                ("target_length", task.request.target_length.to_string()),
                ("references", references(std::slice::from_ref(task))),
                ("old_summary", code.around("summary", or_none(&shown.old))),
                ("new_items", code.around("memories", or_none(&shown.new))),
                ("all_items", code.around("memories", or_none(&all))),
                (
                    "removed_items",
                    code.around("memories", or_none(&shown.removed)),
                ),
            ],
            custom: task.prompt.as_ref(),
            schema,
            images: Vec::new(),
        },
    )
}

fn references(tasks: &[SummaryTask]) -> String {
    if tasks.iter().any(|task| task.request.references) {
        "- Behind every statement, cite the memories that it rests on by their marks, such as \
         [ref:3]. Every category counts its memories anew: use only marks that stand before a \
         memory of the same category."
            .to_owned()
    } else {
        String::new()
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "(none)" } else { text }
}

/// What is shown of a category, as material.
struct Shown {
    name: String,
    /// Description and target length.
    head: String,
    old: String,
    new: String,
    others: String,
    removed: String,
}

impl Shown {
    fn of(task: &SummaryTask, budget: usize) -> Self {
        let SummaryRequest {
            category,
            summary,
            items,
            new,
            removed,
            target_length,
            references,
        } = &task.request;
        let new: HashSet<&Id> = new.iter().collect();
        let (new, others): (Vec<Numbered>, Vec<Numbered>) = (1..)
            .zip(items)
            .partition(|(_, item)| new.contains(&item.id));
        let line = |item: &Numbered| item_line(*item, *references);
        let (mut lines, left_out) = within(budget, &others, line);
        if left_out > 0 {
            let _ = writeln!(
                lines,
                "({left_out} more are not shown: keep what the old summary says of them)"
            );
        }
        Self {
            name: one_line(&category.name),
            head: format!(
                "description: {}\ntarget length: {target_length} characters\n",
                or_none(&one_line(&category.description))
            ),
            old: numbered(summary.as_deref().unwrap_or_default().trim(), task.cited()),
            new: new.iter().map(line).collect(),
            others: lines,
            removed: bullets(removed),
        }
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        [
            &self.name,
            &self.head,
            &self.old,
            &self.new,
            &self.others,
            &self.removed,
        ]
        .into_iter()
        .map(String::as_str)
    }

    fn write(&self, code: &Code) -> String {
        let mut text = format!("name: {}\n{}", self.name, self.head);
        if !self.old.is_empty() {
            let old = code.around("summary", &self.old);
            let _ = writeln!(text, "old summary:\n{old}");
        }
        for (title, lines) in [
            ("new memories", &self.new),
            ("removed memories", &self.removed),
            ("other memories", &self.others),
        ] {
            if !lines.is_empty() {
                let _ = write!(text, "{title}:\n{lines}");
            }
        }
        code.around("category", &text)
    }
}

/// A memory, and its number among those of its category.
type Numbered<'a> = (usize, &'a SummaryItem);

/// `- [ref:3] (event, 2023-05-07, met 3 times) …`, in one line.
fn item_line((number, item): Numbered<'_>, references: bool) -> String {
    let mut line = String::from("- ");
    if references {
        let _ = write!(line, "[ref:{number}] ");
    }
    let _ = write!(line, "({}", one_line(&item.memory_type));
    if let Some(when) = &item.happened {
        let _ = write!(line, ", {}", moment::write(when));
    }
    if item.reinforcement_count > 1 {
        let _ = write!(line, ", met {} times", item.reinforcement_count);
    }
    let _ = writeln!(line, ") {}", one_line(&item.summary));
    line
}

/// The lines of those items that fit, in order, and how many do not.
fn within(
    budget: usize,
    items: &[Numbered<'_>],
    line: impl Fn(&Numbered<'_>) -> String,
) -> (String, usize) {
    let mut order: Vec<usize> = (0..items.len()).rev().collect();
    // Stable, so that of equals the latest stays first.
    order.sort_by_key(|at| {
        std::cmp::Reverse(items.get(*at).map(|(_, item)| item.reinforcement_count))
    });
    let mut room = budget;
    let mut kept = Vec::new();
    for at in order {
        let Some(text) = items.get(at).map(&line) else {
            continue;
        };
        let length = text.chars().count();
        if length <= room {
            room -= length;
            kept.push((at, text));
        }
    }
    let left_out = items.len() - kept.len();
    kept.sort_unstable();
    (kept.into_iter().map(|(_, text)| text).collect(), left_out)
}
