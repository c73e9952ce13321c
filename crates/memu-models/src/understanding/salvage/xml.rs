use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::scan::Attempt;
use super::tag::{self, Tag};
use super::{MAX_DEPTH, Repair, Repairs, Root, Step, TEXT_KEY, insert};

/// Where the last closing tag of every name lies, which tells an element from a `<` in text.
pub(super) struct ClosingTags<'t>(HashMap<&'t str, usize>);

impl<'t> ClosingTags<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let names = text.match_indices("</").filter_map(|(at, _)| {
            let name = tag::name(text.get(at + 2..)?)?;
            Some((name, at))
        });
        Self(names.collect())
    }

    fn follows(&self, name: &str, at: usize) -> bool {
        self.0.get(name).is_some_and(|last| *last >= at)
    }
}

/// Reads the element that opens at `start`; `None` when the `<` there opens none.
pub(super) fn read(
    text: &str,
    start: usize,
    closing: &ClosingTags<'_>,
    repairs: &mut Repairs,
) -> Option<Attempt> {
    let tag = Tag::read(text.get(start..)?, repairs)?;
    let inside = text.get(start + tag.length..)?.trim_start();
    // A tag around JSON is only a wrapper.
    if inside.starts_with(['{', '[', '`']) {
        return None;
    }
    let closes = closing.follows(tag.name, start);
    // Without its end, what looks like a tag may be `Vec<String>`; only plain names may have
    // been cut off.
    let plain = tag.name.bytes().all(|byte| !byte.is_ascii_uppercase());
    if tag.empty || !closes && !plain {
        return None;
    }
    repairs.note(Repair::Xml);
    let mut reader = Reader {
        text,
        at: start + tag.length,
        open: vec![Element::of(tag)],
        closed: HashSet::new(),
        closing,
        repairs,
    };
    Some(reader.run())
}

struct Reader<'t, 'r> {
    text: &'t str,
    at: usize,
    /// The elements that are open, outermost first.
    open: Vec<Element<'t>>,
    /// The names of elements that were closed.
    closed: HashSet<&'t str>,
    closing: &'r ClosingTags<'t>,
    repairs: &'r mut Repairs,
}

struct Element<'t> {
    name: &'t str,
    members: Map<String, Value>,
    text: String,
}

impl<'t> Element<'t> {
    fn of(tag: Tag<'t>) -> Self {
        Self {
            name: tag.name,
            members: tag.attributes,
            text: String::new(),
        }
    }

    /// Text alone is a string; beside members it is one of them.
    fn into_value(mut self) -> Value {
        let text = self.text.trim();
        if self.members.is_empty() {
            return Value::String(text.to_owned());
        }
        if !text.is_empty() {
            self.members
                .insert(TEXT_KEY.to_owned(), Value::String(text.to_owned()));
        }
        Value::Object(self.members)
    }
}

impl<'t> Reader<'t, '_> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn run(&mut self) -> Attempt {
        while !self.rest().is_empty() {
            if let Some(root) = self.step() {
                return Attempt {
                    root: Some(root),
                    end: self.at,
                    ran_out: false,
                };
            }
        }
        self.repairs.note(Repair::CutOff);
        Attempt {
            root: self.fold(),
            end: self.at,
            ran_out: true,
        }
    }

    fn step(&mut self) -> Option<Root> {
        let rest = self.rest();
        if let Some(inside) = rest.strip_prefix("</") {
            return self.closing_tag(inside);
        }
        if self.skip_special(rest) || self.opening_tag(rest) {
            return None;
        }
        // Up to the next `<`; one that begins nothing is text, too.
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == '<');
        self.literal(
            rest.get(..end.map_or(rest.len(), |(end, _)| end))
                .unwrap_or(rest),
        )
    }

    fn literal(&mut self, text: &str) -> Option<Root> {
        self.at += text.len();
        if let Some(top) = self.open.last_mut() {
            tag::decode(text, &mut top.text, self.repairs);
        }
        None
    }

    /// Skips comments and instructions, and takes over literal text.
    fn skip_special(&mut self, rest: &str) -> bool {
        for (opening, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
            let Some(inside) = rest.strip_prefix(opening) else {
                continue;
            };
            let length = inside.find(end);
            let body = inside.get(..length.unwrap_or(inside.len()));
            if opening == "<![CDATA["
                && let (Some(top), Some(body)) = (self.open.last_mut(), body)
            {
                top.text.push_str(body);
            } else {
                self.repairs.note(Repair::Comment);
            }
            self.at += opening.len() + length.map_or(inside.len(), |length| length + end.len());
            return true;
        }
        false
    }

    fn opening_tag(&mut self, rest: &'t str) -> bool {
        if self.open.len() >= MAX_DEPTH {
            return false;
        }
        let Some(tag) = Tag::read(rest, self.repairs) else {
            return false;
        };
        let structural =
            tag.empty || self.closing.follows(tag.name, self.at) || self.closed.contains(tag.name);
        if !structural {
            return false;
        }
        self.at += tag.length;
        let empty = tag.empty;
        self.open.push(Element::of(tag));
        if empty && let Some(element) = self.open.pop() {
            self.finish(element);
        }
        true
    }

    /// Closes the element of this name and those inside of it that were not closed.
    fn closing_tag(&mut self, inside: &'t str) -> Option<Root> {
        let Some(end) = inside.find(['>', '<']) else {
            self.at = self.text.len();
            return None;
        };
        let name = inside.get(..end).unwrap_or_default().trim();
        if !inside.get(end..).is_some_and(|rest| rest.starts_with('>')) {
            return self.literal("</");
        }
        let known = self.open.iter().any(|element| element.name == name);
        self.at += end + 3;
        if !known {
            if let Some(top) = self.open.last_mut() {
                // The end of some formatting, or one too many.
                top.text.extend(["</", name, ">"]);
            }
            return None;
        }
        while let Some(element) = self.open.pop() {
            let done = element.name == name;
            if !done {
                self.repairs.note(Repair::Unbalanced);
            }
            if let Some(root) = self.finish(element) {
                return Some(root);
            }
            if done {
                break;
            }
        }
        None
    }

    fn finish(&mut self, element: Element<'t>) -> Option<Root> {
        let name = element.name;
        self.closed.insert(name);
        let value = element.into_value();
        match self.open.last_mut() {
            Some(outer) => {
                insert(&mut outer.members, name.to_owned(), value, true);
                None
            }
            None => Some(Root {
                value: Value::Object(Map::from_iter([(name.to_owned(), value)])),
                cut: None,
            }),
        }
    }

    /// What is complete of elements that were not closed. Text that was cut off is left out.
    fn fold(&mut self) -> Option<Root> {
        if self.open.iter().all(|element| element.members.is_empty()) {
            return None;
        }
        let mut cut = Vec::new();
        let mut inner: Option<(&str, Value)> = None;
        while let Some(mut element) = self.open.pop() {
            if let Some((name, value)) = inner.take() {
                let mut steps = insert(&mut element.members, name.to_owned(), value, true);
                steps.append(&mut cut);
                cut = steps;
            }
            if !element.members.is_empty() {
                inner = Some((element.name, Value::Object(element.members)));
            }
        }
        let (name, value) = inner?;
        cut.insert(0, Step::Key(name.to_owned()));
        Some(Root {
            value: Value::Object(Map::from_iter([(name.to_owned(), value)])),
            cut: Some(cut),
        })
    }
}
