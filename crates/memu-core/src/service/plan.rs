//! A change to one scope, as it is being put together: what will be stored, which
//! categories are touched by it, and their new summaries.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Context;
use super::cache::ScopeView;
use crate::error::Result;
use crate::provider::{
    Calls, CategorizeRequest, CategoryTopic, Purpose, SummaryItem, SummaryRequest,
};
use crate::records::{
    CategoryItem, Id, MemoryCategory, MemoryItem, Meta, OwnedEmbedding, OwnerKind, Segment,
};
use crate::scope::Scope;
use crate::store::{Lease, Write, WriteBatch};
use crate::time::Timestamp;

/// What embeds memories, as usage names it.
pub(super) const EMBED_MEMORIES: &str = "embed_memories";

/// A change that is planned on the scope as `view` shows it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) view: Arc<ScopeView>,
    pub(super) scope: Scope,
    pub(super) now: Timestamp,
    /// Items to store, new and changed.
    pub(super) items: Vec<MemoryItem>,
    /// Items to remove.
    pub(super) removed_items: Vec<Id>,
    /// Relations to add.
    pub(super) relations: Vec<CategoryItem>,
    /// Relations to remove: item and category.
    pub(super) removed_relations: Vec<(Id, Id)>,
    /// Every category of the scope, as it will be: those not yet stored included.
    pub(super) categories: Vec<MemoryCategory>,
    /// Categories whose items have changed already.
    pub(super) also_touched: Vec<Id>,
    /// Categories whose summaries somebody wrote: they do not follow their items.
    pub(super) told_summaries: Vec<Id>,
    /// Writes that come before all others: content, resource, segments.
    pub(super) first: Vec<Write>,
    /// Keeps the file that the first writes refer to.
    pub(super) lease: Option<Lease>,
    /// Asks models.
    pub(super) calls: Calls,
}

impl Plan {
    /// A plan that changes nothing yet, except that the configured categories which
    /// the scope lacks will be stored.
    pub(super) fn new(context: &Context, view: Arc<ScopeView>, scope: Scope) -> Self {
        let now = context.parts().clock.now();
        let calls = context.calls(&scope, None);
        let mut categories: Vec<MemoryCategory> = view.data.categories().cloned().collect();
        categories.extend(configured_categories(context, &scope, &categories, now));
        Self {
            view,
            scope,
            now,
            items: Vec::new(),
            removed_items: Vec::new(),
            relations: Vec::new(),
            removed_relations: Vec::new(),
            categories,
            also_touched: Vec::new(),
            told_summaries: Vec::new(),
            first: Vec::new(),
            lease: None,
            calls,
        }
    }

