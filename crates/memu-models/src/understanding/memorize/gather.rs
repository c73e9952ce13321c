use serde_json::{Map, Value};

use super::super::fields;
use super::super::salvage::{Root, Step};

/// What a memory is called in replies, as our prompts and those of memU 1.x ask for it.
const CONTENT: [&str; 5] = ["content", "memory", "memory_content", "fact", "#text"];

/// What a list of memories is called.
const LISTS: [&str; 6] = [
    "items",
    "item",
    "memories",
    "memory",
    "memory_items",
    "memories_items",
];

/// The objects and texts in a reply that are memories.
#[derive(Default)]
pub(super) struct Gathered<'v> {
    pub(super) found: Vec<Found<'v>>,
    pub(super) caption: Option<String>,
    /// How many were cut off.
    pub(super) cut: usize,
    /// Whether there is a list of memories, be it empty.
    pub(super) listed: bool,
}

/// A memory as it stands in a reply.
pub(super) struct Found<'v> {
    pub(super) content: &'v str,
    /// The object that it is in; `None` when it is a text by itself.
    pub(super) fields: Option<&'v Map<String, Value>>,
    /// The type that what is around it names, as an index into the types.
    pub(super) around: Option<usize>,
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Surroundings {
    memory_type: Option<usize>,
    /// Whether a text here is a memory.
    listed: bool,
}

impl<'v> Gathered<'v> {
    pub(super) fn from(roots: &'v [Root], types: &[&str]) -> Self {
        let mut gathered = Self::default();
        for root in roots {
            // A list by itself is one of memories when there is only one type.
            let place = Surroundings {
                memory_type: None,
                listed: root.value.is_array() && types.len() == 1,
            };
            gathered.listed |= place.listed;
            gathered.visit(&root.value, root.cut.as_deref(), place, types);
        }
        gathered
    }

    fn visit(
        &mut self,
        value: &'v Value,
        cut: Option<&[Step]>,
        place: Surroundings,
        types: &[&str],
    ) {
        match value {
            Value::Array(list) => {
                for (at, element) in list.iter().enumerate() {
                    let open = cut.and_then(|steps| match steps.split_first() {
                        Some((Step::Index(last), rest)) if *last == at => Some(rest),
                        _ => None,
                    });
                    self.visit(element, open, place, types);
                }
            }
            Value::Object(map) => self.object(map, cut, place, types),
            Value::String(text) if place.listed && !text.trim().is_empty() => {
                self.found.push(Found {
                    content: text,
                    fields: None,
                    around: place.memory_type,
                });
            }
            _ => {}
        }
    }

    fn object(
        &mut self,
        map: &'v Map<String, Value>,
        cut: Option<&[Step]>,
        place: Surroundings,
        types: &[&str],
    ) {
        let content = content(map);
        if let (Some(content), None) = (content, cut) {
            self.found.push(Found {
                content,
                fields: Some(map),
                around: place.memory_type,
            });
            return;
        }
        self.cut += usize::from(content.is_some() && cut.is_some());
        if self.caption.is_none() {
            self.caption = fields::member(map, &["caption"]).and_then(fields::text);
        }
        for (key, member) in map {
            let named = fields::resolve(key, types.iter().copied());
            let listed = LISTS.contains(&&*key.to_lowercase());
            self.listed |= listed || named.is_some();
            let place = Surroundings {
                memory_type: named.or(place.memory_type),
                listed: (listed || named.is_some()) && content.is_none(),
            };
            let open = cut.and_then(|steps| match steps.split_first() {
                Some((Step::Key(last), rest)) if last == key => Some(rest),
                _ => None,
            });
            self.visit(member, open, place, types);
        }
    }
}

/// The text of a memory, when an object is one: it may be empty.
fn content(map: &Map<String, Value>) -> Option<&str> {
    let holds_others = map.iter().any(|(key, value)| {
        LISTS.contains(&&*key.to_lowercase()) && (value.is_array() || value.is_object())
    });
    let text = fields::member(map, &CONTENT).and_then(Value::as_str);
    text.filter(|_| !holds_others)
}
