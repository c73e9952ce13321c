use std::fmt;

use jiff::civil;
use serde::{Deserialize, Serialize};

use super::{Id, Meta};

/// Who speaks, as the caller's format says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person whose memory it is.
    User,
    /// The agent.
    Assistant,
    /// Instructions to the agent.
    System,
    /// The result of a tool.
    Tool,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::User, Self::Assistant, Self::System, Self::Tool];

    /// The stable name, as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
            Self::Tool => "tool",
        }
    }

    /// The role that a format means by `name`: its own names and the common
    /// aliases (`human`, `ai`, `bot`, `model`, `developer`, `function`).
    pub fn from_name(name: &str) -> Option<Self> {
        match name.trim().to_lowercase().as_str() {
            "user" | "human" => Some(Self::User),
            "assistant" | "ai" | "bot" | "model" | "agent" => Some(Self::Assistant),
            "system" | "developer" => Some(Self::System),
            "tool" | "function" => Some(Self::Tool),
            _ => None,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a segment's text lies in the bytes of its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

/// One message of a conversation, or a passage of about 100 words of a document:
/// the evidence that items cite and that retrieval ranks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Segment {
    /// Identity, scope and times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The resource it is part of.
    pub resource_id: Id,
    /// Its place in the resource, from 0.
    pub ordinal: u32,
    /// The session it belongs to, from 0 within its resource: as the input says,
    /// otherwise split at pauses of more than six hours.
    pub session: u32,
    /// The topic it belongs to, from 0 within its resource: a run of segments
    /// about one subject.
    pub topic: u32,
    /// Who speaks, by role; `None` where the input has no roles.
    pub role: Option<Role>,
    /// Who speaks, by name; `None` where the input has no names.
    pub speaker: Option<String>,
    /// The caller's own id of the message.
    pub message_id: Option<String>,
    /// What was said or written.
    pub text: String,
    /// What an attached picture shows, or the headings above a passage.
    pub caption: Option<String>,
    /// What the topic is about, in a few words; on the first segment of a topic.
    pub topic_caption: Option<String>,
    /// Where the text lies in the resource; `None` where escapes make the two
    /// differ.
    pub span: Option<Span>,
    /// When it was said, on the speaker's wall clock.
    pub happened_at: Option<civil::DateTime>,
    /// The time as the input wrote it, zone included.
    pub happened_at_text: Option<String>,
}

impl Segment {
    /// Who to attribute the text to: the name, else "the user" or "the assistant"
    /// by role, else nobody.
    pub fn attribution(&self) -> Option<&str> {
        match (&self.speaker, self.role) {
            (Some(name), _) => Some(name),
            (None, Some(Role::User)) => Some("the user"),
            (None, Some(Role::Assistant)) => Some("the assistant"),
            (None, Some(Role::System)) => Some("the system"),
            (None, Some(Role::Tool)) => Some("the tool"),
            (None, None) => None,
        }
    }
}
