use std::sync::Arc;

use serde_json::{Map, Value};

use crate::config::RetrieveConfig;
use crate::records::{Id, Modality, Role};

/// What to memorize.
#[derive(Clone, Debug)]
pub struct MemorizeRequest {
    /// The content, or where it is.
    pub source: Source,
    /// What kind of thing it is.
    pub modality: Modality,
    /// Whose memory it becomes: values of scope fields, such as
    /// `{"user_id": "alice"}`.
    pub user: Map<String, Value>,
    /// For pictures, films and recordings: what they show or say, in words. It is
    /// read in place of the content.
    pub caption: Option<String>,
}

impl MemorizeRequest {
    /// A file or URL for the empty scope.
    pub fn url(url: impl Into<String>, modality: Modality) -> Self {
        Self {
            source: Source::Url(url.into()),
            modality,
            user: Map::new(),
            caption: None,
        }
    }

    /// Bytes at hand for the empty scope. The URL names them in lists and messages.
    pub fn content(
        bytes: impl Into<Arc<[u8]>>,
        url: impl Into<String>,
        modality: Modality,
    ) -> Self {
        Self {
            source: Source::Content {
                bytes: bytes.into(),
                url: url.into(),
            },
            modality,
            user: Map::new(),
            caption: None,
        }
    }

    /// The same for this scope.
    #[must_use]
    pub fn user(mut self, field: &str, value: &str) -> Self {
        self.user.insert(field.to_owned(), value.into());
        self
    }
}

/// Content, or where it is.
#[derive(Clone, Debug)]
pub enum Source {
    /// A path, `file://` or `http(s)://` URL.
    Url(String),
    /// Bytes at hand.
    Content {
        /// The bytes.
        bytes: Arc<[u8]>,
        /// What to call them.
        url: String,
    },
}

/// A question.
#[derive(Clone, Debug, Default)]
pub struct RetrieveRequest {
    /// The last one is the question; earlier ones are its context.
    pub queries: Vec<Message>,
    /// Whose memory, and which part of it.
    pub filter: Map<String, Value>,
    /// Answer over every scope when no scope field is given.
    pub all_scopes: bool,
    /// Return every term of every score.
    pub explain: bool,
    /// How many items, segments, categories and resources to return, in place of
    /// the configured numbers.
    pub top_k: Option<usize>,
    /// How to answer, in place of what is configured; but for `ranking`, by which memories are
    /// prepared for every question alike.
    pub config: Option<RetrieveConfig>,
}

impl RetrieveRequest {
    /// A single question.
    pub fn question(text: impl Into<String>) -> Self {
        Self {
            queries: vec![Message {
                role: Role::User,
                text: text.into(),
            }],
            ..Self::default()
        }
    }

    /// The same for records that match: one field of the `where` object.
    #[must_use]
    pub fn matching(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.filter.insert(key.to_owned(), value.into());
        self
    }
}

/// One message of a conversation that leads up to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub text: String,
}

/// Which records to list.
#[derive(Clone, Debug, Default)]
pub struct ListRequest {
    /// Whose records, and which of them.
    pub filter: Map<String, Value>,
    /// List every scope's when no scope field is given.
    pub all_scopes: bool,
    /// At most this many, from 1; `None` for all.
    pub limit: Option<usize>,
    /// Where the previous page ended.
    pub cursor: Option<String>,
}

/// A memory in the caller's own words.
#[derive(Clone, Debug)]
pub struct CreateItem {
    /// Its type.
    pub memory_type: String,
    /// The memory.
    pub content: String,
    /// The names of its categories; when empty, it is filed like an extracted one.
    pub categories: Vec<String>,
    /// Open details; see [`MemoryItem::extra`](crate::records::MemoryItem::extra). Of those with
    /// a meaning, `when_to_use` is a text, `metadata` an object, and `tool_calls`, for memories of
    /// type `tool`, a list of [`ToolCall`](crate::records::ToolCall)s. What MemU keeps itself
    /// (`content_hash`, `ref_id`, `reinforcement_count`, `last_reinforced_at`) is refused.
    pub extra: Map<String, Value>,
    /// Whose memory it is.
    pub user: Map<String, Value>,
    /// Whether the summaries of its categories follow.
    pub propagate: bool,
}

/// Memories in the caller's own words, for one scope.
#[derive(Clone, Debug, Default)]
pub struct CreateItems {
    /// The memories.
    pub items: Vec<NewItem>,
    /// Whose memories they are.
    pub user: Map<String, Value>,
    /// Whether the summaries of their categories follow, once all of them are stored.
    pub propagate: bool,
}

/// One memory of [`CreateItems`].
#[derive(Clone, Debug)]
pub struct NewItem {
    /// Its type.
    pub memory_type: String,
    /// The memory.
    pub content: String,
    /// The names of its categories; when empty, it is filed like an extracted one.
    pub categories: Vec<String>,
    /// Open details, as in [`CreateItem::extra`].
    pub extra: Map<String, Value>,
}

impl NewItem {
    /// The memory as it is stored.
    pub(super) fn summary(&self) -> &str {
        self.content.trim()
    }
}

/// A change to a memory.
#[derive(Clone, Debug)]
pub struct UpdateItem {
    /// Which one: the id, or the beginning of it where that is enough.
    pub id: Id,
    /// A new type.
    pub memory_type: Option<String>,
    /// New words.
    pub content: Option<String>,
    /// New categories, in place of all it has.
    pub categories: Option<Vec<String>>,
    /// Open details that are set, as in [`CreateItem::extra`]; one that is null is taken away, and
    /// those that are not named stay.
    pub extra: Map<String, Value>,
    /// Whose memory it is.
    pub user: Map<String, Value>,
    /// Whether the summaries of the touched categories follow.
    pub propagate: bool,
}
