//! Configuration: memU's names and defaults, and ours beside them.
//!
//! Precedence: code or flag over `MEMU_*` variables over `memu.toml` over defaults.
//! Everything is validated once; an unknown key is an error that names the nearest
//! valid one.

mod layers;
mod profile;
mod refusal;
mod sections;

pub use layers::{CONFIG_FILE, Layers};
pub use memu_core::Secret;
pub use profile::LlmProfile;
pub use sections::{
    BlobConfig, DatabaseConfig, DdlMode, EmbeddingFormat, MetadataProvider, MetadataStoreConfig,
    UserConfig, VectorIndexConfig, VectorProvider,
};

use std::collections::BTreeMap;

use memu_core::config::{BudgetConfig, MemorizeConfig, RetrieveConfig};
use memu_core::records::Modality;
use memu_core::{Error, Result};
use memu_models::ModelReader;
use memu_models::understanding::prompt::{PromptName, validate};
use serde::{Deserialize, Serialize};

/// The profile of every step that names no other.
pub(crate) const DEFAULT_PROFILE: &str = "default";
/// The profile that embeds.
pub(crate) const EMBEDDING_PROFILE: &str = "embedding";

/// All settings of a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Models, by profile name; `default` chats and `embedding` embeds. Without any,
    /// the local provider does both.
    pub llm_profiles: BTreeMap<String, LlmProfile>,
    /// Where large files are kept.
    pub blob_config: BlobConfig,
    /// Where memories are kept.
    pub database_config: DatabaseConfig,
    /// How content becomes memories.
    pub memorize_config: MemorizeConfig,
    /// How questions are answered.
    pub retrieve_config: RetrieveConfig,
    /// What the models of each scope may take.
    pub budget: BudgetConfig,
    /// The fields of a scope.
    pub user_config: UserConfig,
}

impl Settings {
    fn validate_prompts(&self) -> Result<()> {
        let config = &self.memorize_config;
        for (name, prompt) in &config.memory_type_prompts {
            validate(prompt, PromptName::MemorizeType)
                .map_err(|error| error.with("memorize_config.memory_type_prompts", name))?;
        }
        for (name, prompt) in &config.multimodal_preprocess_prompts {
            let known = Modality::ALL
                .iter()
                .find(|one| one.as_str() == name.as_str());
            let Some(modality) = known else {
                let valid = Modality::ALL.map(Modality::as_str).join(", ");
                return Err(Error::config(format!(
                    "memorize_config.multimodal_preprocess_prompts has no prompt {name:?}; there \
                     are {valid}"
                )));
            };
            if let Some(of) = ModelReader::prompt_name(*modality) {
                validate(prompt, of).map_err(|error| {
                    error.with("memorize_config.multimodal_preprocess_prompts", name)
                })?;
            }
        }
        let own = config.memory_categories.iter();
        let own = own.filter_map(|category| category.summary_prompt.as_ref());
        for prompt in own.chain(&config.default_category_summary_prompt) {
            validate(prompt, PromptName::Summary)?;
        }
        Ok(())
    }

    /// A limit of costs that nothing counts against would limit nothing.
    fn validate_prices(&self) -> Result<()> {
        let mut remote = self.llm_profiles.values().filter_map(LlmProfile::remote);
        let counted = |profile: memu_models::Profile| {
            let prices = [
                profile.input_price,
                profile.output_price,
                profile.embed_price,
            ];
            prices.iter().any(Option::is_some)
        };
        if self.budget.max_cost.is_none() || self.llm_profiles.is_empty() || remote.any(counted) {
            return Ok(());
        }
        Err(Error::config(
            "budget.max_cost limits nothing: no profile in llm_profiles has a price \
             (input_price, output_price, embed_price)",
        ))
    }

    /// Checks every section.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](memu_core::ErrorKind::Config), naming the setting, its
    /// value and its range; [`ErrorKind::Unsupported`](memu_core::ErrorKind::Unsupported)
    /// for a provider that this version does not have.
    pub fn validate(&self) -> Result<()> {
        self.memorize_config.validate()?;
        self.retrieve_config.validate()?;
        self.budget.validate()?;
        self.database_config.validate()?;
        self.blob_config.validate()?;
        for (name, profile) in &self.llm_profiles {
            profile.validate(name)?;
        }
        self.validate_prompts()?;
        self.validate_prices()?;
        let memorize = &self.memorize_config;
        let retrieve = &self.retrieve_config;
        for (setting, name) in [
            (
                "memorize_config.preprocess_llm_profile",
                &memorize.preprocess_llm_profile,
            ),
            (
                "memorize_config.memory_extract_llm_profile",
                &memorize.memory_extract_llm_profile,
            ),
            (
                "memorize_config.category_update_llm_profile",
                &memorize.category_update_llm_profile,
            ),
            (
                "retrieve_config.route_intention_llm_profile",
                &retrieve.route_intention_llm_profile,
            ),
            (
                "retrieve_config.sufficiency_check_llm_profile",
                &retrieve.sufficiency_check_llm_profile,
            ),
            (
                "retrieve_config.llm_ranking_llm_profile",
                &retrieve.llm_ranking_llm_profile,
            ),
        ] {
            if name != DEFAULT_PROFILE && !self.llm_profiles.contains_key(name) {
                let known: Vec<&str> = self.llm_profiles.keys().map(String::as_str).collect();
                return Err(Error::config(format!(
                    "{setting} names the profile {name:?}, which llm_profiles does not have; \
                     it has {}",
                    if known.is_empty() {
                        "none".to_owned()
                    } else {
                        known.join(", ")
                    }
                )));
            }
        }
        Ok(())
    }
}
