use std::fmt::Write as _;

use memu_core::provider::CategoryTopic;
use memu_core::records::{Role, Segment};
use memu_core::time::civil;

use super::super::prompt::{Code, CustomPrompt, indented, one_line};

/// A stretch of a resource to draw memories from, and what they may be.
#[derive(Clone, Copy, Debug)]
pub struct SegmentTask<'a> {
    /// The messages or passages, each with a number of its own.
    pub messages: &'a [NumberedMessage],
    /// The types of memory that are wanted.
    pub memory_types: &'a [MemoryType],
    /// The categories to file under.
    pub categories: &'a [CategoryTopic],
}

/// A message of a conversation or a passage of a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NumberedMessage {
    /// What memories cite it by.
    pub number: u32,
    /// Who speaks, by name.
    pub speaker: Option<String>,
    /// Who speaks, by role.
    pub role: Option<Role>,
    /// When it was said, on the wall clock.
    pub happened_at: Option<civil::DateTime>,
    /// What was said or written.
    pub text: String,
    /// What an attached picture shows, or the headings above a passage.
    pub caption: Option<String>,
}

impl NumberedMessage {
    /// A stored segment under a number.
    pub fn of(number: u32, segment: &Segment) -> Self {
        Self {
            number,
            speaker: segment.speaker.clone(),
            role: segment.role,
            happened_at: segment.happened_at,
            text: segment.text.clone(),
            caption: segment.caption.clone(),
        }
    }

    /// `[14] 2023-05-08 Mon 13:56 Ines: …`, with further lines indented.
    fn write(&self, into: &mut String) {
        let _ = write!(into, "[{}] ", self.number);
        if let Some(at) = self.happened_at {
            let day = format!("{:?}", at.date().weekday());
            let day = day.get(..3).unwrap_or_default();
            let _ = write!(
                into,
                "{} {day} {:02}:{:02} ",
                at.date(),
                at.hour(),
                at.minute()
            );
        }
        let speaker = self.speaker.as_deref().map(one_line);
        let speaker = speaker.filter(|name| !name.is_empty());
        if let Some(speaker) = speaker.as_deref().or(self.role.map(Role::as_str)) {
            let _ = write!(into, "{speaker}: ");
        }
        into.push_str(&indented(&self.text));
        if let Some(caption) = self.caption.as_deref().map(one_line) {
            let spoken = self.speaker.is_some() || self.role.is_some();
            let what = if spoken { "picture" } else { "under" };
            let _ = write!(into, " ({what}: {caption})");
        }
        into.push('\n');
    }
}

/// A type of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryType {
    /// Its name, such as `event`.
    pub name: String,
    /// What belongs to it.
    pub description: String,
    /// The prompt that its memories are drawn by, in a call of their own; `None` to draw them
    /// together with the others.
    pub prompt: Option<CustomPrompt>,
}

impl MemoryType {
    /// A type by its name: with our description for the six that MemU knows, without one for
    /// others, which explain themselves or bring a prompt.
    pub fn named(name: &str) -> Self {
        let description = match name {
            "profile" => {
                "lasting facts about a person: age, origin, work, family, home, health, tastes, views"
            }
            "event" => {
                "something that happened or is going to, at a time: trips, meetings, purchases, news, plans"
            }
            "knowledge" => {
                "what somebody knows, learned or found out that can be used again: facts, explanations, decisions with their reasons"
            }
            "behavior" => {
                "what somebody does again and again, and how: habits, routines, ways to work or to solve things"
            }
            "skill" => {
                "how something is done, learned from doing it: the steps, what worked, what failed, and why"
            }
            "tool" => {
                "what the use of a tool taught: which tool with what input, whether it worked, what to watch out for"
            }
            _ => "",
        };
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            prompt: None,
        }
    }

    /// Whether its memories say when to use them.
    pub(super) fn guides(&self) -> bool {
        matches!(self.name.as_str(), "skill" | "tool")
    }
}

impl<'a> SegmentTask<'a> {
    /// The types that share a call: those without a prompt of their own.
    pub fn shared_types(&self) -> impl Iterator<Item = &'a MemoryType> + Clone + use<'a> {
        self.memory_types
            .iter()
            .filter(|memory_type| memory_type.prompt.is_none())
    }

    /// The messages as material.
    pub(super) fn material(&self) -> String {
        let mut text = String::new();
        for message in self.messages {
            message.write(&mut text);
        }
        Code::of(&[&text]).around("conversation", &text)
    }

    /// The categories, one a line.
    pub(super) fn category_lines(&self) -> String {
        let lines = self
            .categories
            .iter()
            .map(|category| entry(&category.name, &category.description));
        let lines: Vec<String> = lines.collect();
        if lines.is_empty() {
            return "(there are none: leave the list empty)".to_owned();
        }
        lines.join("\n")
    }
}

/// `- name: description`, in one line.
pub(super) fn entry(name: &str, description: &str) -> String {
    let (name, description) = (one_line(name), one_line(description));
    if description.is_empty() {
        format!("- {name}")
    } else {
        format!("- {name}: {description}")
    }
}
