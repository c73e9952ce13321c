use std::borrow::Cow;

use memu_core::provider::{Draft, Reading};
use memu_core::records::Role;

use super::fault::{Fallible, Fault};
use super::moment::Moment;
use super::sessions::Sessions;
use super::source::Source;
use crate::topics;

/// A message, whatever layout it was read from.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    pub(super) role: Option<Role>,
    pub(super) speaker: Option<String>,
    pub(super) id: Option<String>,
    pub(super) session: Option<String>,
    pub(super) text: Cow<'a, str>,
    pub(super) caption: Option<String>,
    pub(super) moment: Moment,
}

/// Collects messages into a reading.
#[derive(Debug)]
pub(super) struct Conversation<'s> {
    source: &'s Source<'s>,
    external_id: Option<String>,
    sessions: Sessions,
    seen: usize,
    drafts: Vec<Draft>,
}

impl<'s> Conversation<'s> {
    pub(super) fn new(source: &'s Source<'s>) -> Self {
        Self {
            source,
            external_id: None,
            sessions: Sessions::default(),
            seen: 0,
            drafts: Vec::new(),
        }
    }

    /// Sets the caller's own id of the conversation, unless an earlier part of
    /// the input had one.
    pub(super) fn identify(&mut self, id: Option<String>) {
        if self.external_id.is_none() && self.seen == 0 {
            self.external_id = id;
        }
    }

    /// What follows is another conversation of the same input: its sessions are
    /// its own.
    pub(super) fn start_part(&mut self) {
        self.sessions.start_conversation();
    }

    /// Adds a message; one without text and caption counts only for its session.
    pub(super) fn add(&mut self, message: Message<'_>) {
        self.seen += 1;
        let session = self
            .sessions
            .number(message.session.as_deref(), message.moment.civil);
        if message.text.trim().is_empty() && message.caption.is_none() {
            return;
        }
        self.drafts.push(Draft {
            session,
            topic: 0,
            role: message.role,
            speaker: message.speaker,
            message_id: message.id,
            span: self.source.span_of(&message.text),
            text: message.text.into_owned(),
            caption: message.caption,
            topic_caption: None,
            happened_at: message.moment.civil,
            happened_at_text: message.moment.text,
        });
    }

    /// The reading with its topics, unless there is no message in it.
    pub(super) fn finish(mut self) -> Fallible<Reading> {
        match (self.drafts.is_empty(), self.seen) {
            (false, _) => {
                topics::assign(&mut self.drafts);
                Ok(Reading {
                    external_id: self.external_id,
                    caption: None,
                    drafts: self.drafts,
                })
            }
            (true, 0) => Err(Fault::new("the conversation has no messages")),
            (true, seen) => Err(Fault::new(format!(
                "none of the {seen} messages has text under `content`, `text`, `message` or `body`"
            ))),
        }
    }
}
