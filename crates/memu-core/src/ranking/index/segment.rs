use jiff::civil::DateTime;

use crate::config::RankingConfig;
use crate::ranking::Question;
use crate::ranking::outline::SegmentOutline;
use crate::records::{Id, Role};

/// What the index keeps of a segment beside its postings.
#[derive(Clone, Debug)]
pub(super) struct IndexedSegment {
    pub(super) id: Id,
    pub(super) place: u64,
    /// The number of its scope.
    pub(super) scope: u32,
    /// The number of its resource.
    pub(super) resource: u32,
    pub(super) session_index: u32,
    pub(super) length: u32,
    pub(super) asks: bool,
    pub(super) ends_asking: bool,
    pub(super) role: Option<Role>,
    pub(super) speaker: Option<u32>,
    pub(super) time: Option<DateTime>,
    pub(super) ordinal: u32,
    instructs: bool,
    prefers: bool,
}

impl IndexedSegment {
    /// A segment whose speaker, session and length are not known yet.
    pub(super) fn new(segment: &SegmentOutline, scope: u32, resource: u32) -> Self {
        Self {
            id: segment.id.clone(),
            place: segment.place,
            scope,
            resource,
            session_index: 0,
            length: 0,
            asks: segment.asks,
            ends_asking: segment.ends_asking,
            role: segment.role(),
            speaker: None,
            time: segment.time,
            ordinal: segment.ordinal,
            instructs: segment.instructs,
            prefers: segment.prefers,
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
