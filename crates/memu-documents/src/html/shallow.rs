//! Keeps pages shallow on their way to the parser, whose work grows with depth times length.
//! What is left out are tags, never text: the text of an element that lies too deep belongs to
//! the one above it, as in browsers.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use markup5ever_rcdom::{Handle, RcDom};
use memu_core::{Error, Result};

use super::MOST_ELEMENTS;

/// How many elements one page may have; the longest pages of the web have a few hundred thousand.
const MOST_IN_PAGE: usize = 1_000_000;
/// How deep elements may lie in each other; browsers stop there, too.
const DEEPEST: usize = 512;
/// How many elements that only format may be open at once. The parser repeats them all in every
/// paragraph.
const MOST_FORMATTING: usize = 16;

/// Elements that end by themselves where another one begins, or have no elements in them: they
/// do not lie in their like.
const FLAT: [&str; 53] = [
    "html",
    "head",
    "body",
    "p",
    "li",
    "dd",
    "dt",
    "option",
    "optgroup",
    "rb",
    "rp",
    "rt",
    "rtc",
    "tr",
    "td",
    "th",
    "tbody",
    "thead",
    "tfoot",
    "colgroup",
    "caption",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "script",
    "style",
    "title",
    "textarea",
    "xmp",
    "iframe",
    "noframes",
    "noembed",
    "plaintext",
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "param",
    "source",
    "track",
    "wbr",
    "keygen",
    "frame",
    "image",
];

/// Elements that say how text looks.
const FORMATTING: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];

/// What makes an element more than its looks: it may be hidden.
const TELLING: [&str; 4] = ["hidden", "style", "aria-hidden", "role"];

/// Parses a page, whose elements are taken off those that are `left`.
pub(super) fn parse(text: &str, left: &mut usize) -> Result<RcDom> {
    let builder = TreeBuilder::new(RcDom::default(), TreeBuilderOpts::default());
    let shallow = Shallow {
        builder,
        open: RefCell::default(),
        left: Cell::new((*left).min(MOST_IN_PAGE)),
        is_full: Cell::new(false),
    };
    let before = shallow.left.get();
    let tokenizer = Tokenizer::new(shallow, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(text));
    // Scripts are never run, so the tokenizer only pauses at them.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    let shallow = tokenizer.sink;
    if shallow.is_full.get() {
        return Err(Error::input(format!(
            "the document has too many elements: at most {MOST_IN_PAGE} are read in a page or \
             chapter, and {MOST_ELEMENTS} in all; hand in a part of it"
        )));
    }
    *left -= before - shallow.left.get();
    Ok(shallow.builder.sink)
}

struct Shallow {
    builder: TreeBuilder<Handle, RcDom>,
    open: RefCell<Open>,
    /// How many elements the page may still have.
    left: Cell<usize>,
    is_full: Cell<bool>,
}

impl Shallow {
    /// Whether there is room for what the parser makes of a token. Texts lie between elements, so
    /// that they need not be counted.
    fn has_room(&self, token: &Token) -> bool {
        let made = match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                // Those that format may be repeated in every paragraph.
                1 + tag.attrs.len() + self.open.borrow().formatting
            }
            // Some tags that only end make an element, too.
            Token::TagToken(_) | Token::CommentToken(_) => 1,
            _ => 0,
        };
        let left = self.left.get().checked_sub(made);
        self.left.set(left.unwrap_or_default());
        self.is_full.set(self.is_full.get() || left.is_none());
        !self.is_full.get()
    }
}

/// The elements that are open.
#[derive(Default)]
struct Open {
    /// By name, whether the parser knows of each.
    kept: BTreeMap<String, Vec<bool>>,
    depth: usize,
    formatting: usize,
}

impl Open {
    /// Whether a tag is for the parser.
    fn take(&mut self, tag: &Tag) -> bool {
        let name = &*tag.name;
        if FLAT.contains(&name) {
            return true;
        }
        let is_formatting = FORMATTING.contains(&name);
        let count = if is_formatting {
            &mut self.formatting
        } else {
            &mut self.depth
        };
        if tag.kind == TagKind::EndTag {
            let kept = self.kept.get_mut(name).and_then(Vec::pop);
            if kept == Some(true) {
                *count = count.saturating_sub(1);
            }
            return kept != Some(false);
        }
        let telling = || {
            let mut names = tag.attrs.iter().map(|attribute| &*attribute.name.local);
            names.any(|name| TELLING.contains(&name))
        };
        let kept = if is_formatting {
            *count < MOST_FORMATTING && telling()
        } else {
            *count < DEEPEST
        };
        *count += usize::from(kept);
        self.kept.entry(name.to_owned()).or_default().push(kept);
        kept
    }
}

impl TokenSink for Shallow {
    type Handle = Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Handle> {
        if !self.has_room(&token) {
            return TokenSinkResult::Continue;
        }
        if let Token::TagToken(tag) = &token {
            // In pictures and formulas such an element is complete.
            let complete =
                tag.self_closing && self.adjusted_current_node_present_but_not_in_html_namespace();
            if !complete && !self.open.borrow_mut().take(tag) {
                return TokenSinkResult::Continue;
            }
        }
        self.builder.process_token(token, line)
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder
            .adjusted_current_node_present_but_not_in_html_namespace()
    }
}
