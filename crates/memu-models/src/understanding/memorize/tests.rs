mod faults;
mod read;
mod request;

use memu_core::provider::CategoryTopic;
use memu_core::records::Role;
use memu_core::time::civil;

use super::{MemoryType, NumberedMessage, SegmentReading, SegmentTask, read_segment};

/// A short conversation, and what may be drawn from it.
struct Example {
    messages: Vec<NumberedMessage>,
    memory_types: Vec<MemoryType>,
    categories: Vec<CategoryTopic>,
}

impl Example {
    fn new() -> Self {
        let at = civil::date(2023, 5, 8).at(13, 56, 0, 0);
        let message = |number, speaker: &str, text: &str| NumberedMessage {
            number,
            speaker: Some(speaker.into()),
            role: Some(Role::User),
            happened_at: Some(at),
            text: text.into(),
            caption: None,
        };
        let category = |name: &str, description: &str| CategoryTopic {
            name: name.into(),
            description: description.into(),
        };
        Self {
            messages: vec![
                message(14, "Ines", "Yesterday I finally sold the blue canoe."),
                message(
                    15,
                    "Tom",
                    "Good! My nephew loves paddling,\nhe lives in Oslo.",
                ),
                NumberedMessage {
                    number: 16,
                    role: Some(Role::Assistant),
                    text: "Shall I look for a kayak?".into(),
                    caption: Some("a red\nkayak".into()),
                    ..NumberedMessage::default()
                },
            ],
            memory_types: ["profile", "event", "skill"].map(MemoryType::named).into(),
            categories: vec![
                category("activities", "Activities, hobbies, and interests"),
                category("work_life", ""),
            ],
        }
    }

    fn task(&self) -> SegmentTask<'_> {
        SegmentTask {
            messages: &self.messages,
            memory_types: &self.memory_types,
            categories: &self.categories,
        }
    }

    fn read(&self, reply: &str) -> SegmentReading {
        read_segment(reply, &self.task()).unwrap()
    }
}

/// The memories of a reading.
fn contents(reading: &SegmentReading) -> Vec<&str> {
    let drafts = reading.drafts.iter();
    drafts.map(|draft| &*draft.item.summary).collect()
}
