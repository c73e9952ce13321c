//! Memories drawn by a model.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use memu_core::Result;
use memu_core::provider::{
    Ask, Calls, ChatModel, ExtractRequest, ExtractedItem, Extraction, Extractor,
};
use memu_core::records::Segment;

use crate::understanding::memorize::{
    MemoryType, NumberedMessage, SegmentReading, SegmentTask, memory_type_request,
    read_memory_type, read_segment, segment_request,
};

/// The step that asks.
const STEP: &str = "extract_items";
/// Topics of more characters are asked about in several parts: the more there is, the more is
/// overlooked.
const MOST_CHARACTERS: usize = 24_000;

/// Draws memories by asking a model, once for each topic, about all types of memory together;
/// once more for each type that has a prompt of its own. Whatever answers come are kept, so
/// that the next attempt asks only for those that did not.
#[derive(Debug)]
pub struct ModelExtractor {
    model: Arc<dyn ChatModel>,
    profile: String,
    types: Vec<MemoryType>,
}

/// A part of a resource that is asked about.
struct Part {
    /// Its segments.
    range: Range<usize>,
    /// Whether it is the beginning of its topic.
    begins_topic: bool,
    messages: Vec<NumberedMessage>,
}

impl ModelExtractor {
    /// One that asks the model of a profile; `types` are those that are described or have
    /// prompts of their own.
    pub fn new(model: Arc<dyn ChatModel>, profile: &str, types: Vec<MemoryType>) -> Self {
        Self {
            model,
            profile: profile.to_owned(),
            types,
        }
    }

    /// The types that are wanted.
    fn types(&self, names: &[String]) -> Vec<MemoryType> {
        let known = |name: &String| self.types.iter().find(|known| known.name == *name).cloned();
        names
            .iter()
            .map(|name| known(name).unwrap_or_else(|| MemoryType::named(name)))
            .collect()
    }

    async fn part(
        &self,
        part: &Part,
        types: &[MemoryType],
        request: &ExtractRequest,
        calls: &Calls,
    ) -> Result<Vec<SegmentReading>> {
        let task = SegmentTask {
            messages: &part.messages,
            memory_types: types,
            categories: &request.categories,
        };
        let ask = |prompted: crate::understanding::prompt::Prompted| Ask {
            step: STEP,
            profile: &self.profile,
            model: &*self.model,
            prompt_hash: prompted.hash,
            request: prompted.chat,
        };
        let mut readings = Vec::new();
        if task.shared_types().next().is_some() {
            let ask = ask(segment_request(&task)?);
            let read = calls.ask(ask, |reply| read_segment(reply.complete_text()?, &task));
            readings.push(read.await?);
        }
        let own = types.iter().filter(|one| one.prompt.is_some());
        let own = join_all(own.map(async |one| {
            let ask = ask(memory_type_request(&task, one)?);
            let read = |reply: &memu_core::provider::ChatReply| {
                read_memory_type(reply.complete_text()?, &task, one)
            };
            calls.ask(ask, read).await
        }));
        for reading in own.await {
            readings.push(reading?);
        }
        Ok(readings)
    }
}

#[async_trait]
impl Extractor for ModelExtractor {
    async fn extract(&self, request: ExtractRequest, calls: &Calls) -> Result<Extraction> {
        let types = self.types(&request.memory_types);
        let parts = parts(&request);
        // All are waited for, also when one fails: what others answered need not be asked again.
        let read = join_all(
            parts
                .iter()
                .map(|part| self.part(part, &types, &request, calls)),
        );
        let mut extraction = Extraction::default();
        for (part, readings) in parts.iter().zip(read.await) {
            for reading in readings? {
                if let Some(caption) = reading.caption.filter(|_| part.begins_topic) {
                    extraction.topic_captions.push((part.range.start, caption));
                }
                let items = reading.drafts.into_iter().map(|draft| ExtractedItem {
                    segments: draft
                        .item
                        .segments
                        .iter()
                        .map(|at| part.range.start + at)
                        .collect(),
                    categories: draft.categories,
                    ..draft.item
                });
                extraction.items.extend(items);
            }
        }
        extraction
            .items
            .sort_by_key(|item| item.segments.first().copied());
        Ok(extraction)
    }
}

/// The new segments, topic by topic, in parts that are not too long.
fn parts(request: &ExtractRequest) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut characters = 0;
    let known = request.first.checked_sub(1);
    let mut before: Option<&Segment> = known.and_then(|last| request.segments.get(last));
    for (at, segment) in request.segments.iter().enumerate().skip(request.first) {
        let same_topic = before.is_some_and(|before| {
            (before.session, before.topic) == (segment.session, segment.topic)
        });
        before = Some(segment);
        let length = segment.text.chars().count();
        let message = NumberedMessage::of(at as u32 + 1, segment);
        match parts.last_mut() {
            Some(part) if same_topic && characters + length <= MOST_CHARACTERS => {
                characters += length;
                part.range.end = at + 1;
                part.messages.push(message);
            }
            _ => {
                characters = length;
                parts.push(Part {
                    range: at..at + 1,
                    begins_topic: !same_topic,
                    messages: vec![message],
                });
            }
        }
    }
    parts
}
