use super::glyphs::Glyph;

/// How far apart two words are at least, in heights of their font.
const WORD_GAP: f64 = 0.15;
/// From what gap on it is that between the cells of a row.
const CELL_GAP: f64 = 1.5;
/// How far from its line a glyph may stand, as exponents do.
const SHIFT: f64 = 0.6;

/// A line of a page.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// Its cells: one, unless it is a row of a table.
    pub(super) cells: Vec<String>,
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) base: f64,
    /// The height of most of it.
    pub(super) size: f64,
    /// Whether all of it is bold.
    pub(super) bold: bool,
    pub(super) turn: u8,
}

impl Line {
    pub(super) fn text(&self) -> String {
        self.cells.join(" ")
    }
}

/// A line under way.
struct Open {
    glyphs: Vec<Glyph>,
    end: f64,
    base: f64,
    size: f64,
}

/// The lines of a page, in the order in which they are drawn.
pub(super) fn lines(glyphs: Vec<Glyph>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut open: Option<Open> = None;
    for glyph in glyphs {
        if let Some(line) = &mut open
            && line.goes_on_with(&glyph)
        {
            line.take(glyph);
            continue;
        }
        lines.extend(open.take().and_then(Open::close));
        open = Some(Open {
            end: glyph.end,
            base: glyph.base,
            size: glyph.size,
            glyphs: vec![glyph],
        });
    }
    lines.extend(open.and_then(Open::close));
    lines
}

impl Open {
    fn goes_on_with(&self, glyph: &Glyph) -> bool {
        let size = self.size.max(glyph.size);
        let same_turn = self
            .glyphs
            .first()
            .is_some_and(|first| first.turn == glyph.turn);
        let beside = (glyph.base - self.base).abs() <= SHIFT * size;
        // Accents and kerning go back a little.
        same_turn && beside && glyph.start >= self.end - size
    }

    fn take(&mut self, glyph: Glyph) {
        self.end = self.end.max(glyph.end);
        // Exponents neither move the line nor make it smaller.
        if glyph.size > self.size {
            self.size = glyph.size;
            self.base = glyph.base;
        }
        self.glyphs.push(glyph);
    }

    fn close(self) -> Option<Line> {
        let mut cells = vec![String::new()];
        let mut end: Option<f64> = None;
        let mut was_space = false;
        for glyph in &self.glyphs {
            let is_space = glyph.text.chars().all(char::is_whitespace);
            let gap = end.map_or(0.0, |end| glyph.start - end);
            if is_space {
                // Its width counts as a gap, so that spaces may part cells, too.
                was_space = true;
                continue;
            }
            if gap > CELL_GAP * self.size {
                cells.push(String::new());
            } else if was_space || gap > WORD_GAP * glyph.size {
                push(&mut cells, " ");
            }
            push(&mut cells, &glyph.text);
            was_space = false;
            end = Some(end.map_or(glyph.end, |end| end.max(glyph.end)));
        }
        let cells: Vec<String> = cells.iter().map(|cell| cell.trim().to_owned()).collect();
        let cells: Vec<String> = cells.into_iter().filter(|cell| !cell.is_empty()).collect();
        let first = self.glyphs.first()?;
        (!cells.is_empty()).then_some(Line {
            cells,
            start: first.start,
            end: self.end,
            base: self.base,
            size: self.size,
            bold: self.glyphs.iter().all(|glyph| glyph.bold),
            turn: first.turn,
        })
    }
}

fn push(cells: &mut [String], text: &str) {
    if let Some(cell) = cells.last_mut() {
        cell.push_str(text);
    }
}
