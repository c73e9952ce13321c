use clap::Args;
use memu::core::service::{ItemHit, SegmentHit};
use memu::{Id, Message, Result, RetrieveRequest, RetrieveResponse, Role};

use crate::args::{Global, count, pair};
use crate::output::{Line, Printer, Tone, date, quote, wrapped};
use crate::progress::Progress;
use crate::session;

/// How many quotations stand under one memory.
const QUOTES: usize = 3;

/// Find the memories that answer a question.
#[derive(Debug, Args)]
pub(crate) struct Retrieve {
    /// The question
    query: String,
    /// At most this many results of each kind
    #[arg(long, short = 'k', value_name = "N", value_parser = count, allow_negative_numbers = true)]
    top_k: Option<usize>,
    /// Only records that match, such as memory_type=event or happened_at__gte=2023-05;
    /// may be repeated
    #[arg(long = "where", short = 'w', value_name = "FIELD=VALUE", value_parser = pair)]
    conditions: Vec<(String, String)>,
    /// An earlier message that the question refers to; may be repeated, oldest first
    #[arg(long, value_name = "TEXT")]
    context: Vec<String>,
    /// Search every scope
    #[arg(long)]
    all_scopes: bool,
    /// Show every term of every score
    #[arg(long)]
    explain: bool,
}

impl Retrieve {
    pub(crate) async fn run(self, global: &Global, printer: &Printer) -> Result<()> {
        let progress = Progress::new(global);
        let service = session::open(global, &progress).await?;
        let messages = self.context.iter().chain([&self.query]);
        let request = RetrieveRequest {
            queries: messages
                .map(|text| Message {
                    role: Role::User,
                    text: text.clone(),
                })
                .collect(),
            filter: session::filter(global, &self.conditions),
            all_scopes: self.all_scopes,
            explain: self.explain,
            top_k: self.top_k,
            config: None,
        };
        let response = service.retrieve(request).await?;
        progress.finish();
        printer.response(&response, show)?;
        service.close().await
    }
}

pub(super) fn show(response: &RetrieveResponse) -> Vec<Line> {
    if !response.needs_retrieval {
        return vec![Line::new().add(Tone::Faint, "That needs no memory.")];
    }
    if response.items.is_empty() && response.segments.is_empty() {
        return vec![Line::new().add(Tone::Faint, "No memory speaks of that.")];
    }
    let about = response.rewritten_query.as_str();
    let mut lines = Vec::new();
    for (at, hit) in response.items.iter().enumerate() {
        lines.extend(memory(at + 1, hit, about));
    }
    let quoted: Vec<&Id> = response.items.iter().flat_map(shown_evidence).collect();
    let unquoted: Vec<&SegmentHit> = response
        .segments
        .iter()
        .filter(|hit| !quoted.contains(&&hit.segment.meta.id))
        .collect();
    if !unquoted.is_empty() {
        lines.push(Line::new());
        lines.push(Line::new().add(Tone::Heading, "More evidence"));
        for hit in unquoted {
            lines.extend(quote(&hit.segment, about));
            lines.extend(
                hit.explanation
                    .as_ref()
                    .map(|terms| explanation(hit.score, terms)),
            );
        }
    }
    if !response.categories.is_empty() {
        let names: Vec<&str> = response
            .categories
            .iter()
            .map(|hit| hit.category.name.as_str())
            .collect();
        lines.push(Line::new());
        lines.push(
            Line::new()
                .add(Tone::Heading, "Categories  ")
                .add(Tone::Label, &names.join(", ")),
        );
    }
    lines
}

fn shown_evidence(hit: &ItemHit) -> impl Iterator<Item = &Id> {
    hit.evidence
        .iter()
        .take(QUOTES)
        .map(|segment| &segment.meta.id)
}

fn memory(number: usize, hit: &ItemHit, about: &str) -> Vec<Line> {
    let lead = Line::new().add(Tone::Faint, &format!("{number:>3}. "));
    let mut lines = wrapped(&lead, Tone::Memory, &hit.item.summary);
    let mut labels = vec![hit.item.memory_type.clone()];
    labels.extend(hit.categories.iter().cloned());
    let mut facts = Line::new()
        .plain("     ")
        .add(Tone::Label, &labels.join(" · "));
    if let Some(when) = &hit.item.happened {
        facts = facts.add(Tone::Faint, &format!(" · {}", date(when)));
    }
    facts = facts.add(
        Tone::Faint,
        &format!(" · {:.2} · {}", hit.score, hit.item.meta.id.short()),
    );
    lines.push(facts);
    for segment in hit.evidence.iter().take(QUOTES) {
        lines.extend(quote(segment, about));
    }
    if let Some(terms) = &hit.explanation {
        lines.push(explanation(hit.score, terms));
    }
    lines
}

fn explanation(score: f32, terms: &impl serde::Serialize) -> Line {
    let terms = serde_json::to_value(terms).unwrap_or_default();
    let parts: Vec<String> = terms
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "score")
        .map(|(name, value)| format!("{name} {:.2}", value.as_f64().unwrap_or_default()))
        .collect();
    Line::new().add(
        Tone::Faint,
        &format!("     = {score:.2}: {}", parts.join(", ")),
    )
}
