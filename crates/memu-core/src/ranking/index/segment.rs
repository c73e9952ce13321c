use jiff::civil::DateTime;

use crate::ranking::Question;
use crate::records::{ContentHash, Id, Role, Segment};

/// What the index keeps of a segment beside its postings.
#[derive(Debug)]
pub(super) struct IndexedSegment {
    pub(super) id: Id,
    /// Its place among the segments that were handed in.
    pub(super) input: u32,
    pub(super) session_index: u32,
    pub(super) length: u32,
    pub(super) asks: bool,
    pub(super) ends_asking: bool,
    pub(super) role: Option<Role>,
    pub(super) speaker: Option<u32>,
    pub(super) time: Option<DateTime>,
    pub(super) resource: ContentHash,
    pub(super) ordinal: u32,
}

impl IndexedSegment {
    /// A segment whose speaker and length are not known yet.
    pub(super) fn new(
        segment: &Segment,
        resource: ContentHash,
        input: u32,
        session_index: u32,
    ) -> Self {
        Self {
            id: segment.meta.id.clone(),
            input,
            session_index,
            length: 0,
            asks: segment.text.contains('?'),
            ends_asking: segment.text.trim_end().ends_with('?'),
            role: segment.role,
            speaker: None,
            time: segment.happened_at,
            resource,
            ordinal: segment.ordinal,
        }
    }

    /// Whether the one speaker that the question names said it.
    pub(super) fn is_named_by(&self, question: &Question) -> bool {
        match self.speaker {
            Some(speaker) => question.named_speaker == Some(speaker as usize),
            None => self.role.is_some() && self.role == question.named_role,
        }
    }
}
