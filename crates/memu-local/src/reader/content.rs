use std::borrow::Cow;

use super::fault::Fallible;
use super::node::{Node, Object};
use super::pointer::Pointer;

/// Fields that hold a message's text, most specific first.
pub(super) const TEXT_FIELDS: [&str; 5] = ["content", "text", "message", "body", "value"];

/// Fields of a part that hold its text.
const PART_FIELDS: [&str; 6] = ["text", "content", "parts", "value", "body", "transcript"];

/// Fields that say in words what a picture shows.
const ALT_FIELDS: [&str; 5] = ["alt", "alt_text", "caption", "description", "text"];

/// What a message says, gathered from a text, an object with a text, or a list of
/// such parts.
#[derive(Debug, Default)]
pub(super) struct Content<'n> {
    texts: Vec<Cow<'n, str>>,
    captions: Vec<&'n str>,
    /// What is there beside text, such as `[image]`.
    notes: Vec<String>,
    /// Bare strings in a list continue one line; typed parts are paragraphs.
    inline: bool,
}

impl<'n> Content<'n> {
    /// Gathers the text of a message.
    pub(super) fn of(object: &'n Object<'_>, pointer: &Pointer<'_>) -> Fallible<Self> {
        let mut content = Self::default();
        if let Some((name, node)) = object.first(&TEXT_FIELDS) {
            content.gather(node, &pointer.field(name))?;
        }
        if content.is_blank() {
            content.texts.extend(tool_calls(object).map(Cow::Owned));
        }
        Ok(content)
    }

    fn gather(&mut self, node: &'n Node<'_>, pointer: &Pointer<'_>) -> Fallible<()> {
        match node {
            Node::Null => Ok(()),
            Node::Text(text) => {
                self.texts.push(Cow::Borrowed(text));
                Ok(())
            }
            Node::Object(object) => self.gather_part(object, pointer),
            Node::Array(parts) => parts.iter().enumerate().try_for_each(|(index, part)| {
                self.inline |= matches!(part, Node::Text(_));
                self.gather(part, &pointer.index(index))
            }),
            Node::Bool(_) | Node::Number(_) => {
                Err(pointer.unexpected("a text, an object with a text, or a list of parts", node))
            }
        }
    }

    fn gather_part(&mut self, part: &'n Object<'_>, pointer: &Pointer<'_>) -> Fallible<()> {
        let kind = part.first_text(&["type"]);
        if kind.is_some_and(|kind| kind.contains("image")) || part.get("image_url").is_some() {
            match part.first_text(&ALT_FIELDS) {
                Some(alt) if !alt.trim().is_empty() => self.captions.push(alt),
                _ => self.notes.push("[image]".to_owned()),
            }
            return Ok(());
        }
        if let Some((name, node)) = part.first(&PART_FIELDS) {
            return self.gather(node, &pointer.field(name));
        }
        if let Some(call) = tool_call(part) {
            self.texts.push(Cow::Owned(call));
        } else if let Some(kind) = kind {
            self.notes.push(format!("[{kind}]"));
        }
        Ok(())
    }

    fn is_blank(&self) -> bool {
        self.texts.iter().all(|text| text.trim().is_empty())
    }

    /// The text and the captions of pictures. A note stands in for the text only
    /// where there is nothing else.
    pub(super) fn into_parts(mut self, caption: Option<&str>) -> (Cow<'n, str>, Option<String>) {
        let captions: Vec<_> = caption.into_iter().chain(self.captions.drain(..)).collect();
        let blank = self.is_blank();
        let text = if blank && captions.is_empty() && !self.notes.is_empty() {
            Cow::Owned(self.notes.join(" "))
        } else if self.texts.len() > 1 {
            Cow::Owned(self.texts.join(if self.inline { "" } else { "\n" }))
        } else {
            self.texts.pop().unwrap_or_default()
        };
        let caption = (!captions.is_empty()).then(|| captions.join("; "));
        (text, caption)
    }
}

/// The calls that an assistant's message consists of, one a line.
fn tool_calls(message: &Object<'_>) -> Option<String> {
    let calls = match message.get("tool_calls") {
        Some(Node::Array(calls)) => calls
            .iter()
            .filter_map(|call| tool_call(call.as_object()?))
            .collect(),
        _ => Vec::new(),
    };
    if calls.is_empty() {
        return tool_call(message.get("function_call")?.as_object()?);
    }
    Some(calls.join("\n"))
}

/// `name(arguments)` of a call, whether its arguments are JSON or JSON in a text.
fn tool_call(call: &Object<'_>) -> Option<String> {
    let function = call
        .get("function")
        .and_then(Node::as_object)
        .unwrap_or(call);
    let name = function.first_text(&["name"])?;
    let arguments = match function.first(&["arguments", "input", "args"]) {
        Some((_, Node::Text(text))) => text.to_string(),
        Some((_, node)) => node.to_string(),
        None => String::new(),
    };
    Some(format!("{name}({arguments})"))
}
