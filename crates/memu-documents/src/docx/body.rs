use memu_core::Result;

use super::notes::{Kind, Notes};
use super::styles::{Styles, outline_level};
use crate::block::{Block, one_line};
use crate::xml::{self, Piece, Tag};

/// Reads what a document says; `None` when its main part is that of sheets, slides or something
/// else.
pub(super) fn read(
    bytes: &[u8],
    part: &str,
    styles: &Styles,
    notes: &Notes,
) -> Result<Option<Vec<Block>>> {
    let mut root = None;
    let mut body = Body {
        styles,
        notes,
        paragraphs: Vec::new(),
        rows: Vec::new(),
        left_out: 0,
        in_text: false,
        hidden: false,
        pending: Vec::new(),
        blocks: Vec::new(),
    };
    xml::read(bytes, part, |piece| {
        if let (Piece::Open(tag), None) = (&piece, &root) {
            root = Some(tag.name.clone());
        }
        body.take(piece);
    })?;
    body.finish();
    Ok((root.as_deref() == Some("document")).then_some(body.blocks))
}

/// A paragraph under way.
#[derive(Debug, Default)]
struct Paragraph {
    text: String,
    level: Option<usize>,
    /// How deep the list lies of which it is an item.
    item: Option<usize>,
    is_text: bool,
}

struct Body<'d> {
    styles: &'d Styles,
    notes: &'d Notes,
    /// The paragraphs under way: text boxes stand within others.
    paragraphs: Vec<Paragraph>,
    /// The cells of the rows under way, outermost first.
    rows: Vec<Vec<String>>,
    /// How many elements are under way that are left out.
    left_out: usize,
    in_text: bool,
    /// Whether the run under way is hidden.
    hidden: bool,
    /// Notes to be written after the paragraph.
    pending: Vec<Block>,
    blocks: Vec<Block>,
}

/// What is left out with all that is in it: the older form of something that is there in a newer
/// one, too, and what was deleted or moved away.
fn is_left_out(name: &str) -> bool {
    matches!(name, "Fallback" | "del" | "moveFrom")
}

impl Body<'_> {
    fn take(&mut self, piece: Piece) {
        match piece {
            Piece::Open(tag) if is_left_out(&tag.name) => self.left_out += 1,
            Piece::Close(name) if is_left_out(&name) => {
                self.left_out = self.left_out.saturating_sub(1);
            }
            _ if self.left_out > 0 => {}
            Piece::Open(tag) => self.open(&tag),
            Piece::Close(name) => self.close(&name),
            Piece::Text(text) => {
                if self.in_text && !self.hidden {
                    self.push(&text);
                }
            }
        }
    }

    fn open(&mut self, tag: &Tag) {
        let value = tag.attribute("val").unwrap_or_default();
        match tag.name.as_str() {
            "p" => self.paragraphs.push(Paragraph::default()),
            "r" => self.hidden = false,
            "vanish" => self.hidden = !matches!(value, "0" | "false"),
            "t" => self.in_text = true,
            "tab" | "br" | "cr" => self.push(" "),
            "noBreakHyphen" => self.push("-"),
            "tr" => self.rows.push(Vec::new()),
            "tc" => {
                if let Some(row) = self.rows.last_mut() {
                    row.push(String::new());
                }
            }
            "pStyle" | "outlineLvl" | "numPr" | "ilvl" | "numId" => self.describe(tag, value),
            name => {
                if let (Some(kind), Some(id)) = (Kind::of(name), tag.attribute("id")) {
                    self.note(kind, id);
                }
            }
        }
    }

    /// Takes what a paragraph says about itself.
    fn describe(&mut self, tag: &Tag, value: &str) {
        let styles = self.styles;
        let Some(paragraph) = self.paragraphs.last_mut() else {
            return;
        };
        match tag.name.as_str() {
            "pStyle" => {
                paragraph.level = styles.level(value);
                if styles.is_list(value) {
                    paragraph.item = Some(0);
                }
            }
            "outlineLvl" => {
                paragraph.level = outline_level(value);
                paragraph.is_text = paragraph.level.is_none();
            }
            "numPr" => paragraph.item = Some(0),
            "ilvl" => paragraph.item = value.parse().ok().or(paragraph.item),
            // Numbering may be taken away from a paragraph.
            _ if value == "0" => paragraph.item = None,
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "r" => self.hidden = false,
            "p" => self.close_paragraph(),
            "tr" => {
                let row = self.rows.pop().unwrap_or_default();
                self.close_row(row);
            }
            _ => {}
        }
    }

    fn push(&mut self, text: &str) {
        if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.text.push_str(text);
        }
    }

    fn note(&mut self, kind: Kind, id: &str) {
        if let Some(text) = self.notes.get(kind, id) {
            // A mark in the text would only be in the way of its sentences.
            let note = format!("Note: {text}");
            self.pending.push(Block::Paragraph(note));
        }
    }

    fn close_paragraph(&mut self) {
        let Some(paragraph) = self.paragraphs.pop() else {
            return;
        };
        let text = one_line(&paragraph.text);
        if text.is_empty() {
            return;
        }
        if let Some(cell) = self.rows.last_mut().and_then(|row| row.last_mut()) {
            if !cell.is_empty() {
                cell.push(' ');
            }
            cell.push_str(&text);
            return;
        }
        self.blocks.push(match (paragraph.level, paragraph.item) {
            (Some(level), _) if !paragraph.is_text => Block::Heading(level, text),
            (_, Some(depth)) => Block::Item(depth, text),
            _ => Block::Paragraph(text),
        });
        self.blocks.append(&mut self.pending);
    }

    fn close_row(&mut self, cells: Vec<String>) {
        let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
        if filled == 0 {
            return;
        }
        if let Some(cell) = self.rows.last_mut().and_then(|row| row.last_mut()) {
            // A table within a cell.
            if !cell.is_empty() {
                cell.push_str("; ");
            }
            cell.push_str(&cells.join(", "));
            return;
        }
        let block = if filled == 1 {
            Block::Paragraph(cells.concat())
        } else {
            Block::Row(cells)
        };
        self.blocks.push(block);
        self.blocks.append(&mut self.pending);
    }

    /// Ends what a document that was cut off left open.
    fn finish(&mut self) {
        while !self.paragraphs.is_empty() {
            self.close_paragraph();
        }
        while let Some(row) = self.rows.pop() {
            self.close_row(row);
        }
        self.blocks.append(&mut self.pending);
    }
}
