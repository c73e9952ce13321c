use serde::Serialize;

use crate::ranking::SegmentScore;
use crate::records::{CategoryItem, Id, MemoryCategory, MemoryItem, Resource, Segment};

/// What memorizing did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemorizeResponse {
    /// Whether anything is new.
    pub status: MemorizeStatus,
    /// The resource.
    pub resource: Resource,
    /// The items that were stored now; for an unchanged resource, those it has.
    pub items: Vec<MemoryItem>,
    /// The categories of the scope, with their summaries.
    pub categories: Vec<MemoryCategory>,
    /// Which of these items are filed where.
    pub relations: Vec<CategoryItem>,
    /// Items that were known already and met again.
    pub reinforced: Vec<MemoryItem>,
    /// How many segments were stored now.
    pub new_segments: usize,
}

/// Whether memorizing found anything new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MemorizeStatus {
    /// The content was new.
    Created,
    /// A known conversation had grown; only what is new was added.
    Extended,
    /// The content was known; nothing was changed.
    Unchanged,
}

/// The memories that answer a question.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RetrieveResponse {
    /// Whether the question needs memory at all; `false` leaves all lists empty.
    pub needs_retrieval: bool,
    /// The question as it was asked.
    pub original_query: String,
    /// The question as it was searched for.
    pub rewritten_query: String,
    /// What to ask next, where a model proposed something.
    pub next_step_query: Option<String>,
    /// The categories it touches, best first.
    pub categories: Vec<CategoryHit>,
    /// The items that answer it, best first.
    pub items: Vec<ItemHit>,
    /// The resources they come from, best first.
    pub resources: Vec<ResourceHit>,
    /// The evidence: messages and passages, best first.
    pub segments: Vec<SegmentHit>,
}

/// A category with its score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CategoryHit {
    /// The category.
    #[serde(flatten)]
    pub category: MemoryCategory,
    /// How well it fits, from 0; comparable within a response only.
    pub score: f32,
}

/// An item with its score and evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ItemHit {
    /// The item.
    #[serde(flatten)]
    pub item: MemoryItem,
    /// How well it fits, from 0; comparable within a response only.
    pub score: f32,
    /// The names of the categories it is filed under.
    pub categories: Vec<String>,
    /// The segments it was drawn from.
    pub evidence: Vec<Segment>,
    /// The terms of the score, when they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<ItemExplanation>,
}

/// Every term of an item's score: `(evidence + own_text) · salience · novelty`, where
/// `own_text` is already weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ItemExplanation {
    /// The score of its best segment, or that of its own words and, where it cites nothing, its
    /// own vector, where that is better.
    pub evidence: f32,
    /// What its own text adds.
    pub own_text: f32,
    /// How often and how recently it was met; 1 unless salience ranking is on.
    pub salience: f32,
    /// What is left when items before it rest on the same evidence, 0 to 1; see
    /// [`RetrieveItemConfig::diversity`](crate::config::RetrieveItemConfig::diversity).
    pub novelty: f32,
}

/// A resource with its score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResourceHit {
    /// The resource.
    #[serde(flatten)]
    pub resource: Resource,
    /// How well it fits, from 0; comparable within a response only.
    pub score: f32,
}

/// A segment with its score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SegmentHit {
    /// The segment.
    #[serde(flatten)]
    pub segment: Segment,
    /// How well it fits, from 0; comparable within a response only.
    pub score: f32,
    /// The items that cite it.
    pub items: Vec<Id>,
    /// The terms of the score, when they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<SegmentScore>,
}

/// A page of records.
#[derive(Clone, Debug, PartialEq)]
pub struct ListResponse<T> {
    /// The records.
    pub records: Vec<T>,
    /// Pass it as `cursor` to read on; `None` on the last page.
    pub next_cursor: Option<String>,
}

/// What creating, updating or deleting an item did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ItemResponse {
    /// The item as it is now, or as it was before it was deleted.
    pub memory_item: MemoryItem,
    /// The categories whose summaries were looked at again.
    pub category_updates: Vec<MemoryCategory>,
}

/// What creating several items did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ItemsResponse {
    /// The items, in the order in which they came.
    pub memory_items: Vec<MemoryItem>,
    /// The categories whose summaries were looked at again.
    pub category_updates: Vec<MemoryCategory>,
}

/// What clearing removed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClearResponse {
    /// The categories.
    pub deleted_categories: Vec<MemoryCategory>,
    /// The items.
    pub deleted_items: Vec<MemoryItem>,
    /// The resources.
    pub deleted_resources: Vec<Resource>,
    /// How many relations went.
    pub deleted_relations: usize,
    /// How many segments went.
    pub deleted_segments: usize,
    /// How many scopes went.
    pub deleted_scopes: usize,
}