    /// Files items under the categories that fit them.
    pub(super) async fn categorize(
        &self,
        context: &Context,
        items: &[MemoryItem],
    ) -> Result<Vec<CategoryItem>> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let request = CategorizeRequest {
            items: items
                .iter()
                .map(|item| (item.memory_type.clone(), item.summary.clone()))
                .collect(),
            categories: self.categories.iter().map(topic).collect(),
            threshold: context.parts().memorize_config.category_assign_threshold,
        };
        let filed = context
            .parts()
            .categorizer
            .categorize(request, &self.calls)
            .await?;
        let pairs = items.iter().zip(filed).flat_map(|(item, fitting)| {
            fitting
                .into_iter()
                .filter_map(move |(category, _)| Some((item, self.categories.get(category)?)))
        });
        Ok(pairs
            .map(|(item, category)| self.relation(context, &item.meta.id, &category.meta.id))
            .collect())
    }

    pub(super) fn relation(&self, context: &Context, item: &Id, category: &Id) -> CategoryItem {
        relation(context, &self.scope, self.now, item, category)
    }

    /// The ids of the categories whose items change.
    fn touched(&self) -> Vec<Id> {
        let mut touched: Vec<Id> = self.also_touched.clone();
        let changed = self
            .items
            .iter()
            .map(|item| &item.meta.id)
            .chain(&self.removed_items);
        let kept = changed
            .flat_map(|item| self.view.data.relations_of_item(item))
            .map(|relation| &relation.category_id);
        let added = self.relations.iter().map(|relation| &relation.category_id);
        let removed = self.removed_relations.iter().map(|(_, category)| category);
        for category in kept.chain(added).chain(removed) {
            if !touched.contains(category) {
                touched.push(category.clone());
            }
        }
        touched
    }

    /// The items of a category as they will be, in the order in which they are stored.
    fn items_of(&self, category: &Id) -> Vec<&MemoryItem> {
        let stays = |relation: &&CategoryItem| {
            !self.removed_items.contains(&relation.item_id)
                && !self.removed_relations.iter().any(|(item, category)| {
                    *item == relation.item_id && *category == relation.category_id
                })
        };
        let stored = self.view.data.relations_of_category(category).filter(stays);
        let added = self
            .relations
            .iter()
            .filter(|relation| relation.category_id == *category);
        let planned: FxHashMap<&Id, &MemoryItem> = self
            .items
            .iter()
            .map(|item| (&item.meta.id, item))
            .collect();
        let mut seen: FxHashSet<&Id> = FxHashSet::default();
        stored
            .chain(added)
            .map(|relation| &relation.item_id)
            .filter(|id| seen.insert(id))
            .filter_map(|id| planned.get(id).copied().or_else(|| self.view.data.item(id)))
            .collect()
    }

    /// The items that a category gets, and those of its items that change.
    fn new_in(&self, category: &Id) -> Vec<Id> {
        let added = self.relations.iter();
        let added = added.filter(|relation| relation.category_id == *category);
        let changed = self.rewritten().filter(|item| self.is_in(item, category));
        let mut new: Vec<Id> = added.map(|relation| &relation.item_id).cloned().collect();
        new.extend(changed.cloned());
        new
    }

    /// What those said that leave a category, or that change.
    fn removed_from(&self, category: &Id) -> Vec<String> {
        let removed = self.removed_items.iter();
        let stored = removed.chain(self.rewritten());
        let stored = stored.filter(|item| self.is_in(item, category));
        let unfiled = self.removed_relations.iter();
        let unfiled = unfiled.filter_map(|(item, from)| (from == category).then_some(item));
        stored
            .chain(unfiled)
            .filter_map(|item| self.view.data.item(item))
            .map(|item| item.summary.clone())
            .collect()
    }

    /// The stored items that say something else from now on.
    fn rewritten(&self) -> impl Iterator<Item = &Id> {
        let is_rewritten = |item: &&MemoryItem| {
            let stored = self.view.data.item(&item.meta.id);
            stored.is_some_and(|stored| stored.summary != item.summary)
        };
        let items = self.items.iter().filter(is_rewritten);
        items.map(|item| &item.meta.id)
    }

    /// Whether an item is filed under a category as the scope is now.
    fn is_in(&self, item: &Id, category: &Id) -> bool {
        let relation = self.view.data.relation_between(item, category);
        relation.is_some()
    }

    /// Writes the summaries of the touched categories anew and returns their ids.
    pub(super) async fn summarize(&mut self, context: &Context) -> Result<Vec<Id>> {
        let mut touched = self.touched();
        touched.retain(|category| !self.told_summaries.contains(category));
        let config = &context.parts().memorize_config;
        let mut requests = Vec::new();
        let mut positions = Vec::new();
        for (position, category) in self.categories.iter().enumerate() {
            if touched.contains(&category.meta.id) {
                positions.push(position);
                requests.push(SummaryRequest {
                    category: topic(category),
                    summary: category.summary.clone(),
                    items: self
                        .items_of(&category.meta.id)
                        .into_iter()
                        .map(summary_item)
                        .collect(),
                    new: self.new_in(&category.meta.id),
                    removed: self.removed_from(&category.meta.id),
                    target_length: config.summary_target_length(&category.name),
                    references: config.enable_item_references,
                });
            }
        }
        if requests.is_empty() {
            return Ok(touched);
        }
        let summaries = context
            .parts()
            .summarizer
            .summarize(requests, &self.calls)
            .await?;
        for (position, summary) in positions.into_iter().zip(summaries) {
            if let Some(category) = self.categories.get_mut(position)
                && category.summary != summary
            {
                category.summary = summary;
                category.meta.updated_at = self.now;
            }
        }
        Ok(touched)
    }

    /// What of a category is embedded.
    pub(super) fn embedded_category(category: &MemoryCategory) -> String {
        format!(
            "{} {} {}",
            category.name.replace('_', " "),
            category.description,
            category.summary_without_references()
        )
    }

    /// The categories that differ from what is stored.
    fn changed_categories(&self) -> impl Iterator<Item = &MemoryCategory> {
        self.categories
            .iter()
            .filter(|category| self.view.data.category(&category.meta.id) != Some(*category))
    }

    /// Embeds what changed and commits everything, on the condition that the scope
    /// is as the plan was made on it. Returns the scope as it is then.
    pub(super) async fn commit(self, context: &Context) -> Result<Arc<ScopeView>> {
        let embedder = &context.parts().embedder;
        let mut owners: Vec<(OwnerKind, Id, String)> = Vec::new();
        for item in &self.items {
            let unchanged = self
                .view
                .data
                .item(&item.meta.id)
                .is_some_and(|stored| stored.summary == item.summary);
            if !unchanged {
                owners.push((OwnerKind::Item, item.meta.id.clone(), item.summary.clone()));
            }
        }
        for category in self.changed_categories() {
            let text = Self::embedded_category(category);
            owners.push((OwnerKind::Category, category.meta.id.clone(), text));
        }
        if embedder.embeds_segments() {
            let fresh = self.first.iter().flat_map(|write| match write {
                Write::Segments(segments) => segments.as_slice(),
                _ => &[],
            });
            owners.extend(fresh.map(|segment| {
                let id = segment.meta.id.clone();
                (OwnerKind::Segment, id, embedded_text(segment))
            }));
        }
        let texts: Vec<&str> = owners.iter().map(|(_, _, text)| text.as_str()).collect();
        let calls = &self.calls;
        let vectors = calls
            .embed(EMBED_MEMORIES, &**embedder, &texts, Purpose::Memory)
            .await?;
        let embeddings: Vec<OwnedEmbedding> = owners
            .iter()
            .zip(vectors)
            .filter_map(|((kind, owner, _), vector)| {
                Some(OwnedEmbedding {
                    kind: *kind,
                    owner: owner.clone(),
                    vector: vector?,
                })
            })
            .collect();
        let planned_on = self.view.data.log_position();
        let mut batch = WriteBatch::new(self.scope.clone(), Some(planned_on.seq));
        batch.expected_life = Some(planned_on.life);
        batch.lease.clone_from(&self.lease);
        batch.writes.extend(self.calls.writes());
        batch.writes.extend(self.first.iter().cloned());
        batch
            .writes
            .extend(self.changed_categories().cloned().map(Write::Category));
        batch
            .writes
            .extend(self.removed_items.iter().cloned().map(Write::DeleteItem));
        batch
            .writes
            .extend(self.items.iter().cloned().map(Write::Item));
        for (item_id, category_id) in &self.removed_relations {
            batch.writes.push(Write::DeleteRelation {
                item_id: item_id.clone(),
                category_id: category_id.clone(),
            });
        }
        batch
            .writes
            .extend(self.relations.iter().cloned().map(Write::Relation));
        if !embeddings.is_empty() {
            batch
                .writes
                .push(Write::Embeddings(embedder.identity().clone(), embeddings));
        }
        let scope = self.scope.clone();
        context.commit(self.view, batch).await?;
        context.view(&scope).await
    }
}

