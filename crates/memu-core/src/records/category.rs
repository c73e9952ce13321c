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

impl MemoryCategory {
    /// What the summary says, without citations such as `[ref:abc123]`: the ids in them are
    /// random and mean nothing to a model. Empty where there is no summary.
    pub fn summary_without_references(&self) -> String {
        let summary = self.summary.as_deref().unwrap_or_default();
        let mut said = String::with_capacity(summary.len());
        let mut rest = summary;
        while let Some((before, citation)) = rest.split_once("[ref:") {
            let Some((_, after)) = citation.split_once(']') else {
                break;
            };
            said.push_str(before.trim_end_matches(' '));
            rest = after;
        }
        said.push_str(rest);
        said
    }
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
    use crate::scope::ScopeSchema;
    use crate::time::Timestamp;

    #[test]
    fn a_summary_is_told_without_its_citations() {
        let scope = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
        let mut category = MemoryCategory {
            meta: Meta::new(Id::from("c"), scope, Timestamp::from_micros(0)),
            name: "activities".into(),
            description: String::new(),
            summary: None,
        };
        for (summary, expected) in [
            (
                "- Rows [ref:ab12cd][ref:34ef56].\n- Swims.",
                "- Rows.\n- Swims.",
            ),
            ("Rows [ref:ab12cd] and [ref:open", "Rows and [ref:open"),
            ("[ref:ab12cd]", ""),
            ("", ""),
        ] {
            category.summary = Some(summary.into());
            assert_eq!(category.summary_without_references(), expected);
        }
        category.summary = None;
        assert_eq!(category.summary_without_references(), "");
    }

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
