use std::collections::HashMap;

use memu_core::provider::ExtractedItem;
use memu_core::{Error, Result, analysis};
use serde_json::{Map, Value};

use super::super::answer::Instructions;
use super::super::prompt::{CustomPrompt, PromptName, one_line};
use super::super::salvage::{Repairs, Salvaged, salvage};
use super::super::{fields, moment};
use super::gather::{Found, Gathered};
use super::locate::Locator;
use super::note::Note;
use super::task::{MemoryType, SegmentTask};

/// What a reply about a segment says.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentReading {
    /// What the segment is about, in one line.
    pub caption: Option<String>,
    /// The memories, in the order of the reply.
    pub drafts: Vec<DraftItem>,
    /// What was not taken as it stood.
    pub notes: Vec<Note>,
    /// What was repaired in its form.
    pub repairs: Repairs,
}

/// A memory, and how it was placed.
#[derive(Clone, Debug, PartialEq)]
pub struct DraftItem {
    /// The memory. Its segments are indexes into the messages of the task, ascending; its
    /// categories are those of the task, in the order of the reply;
    /// `extra` may hold `when_to_use`.
    pub item: ExtractedItem,
    /// How its segments were found.
    pub provenance: Provenance,
}

/// How the messages that a memory cites were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// The model named them.
    Cited,
    /// They share its words.
    Located,
    /// Nobody knows: all messages are cited.
    WholeSegment,
}

/// Reads the reply to [`segment_request`](super::segment_request) for the same task.
///
/// Memories that were cut off are left out, those of the same words merged, those of an unknown
/// type given the nearest that was asked for, or the first, and message numbers, categories and
/// times that make no sense dropped with a note. An empty list
/// is an answer. Where the repairs [are lossy](Repairs::is_lossy), there may have been more
/// memories.
///
/// # Errors
/// [`ErrorKind::Model`](memu_core::ErrorKind::Model) when the reply holds neither a caption
/// nor a memory that can be used, nor says that there is none.
pub fn read_segment(reply: &str, task: &SegmentTask<'_>) -> Result<SegmentReading> {
    let types: Vec<&str> = task.shared_types().map(|one| &*one.name).collect();
    let instructions = Instructions::of([PromptName::MemorizeSegment.source()]);
    read(reply, task, &types, &instructions)
}

/// Reads the reply to [`memory_type_request`](super::memory_type_request) for the same task;
/// also one in the XML that prompts of memU 1.x ask for.
///
/// # Errors
/// As [`read_segment`].
pub fn read_memory_type(
    reply: &str,
    task: &SegmentTask<'_>,
    memory_type: &MemoryType,
) -> Result<SegmentReading> {
    let own = memory_type.prompt.iter().flat_map(CustomPrompt::texts);
    let instructions = Instructions::of([PromptName::MemorizeType.source()].into_iter().chain(own));
    read(reply, task, &[&memory_type.name], &instructions)
}

fn read(
    reply: &str,
    task: &SegmentTask<'_>,
    types: &[&str],
    instructions: &Instructions,
) -> Result<SegmentReading> {
    let Salvaged { roots, repairs } = salvage(reply);
    let gathered = Gathered::from(&roots, types);
    let mut reader = Reader {
        task,
        types,
        instructions,
        locator: None,
        drafts: Vec::new(),
        words: HashMap::new(),
        notes: vec![Note::CutOff; gathered.cut],
    };
    for found in &gathered.found {
        reader.take(found);
    }
    let says_none = gathered.listed && gathered.found.is_empty() && gathered.cut == 0;
    if reader.drafts.is_empty() && gathered.caption.is_none() && (!says_none || repairs.is_lossy())
    {
        let mut error = Error::model("the model's reply holds no memory that can be used")
            .with("reply", fields::beginning(reply));
        if !repairs.is_empty() {
            error = error.with("repairs", &repairs);
        }
        return Err(match reader.notes.first() {
            Some(note) => error.with("first of all", note),
            None => error,
        });
    }
    Ok(SegmentReading {
        caption: gathered.caption.as_deref().map(one_line),
        drafts: reader.drafts,
        notes: reader.notes,
        repairs,
    })
}

struct Reader<'a> {
    task: &'a SegmentTask<'a>,
    types: &'a [&'a str],
    instructions: &'a Instructions,
    /// Made when a memory has to be placed by its words.
    locator: Option<Locator>,
    drafts: Vec<DraftItem>,
    /// The words of each draft, by which the next ones are told from it.
    words: HashMap<String, usize>,
    notes: Vec<Note>,
}

