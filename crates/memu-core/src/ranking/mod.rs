//! Ranking without a model in the loop.
//!
//! An [`Outline`](outline::Outline) is what ranking needs to know of a scope; [`Index`]
//! turns those of the selected scopes into postings;
//! [`Question`] is what a question asks for; [`score_segments`] is the pure
//! function from evidence to scores. Every statistic is over the selected scopes, never over the
//! candidates; what vectors are on average is told by the newest.
//!
//! The lexical part is BM25 (Robertson and Zaragoza, *The Probabilistic Relevance
//! Framework: BM25 and Beyond*, 2009) with idf = ln(1 + (N − df + ½)/(df + ½)).

mod evidence;
mod first_person;
mod framed;
mod guidance;
mod index;
pub mod outline;
mod question;
pub mod sealed;
mod several;

pub use evidence::{Evidence, SegmentScore, explain_segment, score_segments};
pub use first_person::in_first_person;
pub use index::{
    EmbeddedQuestion, Excerpt, FoundPlaces, FoundWords, HeldVectors, Index, ItemMatch, NEIGHBOURS,
    Nearest, Nearness, PartlySealed, ReadBucket, SealedQuestion, SegmentName, Standing,
    WantedBucket, Words,
};
pub use question::{Question, QuestionWord};
