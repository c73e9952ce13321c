use std::borrow::Cow;

use memu_core::provider::SummaryItem;

/// What a line takes beyond its text: `- ` and the line break.
pub(super) const LINE_OVERHEAD: usize = 3;

/// How a citation begins.
const CITATION: &str = "[ref:";

/// A line of a summary.
pub(super) struct Line<'a> {
    /// The memory, or its beginning.
    pub(super) text: Cow<'a, str>,
    reference: &'a str,
}

impl<'a> Line<'a> {
    /// The line of the item at `place`, told whole.
    pub(super) fn of(place: usize, items: &'a [SummaryItem], texts: &'a [String]) -> Option<Self> {
        Some(Self {
            text: Cow::Borrowed(texts.get(place)?),
            reference: items.get(place)?.id.short(),
        })
    }

    /// The line in Markdown, without a line break.
    pub(super) fn markdown(&self, with_reference: bool) -> String {
        if with_reference {
            format!("- {} {CITATION}{}]", self.text, self.reference)
        } else {
            format!("- {}", self.text)
        }
    }
}

/// `text` on one line: runs of white space become a space, and what looks like a
/// citation goes, so that every citation of a summary is the summarizer's own.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(CITATION) {
        push_words(&mut line, before);
        let end = after.find(|c: char| c == ']' || c.is_whitespace());
        rest = end.and_then(|end| after.get(end..)).unwrap_or_default();
        rest = rest.strip_prefix(']').unwrap_or(rest);
    }
    push_words(&mut line, rest);
    line
}

/// Appends the words of `text`, parted from what is there, so that what stood on
/// both sides of a citation cannot become another one.
fn push_words(line: &mut String, text: &str) {
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
}

/// The beginning of `text` with an ellipsis, in at most `room` characters: up to
/// the last clause, or else word, that leaves no more than half the room unused,
/// or else up to the last letter that fits. `None` when not even one letter fits
/// beside the ellipsis. A text that fits is returned as it is.
pub(super) fn shortened(text: &str, room: usize) -> Option<String> {
    if text.chars().nth(room).is_none() {
        return (!text.is_empty()).then(|| text.to_owned());
    }
    let room = room.checked_sub(1).filter(|room| *room > 0)?;
    let mut word = None;
    let mut clause = None;
    let mut last = ' ';
    let mut end = 0;
    for (count, (at, character)) in text.char_indices().take(room + 1).enumerate() {
        end = at;
        let counts = count * 2 >= room;
        if character.is_whitespace() && counts {
            word = Some(at);
            if matches!(last, ',' | ';' | ':' | '.' | '!' | '?') {
                clause = Some(at);
            }
        }
        last = character;
    }
    let kept = text.get(..clause.or(word).unwrap_or(end))?;
    let kept = kept.trim_end_matches([',', ';', ':', '.', ' ']);
    Some(format!("{kept}…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_collapses_and_foreign_citations_go() {
        assert_eq!(one_line(" a\n\tb \u{a0} c "), "a b c");
        assert_eq!(one_line("a [ref:abc123] b [ref:x]. [ref:open z"), "a b . z");
        assert_eq!(one_line("[ref:[ref:a]b] c"), "b] c");
        assert_eq!(one_line("[re[ref:x]f:y] z"), "[re f:y] z");
    }

    #[test]
    fn a_text_is_cut_after_a_clause_then_a_word_then_a_letter() {
        let text = "The ferry left late, so Ines missed the concert";
        assert_eq!(shortened(text, 60).unwrap(), text);
        assert_eq!(shortened(text, 47).unwrap(), text);
        assert_eq!(shortened(text, 30).unwrap(), "The ferry left late…");
        assert_eq!(
            shortened(text, 45).unwrap(),
            "The ferry left late, so Ines missed the…"
        );
        assert_eq!(shortened(text, 7).unwrap(), "The…");
        assert_eq!(shortened("Donaudampfschiff", 6).unwrap(), "Donau…");
        assert_eq!(shortened(text, 2).unwrap(), "T…");
        assert_eq!(shortened(text, 1), None);
        assert_eq!(shortened(text, 0), None);
        assert_eq!(shortened("", 5), None);
    }
}
