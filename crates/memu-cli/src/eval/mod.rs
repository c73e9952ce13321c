//! Measures how well questions find their evidence.
//!
//! A *corpus* is a file of conversations with questions whose evidence is known. Each
//! conversation is memorized into a scope of its own through the ordinary pipeline,
//! each question is asked of it, and the *figures* compare the ranked messages with
//! the evidence. A plain BM25 runs beside it as the *baseline*.

mod baseline;
mod bootstrap;
mod compare;
mod corpus;
mod figures;
mod official;
mod report;
mod run;

pub(crate) use compare::{compare, show_comparison};
pub(crate) use corpus::Corpus;
pub(crate) use report::show;
pub(crate) use run::{Extras, run};
