//! The words that rules look up, by what the rules ask of them.

mod tone;
mod verbs;

pub(super) use tone::{
    ADJECTIVES, ADVERBS, BLAND, FILLERS, INTERJECTIONS, LIVING, NUMBERS, VAGUE_TIMES,
};
pub(super) use verbs::{AUXILIARIES, COMMON, INFINITIVE_BEFORE, STATIVE, UNCHANGED_PAST};