impl Reader<'_> {
    fn take(&mut self, found: &Found<'_>) {
        let content = found.content.trim();
        if fields::text(&Value::from(content)).is_none() {
            return self.notes.push(Note::Empty);
        }
        // Small models hand back the examples that they were given.
        if self.instructions.are_echoed_by(content) && self.located(content).is_empty() {
            return self.notes.push(Note::Echo);
        }
        let Some(memory_type) = self.memory_type(found) else {
            return;
        };
        let empty = Map::new();
        let map = found.fields.unwrap_or(&empty);
        let categories = self.categories(map);
        let (segments, provenance) = self.segments(map, content);
        let mut extra = Map::new();
        if let Some(when_to_use) = fields::member(map, &["when_to_use"]).and_then(fields::text) {
            extra.insert("when_to_use".into(), when_to_use.into());
        }
        let happened = self.happened(map);
        self.put(DraftItem {
            item: ExtractedItem {
                memory_type,
                summary: content.to_owned(),
                happened,
                segments,
                categories,
                extra,
            },
            provenance,
        });
    }

    /// Adds a memory, or merges it with one of the same words.
    fn put(&mut self, draft: DraftItem) {
        let mut words = analysis::words(&draft.item.summary).join(" ");
        if words.is_empty() {
            words.clone_from(&draft.item.summary);
        }
        let same = self
            .words
            .get(&words)
            .and_then(|at| self.drafts.get_mut(*at));
        if let Some(first) = same {
            self.notes.push(Note::Duplicate);
            first.merge(draft);
            return;
        }
        self.words.insert(words, self.drafts.len());
        self.drafts.push(draft);
    }

    /// The type that the memory names, else the one that what is around it names, else the
    /// only one there is. Of a type that nobody asked for, the nearest, or else the first: what a
    /// model has found is worth more than what it called it.
    fn memory_type(&mut self, found: &Found<'_>) -> Option<String> {
        let named = found
            .fields
            .and_then(|map| fields::member(map, &["memory_type", "type", "kind"]))
            .and_then(fields::text);
        let at = match &named {
            Some(name) => fields::resolve(name, self.types.iter().copied()),
            None => found.around,
        };
        let only = (self.types.len() == 1).then_some(0);
        let known = at.or(only);
        let at = known.unwrap_or_else(|| {
            let at = named
                .as_deref()
                .and_then(|name| fields::nearest(name, self.types));
            self.notes.push(Note::UnknownType(named));
            at.unwrap_or_default()
        });
        self.types.get(at).map(|name| (*name).to_owned())
    }

    fn categories(&mut self, map: &Map<String, Value>) -> Vec<String> {
        let mut categories: Vec<String> = Vec::new();
        let value = fields::member(map, &["categories", "category"]);
        for text in value.map(fields::texts).unwrap_or_default() {
            let known = |name: &str| {
                let names = self.task.categories.iter().map(|one| &*one.name);
                let at = fields::resolve(name, names)?;
                self.task.categories.get(at).map(|one| one.name.clone())
            };
            // A name may hold a comma; else it is a list in one text.
            let parts: Vec<&str> = match known(&text) {
                Some(_) => vec![&text],
                None => text.split([',', ';', '\n']).collect(),
            };
            for part in parts
                .into_iter()
                .map(str::trim)
                .filter(|part| !part.is_empty())
            {
                match known(part) {
                    Some(name) if !categories.contains(&name) => categories.push(name),
                    Some(_) => {}
                    None => self.notes.push(Note::UnknownCategory(part.to_owned())),
                }
            }
        }
        categories
    }

    fn segments(&mut self, map: &Map<String, Value>, content: &str) -> (Vec<usize>, Provenance) {
        let messages = self.task.messages;
        let value = fields::member(
            map,
            &[
                "message_numbers",
                "message_ids",
                "messages",
                "sources",
                "evidence",
            ],
        );
        let numbers = value.map(|value| fields::numbers(value, messages.len()));
        let mut cited = Vec::new();
        for number in numbers.unwrap_or_default() {
            match messages
                .iter()
                .position(|one| u64::from(one.number) == number)
            {
                Some(at) => cited.push(at),
                None => self.notes.push(Note::NumberOutside(number)),
            }
        }
        cited.sort_unstable();
        cited.dedup();
        if !cited.is_empty() {
            return (cited, Provenance::Cited);
        }
        let located = self.located(content);
        if located.is_empty() {
            self.notes.push(Note::Unplaced);
            return ((0..messages.len()).collect(), Provenance::WholeSegment);
        }
        self.notes.push(Note::Located);
        (located, Provenance::Located)
    }

    fn located(&mut self, content: &str) -> Vec<usize> {
        let messages = self.task.messages;
        let locator = self.locator.get_or_insert_with(|| Locator::of(messages));
        locator.find(content)
    }

    fn happened(&mut self, map: &Map<String, Value>) -> Option<memu_core::time::When> {
        let value = fields::member(map, &["happened_at", "happened", "date"])?;
        let when = moment::read(value);
        if when.is_none()
            && let Some(text) = fields::text(value)
        {
            self.notes.push(Note::UnknownTime(text));
        }
        when
    }
}

impl DraftItem {
    /// Takes over what a second memory of the same words adds.
    fn merge(&mut self, other: Self) {
        if other.provenance == self.provenance {
            self.item.segments.extend(other.item.segments);
            self.item.segments.sort_unstable();
            self.item.segments.dedup();
        } else if other.provenance == Provenance::Cited {
            self.item.segments = other.item.segments;
            self.provenance = other.provenance;
        }
        self.item.happened = self.item.happened.or(other.item.happened);
        for (key, value) in other.item.extra {
            self.item.extra.entry(key).or_insert(value);
        }
        for category in other.item.categories {
            if !self.item.categories.contains(&category) {
                self.item.categories.push(category);
            }
        }
    }
}
