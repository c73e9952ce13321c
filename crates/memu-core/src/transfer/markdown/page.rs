//! Reading a page of a category, or of the items without one.

use super::front::{self, Front};
use super::text::{self, Entry, INDENT};
use crate::error::{Error, Result};

/// What stands above the list of memories.
pub(super) const HEADING: &str = "## Memories";

/// A page.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) file: String,
    pub(super) front: Front,
    /// What stands above the list; `None` when nothing does.
    pub(super) summary: Option<String>,
    pub(super) entries: Vec<Placed>,
    /// The keys of the front matter, each with its line.
    keys: Vec<(String, usize)>,
}

/// A memory with the number of its line.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) line: usize,
    pub(super) entry: Entry,
}

/// Writes a summary as it stands above the list.
pub(super) fn write_summary(summary: Option<&str>) -> String {
    match summary {
        Some(summary) => format!("{}\n\n", text::encode(summary)),
        None => String::new(),
    }
}

impl Page {
    /// Reads a page, with one kind of ends of lines.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) for what is no page, naming file and line.
    pub(super) fn parse(file: &str, page: &str) -> Result<Self> {
        Self::parsed(file, page).map_err(|error| error.with("file", file))
    }

    /// The line of a key of the front matter; the first where it is not there.
    pub(super) fn line_of(&self, key: &str) -> usize {
        let mut keys = self.keys.iter();
        keys.find(|(known, _)| known == key)
            .map_or(1, |(_, line)| *line)
    }

    fn parsed(file: &str, page: &str) -> Result<Self> {
        let (front, body, first) = front::split(page)?;
        let lines: Vec<&str> = body.split('\n').collect();
        // Whatever a summary holds, the list of memories comes last, and its texts are indented.
        let heading = lines.iter().rposition(|line| line.trim_end() == HEADING);
        let Some(heading) = heading else {
            return Err(Error::input(format!(
                "the heading {HEADING:?} is missing; it stands above the list of memories, also \
                 when there are none"
            ))
            .with("line", first + lines.len().saturating_sub(1)));
        };
        let (summary, list) = lines.split_at(heading);
        let summary = summary.join("\n");
        let summary = summary.trim();
        let after = first + heading + 1;
        let keys = (1..first).zip(page.lines());
        let keys = keys.filter_map(|(line, text)| Some((text.split_once(':')?.0.to_owned(), line)));
        Ok(Self {
            file: file.to_owned(),
            front,
            keys: keys.collect(),
            summary: (!summary.is_empty()).then(|| text::decode(summary)),
            entries: read_list(list.get(1..).unwrap_or_default(), after)?,
        })
    }
}

/// Reads the list, of which the first line has this number.
fn read_list(lines: &[&str], first: usize) -> Result<Vec<Placed>> {
    let mut items: Vec<(usize, Vec<&str>)> = Vec::new();
    for (number, line) in (first..).zip(lines) {
        if let Some(text) = after_bullet(line) {
            items.push((number, vec![text]));
        } else if line.trim().is_empty() {
            if let Some((_, lines)) = items.last_mut() {
                lines.push("");
            }
        } else if let (Some(text), Some((_, lines))) = (indented(line), items.last_mut()) {
            lines.push(text);
        } else {
            return Err(Error::input(
                "this line is no memory, which begins with \"- \", and not indented under one",
            )
            .with("line", number));
        }
    }
    let read = |(line, lines): (usize, Vec<&str>)| {
        let entry = text::read(&lines.join("\n"))
            .map_err(|reason| Error::input(reason).with("line", line))?;
        Ok(Placed { line, entry })
    };
    items.into_iter().map(read).collect()
}

fn after_bullet(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['-', '*', '+'])?;
    match rest.strip_prefix([' ', '\t']) {
        Some(text) => Some(text),
        None => rest.is_empty().then_some(rest),
    }
}

fn indented(line: &str) -> Option<&str> {
    line.strip_prefix(INDENT)
        .or_else(|| line.strip_prefix('\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_summary_comes_back() {
        for summary in [
            "- Likes tea.\n- Rows [ref:ab12cd].",
            "",
            " ",
            "a\n\n## Memories\n\n- b *(event)* ^34d51528",
            "## Memories",
            "---",
            "---\nname: b\n---",
            "```",
            "<!--",
            "\na",
            "a\n",
            "a\r\nb",
            "`\"`",
        ] {
            let page = format!(
                "---\n---\n\n{}{HEADING}\n\n- c\n",
                write_summary(Some(summary))
            );
            let parsed = Page::parse("a.md", &page).unwrap();
            assert_eq!(parsed.summary.as_deref(), Some(summary), "{page}");
            assert_eq!(parsed.entries.len(), 1, "{page}");
        }
        let page = format!("{}{HEADING}\n", write_summary(None));
        assert_eq!(Page::parse("a.md", &page).unwrap().summary, None);
    }

    #[test]
    fn what_is_no_page_is_named_by_its_line() {
        for (page, line, expected) in [
            ("- tea\n", 2, "heading \"## Memories\" is missing"),
            ("---\nname: a\n---\n\n## Memories\n\nText\n", 7, "no memory"),
            ("## Memories\n\n  - a\n", 3, "no memory"),
            ("## Memories\n- a\n\n### More\n", 4, "no memory"),
            (
                "## Memories\n- a\n- b *(event, soon)*\n",
                3,
                "no type with a date",
            ),
        ] {
            let error = Page::parse("a.md", page).unwrap_err().to_string();
            assert!(error.contains(expected), "{page}: {error}");
            assert!(
                error.contains(&format!("line: {line}, file: a.md")),
                "{error}"
            );
        }
    }
}
