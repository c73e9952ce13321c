use std::fmt::Write as _;

pub(crate) use memu_core::analysis::one_line;

/// A document that has been read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Document {
    /// Its title, where it states one.
    pub(crate) title: Option<String>,
    /// What it says, in order.
    pub(crate) blocks: Vec<Block>,
}

/// A piece of a document. Texts have no line ends but those in code.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    /// A heading of level 1 to 6.
    Heading(usize, String),
    /// A paragraph.
    Paragraph(String),
    /// An item of a list, and how deep the list lies in others, from 0.
    Item(usize, String),
    /// A row of a table, cell by cell.
    Row(Vec<String>),
    /// A quotation.
    Quote(String),
    /// Text whose lines matter.
    Code(String),
}

impl Block {
    /// Whether it goes on in the line after `before`, as rows and items do.
    fn follows(&self, before: &Self) -> bool {
        matches!(
            (before, self),
            (Self::Row(_), Self::Row(_)) | (Self::Item(..), Self::Item(..))
        )
    }

    fn write(&self, text: &mut String) {
        // Writing into a String cannot fail.
        let _ = match self {
            Self::Heading(level, title) => {
                write!(text, "{} {title}", "#".repeat((*level).clamp(1, 6)))
            }
            Self::Paragraph(words) => write!(text, "{words}"),
            Self::Item(depth, words) => write!(text, "{}- {words}", "  ".repeat((*depth).min(8))),
            Self::Row(cells) => write!(text, "| {} |", cells.join(" | ")),
            Self::Quote(words) => write!(text, "> {words}"),
            Self::Code(lines) => {
                let fence = "`".repeat(longest_fence(lines).max(2) + 1);
                write!(text, "{fence}\n{}\n{fence}", lines.trim_end())
            }
        };
    }
}

/// The longest run of backticks, which a fence must outdo.
fn longest_fence(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or_default()
}

/// The blocks as Markdown.
pub(crate) fn markdown(blocks: &[Block]) -> String {
    let mut text = String::new();
    let mut before: Option<&Block> = None;
    for block in blocks {
        if let Some(before) = before {
            text.push_str(if block.follows(before) { "\n" } else { "\n\n" });
        }
        block.write(&mut text);
        before = Some(block);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_markdown() {
        let blocks = [
            Block::Heading(2, "Boats".into()),
            Block::Paragraph("There are two.".into()),
            Block::Item(0, "a dinghy".into()),
            Block::Item(1, "with a sail".into()),
            Block::Row(vec!["name".into(), "length".into()]),
            Block::Row(vec!["Mira".into(), "4 m".into()]),
            Block::Quote("Ahoy".into()),
            Block::Code("a ``` b\n  c\n".into()),
        ];
        let expected = "## Boats\n\nThere are two.\n\n- a dinghy\n  - with a sail\n\n\
                        | name | length |\n| Mira | 4 m |\n\n> Ahoy\n\n````\na ``` b\n  c\n````";
        assert_eq!(markdown(&blocks), expected);
    }
}
