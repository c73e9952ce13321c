use serde::Serialize;

use super::{Id, Meta};

/// A topic with a summary that follows its items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemoryCategory {
    /// Identity, scope and times.
    #[serde(flatten)]
    pub meta: Meta,
    /// Its name, such as `work_life`. Unique within a scope for categories that
    /// MemU makes.
    pub name: String,
    /// What belongs into it.
    pub description: String,
    /// What its items say, in short; `None` before the first.
    pub summary: Option<String>,
}

/// An item filed under a category. At most one per pair and scope.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CategoryItem {
    /// Identity, scope and times.
    #[serde(flatten)]
    pub meta: Meta,
    /// The item.
    pub item_id: Id,
    /// The category.
    pub category_id: Id,
}
