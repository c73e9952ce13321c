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

impl CategoryItem {
    /// The id of the relation between an item and a category whose ids are UUIDs: the first
    /// half of the item's with the second half of the category's. So a store need not keep
    /// it. `None` for other ids.
    pub fn id_for(item: &Id, category: &Id) -> Option<Id> {
        let (item, category) = (item.to_uuid_bytes()?, category.to_uuid_bytes()?);
        let mut bytes = item;
        for (byte, other) in bytes.iter_mut().zip(category).skip(8) {
            *byte = other;
        }
        Some(Id::from_uuid_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relation_has_half_of_the_ids_of_its_item_and_its_category() {
        let item = Id::from("12345678-1234-4234-8234-123456789abc");
        let category = Id::from("fedcba98-fedc-4edc-bedc-fedcba987654");
        let relation = CategoryItem::id_for(&item, &category);
        assert_eq!(
            relation,
            Some(Id::from("12345678-1234-4234-bedc-fedcba987654"))
        );
        assert_eq!(CategoryItem::id_for(&Id::from("tea"), &category), None);
    }
}
