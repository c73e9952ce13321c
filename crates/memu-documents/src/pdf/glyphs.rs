use hayro_interpret::font::{Glyph as Drawn, GlyphRun};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect, Vec2};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, SoftMask, TransformExt as _, interpret_page,
};
use memu_core::{Error, Result};

/// How many glyphs a file may have; a thick book has a few millions.
const MOST_GLYPHS: usize = 50_000_000;
/// Glyphs are designed on a square of this many units.
const UNITS: f64 = 1000.0;

/// What stands on a page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Its glyphs, in the order in which they are drawn, which is mostly that of reading.
    pub(super) glyphs: Vec<Glyph>,
    /// How many pictures it has.
    pub(super) pictures: usize,
}

/// A glyph, in points from the upper left of its page.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Glyph {
    /// What it says: a ligature says several characters.
    pub(super) text: String,
    /// Where it begins along its line, and where the next one would.
    pub(super) start: f64,
    pub(super) end: f64,
    /// Where its line lies across.
    pub(super) base: f64,
    /// How high its font is.
    pub(super) size: f64,
    /// Whether its font is known to be a bold one.
    pub(super) bold: bool,
    /// In which of the four directions it is written, in quarter turns.
    pub(super) turn: u8,
}

/// The glyphs of all pages.
pub(super) fn pages(pdf: &Pdf) -> Result<Vec<Page>> {
    let cache = InterpreterCache::new();
    let mut pages = Vec::new();
    let mut count = 0;
    for page in pdf.pages().iter() {
        let (width, height) = page.render_dimensions();
        let mut context = Context::new(
            page.initial_transform(true).to_kurbo(),
            Rect::new(0.0, 0.0, f64::from(width), f64::from(height)),
            &cache,
            pdf.xref(),
            InterpreterSettings::default(),
        );
        let mut collector = Collector {
            page: Page::default(),
            left: MOST_GLYPHS - count,
        };
        interpret_page(page, &mut context, &mut collector);
        count += collector.page.glyphs.len();
        if collector.left == 0 {
            return Err(Error::input(format!(
                "the PDF has more than {MOST_GLYPHS} characters; that many are not read"
            )));
        }
        pages.push(collector.page);
    }
    Ok(pages)
}

/// Takes down the glyphs that are drawn, visible or not: recognised text lies unseen over the
/// picture of its page.
struct Collector {
    page: Page,
    left: usize,
}

impl<'a> Device<'a> for Collector {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        let bold = run.glyphs().first().is_some_and(|first| is_bold(first));
        for drawn in run.glyphs() {
            let advance = match &**drawn {
                Drawn::Outline(outline) => outline.advance_width(),
                Drawn::Type3(own) => own.advance_width(),
            };
            let text = match drawn.as_unicode() {
                Some(BfString::Char(character)) => letters(character),
                Some(BfString::String(text)) => text.chars().map(letters).collect(),
                // What it means is not told; that there is something is not hidden.
                None => char::REPLACEMENT_CHARACTER.to_string(),
            };
            let transform = props.transform * drawn.transform();
            let glyph = Glyph::placed(text, transform, f64::from(advance.unwrap_or(500.0)));
            if let (Some(mut glyph), 1..) = (glyph, self.left) {
                glyph.bold = bold;
                self.page.glyphs.push(glyph);
                self.left -= 1;
            }
        }
    }

    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {
        self.page.pictures += 1;
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

impl Glyph {
    /// A glyph whose units `transform` puts on the page; `None` when it is nowhere.
    fn placed(text: String, transform: Affine, advance: f64) -> Option<Self> {
        let origin = transform * Point::ZERO;
        let along = transform * Point::new(advance, 0.0) - origin;
        let up = transform * Point::new(0.0, UNITS) - origin;
        let direction = transform * Point::new(UNITS, 0.0) - origin;
        let finite = [origin.x, origin.y, along.x, along.y, up.x, up.y]
            .iter()
            .all(|number| number.is_finite() && number.abs() < 1e7);
        let size = up.hypot();
        if !finite || size <= 0.0 {
            return None;
        }
        let turn = turn(direction);
        let (start, base) = match turn {
            0 => (origin.x, origin.y),
            1 => (origin.y, -origin.x),
            2 => (-origin.x, -origin.y),
            _ => (-origin.y, origin.x),
        };
        Some(Self {
            text,
            start,
            end: start + along.hypot(),
            base,
            size,
            bold: false,
            turn,
        })
    }
}

fn is_bold(glyph: &Drawn<'_>) -> bool {
    let Drawn::Outline(outline) = glyph else {
        return false;
    };
    outline.font_data().is_some_and(|font| {
        let name = font.postscript_name.unwrap_or_default().to_lowercase();
        name.contains("bold") || font.weight.is_some_and(|weight| weight >= 600)
    })
}

/// What a character says: some stand for several letters that are drawn as one.
fn letters(character: char) -> String {
    match character {
        '\u{fb00}' => "ff".to_owned(),
        '\u{fb01}' => "fi".to_owned(),
        '\u{fb02}' => "fl".to_owned(),
        '\u{fb03}' => "ffi".to_owned(),
        '\u{fb04}' => "ffl".to_owned(),
        '\u{fb05}' | '\u{fb06}' => "st".to_owned(),
        other => other.to_string(),
    }
}

/// The quarter turns nearest to a direction: rightwards, down, leftwards, up.
fn turn(direction: Vec2) -> u8 {
    if direction.x.abs() >= direction.y.abs() {
        if direction.x >= 0.0 { 0 } else { 2 }
    } else if direction.y >= 0.0 {
        1
    } else {
        3
    }
}
