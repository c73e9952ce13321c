use jiff::civil::DateTime;

use crate::config::RankingConfig;
use crate::ranking::{Question, guidance};
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
    /// Whether it tells an assistant what to do from now on.
    instructs: bool,
    /// Whether it tells an assistant what is preferred.
    prefers: bool,
}

impl IndexedSegment {
    /// A segment whose speaker and length are not known yet.
    pub(super) fn new(
        segment: &Segment,
        resource: ContentHash,
        input: u32,
        session_index: u32,
    ) -> Self {
        let to_assistant = segment.role == Some(Role::User);
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
            instructs: to_assistant && guidance::instructs(&segment.text),
            prefers: to_assistant && guidance::prefers(&segment.text),
        }
    }

    /// What is added to the factor 1 for guiding the answer.
    pub(super) fn guidance(&self, question: &Question, config: &RankingConfig) -> f32 {
        let when = |holds: bool, bonus: f32| if holds { bonus } else { 0.0 };
        let asks_for_help = question.asks_for_help;
        when(self.instructs, config.instruction)
            + when(self.instructs && asks_for_help, config.instruction_for_help)
            + when(self.prefers && asks_for_help, config.preference_for_help)
    }

    /// Whether the one speaker that the question names said it.
    pub(super) fn is_named_by(&self, question: &Question) -> bool {
        match self.speaker {
            Some(speaker) => question.named_speaker == Some(speaker as usize),
            None => self.role.is_some() && self.role == question.named_role,
        }
    }
}
