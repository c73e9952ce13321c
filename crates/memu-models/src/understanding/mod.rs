//! Prompts, and what their replies mean: requests are built and replies are read here, and
//! somebody else makes the call in between. Everything is a pure function.

mod answer;
pub mod caption;
mod fields;
pub mod memorize;
mod moment;
pub mod prompt;
pub mod retrieve;
pub mod salvage;
mod schema;
pub mod summarize;
