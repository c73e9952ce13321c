use super::figures::Figures;
use super::run::{Measured, Miss};
use crate::output::{Line, Tone};

/// How wide the bars of the chart are, in characters, for a share of 1.
const BAR: usize = 40;
/// How wide the column of names is.
const NAME: usize = 28;

/// What was measured, for people.
pub(crate) fn show(measured: &Measured) -> Vec<Line> {
    let mut lines = vec![
        Line::new().add(
            Tone::Heading,
            &format!(
                "{}: {} questions",
                measured.corpus, measured.segments.questions
            ),
        ),
        Line::new(),
        heading(),
        row("segments", &measured.segments, Tone::Memory),
        row("items", &measured.items, Tone::Plain),
        row("plain BM25", &measured.baseline, Tone::Faint),
    ];
    if let Some(sessions) = &measured.sessions {
        lines.push(row("sessions", sessions, Tone::Plain));
    }
    if let Some(official) = &measured.longmemeval {
        lines.push(Line::new());
        lines.push(Line::new().add(Tone::Heading, "LongMemEval's figures"));
        for (level, figures) in [("session", &official.session), ("turn", &official.turn)] {
            for name in ["recall_all@5", "recall_all@10", "ndcg_any@5", "ndcg_any@10"] {
                let share = figures.get(name).copied().unwrap_or_default() * 100.0;
                lines.push(
                    Line::new()
                        .add(Tone::Label, &format!("{:NAME$}", format!("{level} {name}")))
                        .plain(&format!("{share:>8.1}")),
                );
            }
        }
    }
    if measured.categories.len() > 1 {
        lines.push(Line::new());
        lines.push(Line::new().add(Tone::Heading, "Segments, by category of questions"));
        for (name, figures) in &measured.categories {
            lines.push(row(name, figures, Tone::Plain));
        }
    }
    lines.push(Line::new());
    lines.push(Line::new().add(Tone::Heading, "Recall@10"));
    lines.push(bar("segments", measured.segments.recall.at_10, Tone::Good));
    lines.push(bar("items", measured.items.recall.at_10, Tone::Label));
    lines.push(bar(
        "plain BM25",
        measured.baseline.recall.at_10,
        Tone::Faint,
    ));
    lines.push(Line::new());
    lines.push(Line::new().plain(&format!(
        "{:.0} messages memorized per second; {:.2} ms per question (p99 {:.2})",
        measured.messages_per_second, measured.ms_per_question.p50, measured.ms_per_question.p99
    )));
    lines.extend(measured.misses.iter().flat_map(miss));
    lines
}

fn heading() -> Line {
    let names = [
        "R@5", "R@10", "R@20", "R@50", "Hit@10", "All@10", "MRR", "NDCG@10",
    ];
    let line = Line::new().plain(&" ".repeat(NAME));
    names.iter().fold(line, |line, name| {
        line.add(Tone::Faint, &format!("{name:>8}"))
    })
}

fn row(name: &str, figures: &Figures, tone: Tone) -> Line {
    let shares = [
        figures.recall.at_5,
        figures.recall.at_10,
        figures.recall.at_20,
        figures.recall.at_50,
        figures.hit.at_10,
        figures.all.at_10,
        figures.mrr,
        figures.ndcg.at_10,
    ];
    let line = Line::new().add(Tone::Label, &format!("{name:NAME$}"));
    shares.iter().fold(line, |line, share| {
        line.add(tone, &format!("{:>8.1}", share * 100.0))
    })
}

fn bar(name: &str, share: f64, tone: Tone) -> Line {
    let filled = "█".repeat((share * BAR as f64).round() as usize);
    Line::new()
        .add(Tone::Label, &format!("{name:12}"))
        .add(tone, &filled)
        .plain(&format!(" {:.1}", share * 100.0))
}

fn miss(miss: &Miss) -> Vec<Line> {
    let places: Vec<String> = miss
        .missed
        .iter()
        .map(|(id, place)| match place {
            Some(place) => format!("{id} (place {place})"),
            None => format!("{id} (not among the first 50)"),
        })
        .collect();
    vec![
        Line::new(),
        Line::new()
            .add(
                Tone::Faint,
                &format!("{} [{}] ", miss.conversation, miss.category),
            )
            .add(Tone::Memory, &miss.question),
        Line::new()
            .add(Tone::Warning, "  missed  ")
            .plain(&places.join(", ")),
        Line::new()
            .add(Tone::Faint, "  first   ")
            .plain(&miss.instead.join(", ")),
    ]
}
