use std::borrow::Cow;

use memu_core::provider::Reading;

use super::conversation::{Conversation, Message};
use super::fault::{Fallible, Fault};
use super::line::{Opening, opening};
use super::moment::Moment;
use super::source::Source;

/// Reads `Name: text` lines. A line that opens no message continues the one
/// before it; lines before the first speaker are a message of nobody.
pub(super) fn read(source: &Source<'_>) -> Fallible<Reading> {
    let text = source.text();
    let mut conversation = Conversation::new(source);
    let mut style = None;
    let mut open = None;
    let mut text_start = 0;
    for (start, line) in lines(text) {
        let Some(found) = opening(line).filter(|found| opens(found, style)) else {
            continue;
        };
        style = style.or_else(|| Style::of(&found));
        add(&mut conversation, open, text.get(text_start..start));
        text_start = start + found.text_start;
        open = Some(found);
    }
    if style.is_none() {
        return Err(Fault::new(NO_SPEAKER));
    }
    add(&mut conversation, open, text.get(text_start..));
    conversation.finish()
}

const NO_SPEAKER: &str = "no speaker found: a conversation is JSON (`[{\"role\": \"user\", \
     \"content\": \"…\"}]`, or an object with such a list under `messages`, `conversation`, \
     `turns` or `content`), JSON Lines with one message a line, or text with lines such as \
     `Anna: hello`; for other text, use the modality document";

/// Whether a text is a transcript beyond doubt: its first line has a speaker, and
/// so has another.
pub(super) fn is_transcript(text: &str) -> bool {
    let mut filled = lines(text).filter(|(_, line)| !line.trim().is_empty());
    let speaks = |(_, line): (usize, &str)| opening(line).is_some_and(|o| o.label.is_some());
    filled.next().is_some_and(speaks) && filled.any(speaks)
}

/// How the messages of a transcript begin, as its first speaker shows. Only the
/// beginning decides, so that a transcript that grows is read the same way.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Style {
    /// With a time: a line without one continues the message, colon or not.
    Stamped,
    /// With a role word; `Note:` in an assistant's answer is no speaker.
    Roles,
    /// With a name in capitals.
    Names,
    /// With a handle in lower case.
    Handles,
}

impl Style {
    fn of(found: &Opening<'_>) -> Option<Self> {
        found.label?;
        Some(match found {
            found if found.stamp.is_some() => Self::Stamped,
            found if found.is_role() => Self::Roles,
            found if found.is_capitalised() => Self::Names,
            _ => Self::Handles,
        })
    }
}

fn opens(found: &Opening<'_>, style: Option<Style>) -> bool {
    match style {
        None | Some(Style::Handles) => true,
        Some(Style::Stamped) => found.stamp.is_some(),
        Some(Style::Roles) => found.is_role(),
        Some(Style::Names) => found.is_capitalised(),
    }
}

/// The lines with their offsets, without their ends.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = from;
        from += line.len();
        (start, line.trim_end_matches(['\n', '\r']))
    })
}

fn add(conversation: &mut Conversation<'_>, open: Option<Opening<'_>>, text: Option<&str>) {
    let text = text.unwrap_or_default().trim();
    let Some(found) = open else {
        if !text.is_empty() {
            conversation.add(Message {
                text: Cow::Borrowed(text),
                ..Message::default()
            });
        }
        return;
    };
    let (role, speaker) = found.speaker();
    conversation.add(Message {
        role,
        speaker,
        text: Cow::Borrowed(text),
        moment: found.stamp.map(Moment::written).unwrap_or_default(),
        ..Message::default()
    });
}
