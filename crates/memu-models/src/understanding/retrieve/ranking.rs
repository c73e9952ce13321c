use std::fmt::Write as _;

use memu_core::{Error, Result};
use serde_json::{Value, json};

use super::super::fields;
use super::super::prompt::{Code, Filling, PromptName, Prompted, indented, prompted};
use super::super::salvage::salvage;
use super::super::schema::{list, object};
use super::find;

/// What a first search found, as a model is to see it. The numbers of each kind are theirs,
/// from 1 in this order.
#[derive(Clone, Copy, Debug, Default)]
pub struct RankCandidates<'a> {
    /// Categories: name and summary.
    pub categories: &'a [String],
    /// Items: what they say.
    pub items: &'a [String],
    /// Resources: what they are about.
    pub resources: &'a [String],
}

impl<'a> RankCandidates<'a> {
    fn kinds(&self) -> [(&'static str, &'a [String]); 3] {
        [
            ("categories", self.categories),
            ("items", self.items),
            ("resources", self.resources),
        ]
    }

    fn write(&self) -> String {
        let mut text = String::new();
        for (kind, candidates) in self.kinds() {
            if candidates.is_empty() {
                continue;
            }
            text.extend([kind, ":\n"]);
            for (at, candidate) in candidates.iter().enumerate() {
                let _ = writeln!(text, "[{}] {}", at + 1, indented(candidate));
            }
        }
        text
    }
}

/// The order of what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranking {
    /// Of the categories.
    pub categories: Ranked,
    /// Of the items.
    pub items: Ranked,
    /// Of the resources.
    pub resources: Ranked,
}

/// The order of the candidates of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Every candidate, as an index into those of the request: first those that the model
    /// chose, best first, then the others in the order in which they were given.
    pub order: Vec<usize>,
    /// How many of them the model chose.
    pub chosen: usize,
}

/// Asks which of the candidates answer a question, and in which order.
///
/// # Errors
/// None that a caller can cause.
pub fn rank_request(
    question: &str,
    candidates: &RankCandidates<'_>,
    top_k: usize,
) -> Result<Prompted> {
    let written = candidates.write();
    let code = Code::of(&[question, &written]);
    let numbers = list(&json!({"type": "integer"}));
    prompted(
        PromptName::Ranking,
        Filling {
            values: &[
                ("top_k", top_k.to_string()),
                ("question", code.around("question", question)),
                ("candidates", code.around("candidates", &written)),
            ],
            custom: None,
            schema: object(candidates.kinds().map(|(kind, _)| (kind, numbers.clone()))),
            images: Vec::new(),
        },
    )
}

/// Reads the reply to [`rank_request`] for the same candidates. Numbers that no candidate
/// has are dropped.
///
/// # Errors
/// [`ErrorKind::Model`](memu_core::ErrorKind::Model) when it has no list of any kind that
/// there are candidates of.
pub fn read_ranking(reply: &str, candidates: &RankCandidates<'_>) -> Result<Ranking> {
    let roots = salvage(reply).roots;
    let kinds = candidates.kinds();
    let present = kinds
        .iter()
        .filter(|(_, candidates)| !candidates.is_empty());
    let only =
        (present.clone().count() == 1).then(|| roots.iter().find(|one| one.value.is_array()));
    let bare = only.flatten().map(|root| &root.value);
    let [categories, items, resources] = kinds.map(|(kind, candidates)| {
        let list = find(&roots, &[kind]).or(bare);
        list.map(|list| ranked(list, candidates.len()))
            .ok_or(candidates.len())
    });
    let answered = [&categories, &items, &resources]
        .into_iter()
        .zip(kinds)
        .any(|(list, (_, candidates))| list.is_ok() && !candidates.is_empty());
    if !answered && present.count() > 0 {
        return Err(
            Error::model("the model's reply holds no numbers of what was found")
                .with("reply", fields::beginning(reply)),
        );
    }
    let or_as_given = |list: Result<Ranked, usize>| {
        list.unwrap_or_else(|count| Ranked {
            order: (0..count).collect(),
            chosen: 0,
        })
    };
    Ok(Ranking {
        categories: or_as_given(categories),
        items: or_as_given(items),
        resources: or_as_given(resources),
    })
}

fn ranked(list: &Value, count: usize) -> Ranked {
    let mut taken = vec![false; count];
    let mut order = Vec::new();
    for number in fields::numbers(list, count) {
        let at = usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1));
        if let Some(at) = at
            && let Some(taken) = taken.get_mut(at)
            && !std::mem::replace(taken, true)
        {
            order.push(at);
        }
    }
    let chosen = order.len();
    let others = taken.iter().enumerate().filter(|(_, taken)| !**taken);
    order.extend(others.map(|(at, _)| at));
    Ranked { order, chosen }
}
