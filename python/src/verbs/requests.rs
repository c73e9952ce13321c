//! The arguments of the verbs.

use memu::core::records::ToolCall;
use memu::{ListRequest, Modality, Role};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memorize {
    pub(crate) resource_url: Option<String>,
    pub(crate) modality: Modality,
    #[serde(default)]
    pub(crate) user: Map<String, Value>,
    pub(crate) caption: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retrieve {
    pub(crate) queries: Vec<Query>,
    #[serde(default, rename = "where")]
    pub(crate) filter: Map<String, Value>,
    #[serde(default)]
    pub(crate) all_scopes: bool,
    #[serde(default)]
    pub(crate) explain: bool,
    pub(crate) top_k: Option<usize>,
    #[serde(default)]
    pub(crate) config: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Query {
    #[serde(default = "user")]
    pub(crate) role: Role,
    pub(crate) text: String,
}

fn user() -> Role {
    Role::User
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    #[serde(default, rename = "where")]
    pub(crate) filter: Map<String, Value>,
    #[serde(default)]
    pub(crate) all_scopes: bool,
    pub(crate) limit: Option<usize>,
    pub(crate) cursor: Option<String>,
}

impl From<List> for ListRequest {
    fn from(list: List) -> Self {
        Self {
            filter: list.filter,
            all_scopes: list.all_scopes,
            limit: list.limit,
            cursor: list.cursor,
        }
    }
}

/// Whose memory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    #[serde(default, rename = "where")]
    pub(crate) filter: Map<String, Value>,
    #[serde(default)]
    pub(crate) all_scopes: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Create {
    pub(crate) memory_type: String,
    pub(crate) memory_content: String,
    #[serde(default)]
    pub(crate) memory_categories: Vec<String>,
    #[serde(default)]
    pub(crate) extra: Map<String, Value>,
    #[serde(default)]
    pub(crate) user: Map<String, Value>,
    #[serde(default = "yes")]
    pub(crate) propagate: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateMany {
    pub(crate) items: Vec<One>,
    #[serde(default)]
    pub(crate) user: Map<String, Value>,
    #[serde(default = "yes")]
    pub(crate) propagate: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct One {
    pub(crate) memory_type: String,
    pub(crate) memory_content: String,
    #[serde(default)]
    pub(crate) memory_categories: Vec<String>,
    #[serde(default)]
    pub(crate) extra: Map<String, Value>,
}

/// A change to a memory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Update {
    pub(crate) memory_id: String,
    pub(crate) memory_type: Option<String>,
    pub(crate) memory_content: Option<String>,
    pub(crate) memory_categories: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) extra: Map<String, Value>,
    #[serde(default)]
    pub(crate) user: Map<String, Value>,
    #[serde(default = "yes")]
    pub(crate) propagate: bool,
}

/// Which memory is meant.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneItem {
    pub(crate) memory_id: String,
    #[serde(default)]
    pub(crate) user: Map<String, Value>,
    #[serde(default = "yes")]
    pub(crate) propagate: bool,
}

/// A use of a tool to note.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToolCall {
    pub(crate) memory_id: String,
    pub(crate) tool_call: ToolCall,
    #[serde(default)]
    pub(crate) user: Map<String, Value>,
}

/// Whether to repair what can be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    #[serde(default)]
    pub(crate) repair: bool,
}

/// Which kept replies are read again.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayRequest {
    #[serde(default, rename = "where")]
    pub(crate) filter: Map<String, Value>,
    #[serde(default)]
    pub(crate) all_scopes: bool,
    #[serde(default)]
    pub(crate) stored: bool,
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// Whether to count only.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReembedRequest {
    #[serde(default)]
    pub(crate) dry_run: bool,
}
