use super::element::Place;
use crate::block::{Block, one_line};

/// Tables that lie deeper in each other only lay out the page.
const DEEPEST_TABLE: usize = 16;

/// Makes blocks of text that comes piece by piece.
#[derive(Debug, Default)]
pub(super) struct Writer {
    /// The text since the last block.
    line: String,
    /// Where the text is, outermost first.
    places: Vec<Place>,
    /// How many of the places are lists, and code.
    lists: usize,
    code: usize,
    /// Blocks of the page.
    blocks: Vec<Block>,
    /// The rows under way, outermost first.
    rows: Vec<Vec<Vec<Block>>>,
    /// How many rows lie deeper than those.
    deeper: usize,
    /// Whether the item under way has been marked as one.
    item_begun: bool,
}

impl Writer {
    pub(super) fn text(&mut self, text: &str) {
        self.line.push_str(text);
    }

    pub(super) fn enter(&mut self, place: Place) {
        if place == Place::Break {
            // Verses and addresses: sentences may not end with the line.
            self.line.push(if self.code > 0 { '\n' } else { ' ' });
            return;
        }
        self.flush();
        match place {
            Place::List => self.lists += 1,
            Place::Code => self.code += 1,
            Place::Item => self.item_begun = false,
            Place::Row if self.rows.len() < DEEPEST_TABLE => self.rows.push(Vec::new()),
            Place::Row => self.deeper += 1,
            Place::Cell if self.deeper == 0 => {
                if let Some(row) = self.rows.last_mut() {
                    row.push(Vec::new());
                }
            }
            _ => {}
        }
        self.places.push(place);
    }

    pub(super) fn leave(&mut self, place: Place) {
        if place == Place::Break {
            return;
        }
        self.flush();
        self.places.pop();
        match place {
            Place::List => self.lists -= 1,
            Place::Code => self.code -= 1,
            Place::Row if self.deeper > 0 => self.deeper -= 1,
            Place::Row => {
                let cells = self.rows.pop().unwrap_or_default();
                self.close_row(cells);
            }
            _ => {}
        }
    }

    pub(super) fn finish(mut self) -> Vec<Block> {
        self.flush();
        while let Some(cells) = self.rows.pop() {
            self.close_row(cells);
        }
        self.blocks
    }

    /// A row whose cells hold a line each is one; otherwise it laid out the page.
    fn close_row(&mut self, cells: Vec<Vec<Block>>) {
        let is_line = |cell: &Vec<Block>| matches!(cell.as_slice(), [] | [Block::Paragraph(_)]);
        let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
        if filled > 1 && cells.iter().all(is_line) {
            let cells = cells.into_iter().map(|cell| match cell.into_iter().next() {
                Some(Block::Paragraph(words)) => words,
                _ => String::new(),
            });
            let row = Block::Row(cells.collect());
            return self.push(row);
        }
        for block in cells.into_iter().flatten() {
            self.push(block);
        }
    }

    fn push(&mut self, block: Block) {
        match self.rows.last_mut() {
            // What stands in a table beside its cells is kept as a cell.
            Some(row) => match row.last_mut() {
                Some(cell) => cell.push(block),
                None => row.push(vec![block]),
            },
            None => self.blocks.push(block),
        }
    }

    /// Ends the block that the text since the last one makes.
    fn flush(&mut self) {
        let line = std::mem::take(&mut self.line);
        if self.code > 0 {
            let lines = line.trim_matches('\n');
            if !lines.trim().is_empty() {
                self.push(Block::Code(lines.to_owned()));
            }
            return;
        }
        let words = one_line(&line);
        if words.is_empty() {
            return;
        }
        let inner = self.places.iter().rev();
        let mut inner = inner.filter(|place| !matches!(place, Place::Block));
        let block = match inner.next() {
            Some(Place::Heading(level)) => Block::Heading(*level, words),
            Some(Place::Item) if !self.item_begun => {
                self.item_begun = true;
                Block::Item(self.lists.saturating_sub(1), words)
            }
            Some(Place::Quote) => Block::Quote(words),
            _ => Block::Paragraph(words),
        };
        self.push(block);
    }
}
