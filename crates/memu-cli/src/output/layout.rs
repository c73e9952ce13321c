use std::fmt;

use memu::Segment;
use memu::core::analysis::{Analyzer, passages};
use memu::core::time::{Precision, Timestamp, When, civil};
use textwrap::core::display_width;

use super::Tone;

/// The widest text that is pleasant to read.
const MAX_WIDTH: usize = 100;
/// The longest quotation of a piece of evidence, in characters.
const MAX_QUOTE: usize = 280;
/// About how many words an excerpt of a long text has.
const PASSAGE_WORDS: usize = 40;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A line of styled text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pieces: Vec<(Tone, String)>,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Appends text in this tone. Control characters are made visible, so that
    /// stored text cannot steer the terminal.
    pub(crate) fn add(mut self, tone: Tone, text: &str) -> Self {
        let visible = text.chars().map(|c| match c {
            '\t' | '\n' => ' ',
            c if c.is_control() => '\u{fffd}',
            c => c,
        });
        self.pieces.push((tone, visible.collect()));
        self
    }

    pub(crate) fn plain(self, text: &str) -> Self {
        self.add(Tone::Plain, text)
    }

    /// The pieces without what is blank at the end.
    fn visible(&self) -> impl Iterator<Item = (Tone, &str)> {
        let last = self
            .pieces
            .iter()
            .rposition(|(_, text)| !text.trim_end().is_empty());
        let count = last.map_or(0, |last| last + 1);
        let pieces = self.pieces.iter().take(count).enumerate();
        pieces.map(move |(at, (tone, text))| {
            let text = text.as_str();
            let end = if at + 1 == count {
                text.trim_end()
            } else {
                text
            };
            (*tone, end)
        })
    }

    fn width(&self) -> usize {
        self.pieces
            .iter()
            .map(|(_, text)| display_width(text))
            .sum()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (tone, text) in self.visible() {
            let style = tone.style();
            write!(f, "{style}{text}{style:#}")?;
        }
        Ok(())
    }
}

fn terminal_width() -> usize {
    textwrap::termwidth().min(MAX_WIDTH)
}

/// Wraps text to the terminal: `first` leads the first line, spaces of the same width
/// the others.
pub(crate) fn wrapped(first: &Line, tone: Tone, text: &str) -> Vec<Line> {
    let indent = first.width();
    let room = terminal_width().saturating_sub(indent).max(20);
    let clean = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let parts = textwrap::wrap(&clean, room);
    parts
        .iter()
        .enumerate()
        .map(|(at, part)| {
            let line = if at == 0 {
                first.clone()
            } else {
                Line::new().plain(&" ".repeat(indent))
            };
            line.add(tone, part)
        })
        .collect()
}

/// A segment as a quotation: who, when, and the words. Of a long one, the passage that
/// has most of the words of `about`.
pub(crate) fn quote(segment: &Segment, about: &str) -> Vec<Line> {
    let mut who = segment.attribution().unwrap_or("").to_owned();
    if let Some(time) = segment.happened_at {
        if !who.is_empty() {
            who.push_str(", ");
        }
        who.push_str(&minute(time));
    }
    if let Some(id) = &segment.message_id {
        who.extend([" [", id, "]"]);
    }
    let lead = Line::new().add(Tone::Faint, "     │ ");
    let mut lines = Vec::new();
    if !who.trim().is_empty() {
        lines.push(lead.clone().add(Tone::Name, who.trim()));
    }
    let text = excerpt(&segment.text, about);
    let words = if text.is_empty() {
        segment.caption.clone().unwrap_or_default()
    } else {
        format!("“{text}”")
    };
    for line in wrapped(&Line::new().plain("       "), Tone::Plain, &words) {
        let mut pieces = line.pieces;
        // The bar runs down the left of every line.
        pieces.drain(..1);
        let mut barred = lead.clone();
        barred.pieces.extend(pieces);
        lines.push(barred);
    }
    lines
}

