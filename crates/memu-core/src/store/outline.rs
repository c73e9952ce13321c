use crate::ranking::outline::Outline;
use crate::store::LogPosition;

/// What ranking needs to know of a scope, as of one position of its change log.
#[derive(Clone, Debug, Default)]
pub struct ScopeOutline {
    /// How far the change log had come.
    pub position: LogPosition,
    /// The outline, with passages of about
    /// [`PASSAGE_WORDS`](crate::ranking::outline::PASSAGE_WORDS) words.
    pub outline: Outline,
}
