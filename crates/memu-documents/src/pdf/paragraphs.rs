use std::collections::BTreeMap;

use super::lines::Line;
use crate::block::{Block, one_line};

/// How much higher than that of most text a font of headings is.
const HEADING: f64 = 1.12;
/// Headings have no more characters.
const LONGEST_HEADING: usize = 200;
/// Lines of one paragraph are not further apart, in heights of their font.
const LINE_GAP: f64 = 1.75;
/// How far the first line of a paragraph is moved in at least, in heights of its font.
const INDENT: f64 = 0.8;
/// How much sizes may differ and still be the same.
const SAME_SIZE: f64 = 0.08;
/// How many levels of headings are told apart.
const LEVELS: usize = 4;

const BULLETS: [char; 9] = ['•', '‣', '◦', '▪', '●', '○', '■', '–', '\u{f0b7}'];

/// Lines that belong together.
struct Group<'l> {
    text: String,
    last: &'l Line,
    lines: usize,
}

/// What headings look like in a document.
struct Headings {
    /// The heights of their fonts, the highest first.
    sizes: Vec<u32>,
    /// Whether those in the font of the text are bold.
    bold: bool,
}

/// Puts the lines of all pages together: to paragraphs, which may run over columns and pages, rows,
/// items, and headings by the heights of fonts.
pub(super) fn blocks(pages: &[Vec<Line>]) -> Vec<Block> {
    let body = body_size(pages);
    let headings = Headings {
        sizes: heading_sizes(pages, body),
        bold: !is_mostly_bold(pages),
    };
    let mut blocks = Vec::new();
    let mut group: Option<Group<'_>> = None;
    for line in pages.iter().flatten() {
        if line.cells.len() > 1 {
            blocks.extend(group.take().and_then(|group| group.close(&headings)));
            blocks.push(Block::Row(line.cells.clone()));
            continue;
        }
        if let Some(group) = &mut group
            && group.goes_on_with(line)
        {
            group.take(line);
            continue;
        }
        blocks.extend(group.take().and_then(|group| group.close(&headings)));
        group = Some(Group {
            text: line.text(),
            last: line,
            lines: 1,
        });
    }
    blocks.extend(group.and_then(|group| group.close(&headings)));
    blocks
}

/// Sizes as whole numbers that can be counted: tenths of a point.
fn tenths(size: f64) -> u32 {
    (size * 10.0).round().clamp(1.0, 1e6) as u32
}

/// The height of the font in which most is written.
fn body_size(pages: &[Vec<Line>]) -> f64 {
    let mut written: BTreeMap<u32, usize> = BTreeMap::new();
    for line in pages.iter().flatten() {
        *written.entry(tenths(line.size)).or_default() += line.text().chars().count();
    }
    let most = written
        .into_iter()
        .max_by_key(|(_, characters)| *characters);
    most.map_or(10.0, |(size, _)| f64::from(size) / 10.0)
}

/// The sizes of headings, the highest first.
fn heading_sizes(pages: &[Vec<Line>], body: f64) -> Vec<u32> {
    let high = pages
        .iter()
        .flatten()
        .filter(|line| line.size > HEADING * body);
    let mut sizes: Vec<u32> = high.map(|line| tenths(line.size)).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    // What hardly differs is one level.
    sizes.dedup_by(|small, large| f64::from(*small) > f64::from(*large) * (1.0 - SAME_SIZE));
    sizes
}

fn is_mostly_bold(pages: &[Vec<Line>]) -> bool {
    let lines = || pages.iter().flatten();
    2 * lines().filter(|line| line.bold).count() > lines().count()
}

impl<'l> Group<'l> {
    fn goes_on_with(&self, line: &Line) -> bool {
        let last = self.last;
        let same_size = (last.size - line.size).abs() <= SAME_SIZE * last.size.max(line.size);
        let alike = same_size && (last.turn, last.bold) == (line.turn, line.bold);
        if !alike || bullet(&line.text()).is_some() {
            return false;
        }
        let down = line.base - last.base;
        let overlap = line.start < last.end && last.start < line.end;
        if down > 0.0 && overlap {
            let indented = self.lines > 1 && line.start > last.start + INDENT * line.size;
            return down <= LINE_GAP * line.size && !indented;
        }
        // The next column, or the next page: a sentence may run over to it.
        let text = self.text.trim_end();
        let ended = text.ends_with(['.', '!', '?', ':', '"', '”', '。']);
        !ended && line.text().starts_with(char::is_lowercase)
    }

    fn take(&mut self, line: &'l Line) {
        append(&mut self.text, &line.text());
        self.last = line;
        self.lines += 1;
    }

    fn close(self, headings: &Headings) -> Option<Block> {
        let text = one_line(&self.text);
        if text.is_empty() {
            return None;
        }
        if let Some(words) = bullet(&text) {
            return Some(Block::Item(0, words.to_owned()));
        }
        let size = f64::from(tenths(self.last.size));
        let mut known = headings.sizes.iter();
        let by_size = known.position(|known| size > f64::from(*known) * (1.0 - SAME_SIZE));
        let is_bold = headings.bold && self.last.bold && !text.ends_with(['.', ',', ';', ':']);
        let level = by_size.or_else(|| is_bold.then_some(headings.sizes.len()));
        let is_heading =
            text.chars().count() <= LONGEST_HEADING && text.chars().any(char::is_alphabetic);
        Some(match level {
            Some(level) if is_heading => Block::Heading((level + 1).min(LEVELS), text),
            _ => Block::Paragraph(text),
        })
    }
}

/// What follows the bullet of an item.
fn bullet(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(BULLETS)?;
    let words = rest.trim_start();
    (words.len() < rest.len() && !words.is_empty()).then_some(words)
}

/// Adds the next line; a word that was parted at the end of the line before becomes whole.
fn append(text: &mut String, line: &str) {
    let before = text.trim_end_matches(['-', '\u{ad}', '\u{2010}']);
    let parted = before.len() < text.len() && before.ends_with(char::is_alphabetic);
    if parted && line.starts_with(char::is_lowercase) {
        text.truncate(before.len());
    } else if !parted {
        text.push(' ');
    }
    text.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_were_parted_become_whole() {
        for (before, after, expected) in [
            ("the har-", "bour", "the harbour"),
            ("the har\u{ad}", "bour", "the harbour"),
            ("North-", "South", "North-South"),
            ("from 3 -", "so", "from 3 - so"),
            ("one", "two", "one two"),
        ] {
            let mut text = before.to_owned();
            append(&mut text, after);
            assert_eq!(text, expected);
        }
    }
}
