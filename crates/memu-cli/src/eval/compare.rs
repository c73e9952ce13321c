use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use memu::{Error, Result};
use serde::{Deserialize, Serialize};

use super::bootstrap::{Difference, compare as compare_pairs};
use super::figures::Figures;
use crate::output::{Line, Tone};

/// How wide the column of names is.
const NAME: usize = 28;

/// One question of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PerQuestion {
    pub(crate) conversation: String,
    pub(crate) id: String,
    pub(crate) category: String,
    pub(crate) segments: Figures,
    pub(crate) items: Figures,
}

/// What of a run's JSON is compared.
#[derive(Debug, Deserialize)]
struct Run {
    corpus: String,
    per_question: Option<Vec<PerQuestion>>,
}

/// How two runs differ.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) questions: usize,
    pub(crate) conversations: usize,
    pub(crate) segments: BTreeMap<String, Difference>,
    pub(crate) items: BTreeMap<String, Difference>,
    /// Recall@10 of the segments, for each category of questions.
    pub(crate) categories: BTreeMap<String, Difference>,
}

/// A question, by corpus, conversation and id.
type Key = (String, String, String);

/// Compares runs over the same questions, pooled over all files.
///
/// # Errors
/// `input` when a file cannot be read, is no output of `memu eval recall --per-question`,
/// or holds other questions than its counterpart.
pub(crate) fn compare(before: &[PathBuf], after: &[PathBuf]) -> Result<Comparison> {
    let (before, after) = (read_all(before)?, read_all(after)?);
    for (one, other, side) in [(&before, &after, "after"), (&after, &before, "before")] {
        if let Some((corpus, conversation, id)) = one.keys().find(|key| !other.contains_key(*key)) {
            return Err(Error::input(format!(
                "the question {id} about {conversation} of {corpus} is missing from the runs {side}"
            )));
        }
    }
    let paired: Vec<(&Key, &PerQuestion, &PerQuestion)> = before
        .iter()
        .filter_map(|(key, before)| Some((key, before, after.get(key)?)))
        .collect();
    let mut categories: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for pair in &paired {
        let name = format!("{} {}", pair.0.0, pair.1.category);
        categories.entry(name).or_default().push(*pair);
    }
    Ok(Comparison {
        questions: paired.len(),
        conversations: by_conversation(&paired, &|_| 0.0).len(),
        segments: differences(&paired, |question| &question.segments),
        items: differences(&paired, |question| &question.items),
        categories: categories
            .into_iter()
            .map(|(name, paired)| {
                let recall = |question: &PerQuestion| question.segments.recall.at_10;
                (name, compare_pairs(&by_conversation(&paired, &recall)))
            })
            .collect(),
    })
}

fn read_all(paths: &[PathBuf]) -> Result<BTreeMap<Key, PerQuestion>> {
    let mut questions = BTreeMap::new();
    for path in paths {
        let run = read(path)?;
        let of_run = run.per_question.ok_or_else(|| {
            Error::input("the run has no figures of single questions; add --per-question to it")
                .with("file", path.display())
        })?;
        for question in of_run {
            let key = (
                run.corpus.clone(),
                question.conversation.clone(),
                question.id.clone(),
            );
            questions.insert(key, question);
        }
    }
    Ok(questions)
}

fn read(path: &Path) -> Result<Run> {
    let bytes = std::fs::read(path).map_err(|cause| {
        Error::input(format!("{} cannot be read", path.display())).caused_by(cause)
    })?;
    serde_json::from_slice(&bytes).map_err(|cause| {
        Error::input(format!(
            "{} is no output of memu eval recall --json: {cause}",
            path.display()
        ))
    })
}

/// A figure with its name.
type Named = (&'static str, fn(&Figures) -> f64);

type Paired<'q> = (&'q Key, &'q PerQuestion, &'q PerQuestion);

fn differences(
    paired: &[Paired<'_>],
    figures: impl Fn(&PerQuestion) -> &Figures,
) -> BTreeMap<String, Difference> {
    let named: [Named; 8] = [
        ("recall@5", |figures| figures.recall.at_5),
        ("recall@10", |figures| figures.recall.at_10),
        ("recall@20", |figures| figures.recall.at_20),
        ("recall@50", |figures| figures.recall.at_50),
        ("hit@10", |figures| figures.hit.at_10),
        ("all@10", |figures| figures.all.at_10),
        ("mrr", |figures| figures.mrr),
        ("ndcg@10", |figures| figures.ndcg.at_10),
    ];
    named
        .into_iter()
        .map(|(name, figure)| {
            let value = |question: &PerQuestion| figure(figures(question));
            let pairs = by_conversation(paired, &value);
            (name.to_owned(), compare_pairs(&pairs))
        })
        .collect()
}

/// What each question has before and after, conversation by conversation.
fn by_conversation(
    paired: &[Paired<'_>],
    value: &dyn Fn(&PerQuestion) -> f64,
) -> Vec<Vec<(f64, f64)>> {
    let same = |a: &Paired<'_>, b: &Paired<'_>| (&a.0.0, &a.0.1) == (&b.0.0, &b.0.1);
    paired
        .chunk_by(same)
        .map(|conversation| {
            let pairs = conversation.iter();
            pairs
                .map(|(_, before, after)| (value(before), value(after)))
                .collect()
        })
        .collect()
}

/// The comparison, for people.
pub(crate) fn show_comparison(comparison: &Comparison) -> Vec<Line> {
    let mut lines = vec![
        Line::new().add(
            Tone::Heading,
            &format!(
                "{} questions about {} conversations",
                comparison.questions, comparison.conversations
            ),
        ),
        Line::new(),
        heading(),
    ];
    for (part, differences) in [
        ("segments", &comparison.segments),
        ("items", &comparison.items),
    ] {
        for (name, difference) in differences {
            lines.push(row(&format!("{part} {name}"), difference));
        }
    }
    lines.push(Line::new());
    lines.push(Line::new().add(
        Tone::Heading,
        "Segments, recall@10 by category of questions",
    ));
    for (name, difference) in &comparison.categories {
        lines.push(row(name, difference));
    }
    lines
}

fn heading() -> Line {
    let names = ["before", "after", "change"];
    let line = Line::new().plain(&" ".repeat(NAME));
    let line = names.iter().fold(line, |line, name| {
        line.add(Tone::Faint, &format!("{name:>8}"))
    });
    line.add(Tone::Faint, "   95 of 100 draws       p")
}

fn row(name: &str, difference: &Difference) -> Line {
    let sure = difference.low > 0.0 || difference.high < 0.0;
    let tone = match sure {
        true if difference.change > 0.0 => Tone::Good,
        true => Tone::Warning,
        false => Tone::Plain,
    };
    let percent = |share: f64| share * 100.0;
    Line::new()
        .add(Tone::Label, &format!("{name:NAME$}"))
        .plain(&format!(
            "{:>8.1}{:>8.1}",
            percent(difference.before),
            percent(difference.after)
        ))
        .add(tone, &format!("{:>+8.1}", percent(difference.change)))
        .plain(&format!(
            "   {:>+6.1} to {:>+6.1}{:>10.3}",
            percent(difference.low),
            percent(difference.high),
            difference.p
        ))
}
