//! Pages of the web: their words, without what serves to show or to steer them.

mod charset;
mod element;
mod shallow;
mod writer;

use std::rc::Rc;

use markup5ever_rcdom::{Handle, NodeData};
use memu_core::Result;

use crate::block::{Document, one_line};
use element::{Element, Place};
use writer::Writer;

/// How many elements the pages of one document may have; a thick dictionary has a million.
pub(crate) const MOST_ELEMENTS: usize = 2_000_000;

/// Reads a page, in HTML or in XHTML, as books have them. There is no page that cannot be read,
/// but one may have too many elements: those that may still come are counted in `left`.
pub(crate) fn read(bytes: &[u8], media_type: Option<&str>, left: &mut usize) -> Result<Document> {
    read_text(&charset::decode(bytes, media_type), left)
}

fn read_text(text: &str, left: &mut usize) -> Result<Document> {
    // Parsing as HTML reads broken XHTML, too. Only this it would misunderstand.
    let text = unclose_empty(text);
    let page = shallow::parse(&text, left)?;
    Ok(walk(&page.document))
}

/// In XML an empty `<title/>` or `<script/>` is complete; in HTML all that follows is its text.
fn unclose_empty(text: &str) -> std::borrow::Cow<'_, str> {
    const RAW: [&str; 4] = ["title", "script", "style", "textarea"];
    let is_xml = text.trim_start().starts_with("<?xml");
    if !is_xml || !text.contains("/>") {
        return text.into();
    }
    let mut closed = String::with_capacity(text.len());
    for piece in text.split_inclusive("/>") {
        let empty = piece.strip_suffix("/>").and_then(|body| {
            let (before, tag) = body.rsplit_once('<')?;
            let name = tag.split(|c: char| c.is_whitespace()).next()?;
            RAW.contains(&name).then_some((before, tag, name))
        });
        match empty {
            Some((before, tag, name)) => {
                closed.extend([before, "<", tag, "></", name, ">"]);
            }
            None => closed.push_str(piece),
        }
    }
    closed.into()
}

/// Something to be done on the way through a page.
enum Task {
    Enter(Handle),
    Leave(Place),
}

/// Goes through all nodes in order, by a stack of its own: pages may be nested as deep as they
/// like.
fn walk(root: &Handle) -> Document {
    let mut document = Document::default();
    let mut writer = Writer::default();
    let mut tasks = vec![Task::Enter(Rc::clone(root))];
    while let Some(task) = tasks.pop() {
        let node = match task {
            Task::Leave(place) => {
                writer.leave(place);
                continue;
            }
            Task::Enter(node) => node,
        };
        let place = match &node.data {
            NodeData::Text { contents } => {
                writer.text(&contents.borrow());
                continue;
            }
            NodeData::Document => None,
            NodeData::Element { name, attrs, .. } => {
                let attributes = attrs.borrow();
                let element = Element::new(&name.local, &attributes);
                if element.name == "title" && document.title.is_none() {
                    document.title = title(&node);
                }
                if element.is_left_out() {
                    continue;
                }
                if let Some(words) = element.stands_for() {
                    writer.text(&words);
                }
                element.place()
            }
            NodeData::Comment { .. }
            | NodeData::Doctype { .. }
            | NodeData::ProcessingInstruction { .. } => continue,
        };
        if let Some(place) = place {
            writer.enter(place);
            tasks.push(Task::Leave(place));
        }
        let children = node.children.borrow();
        tasks.extend(
            children
                .iter()
                .rev()
                .map(|child| Task::Enter(Rc::clone(child))),
        );
    }
    document.blocks = writer.finish();
    document
}

fn title(node: &Handle) -> Option<String> {
    let mut text = String::new();
    for child in node.children.borrow().iter() {
        if let NodeData::Text { contents } = &child.data {
            text.push_str(&contents.borrow());
        }
    }
    Some(one_line(&text)).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests;
