use memu_core::Result;
use serde_json::{Map, Value, json};

use super::super::prompt::{Filling, PromptName, Prompted, prompted};
use super::super::schema::{choice, list, object};
use super::task::{MemoryType, SegmentTask, entry};

/// One request for the caption of a segment and its memories of all types that have no prompt
/// of their own.
///
/// Today's date is not in it: relative times are meant from the times of the messages.
///
/// # Errors
/// None that a caller can cause.
pub fn segment_request(task: &SegmentTask<'_>) -> Result<Prompted> {
    let types: Vec<String> = task
        .shared_types()
        .map(|one| entry(&one.name, &one.description))
        .collect();
    let types = if types.is_empty() {
        "(there are none: leave items empty)".to_owned()
    } else {
        types.join("\n")
    };
    let guided = task.shared_types().any(MemoryType::guides);
    let names: Vec<&str> = task.shared_types().map(|one| &*one.name).collect();
    let mut item = Map::new();
    item.insert("memory_type".into(), choice(&names));
    item.extend(item_fields(task, guided));
    prompted(
        PromptName::MemorizeSegment,
        Filling {
            values: &[
                ("memory_types", types),
                ("categories", task.category_lines()),
                ("guidance", guidance(guided, true)),
                ("conversation", task.material()),
            ],
            custom: None,
            schema: object([
                ("caption", json!({"type": "string"})),
                ("items", list(&object(item))),
            ]),
            images: Vec::new(),
        },
    )
}

/// A request for the memories of one type, by its own prompt if it has one.
///
/// # Errors
/// [`ErrorKind::Config`](memu_core::ErrorKind::Config) when the prompt cannot be used.
pub fn memory_type_request(task: &SegmentTask<'_>, memory_type: &MemoryType) -> Result<Prompted> {
    let guided = memory_type.guides();
    prompted(
        PromptName::MemorizeType,
        Filling {
            values: &[
                (
                    "memory_type",
                    entry(&memory_type.name, &memory_type.description),
                ),
                ("categories", task.category_lines()),
                ("guidance", guidance(guided, false)),
                ("conversation", task.material()),
            ],
            custom: memory_type.prompt.as_ref(),
            schema: object([("items", list(&object(item_fields(task, guided))))]),
            images: Vec::new(),
        },
    )
}

fn guidance(guided: bool, several: bool) -> String {
    match (guided, several) {
        (false, _) => String::new(),
        (true, false) => "- when_to_use: in which situation it will help again.".to_owned(),
        (true, true) => "- when_to_use: for the types skill and tool, in which situation it will \
                         help again; null for all others."
            .to_owned(),
    }
}

fn item_fields(task: &SegmentTask<'_>, guided: bool) -> Map<String, Value> {
    let categories: Vec<&str> = task.categories.iter().map(|one| &*one.name).collect();
    let text_or_none = json!({"type": ["string", "null"]});
    let mut fields = Map::new();
    fields.insert("content".into(), json!({"type": "string"}));
    fields.insert("message_numbers".into(), list(&json!({"type": "integer"})));
    fields.insert("categories".into(), list(&choice(&categories)));
    fields.insert("happened_at".into(), text_or_none.clone());
    if guided {
        fields.insert("when_to_use".into(), text_or_none);
    }
    fields
}
