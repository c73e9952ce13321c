use serde::{Deserialize, Serialize};

use super::{RankingConfig, check_range, out_of_range};
use crate::error::Result;

/// The most records a tier may return.
const MAX_TOP_K: usize = 10_000;

/// How questions are answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetrieveConfig {
    /// How memories are ranked. Default `rag`.
    pub method: RetrieveMethod,
    /// Whether to decide first if the question needs memory at all (a greeting does
    /// not). Default on.
    pub route_intention: bool,
    /// Whether to ask, after each tier, if what was found suffices. Costs nothing
    /// and changes nothing with a local profile. Default on.
    pub sufficiency_check: bool,
    /// The categories to return. Default on, 5.
    pub category: RetrieveTierConfig,
    /// The items to return. Default on, 5.
    pub item: RetrieveItemConfig,
    /// The resources to return. Default on, 5.
    pub resource: RetrieveTierConfig,
    /// The segments to return: the evidence itself. Default on, 5.
    pub segment: RetrieveTierConfig,
    /// The constants of the ranking.
    pub ranking: RankingConfig,
    /// The model profile that decides what a question needs. Default `default`.
    pub route_intention_llm_profile: String,
    /// The model profile that judges what was found. Default `default`.
    pub sufficiency_check_llm_profile: String,
    /// The model profile that chooses, where `method` is `llm`. Default `default`.
    pub llm_ranking_llm_profile: String,
}

impl Default for RetrieveConfig {
    fn default() -> Self {
        Self {
            method: RetrieveMethod::default(),
            route_intention: true,
            sufficiency_check: true,
            category: RetrieveTierConfig::default(),
            item: RetrieveItemConfig::default(),
            resource: RetrieveTierConfig::default(),
            segment: RetrieveTierConfig::default(),
            ranking: RankingConfig::default(),
            route_intention_llm_profile: "default".to_owned(),
            sufficiency_check_llm_profile: "default".to_owned(),
            llm_ranking_llm_profile: "default".to_owned(),
        }
    }
}

impl RetrieveConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the setting, its
    /// value and its range.
    pub fn validate(&self) -> Result<()> {
        for (tier, top_k) in [
            ("category", self.category.top_k),
            ("item", self.item.top_k),
            ("resource", self.resource.top_k),
            ("segment", self.segment.top_k),
        ] {
            check_top_k(&format!("retrieve_config.{tier}.top_k"), top_k)?;
        }
        if !(self.item.recency_decay_days.is_finite() && self.item.recency_decay_days > 0.0) {
            return Err(out_of_range(
                "retrieve_config.item.recency_decay_days",
                self.item.recency_decay_days,
                "above 0",
            ));
        }
        check_range(
            "retrieve_config.item.diversity",
            self.item.diversity,
            0.0,
            1.0,
        )?;
        self.ranking.validate()
    }
}

/// Checks how many records are asked for.
pub(crate) fn check_top_k(setting: &str, top_k: usize) -> Result<()> {
    if (1..=MAX_TOP_K).contains(&top_k) {
        return Ok(());
    }
    Err(out_of_range(
        setting,
        top_k,
        &format!("from 1 to {MAX_TOP_K}"),
    ))
}

/// How memories are ranked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RetrieveMethod {
    /// By evidence, without a model in the loop.
    #[default]
    Rag,
    /// By a model that reads summaries and candidates.
    Llm,
}

/// One kind of result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetrieveTierConfig {
    /// Whether to return any.
    pub enabled: bool,
    /// At most how many, from 1 to 10,000. Default 5.
    pub top_k: usize,
}

impl Default for RetrieveTierConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            top_k: 5,
        }
    }
}

/// The items to return.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetrieveItemConfig {
    /// Whether to return any.
    pub enabled: bool,
    /// At most how many, from 1 to 10,000. Default 5.
    pub top_k: usize,
    /// What decides their order. Default `similarity`.
    pub ranking: ItemRanking,
    /// For salience: after how many days the weight of a memory is halved.
    /// Default 30.
    pub recency_decay_days: f64,
    /// Whether the items that the found categories' summaries cite are considered
    /// too. Default off.
    pub use_category_references: bool,
    /// The share of its score, from 0 to 1, that an item loses when all the evidence
    /// it rests on stands under items before it. Default 0.2.
    pub diversity: f32,
}

impl Default for RetrieveItemConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            top_k: 5,
            ranking: ItemRanking::Similarity,
            recency_decay_days: 30.0,
            use_category_references: false,
            diversity: 0.2,
        }
    }
}

/// What decides the order of items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemRanking {
    /// The evidence alone.
    #[default]
    Similarity,
    /// The evidence, times how often the memory was met, times how recently.
    Salience,
}
