use memu_core::provider::Reading;
use serde::Deserialize;
use serde_json::Deserializer;

use super::conversation::Conversation;
use super::fault::{Fallible, Fault};
use super::message::{conversation_id, looks_like_message, read_message, read_scalar};
use super::node::{Node, Object};
use super::pointer::Pointer;
use super::source::{Source, line_and_column};

/// Fields under which a conversation holds its messages.
const MESSAGE_FIELDS: [&str; 4] = ["messages", "conversation", "turns", "content"];
const ID_FIELDS: [&str; 3] = ["id", "conversation_id", "thread_id"];

const EXPECTED_ROOT: &str = "a list of messages, or an object that holds one under `messages`, \
                             `conversation`, `turns` or `content`";
const EXPECTED_ENTRY: &str = "a message object such as {\"role\": \"user\", \"content\": \"…\"}";

/// Reads a conversation from JSON or JSON Lines.
pub(super) fn read(source: &Source<'_>) -> Fallible<Reading> {
    let text = source.text();
    let mut values = Deserializer::from_str(text).into_iter::<Node<'_>>();
    let first = match values.next() {
        Some(Ok(first)) => first,
        Some(Err(error)) => return Err(broken_document(text, &error)),
        None => return Err(Fault::new("the input is empty")),
    };
    let end = values.byte_offset();
    let rest = text.get(end..).unwrap_or_default();
    let mut conversation = Conversation::new(source);
    if rest.trim().is_empty() {
        read_document(&first, &mut conversation)?;
    } else if is_first_of_lines(text, end) {
        drop(first);
        read_lines(text, &mut conversation)?;
    } else {
        let at = end + (rest.len() - rest.trim_start().len());
        let (line, column) = line_and_column(text, at);
        return Err(Fault::new(
            "the JSON is broken: characters after its end; \
             for JSON Lines, put one object on each line",
        )
        .at("line", line)
        .at("column", column));
    }
    conversation.finish()
}

/// Whether the value that ends at `end` fills the first line, as in JSON Lines.
fn is_first_of_lines(text: &str, end: usize) -> bool {
    let value = text.get(..end).unwrap_or_default().trim_start();
    let rest = text.get(end..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    value.starts_with('{') && !value.contains('\n') && line.trim().is_empty()
}

/// The fault of a document that is not JSON. When its second line begins an
/// object of its own, it is JSON Lines and the first line is what is broken.
fn broken_document(text: &str, error: &serde_json::Error) -> Fault {
    let mut lines = text
        .split('\n')
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    if let (Some((number, first)), Some((_, second))) = (lines.next(), lines.next())
        && first.trim_start().starts_with('{')
        && second.trim_start().starts_with('{')
        && let Err(error) = serde_json::from_str::<Node<'_>>(first)
    {
        return broken(&error).in_line(number + 1);
    }
    broken(error)
}

fn broken(error: &serde_json::Error) -> Fault {
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default();
    let message = if reason.contains("surrogate") || reason.contains("end of hex escape") {
        "the JSON is broken: half of a surrogate pair, an escape such as \\ud83d without its \
         other half"
            .to_owned()
    } else {
        format!("the JSON is broken: {reason}")
    };
    Fault::new(message)
        .at("line", error.line())
        .at("column", error.column())
}

fn read_lines(text: &str, conversation: &mut Conversation<'_>) -> Fallible<()> {
    for (index, line) in text.split('\n').enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        read_line(line, conversation).map_err(|fault| fault.in_line(index + 1))?;
    }
    Ok(())
}

fn read_line(line: &str, conversation: &mut Conversation<'_>) -> Fallible<()> {
    let mut deserializer = Deserializer::from_str(line);
    let entry = Node::deserialize(&mut deserializer).map_err(|error| broken(&error))?;
    deserializer.end().map_err(|error| broken(&error))?;
    read_entry(&entry, &Pointer::ROOT, conversation)
}

fn read_document(root: &Node<'_>, conversation: &mut Conversation<'_>) -> Fallible<()> {
    match root {
        Node::Array(entries) => read_entries(entries, &Pointer::ROOT, conversation),
        Node::Object(object) if messages_of(object).is_some() || looks_like_message(object) => {
            read_entry(root, &Pointer::ROOT, conversation)
        }
        Node::Object(object) => match object.get("conversations") {
            Some(Node::Array(parts)) => {
                read_entries(parts, &Pointer::ROOT.field("conversations"), conversation)
            }
            _ => Err(unknown_shape(object)),
        },
        _ => Err(Pointer::ROOT.unexpected(EXPECTED_ROOT, root)),
    }
}

fn unknown_shape(object: &Object<'_>) -> Fault {
    let fields: Vec<_> = object.field_names().take(8).collect();
    let found = if fields.is_empty() {
        "an object without fields".to_owned()
    } else {
        format!("an object with the fields {}", fields.join(", "))
    };
    Fault::new(format!("expected {EXPECTED_ROOT}; found {found}"))
}

fn read_entries(
    entries: &[Node<'_>],
    pointer: &Pointer<'_>,
    conversation: &mut Conversation<'_>,
) -> Fallible<()> {
    entries
        .iter()
        .enumerate()
        .try_for_each(|(index, entry)| read_entry(entry, &pointer.index(index), conversation))
}

/// Reads a message, or a conversation that is one of several.
fn read_entry(
    entry: &Node<'_>,
    pointer: &Pointer<'_>,
    conversation: &mut Conversation<'_>,
) -> Fallible<()> {
    let Some(object) = entry.as_object() else {
        return Err(pointer.unexpected(EXPECTED_ENTRY, entry));
    };
    let Some((field, messages)) = messages_of(object) else {
        conversation.identify(conversation_id(object));
        conversation.add(read_message(object, pointer)?);
        return Ok(());
    };
    conversation.start_part();
    conversation.identify(read_scalar(object, &ID_FIELDS, pointer)?);
    let pointer = &pointer.field(field);
    let Some(messages) = messages.as_array() else {
        return Err(pointer.unexpected("a list of messages", messages));
    };
    messages
        .iter()
        .enumerate()
        .try_for_each(|(index, message)| {
            let pointer = pointer.index(index);
            let Some(object) = message.as_object() else {
                return Err(pointer.unexpected(EXPECTED_ENTRY, message));
            };
            conversation.add(read_message(object, &pointer)?);
            Ok(())
        })
}

/// The messages of a conversation object; `None` for anything else, a message
/// with a list of parts included.
fn messages_of<'n, 'a>(object: &'n Object<'a>) -> Option<(&'static str, &'n Node<'a>)> {
    let (name, node) = object.first(&MESSAGE_FIELDS)?;
    let is_list = node.as_array().is_some() && name != "content";
    (is_list || !looks_like_message(object)).then_some((name, node))
}