/// A text, or of a long one the passage that has most of the words of `about`; the
/// beginning when none has any.
fn excerpt(text: &str, about: &str) -> String {
    let analyzer = Analyzer::default();
    let wanted = analyzer.terms(about);
    if wanted.is_empty() || text.chars().count() <= MAX_QUOTE {
        return shortened(text, MAX_QUOTE);
    }
    let score = |passage: &str| {
        let terms = analyzer.terms(passage);
        wanted.iter().filter(|term| terms.contains(term)).count()
    };
    let ranges = passages(text, PASSAGE_WORDS).into_iter();
    let scored = ranges.filter_map(|range| {
        let passage = text.get(range.clone())?;
        Some((score(passage), range.start, passage))
    });
    // Of equal ones the first.
    let best = scored.max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    match best {
        Some((found, start, passage)) if found > 0 && start > 0 => {
            let shown = shortened(passage, MAX_QUOTE);
            let ends = passage.trim_end().len() + start >= text.trim_end().len();
            let goes_on = if ends || shown.ends_with('…') {
                ""
            } else {
                " …"
            };
            format!("… {shown}{goes_on}")
        }
        _ => shortened(text, MAX_QUOTE),
    }
}

fn shortened(text: &str, most: usize) -> String {
    let clean = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if clean.chars().count() <= most {
        return clean;
    }
    let cut: String = clean.chars().take(most).collect();
    let end = cut.rfind(' ').unwrap_or(cut.len());
    format!("{}…", cut.get(..end).unwrap_or(&cut))
}

/// Columns of equal width; the last one is wrapped into what is left.
pub(crate) fn columns(rows: &[Vec<(Tone, String)>]) -> Vec<Line> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count.saturating_sub(1))
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|(_, text)| display_width(text))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut lines = Vec::new();
    for row in rows {
        let mut lead = Line::new();
        let mut last = (Tone::Plain, String::new());
        for (column, (tone, text)) in row.iter().enumerate() {
            match widths.get(column) {
                Some(width) => {
                    let padding = width.saturating_sub(display_width(text)) + 2;
                    lead = lead.add(*tone, text).plain(&" ".repeat(padding));
                }
                None => last = (*tone, text.clone()),
            }
        }
        lines.extend(wrapped(&lead, last.0, &last.1));
    }
    lines
}

/// A time as people write it, as exactly as it is known.
pub(crate) fn date(when: &When) -> String {
    let start = when.start;
    let month = month_name(start.month());
    match when.precision {
        Precision::Year => start.year().to_string(),
        Precision::Season | Precision::Month => format!("{month} {}", start.year()),
        Precision::Week => format!("week of {} {month} {}", start.day(), start.year()),
        Precision::Day => format!("{} {month} {}", start.day(), start.year()),
        Precision::Minute => minute(start),
    }
}

/// An instant as people write it, in UTC.
pub(crate) fn instant(instant: Timestamp) -> String {
    format!("{} UTC", minute(instant.to_civil()))
}

fn minute(time: civil::DateTime) -> String {
    let day = format!(
        "{} {} {}",
        time.day(),
        month_name(time.month()),
        time.year()
    );
    if time.hour() == 0 && time.minute() == 0 {
        return day;
    }
    format!("{day} {:02}:{:02}", time.hour(), time.minute())
}

fn month_name(month: i8) -> &'static str {
    usize::try_from(month - 1)
        .ok()
        .and_then(|at| MONTHS.get(at))
        .copied()
        .unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_text_the_passage_that_answers_is_shown() {
        let filler = "The weather was fine that day and nobody spoke of anything else. ";
        let text = format!(
            "{}The kayak costs 90 euros. {}",
            filler.repeat(9),
            filler.repeat(9)
        );
        let shown = excerpt(&text, "What does the kayak cost?");
        assert!(shown.starts_with("… ") && shown.ends_with('…'), "{shown}");
        assert!(shown.contains("The kayak costs 90 euros."), "{shown}");
        assert!(shown.chars().count() <= MAX_QUOTE + 4, "{shown}");
    }

    #[test]
    fn without_a_word_in_common_the_beginning_is_shown() {
        let text = "The weather was fine. ".repeat(30);
        let shown = excerpt(&text, "kayak");
        assert!(
            shown.starts_with("The weather") && shown.ends_with('…'),
            "{shown}"
        );
        assert_eq!(excerpt("Short.", "kayak"), "Short.");
    }
}
