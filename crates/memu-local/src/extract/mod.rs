//! Draws memories from messages and passages without a model: sentences that tell
//! something are told in the third person, named, dated and typed.

mod answers;
mod clean;
mod drawing;
mod drawn;
mod foreign;
mod kind;
mod lead;
mod lexicon;
mod message;
mod party;
mod passage;
mod picture;
mod question;
mod rewrite;
mod sentence;
mod shape;
mod telling;
mod worth;

use std::sync::Arc;

use async_trait::async_trait;
use memu_core::Result;
use memu_core::environment::{Executor, offload};
use memu_core::provider::{Calls, ExtractRequest, ExtractedItem, Extraction, Extractor};
use memu_core::records::{Modality, Role, Segment};

use answers::Asked;
use drawn::Drawn;
use message::Message;
use party::Parties;

/// The extractor of the local provider.
#[derive(Clone, Debug)]
pub struct LocalExtractor {
    executor: Arc<dyn Executor>,
}

impl LocalExtractor {
    /// An extractor that computes on `executor`.
    pub fn new(executor: Arc<dyn Executor>) -> Self {
        Self { executor }
    }
}

#[async_trait]
impl Extractor for LocalExtractor {
    /// As [`extract`].
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](memu_core::ErrorKind::Internal) when the executor
    /// drops the work.
    async fn extract(&self, request: ExtractRequest, _calls: &Calls) -> Result<Extraction> {
        let items = offload(self.executor.as_ref(), move || extract(&request)).await?;
        Ok(Extraction {
            items,
            topic_captions: Vec::new(),
        })
    }
}

/// The memories in the segments from `request.first` on, in their order: a pure
/// function of the request. Text that tells nothing yields nothing; an empty list
/// of types does, too.
pub fn extract(request: &ExtractRequest) -> Vec<ExtractedItem> {
    let segments = &request.segments;
    let parties = Parties::of(segments);
    let mut asked = request
        .first
        .checked_sub(1)
        .and_then(|before| question_in(before, segments, &parties));
    let mut items = Vec::new();
    for (index, segment) in segments.iter().enumerate().skip(request.first) {
        if matches!(segment.role, Some(Role::System | Role::Tool)) {
            continue;
        }
        let message = Message::new(index, segment);
        let question = asked.filter(|asked: &Asked| is_put_to(asked, &message, segments));
        let drawn = if is_running_text(request.modality, segment) {
            passage::of_document(&message, &parties)
        } else if passage::is_long_answer(&message) {
            passage::of_answer(&message, &parties)
        } else {
            message.draw(question.as_ref(), &parties)
        };
        asked = answers::asked(&message, &parties).map(|asked| asked.after(question));
        items.extend(drawn.into_iter().filter_map(|item| fitted(item, request)));
    }
    items
}

/// Whether a segment is a passage rather than a message.
fn is_running_text(modality: Modality, segment: &Segment) -> bool {
    modality != Modality::Conversation && segment.role.is_none() && segment.speaker.is_none()
}

/// The question that the segment at `index` asks, with the one that it may answer.
fn question_in(index: usize, segments: &[Segment], parties: &Parties) -> Option<Asked> {
    let message = Message::new(index, segments.get(index)?);
    let before = index
        .checked_sub(1)
        .and_then(|before| answers::asked(&Message::new(before, segments.get(before)?), parties))
        .filter(|before| is_put_to(before, &message, segments));
    Some(answers::asked(&message, parties)?.after(before))
}

/// Whether `message` comes right after the question, from somebody else.
fn is_put_to(asked: &Asked, message: &Message<'_>, segments: &[Segment]) -> bool {
    asked.index + 1 == message.index
        && segments.get(asked.index).is_some_and(|segment| {
            segment.session == message.segment.session
                && segment.attribution() != message.segment.attribution()
        })
}

/// The memory with a configured type, citing only segments that may be drawn from.
fn fitted(item: Drawn, request: &ExtractRequest) -> Option<ExtractedItem> {
    let memory_type = item.kind.among(&request.memory_types)?.to_owned();
    let segments: Vec<usize> = item
        .segments
        .into_iter()
        .filter(|index| *index >= request.first)
        .collect();
    Some(ExtractedItem {
        memory_type,
        summary: item.summary,
        happened: item.happened,
        segments,
        categories: Vec::new(),
        extra: serde_json::Map::new(),
    })
}

#[cfg(test)]
mod tests;
