use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CustomPrompt, check_range, out_of_range};
use crate::error::{Error, Result};

/// The types of memory that are extracted by default, in order.
pub const DEFAULT_MEMORY_TYPES: [&str; 5] = ["profile", "event", "knowledge", "behavior", "skill"];

/// The default categories: name and description.
pub const DEFAULT_CATEGORIES: [(&str, &str); 10] = [
    ("personal_info", "Personal information about the user"),
    ("preferences", "User preferences, likes and dislikes"),
    (
        "relationships",
        "Information about relationships with others",
    ),
    ("activities", "Activities, hobbies, and interests"),
    ("goals", "Goals, aspirations, and objectives"),
    ("experiences", "Past experiences and events"),
    ("knowledge", "Knowledge, facts, and learned information"),
    ("opinions", "Opinions, viewpoints, and perspectives"),
    ("habits", "Habits, routines, and patterns"),
    (
        "work_life",
        "Work-related information and professional life",
    ),
];

/// How content becomes memories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MemorizeConfig {
    /// The types of memory to extract, in order. Default: [`DEFAULT_MEMORY_TYPES`].
    pub memory_types: Vec<String>,
    /// The categories to file under. Default: [`DEFAULT_CATEGORIES`].
    pub memory_categories: Vec<CategoryConfig>,
    /// The least score, from 0 to 1, at which an item is filed under a category.
    /// Default 0.25.
    pub category_assign_threshold: f32,
    /// The length of a category's summary in characters, from 1. Default 400.
    pub default_category_summary_target_length: usize,
    /// Whether summaries cite their items as `[ref:abc123]`. Default off.
    pub enable_item_references: bool,
    /// Whether a memory that is met again counts up `reinforcement_count` and notes
    /// the time. Without it, a repeated memory is recognised and left as it is.
    /// Default off.
    pub enable_item_reinforcement: bool,
    /// The share of terms, from 0 to 1, that two memories must have in common to
    /// count as the same. Default 0.85.
    pub near_identity_threshold: f32,
    /// The largest resource that is accepted, in bytes. Default 256 MiB.
    pub max_resource_bytes: u64,
    /// Prompts in place of ours, by type of memory; a type that has one is asked for in a call
    /// of its own. Default none.
    pub memory_type_prompts: BTreeMap<String, CustomPrompt>,
    /// The prompt for summaries of categories without one of their own; each is then asked for
    /// alone. Default ours.
    pub default_category_summary_prompt: Option<CustomPrompt>,
    /// The model profile that describes pictures and videos, and writes down recordings. Default
    /// `default`.
    pub preprocess_llm_profile: String,
    /// Prompts in place of ours for that, by modality: `image`, `video`, `audio`. One for
    /// `document` has documents condensed, which are otherwise kept as they are. One for
    /// `conversation` is accepted, and has no effect: conversations are parted without a model.
    /// Default none.
    pub multimodal_preprocess_prompts: BTreeMap<String, CustomPrompt>,
    /// How many frames of a video a model is shown, from 1 to 32. Default 8.
    pub video_frames: usize,
    /// The program ffmpeg, which takes videos apart; `MEMU_FFMPEG` names it, too. Default: the
    /// one on the path.
    pub ffmpeg_path: Option<String>,
    /// The model profile that draws memories. Default `default`.
    pub memory_extract_llm_profile: String,
    /// The model profile that writes summaries. Default `default`.
    pub category_update_llm_profile: String,
}

impl Default for MemorizeConfig {
    fn default() -> Self {
        Self {
            memory_types: DEFAULT_MEMORY_TYPES.map(str::to_owned).to_vec(),
            memory_categories: DEFAULT_CATEGORIES
                .iter()
                .map(|(name, description)| CategoryConfig {
                    name: (*name).to_owned(),
                    description: (*description).to_owned(),
                    target_length: None,
                    summary_prompt: None,
                })
                .collect(),
            category_assign_threshold: 0.25,
            default_category_summary_target_length: 400,
            enable_item_references: false,
            enable_item_reinforcement: false,
            near_identity_threshold: 0.85,
            max_resource_bytes: 256 << 20,
            memory_type_prompts: BTreeMap::new(),
            default_category_summary_prompt: None,
            preprocess_llm_profile: "default".to_owned(),
            multimodal_preprocess_prompts: BTreeMap::new(),
            video_frames: 8,
            ffmpeg_path: None,
            memory_extract_llm_profile: "default".to_owned(),
            category_update_llm_profile: "default".to_owned(),
        }
    }
}

impl MemorizeConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the setting, its
    /// value and its range.
    pub fn validate(&self) -> Result<()> {
        check_range(
            "memorize_config.category_assign_threshold",
            self.category_assign_threshold,
            0.0,
            1.0,
        )?;
        check_range(
            "memorize_config.near_identity_threshold",
            self.near_identity_threshold,
            0.0,
            1.0,
        )?;
        if self.default_category_summary_target_length == 0 {
            return Err(out_of_range(
                "memorize_config.default_category_summary_target_length",
                0,
                "at least 1",
            ));
        }
        if !(1..=32).contains(&self.video_frames) {
            return Err(out_of_range(
                "memorize_config.video_frames",
                self.video_frames,
                "from 1 to 32",
            ));
        }
        if self.memory_types.is_empty() {
            return Err(Error::config("memorize_config.memory_types is empty"));
        }
        check_names(
            "memorize_config.memory_types",
            self.memory_types.iter().map(String::as_str),
        )?;
        check_names(
            "memorize_config.memory_categories",
            self.memory_categories
                .iter()
                .map(|category| category.name.as_str()),
        )
    }

    /// How long the summary of a category may be, in characters.
    pub fn summary_target_length(&self, category: &str) -> usize {
        self.memory_categories
            .iter()
            .find(|config| config.name == category)
            .and_then(|config| config.target_length)
            .unwrap_or(self.default_category_summary_target_length)
    }
}

fn check_names<'a>(setting: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if name.trim().is_empty() {
            return Err(Error::config(format!("{setting} holds an empty name")));
        }
        if seen.contains(&name) {
            return Err(Error::config(format!("{setting} holds {name:?} twice")));
        }
        seen.push(name);
    }
    Ok(())
}

/// A category to file under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryConfig {
    /// Its name, such as `work_life`.
    pub name: String,
    /// What belongs into it.
    #[serde(default)]
    pub description: String,
    /// The length of its summary in characters; `None` for the default.
    #[serde(default)]
    pub target_length: Option<usize>,
    /// The prompt that its summary is written by; `None` for the default.
    #[serde(default)]
    pub summary_prompt: Option<CustomPrompt>,
}
