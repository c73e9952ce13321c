use std::ops::Range;

use memu_core::analysis::sentences;
use memu_core::provider::{Draft, Reading};

use super::blocks::{Block, blocks, is_list_line};
use super::source::Source;
use crate::topics;

/// About how many words a passage has.
const PASSAGE_WORDS: usize = 100;

/// The longest code block that stays whole, in words.
const LONGEST_CODE: usize = 200;

/// Reads a document into passages. Each keeps the headings that precede it, never
/// runs across one, and has the path of headings as its caption. Topics follow
/// the headings; without any, they follow the words.
pub(super) fn read(source: &Source<'_>) -> Reading {
    let mut writer = Writer::new(source);
    for block in blocks(source.text()) {
        writer.take(block);
    }
    writer.close_section();
    let mut drafts = writer.drafts;
    if !writer.has_headings {
        topics::assign(&mut drafts);
    }
    Reading {
        drafts,
        ..Reading::default()
    }
}

/// A piece of text that no passage splits.
#[derive(Debug)]
struct Unit {
    range: Range<usize>,
    words: usize,
    is_heading: bool,
}

struct Writer<'s> {
    source: &'s Source<'s>,
    path: Vec<(usize, String)>,
    /// The units of the current section: headings first.
    units: Vec<Unit>,
    has_headings: bool,
    topic: u32,
    drafts: Vec<Draft>,
}

impl<'s> Writer<'s> {
    fn new(source: &'s Source<'s>) -> Self {
        Self {
            source,
            path: Vec::new(),
            units: Vec::new(),
            has_headings: false,
            topic: 0,
            drafts: Vec::new(),
        }
    }

    fn take(&mut self, block: Block) {
        match block {
            Block::FrontMatter(range) => {
                self.push_unit(range, false);
                self.close_section();
            }
            Block::Heading {
                range,
                level,
                title,
            } => self.open_section(range, level, title),
            Block::Code(range) if self.words(&range) <= LONGEST_CODE => {
                self.push_unit(range, false);
            }
            Block::Code(range) => self.push_lines(range),
            Block::Paragraph(range) if self.words(&range) <= PASSAGE_WORDS => {
                self.push_unit(range, false);
            }
            Block::Paragraph(range) => self.push_sentences(range),
        }
    }

    /// Begins a section, unless the headings before it have no text yet and this
    /// one lies below them: then they share a passage.
    fn open_section(&mut self, range: Range<usize>, level: usize, title: String) {
        let only_headings = self.units.iter().all(|unit| unit.is_heading);
        let below = self.path.last().is_some_and(|(above, _)| *above < level);
        if !(only_headings && below) {
            self.close_section();
        }
        self.path.retain(|(above, _)| *above < level);
        self.path.push((level, title));
        self.has_headings = true;
        self.push_unit(range, true);
    }

    /// Writes the units of the section as passages.
    fn close_section(&mut self) {
        let units = std::mem::take(&mut self.units);
        if units.is_empty() {
            return;
        }
        let titles: Vec<_> = self.path.iter().map(|(_, title)| title.as_str()).collect();
        let caption = titles.join(" › ");
        for range in pack(units) {
            let text = self.slice(&range).to_owned();
            self.drafts.push(Draft {
                topic: self.topic,
                text,
                caption: (!caption.is_empty()).then(|| caption.clone()),
                span: self.source.span(&range),
                ..Draft::default()
            });
        }
        self.topic += 1;
    }

    fn push_unit(&mut self, range: Range<usize>, is_heading: bool) {
        let written = self.slice(&range);
        let start = range.start + (written.len() - written.trim_start().len());
        let range = start..range.start + written.trim_end().len();
        if range.start < range.end {
            let words = self.words(&range);
            self.units.push(Unit {
                range,
                words,
                is_heading,
            });
        }
    }

    fn push_lines(&mut self, range: Range<usize>) {
        let mut from = range.start;
        for line in self.slice(&range).split_inclusive('\n') {
            self.push_unit(from..from + line.len(), false);
            from += line.len();
        }
    }

    /// The sentences of a paragraph; its lines are wrapped, not ended, except
    /// before list items, rows and quotes.
    fn push_sentences(&mut self, range: Range<usize>) {
        let unwrapped = unwrap_lines(self.slice(&range));
        for sentence in sentences(&unwrapped) {
            let sentence = range.start + sentence.start..range.start + sentence.end;
            if self.words(&sentence) <= 2 * PASSAGE_WORDS {
                self.push_unit(sentence, false);
            } else {
                self.push_words(sentence);
            }
        }
    }

    /// A sentence that is too long for a passage, in pieces between words.
    fn push_words(&mut self, range: Range<usize>) {
        let (mut start, mut at, mut words) = (range.start, range.start, 0);
        for word in self.slice(&range).split_inclusive(char::is_whitespace) {
            at += word.len();
            words += word_weight(word.trim_end());
            if words >= PASSAGE_WORDS {
                self.push_unit(start..at, false);
                (start, words) = (at, 0);
            }
        }
        self.push_unit(start..range.end, false);
    }

    fn slice(&self, range: &Range<usize>) -> &'s str {
        self.source.text().get(range.clone()).unwrap_or_default()
    }

    fn words(&self, range: &Range<usize>) -> usize {
        self.slice(range).split_whitespace().map(word_weight).sum()
    }
}

/// How many words a run without spaces counts for: scripts that write none, and
/// long identifiers, take the room of several.
fn word_weight(run: &str) -> usize {
    const BYTES_PER_WORD: usize = 12;
    match run.len() {
        0 => 0,
        length => length
            .div_ceil(2 * BYTES_PER_WORD)
            .max(length / BYTES_PER_WORD),
    }
}

/// The same bytes with spaces for the line breaks within sentences.
fn unwrap_lines(paragraph: &str) -> String {
    let mut unwrapped = String::with_capacity(paragraph.len());
    let mut lines = paragraph.split('\n').peekable();
    while let Some(line) = lines.next() {
        unwrapped.push_str(line);
        if let Some(next) = lines.peek() {
            unwrapped.push(if is_list_line(next) { '\n' } else { ' ' });
        }
    }
    unwrapped
}

/// Groups units into passages of about the wanted size: one is closed when the
/// next unit would take it further from it, but never after a heading.
fn pack(units: Vec<Unit>) -> Vec<Range<usize>> {
    let mut passages: Vec<Range<usize>> = Vec::new();
    let (mut words, mut after_heading) = (0, false);
    for unit in units {
        match passages.last_mut() {
            Some(last) if after_heading || words + unit.words / 2 <= PASSAGE_WORDS => {
                last.end = unit.range.end;
                words += unit.words;
            }
            _ => {
                passages.push(unit.range);
                words = unit.words;
            }
        }
        after_heading = unit.is_heading;
    }
    passages
}
