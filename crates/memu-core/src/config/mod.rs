//! Settings of the pipelines, under the names and defaults of memU 1.x.
//!
//! They deserialise from partial input (what is left out keeps its default) and
//! are validated once, when a service is built.

mod budget;
mod memorize;
mod prompt;
mod ranking;
mod retrieve;

pub use budget::BudgetConfig;
pub use memorize::{CategoryConfig, DEFAULT_CATEGORIES, DEFAULT_MEMORY_TYPES, MemorizeConfig};
pub use prompt::{CustomPrompt, PromptBlock};
pub use ranking::RankingConfig;
pub use retrieve::{
    ItemRanking, RetrieveConfig, RetrieveItemConfig, RetrieveMethod, RetrieveTierConfig,
};

pub(crate) use retrieve::check_top_k;

use crate::error::{Error, Result};

/// An error that says which setting is out of range, and what the range is.
fn out_of_range(setting: &str, value: impl std::fmt::Display, range: &str) -> Error {
    Error::config(format!("{setting} is {value}; it must be {range}"))
}

/// Checks that a setting lies within a closed range.
fn check_range(setting: &str, value: f32, least: f32, most: f32) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(out_of_range(
        setting,
        value,
        &format!("from {least} to {most}"),
    ))
}
