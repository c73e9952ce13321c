use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::block::Dictionary;
use super::stored::{compact_id, compact_passages, compact_time, compact_words};
use crate::analysis::{for_each_word, is_stop_word, passages};
use crate::ranking::guidance;
use crate::records::{Id, MemoryItem, Role, Segment};
use crate::time::{Timestamp, civil};

/// A word by its number in the block, and how often it occurs; not 0.
pub type Occurrence = (u32, u32);

/// A record in a [`Block`](super::Block).
pub trait Entry: Clone + PartialEq + Serialize + DeserializeOwned {
    /// Where in the stored order the record stands.
    fn place(&self) -> u64;

    /// Calls `visit` with every number of a text of the block.
    fn for_each_text(&mut self, visit: impl FnMut(&mut u32));

    /// Leaves its words out, and returns how many there were.
    fn lay_bare(&mut self) -> u32;
}

/// What ranking needs to know of a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentOutline {
    /// Its place.
    pub place: u64,
    /// Its id.
    #[serde(with = "compact_id")]
    pub id: Id,
    /// The place of its resource.
    pub resource: u64,
    /// Its session, from 0 within the resource.
    pub session: u32,
    /// Its place in the resource, from 0.
    pub ordinal: u32,
    /// Who speaks, by role: the place in [`Role::ALL`].
    role: Option<u8>,
    /// Who speaks, by name: a text of the block.
    pub speaker: Option<u32>,
    /// When it was said.
    #[serde(with = "compact_time")]
    pub time: Option<civil::DateTime>,
    /// Whether it asks something.
    pub asks: bool,
    /// Whether it ends with a question mark.
    pub ends_asking: bool,
    /// Whether it tells an assistant what to do from now on.
    pub instructs: bool,
    /// Whether it tells an assistant what is preferred.
    pub prefers: bool,
    /// The words of its passages but for stop words, in the order in which they
    /// first occur. The caption belongs to the last passage.
    #[serde(with = "compact_passages")]
    pub passages: Vec<Vec<Occurrence>>,
}

impl SegmentOutline {
    /// Outlines a segment that stands at `place` and belongs to the resource at
    /// `resource`, with passages of about `passage_words` words.
    pub fn new(
        segment: &Segment,
        place: u64,
        resource: u64,
        passage_words: usize,
        texts: &mut Dictionary,
    ) -> Self {
        let to_assistant = segment.role == Some(Role::User);
        Self {
            place,
            id: segment.meta.id.clone(),
            resource,
            session: segment.session,
            ordinal: segment.ordinal,
            role: segment
                .role
                .and_then(|role| Role::ALL.iter().position(|known| *known == role))
                .map(|number| number as u8),
            speaker: segment.speaker.as_deref().map(|name| texts.number(name)),
            time: segment.happened_at,
            asks: segment.text.contains('?'),
            ends_asking: segment.text.trim_end().ends_with('?'),
            instructs: to_assistant && guidance::instructs(&segment.text),
            prefers: to_assistant && guidance::prefers(&segment.text),
            passages: outlined_passages(segment, passage_words, texts),
        }
    }

    /// Who speaks, by role.
    pub fn role(&self) -> Option<Role> {
        Role::ALL.get(usize::from(self.role?)).copied()
    }
}

fn outlined_passages(
    segment: &Segment,
    passage_words: usize,
    texts: &mut Dictionary,
) -> Vec<Vec<Occurrence>> {
    let mut ranges = passages(&segment.text, passage_words);
    if ranges.is_empty() {
        ranges.push(0..0);
    }
    let last = ranges.len() - 1;
    let caption = segment.caption.as_deref().unwrap_or_default();
    ranges
        .into_iter()
        .enumerate()
        .map(|(at, range)| {
            let text = segment.text.get(range).unwrap_or_default();
            texts.occurrences(&[text, if at == last { caption } else { "" }])
        })
        .collect()
}

impl Entry for SegmentOutline {
    fn place(&self) -> u64 {
        self.place
    }

    fn for_each_text(&mut self, mut visit: impl FnMut(&mut u32)) {
        self.speaker.iter_mut().for_each(&mut visit);
        for (text, _) in self.passages.iter_mut().flatten() {
            visit(text);
        }
    }

    fn lay_bare(&mut self) -> u32 {
        let passages = std::mem::take(&mut self.passages);
        passages.iter().flatten().map(|(_, count)| count).sum()
    }
}

/// What ranking needs to know of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemOutline {
    /// Its place.
    pub place: u64,
    /// Its id.
    #[serde(with = "compact_id")]
    pub id: Id,
    /// The place of its resource.
    pub resource: Option<u64>,
    /// The places of the segments that it cites.
    pub segments: Vec<u64>,
    /// The places of its categories, in the order in which it was filed.
    pub categories: Vec<u64>,
    /// How often it was met.
    pub count: u64,
    /// When it was last met, in microseconds since 1970.
    last_met: i64,
    /// The words of its summary but for stop words, in the order in which they first
    /// occur.
    #[serde(with = "compact_words")]
    pub words: Vec<Occurrence>,
}

impl ItemOutline {
    /// Outlines an item that stands at `place` and hangs on records at these places.
    pub fn new(
        item: &MemoryItem,
        place: u64,
        resource: Option<u64>,
        segments: Vec<u64>,
        categories: Vec<u64>,
        texts: &mut Dictionary,
    ) -> Self {
        let last_met = item.extra.get("last_reinforced_at");
        let last_met = last_met
            .and_then(serde_json::Value::as_str)
            .and_then(|text| Timestamp::parse(text).ok())
            .unwrap_or(item.meta.created_at);
        Self {
            place,
            id: item.meta.id.clone(),
            resource,
            segments,
            categories,
            count: item.reinforcement_count(),
            last_met: last_met.as_micros(),
            words: texts.occurrences(&[&item.summary]),
        }
    }

    /// Whether it cites segments where the other one does.
    pub(super) fn hangs_as_much(&self, other: &Self) -> bool {
        self.segments.is_empty() == other.segments.is_empty()
    }

    /// Hangs on the same records as another one, and was met as often.
    pub(super) fn hang_as(&mut self, other: &Self) {
        self.resource = other.resource;
        self.segments.clone_from(&other.segments);
        self.categories.clone_from(&other.categories);
        self.count = other.count;
        self.last_met = other.last_met;
    }

    /// When it was last met.
    pub fn last_met(&self) -> Timestamp {
        Timestamp::from_micros(self.last_met)
    }
}

impl Entry for ItemOutline {
    fn place(&self) -> u64 {
        self.place
    }

    fn for_each_text(&mut self, mut visit: impl FnMut(&mut u32)) {
        for (text, _) in &mut self.words {
            visit(text);
        }
    }

    fn lay_bare(&mut self) -> u32 {
        let words = std::mem::take(&mut self.words);
        words.iter().map(|(_, count)| count).sum()
    }
}

impl Dictionary {
    /// The words of some texts together, but for stop words.
    fn occurrences(&mut self, texts: &[&str]) -> Vec<Occurrence> {
        let mut words = Vec::new();
        for text in texts {
            for_each_word(text, |word| {
                if !is_stop_word(word) {
                    words.push(self.number(word));
                }
            });
        }
        self.counted(&words)
    }
}
