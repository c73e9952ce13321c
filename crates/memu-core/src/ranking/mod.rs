//! Ranking without a model in the loop.
//!
//! [`Index`] turns the segments and items of the selected scopes into postings;
//! [`Question`] is what a question asks for; [`score_segments`] is the pure
//! function from evidence to scores. Every statistic and normaliser is over the
//! selected scopes, never over the candidates.
//!
//! The lexical part is BM25 (Robertson and Zaragoza, *The Probabilistic Relevance
//! Framework: BM25 and Beyond*, 2009) with idf = ln(1 + (N − df + ½)/(df + ½)).

mod evidence;
mod guidance;
mod index;
mod question;

pub use evidence::{Evidence, SegmentScore, score_segments};
pub use index::{Index, ItemMatch, QuestionMatches};
pub use question::{Question, QuestionWord};