/// An item filed under a category.
pub(super) fn relation(
    context: &Context,
    scope: &Scope,
    now: Timestamp,
    item: &Id,
    category: &Id,
) -> CategoryItem {
    let id = CategoryItem::id_for(item, category);
    CategoryItem {
        meta: Meta::new(
            id.unwrap_or_else(|| context.parts().ids.next_id()),
            scope.clone(),
            now,
        ),
        item_id: item.clone(),
        category_id: category.clone(),
    }
}

/// The configured categories that are not among those of a scope.
pub(super) fn configured_categories(
    context: &Context,
    scope: &Scope,
    known: &[MemoryCategory],
    now: Timestamp,
) -> Vec<MemoryCategory> {
    let configured = context.parts().memorize_config.memory_categories.iter();
    configured
        .filter(|config| !known.iter().any(|known| known.name == config.name))
        .map(|config| MemoryCategory {
            meta: Meta::new(context.parts().ids.next_id(), scope.clone(), now),
            name: config.name.clone(),
            description: config.description.clone(),
            summary: None,
        })
        .collect()
}

/// What of a segment is embedded: its words and what is seen in its picture, not who says
/// it, which would make all that one person says alike.
pub(super) fn embedded_text(segment: &Segment) -> String {
    match &segment.caption {
        Some(caption) => format!("{} {caption}", segment.text),
        None => segment.text.clone(),
    }
}

pub(super) fn topic(category: &MemoryCategory) -> CategoryTopic {
    CategoryTopic {
        name: category.name.clone(),
        description: category.description.clone(),
    }
}

fn summary_item(item: &MemoryItem) -> SummaryItem {
    SummaryItem {
        id: item.meta.id.clone(),
        summary: item.summary.clone(),
        memory_type: item.memory_type.clone(),
        happened: item.happened,
        reinforcement_count: item.reinforcement_count(),
    }
}
