use memu_core::records::Role;

use super::content::{Content, TEXT_FIELDS};
use super::conversation::Message;
use super::fault::Fallible;
use super::moment::Moment;
use super::node::{Node, Object};
use super::pointer::Pointer;

/// Fields that name the speaker.
const SPEAKER_FIELDS: [&str; 6] = ["name", "speaker", "author", "from", "sender", "username"];
const ID_FIELDS: [&str; 4] = ["id", "message_id", "dia_id", "uuid"];
const SESSION_FIELDS: [&str; 3] = ["session", "session_id", "sessionId"];
const CAPTION_FIELDS: [&str; 3] = ["caption", "blip_caption", "image_caption"];
const TIME_FIELDS: [&str; 4] = ["created_at", "timestamp", "datetime", "ts"];
const CONVERSATION_FIELDS: [&str; 2] = ["conversation_id", "thread_id"];

/// Reads a message object in any of the common layouts.
pub(super) fn read_message<'n>(
    object: &'n Object<'_>,
    pointer: &Pointer<'_>,
) -> Fallible<Message<'n>> {
    let (role, speaker) = read_speaker(object, pointer)?;
    let caption = read_caption(object, pointer)?;
    let (text, caption) = Content::of(object, pointer)?.into_parts(caption.as_deref());
    Ok(Message {
        role,
        speaker,
        id: read_scalar(object, &ID_FIELDS, pointer)?,
        session: read_scalar(object, &SESSION_FIELDS, pointer)?,
        text,
        caption,
        moment: read_moment(object, pointer)?,
    })
}

/// Whether an object has what makes a message, so that it is not the envelope of
/// a conversation.
pub(super) fn looks_like_message(object: &Object<'_>) -> bool {
    let speaks = ["role", "speaker", "author", "from", "sender"]
        .iter()
        .any(|field| object.get(field).is_some());
    let says = TEXT_FIELDS.iter().find_map(|field| object.get(field));
    match says {
        Some(Node::Array(_)) => speaks,
        Some(_) => true,
        None => speaks && object.get("tool_calls").is_some(),
    }
}

/// The id that a lone message carries of its conversation.
pub(super) fn conversation_id(object: &Object<'_>) -> Option<String> {
    read_scalar(object, &CONVERSATION_FIELDS, &Pointer::ROOT)
        .ok()
        .flatten()
}

/// The first of these fields as text; numbers and booleans as they are written.
pub(super) fn read_scalar(
    object: &Object<'_>,
    fields: &[&'static str],
    pointer: &Pointer<'_>,
) -> Fallible<Option<String>> {
    let Some((name, node)) = object.first(fields) else {
        return Ok(None);
    };
    match node {
        Node::Text(text) if text.trim().is_empty() => Ok(None),
        Node::Text(text) => Ok(Some(text.to_string())),
        Node::Number(_) | Node::Bool(_) => Ok(Some(node.to_string())),
        _ => Err(pointer.field(name).unexpected("a text or a number", node)),
    }
}

fn read_caption(object: &Object<'_>, pointer: &Pointer<'_>) -> Fallible<Option<String>> {
    let Some((name, node)) = object.first(&CAPTION_FIELDS) else {
        return Ok(None);
    };
    let caption = match node {
        Node::Text(text) => text.to_string(),
        Node::Array(items) if items.iter().all(|item| item.as_text().is_some()) => {
            let captions: Vec<_> = items.iter().filter_map(Node::as_text).collect();
            captions.join("; ")
        }
        _ => {
            return Err(pointer
                .field(name)
                .unexpected("a text or a list of texts", node));
        }
    };
    Ok((!caption.trim().is_empty()).then_some(caption))
}

fn read_moment(object: &Object<'_>, pointer: &Pointer<'_>) -> Fallible<Moment> {
    if let (None, Some(Node::Text(date)), Some(Node::Text(time))) = (
        object.first(&TIME_FIELDS),
        object.get("date"),
        object.get("time"),
    ) {
        return Ok(Moment::written(&format!("{} {}", date.trim(), time.trim())));
    }
    let found = object
        .first(&TIME_FIELDS)
        .or_else(|| object.first(&["time", "date"]));
    match found {
        None => Ok(Moment::default()),
        Some((_, Node::Text(text))) => Ok(Moment::written(text)),
        Some((_, Node::Number(number))) => Ok(Moment::unix(number)),
        Some((name, node)) => Err(pointer
            .field(name)
            .unexpected("a time as text or as a Unix number", node)),
    }
}

fn read_speaker(
    object: &Object<'_>,
    pointer: &Pointer<'_>,
) -> Fallible<(Option<Role>, Option<String>)> {
    let mut role = match object.get("role") {
        None => None,
        Some(Node::Text(text)) => Some(text.as_ref()),
        Some(node) => return Err(pointer.field("role").unexpected("a text", node)),
    };
    let mut name = None;
    match object.first(&SPEAKER_FIELDS) {
        Some((field, Node::Object(person))) => {
            let field = pointer.field(field);
            name = read_scalar(person, &["name", "username", "first_name", "id"], &field)?;
            role = role.or_else(|| person.first_text(&["role"]));
        }
        Some(_) => name = read_scalar(object, &SPEAKER_FIELDS, pointer)?,
        None => {}
    }
    let role = role.or_else(|| wrapped_role(object, name.is_some()));
    Ok(attribute(role, name.as_deref()))
}

/// The role of a message that is wrapped in its envelope (`{"message": {"role":
/// …, "content": …}}`), or that calls its role a type.
fn wrapped_role<'n>(object: &'n Object<'_>, named: bool) -> Option<&'n str> {
    let (_, content) = object.first(&TEXT_FIELDS)?;
    let inner = content
        .as_object()
        .and_then(|inner| inner.first_text(&["role"]));
    inner.or_else(|| {
        let kind = object.first_text(&["type"])?;
        (!named && Role::from_name(kind).is_some()).then_some(kind)
    })
}

/// Sorts out role and name: a role that is no role is a name, a name that is a
/// role is none.
pub(super) fn attribute(role: Option<&str>, name: Option<&str>) -> (Option<Role>, Option<String>) {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let known = role.and_then(Role::from_name);
    let name = name.or_else(|| role.filter(|role| known.is_none() && is_name(role)));
    match (known, name.and_then(Role::from_name)) {
        (None, Some(role)) => (Some(role), None),
        (Some(role), Some(named)) if role == named => (Some(role), None),
        _ => (known, name.map(|name| name.trim().to_owned())),
    }
}

/// Words that formats use as roles and that name nobody.
const NOBODY: [&str; 12] = [
    "unknown", "none", "null", "other", "event", "info", "log", "error", "note", "metadata",
    "summary", "context",
];

/// Whether an unknown role may be a person: up to four words that begin with
/// letters.
fn is_name(role: &str) -> bool {
    let role = role.trim();
    let words = role.split_whitespace().count();
    (1..=4).contains(&words)
        && role.len() <= 64
        && role
            .split_whitespace()
            .all(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '('))
        && !NOBODY.contains(&role.to_lowercase().as_str())
}
