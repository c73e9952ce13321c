use std::ops::Range;

/// A block of a text document, plain or Markdown, as a byte range.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Block {
    /// Metadata between `---` or `+++` lines at the very beginning.
    FrontMatter(Range<usize>),
    /// A heading of level 1 to 6, with its marks in the range but not the title.
    Heading {
        range: Range<usize>,
        level: usize,
        title: String,
    },
    /// Fenced code with its fences.
    Code(Range<usize>),
    /// Lines up to a blank one.
    Paragraph(Range<usize>),
}

/// The blocks of `text`, in order. Together they cover all that is not white
/// space.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let lines = lines(text);
    let mut scan = Scan::default();
    let mut at = 0;
    if let Some(last) = front_matter_end(text, &lines) {
        scan.blocks.push(Block::FrontMatter(range(&lines, 0, last)));
        at = last + 1;
    }
    while let Some(line) = lines.get(at) {
        let written = text.get(line.clone()).unwrap_or_default();
        let mut last = at;
        if written.trim().is_empty() {
            scan.close_paragraph();
        } else if let Some(fence) = Fence::opening(written) {
            scan.close_paragraph();
            last = fence.closing_line(text, &lines, at);
            scan.blocks.push(Block::Code(range(&lines, at, last)));
        } else if let Some((level, title)) = atx_heading(written) {
            scan.close_paragraph();
            scan.push_heading(line.clone(), level, title);
        } else if let Some(level) = scan.underlined(text, written) {
            let above = scan.paragraph.take().unwrap_or(line.clone());
            let title = text.get(above.clone()).unwrap_or_default();
            scan.push_heading(above.start..line.end, level, title);
        } else {
            scan.extend_paragraph(line);
        }
        at = last + 1;
    }
    scan.close_paragraph();
    scan.blocks
}

#[derive(Default)]
struct Scan {
    blocks: Vec<Block>,
    paragraph: Option<Range<usize>>,
    paragraph_lines: usize,
}

impl Scan {
    fn extend_paragraph(&mut self, line: &Range<usize>) {
        if self.paragraph.is_none() {
            self.paragraph_lines = 0;
        }
        self.paragraph_lines += 1;
        self.paragraph.get_or_insert_with(|| line.clone()).end = line.end;
    }

    fn close_paragraph(&mut self) {
        self.blocks
            .extend(self.paragraph.take().map(Block::Paragraph));
    }

    fn push_heading(&mut self, range: Range<usize>, level: usize, title: &str) {
        let title = title.replace("**", "").replace('`', "");
        self.blocks.push(Block::Heading {
            range,
            level,
            title: title.split_whitespace().collect::<Vec<_>>().join(" "),
        });
    }

    /// The level of the heading that `line` makes of the one line above it.
    fn underlined(&self, text: &str, line: &str) -> Option<usize> {
        let above = text.get(self.paragraph.clone()?)?;
        let line = line.trim();
        if self.paragraph_lines != 1 || line.len() < 2 || is_list_line(above) {
            return None;
        }
        ['=', '-']
            .iter()
            .position(|mark| line.chars().all(|c| c == *mark))
            .map(|index| index + 1)
    }
}

/// Whether a line stands for itself: a list item, a table row or a quote.
pub(super) fn is_list_line(line: &str) -> bool {
    let line = line.trim_start();
    let numbered = || {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.len() < line.len() && (rest.starts_with(". ") || rest.starts_with(") "))
    };
    ["- ", "* ", "+ ", "|", ">"]
        .iter()
        .any(|mark| line.starts_with(mark))
        || numbered()
}

/// The byte ranges of the lines, without their ends.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut from = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let start = from;
            from += line.len();
            start..start + line.trim_end_matches(['\n', '\r']).len()
        })
        .collect()
}

fn range(lines: &[Range<usize>], first: usize, last: usize) -> Range<usize> {
    let start = lines.get(first).map_or(0, |line| line.start);
    start..lines.get(last).map_or(start, |line| line.end)
}

/// The line that closes the front matter, if there is any.
fn front_matter_end(text: &str, lines: &[Range<usize>]) -> Option<usize> {
    let line = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default().trim_end();
    let mark = Some(line(lines.first()?)).filter(|mark| ["---", "+++"].contains(mark))?;
    // A rule at the top of a long text is not front matter that nobody closed.
    let within = lines.iter().enumerate().skip(1).take(200);
    within
        .take_while(|(index, range)| *index > 1 || !line(range).is_empty())
        .find(|(_, range)| line(range) == mark || mark == "---" && line(range) == "...")
        .map(|(index, _)| index)
}

fn unindented(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches(' ');
    (line.len() - rest.len() <= 3).then_some(rest)
}

fn atx_heading(line: &str) -> Option<(usize, &str)> {
    let line = unindented(line)?;
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    let parted = rest.is_empty() || rest.starts_with([' ', '\t']);
    ((1..=6).contains(&level) && parted)
        .then(|| (level, rest.trim().trim_end_matches('#').trim_end()))
}

struct Fence {
    mark: char,
    length: usize,
}

impl Fence {
    fn opening(line: &str) -> Option<Self> {
        let line = line.trim_start();
        let mark = line
            .chars()
            .next()
            .filter(|mark| matches!(mark, '`' | '~'))?;
        let info = line.trim_start_matches(mark);
        let length = line.len() - info.len();
        (length >= 3 && !(mark == '`' && info.contains('`'))).then_some(Self { mark, length })
    }

    /// The line that closes the fence, or the last one.
    fn closing_line(&self, text: &str, lines: &[Range<usize>], opening: usize) -> usize {
        lines
            .iter()
            .enumerate()
            .skip(opening + 1)
            .find(|(_, range)| {
                let line = text.get((*range).clone()).unwrap_or_default().trim();
                line.len() >= self.length && line.chars().all(|c| c == self.mark)
            })
            .map_or(lines.len().saturating_sub(1), |(index, _)| index)
    }
}

#[cfg(test)]
#[allow(clippy::string_slice)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(String, &str)> {
        blocks(text)
            .into_iter()
            .map(|block| match block {
                Block::FrontMatter(range) => ("front".to_owned(), &text[range]),
                Block::Heading {
                    range,
                    level,
                    title,
                } => (format!("{level} {title}"), &text[range]),
                Block::Code(range) => ("code".to_owned(), &text[range]),
                Block::Paragraph(range) => ("text".to_owned(), &text[range]),
            })
            .collect()
    }

    #[test]
    fn tells_the_blocks_of_markdown_apart() {
        let text = "---\ntitle: x\n---\n# One #\nline\r\nmore\n\n## `Two` **b**\n```rust\n# no\n\n```\n\
                    Three\n=====\n#tag\n    # code\n- item\n---\n~~~\nopen";
        let expected = [
            ("front", "---\ntitle: x\n---"),
            ("1 One", "# One #"),
            ("text", "line\r\nmore"),
            ("2 Two b", "## `Two` **b**"),
            ("code", "```rust\n# no\n\n```"),
            ("1 Three", "Three\n====="),
            ("text", "#tag\n    # code\n- item\n---"),
            ("code", "~~~\nopen"),
        ];
        assert_eq!(
            shown(text),
            expected.map(|(kind, part)| (kind.to_owned(), part))
        );
    }

    #[test]
    fn a_rule_at_the_top_is_not_front_matter() {
        assert_eq!(
            shown("---\n\ntext"),
            [("text".to_owned(), "---"), ("text".to_owned(), "text")]
        );
    }
}
