//! Configuration: memU's names and defaults, and ours beside them.
//!
//! Precedence: code or flag over `MEMU_*` variables over `memu.toml` over defaults.
//! Everything is validated once; an unknown key is an error that names the nearest
//! valid one.

mod layers;
mod refusal;
mod sections;

pub use layers::{CONFIG_FILE, Layers};
pub use memu_core::Secret;
pub use sections::{
    BlobConfig, DatabaseConfig, DdlMode, EmbeddingFormat, LlmProfile, MetadataProvider,
    MetadataStoreConfig, UserConfig, VectorIndexConfig, VectorProvider,
};

use std::collections::BTreeMap;

use memu_core::Result;
use memu_core::config::{BudgetConfig, MemorizeConfig, RetrieveConfig};
use serde::{Deserialize, Serialize};

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
        for (name, profile) in &self.llm_profiles {
            profile.validate(name)?;
        }
        Ok(())
    }
}
