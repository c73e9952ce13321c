//! Memories drawn by a model.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{BoxFuture, join, join_all};
use memu_core::Result;
use memu_core::provider::{
    Ask, Calls, CategoryTopic, ChatModel, ChatReply, ExtractRequest, Extraction, Extractor,
    FinishReason,
};
use memu_core::records::Segment;

use crate::understanding::memorize::{
    MemoryType, NumberedMessage, SegmentReading, SegmentTask, memory_type_request,
    read_memory_type, read_segment, segment_request,
};
use crate::understanding::prompt::Prompted;

/// The step that asks.
const STEP: &str = "extract_items";
/// Topics of more characters are asked about in several parts: the more there is, the more is
/// overlooked.
const MOST_CHARACTERS: usize = 24_000;

/// Draws memories by asking a model, once for each topic, about all types of memory together;
/// once more for each type that has a prompt of its own. Whatever answers come are kept, so
/// that the next attempt asks only for those that did not. An answer that was cut off is not
/// the whole: the halves of its topic are asked about.
#[derive(Debug)]
pub struct ModelExtractor {
    model: Arc<dyn ChatModel>,
    profile: String,
    types: Vec<MemoryType>,
}

/// A part of a resource that is asked about.
#[derive(Debug)]
struct Part {
    /// Its first segment.
    first: usize,
    /// Whether it is the beginning of its topic.
    begins_topic: bool,
    messages: Vec<NumberedMessage>,
}

/// What an answer about a part says, and whether it was cut off.
type Answer = (SegmentReading, bool);

/// A part, and what an answer about it says.
type Drawn = (Arc<Part>, SegmentReading);

/// What is asked about every part.
struct Wanted<'a> {
    types: Vec<MemoryType>,
    categories: &'a [CategoryTopic],
    calls: &'a Calls,
}

impl Part {
    /// Its two halves; `None` of a single message.
    fn halved(&self) -> Option<[Self; 2]> {
        let middle = self.messages.len() / 2;
        let (before, after) = self.messages.split_at_checked(middle)?;
        (middle > 0).then(|| {
            let half = |first, begins_topic, messages: &[NumberedMessage]| Self {
                first,
                begins_topic,
                messages: messages.to_vec(),
            };
            [
                half(self.first, self.begins_topic, before),
                half(self.first + middle, false, after),
            ]
        })
    }

    fn task<'a>(&'a self, wanted: &'a Wanted<'a>) -> SegmentTask<'a> {
        SegmentTask {
            messages: &self.messages,
            memory_types: &wanted.types,
            categories: wanted.categories,
        }
    }
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

    fn ask(&self, prompted: Prompted) -> Ask<'_> {
        Ask {
            step: STEP,
            profile: &self.profile,
            model: &*self.model,
            prompt_hash: prompted.hash,
            request: prompted.chat,
        }
    }

    /// What is in a part, or in its halves where an answer about it was cut off.
    fn drawn<'a>(
        &'a self,
        part: Part,
        wanted: &'a Wanted<'a>,
    ) -> BoxFuture<'a, Result<Vec<Drawn>>> {
        Box::pin(async move {
            let answers = self.answers(&part, wanted).await?;
            let cut_off = answers.iter().any(|(_, cut_off)| *cut_off);
            if let (true, Some([before, after])) = (cut_off, part.halved()) {
                let halves = join(self.drawn(before, wanted), self.drawn(after, wanted)).await;
                let mut drawn = halves.0?;
                drawn.extend(halves.1?);
                return Ok(drawn);
            }
            let part = Arc::new(part);
            Ok(answers
                .into_iter()
                .map(|(reading, _)| (part.clone(), reading))
                .collect())
        })
    }

    /// The answers about a part: one for all types, and one for each with its own prompt.
    async fn answers(&self, part: &Part, wanted: &Wanted<'_>) -> Result<Vec<Answer>> {
        let task = part.task(wanted);
        let shared = async {
            if task.shared_types().next().is_none() {
                return Ok(None);
            }
            let read = |reply: &ChatReply| answer(reply, read_segment(&reply.text, &task));
            let ask = self.ask(segment_request(&task)?);
            wanted.calls.ask(ask, read).await.map(Some)
        };
        let own = wanted.types.iter().filter(|one| one.prompt.is_some());
        let own = join_all(own.map(async |one| {
            let read = |reply: &ChatReply| answer(reply, read_memory_type(&reply.text, &task, one));
            let ask = self.ask(memory_type_request(&task, one)?);
            wanted.calls.ask(ask, read).await
        }));
        let (shared, own) = join(shared, own).await;
        let mut answers: Vec<Answer> = shared?.into_iter().collect();
        for one in own {
            answers.push(one?);
        }
        Ok(answers)
    }
}

fn answer(reply: &ChatReply, read: Result<SegmentReading>) -> Result<Answer> {
    let reading = read?;
    let cut_off = reply.finish_reason == FinishReason::Length || reading.repairs.is_lossy();
    Ok((reading, cut_off))
}

#[async_trait]
impl Extractor for ModelExtractor {
    async fn extract(&self, request: ExtractRequest, calls: &Calls) -> Result<Extraction> {
        let wanted = Wanted {
            types: self.types(&request.memory_types),
            categories: &request.categories,
            calls,
        };
        // All are waited for, also when one fails: what others answered need not be asked again.
        let parts = parts(&request).into_iter();
        let drawn = join_all(parts.map(|part| self.drawn(part, &wanted))).await;
        let mut extraction = Extraction::default();
        for drawn in drawn {
            for (part, reading) in drawn? {
                if let Some(caption) = reading.caption.filter(|_| part.begins_topic) {
                    extraction.topic_captions.push((part.first, caption));
                }
                let items = reading.drafts.into_iter().map(|draft| draft.item);
                extraction.items.extend(items.map(|mut item| {
                    for segment in &mut item.segments {
                        *segment += part.first;
                    }
                    item
                }));
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
        if length > MOST_CHARACTERS {
            let pieces = pieces(&message).into_iter().enumerate();
            parts.extend(pieces.map(|(number, piece)| Part {
                first: at,
                begins_topic: !same_topic && number == 0,
                messages: vec![piece],
            }));
            // What follows begins a part of its own.
            characters = MOST_CHARACTERS;
            continue;
        }
        match parts.last_mut() {
            Some(part) if same_topic && characters + length <= MOST_CHARACTERS => {
                characters += length;
                part.messages.push(message);
            }
            _ => {
                characters = length;
                parts.push(Part {
                    first: at,
                    begins_topic: !same_topic,
                    messages: vec![message],
                });
            }
        }
    }
    parts
}

/// A very long message in pieces, which all have its number.
fn pieces(message: &NumberedMessage) -> Vec<NumberedMessage> {
    let mut pieces = Vec::new();
    let mut rest = message.text.as_str();
    while !rest.is_empty() {
        let longest = rest.char_indices().nth(MOST_CHARACTERS);
        let end = longest.map_or(rest.len(), |(end, _)| end);
        let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        // Between words, if there are any.
        let space = piece
            .rfind(char::is_whitespace)
            .filter(|_| !after.is_empty());
        let (piece, after) = match space {
            Some(space) if space > 0 => rest.split_at_checked(space).unwrap_or((piece, after)),
            _ => (piece, after),
        };
        pieces.push(NumberedMessage {
            text: piece.to_owned(),
            ..message.clone()
        });
        rest = after.trim_start();
    }
    pieces
}
