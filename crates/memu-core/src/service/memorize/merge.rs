use async_trait::async_trait;

use super::MemorizeState;
use crate::error::Result;
use crate::pipeline::Step;
use crate::provider::ExtractedItem;
use crate::records::{Id, MemoryItem, Meta};
use crate::service::Context;
use crate::service::cache::ScopeView;
use crate::service::similar::SimilarItems;
use crate::time::Timestamp;

/// Tells new memories from known ones, by content hash and by near-identity.
///
/// A memory that is met again gains the new evidence; with
/// `enable_item_reinforcement` it also counts up.
pub(super) struct DedupeMerge;

#[async_trait]
impl Step<MemorizeState> for DedupeMerge {
    async fn run(&self, context: &Context, state: &mut MemorizeState) -> Result<()> {
        state.items.clear();
        state.reinforced.clear();
        state.filed.clear();
        if state.is_unchanged() {
            return Ok(());
        }
        let view = state.view()?.clone();
        let mut merge = Merge {
            reinforce: context.parts().memorize_config.enable_item_reinforcement,
            threshold: context.parts().memorize_config.near_identity_threshold,
            now: context.parts().clock.now(),
            view: &view,
            met_again: Vec::new(),
            fresh: Vec::new(),
            similar_fresh: SimilarItems::default(),
        };
        let references = context.parts().memorize_config.enable_item_references;
        let resource_id = state.resource()?.meta.id.clone();
        let mut filed = Vec::new();
        for extracted in &state.extracted {
            let meta = Meta::new(
                context.parts().ids.next_id(),
                state.scope.clone(),
                merge.now,
            );
            let item = new_item(meta, &resource_id, extracted, state, references);
            let kept = merge.add(item);
            if !extracted.categories.is_empty() {
                filed.push((kept, extracted.categories.clone()));
            }
        }
        state.filed = filed;
        (state.items, state.reinforced) = (merge.fresh, merge.met_again);
        Ok(())
    }
}

fn new_item(
    meta: Meta,
    resource_id: &Id,
    extracted: &ExtractedItem,
    state: &MemorizeState,
    references: bool,
) -> MemoryItem {
    let mut item = MemoryItem {
        meta,
        resource_id: Some(resource_id.clone()),
        memory_type: extracted.memory_type.clone(),
        summary: extracted.summary.clone(),
        happened: extracted.happened,
        extra: extracted.extra.clone(),
        segment_ids: extracted
            .segments
            .iter()
            .filter_map(|at| state.segments.get(*at))
            .map(|segment| segment.meta.id.clone())
            .collect(),
    };
    note_details(&mut item, references);
    item
}

/// Writes the fields that the original keeps in `extra` for every item: the hash, and
/// what summaries cite it by where they do.
pub(in crate::service) fn note_details(item: &mut MemoryItem, references: bool) {
    let hash = item.content_hash();
    item.extra.insert("content_hash".to_owned(), hash.into());
    if references {
        let reference = item.meta.id.short().into();
        item.extra.insert("ref_id".to_owned(), reference);
    }
}

struct Merge<'v> {
    reinforce: bool,
    threshold: f32,
    now: Timestamp,
    view: &'v ScopeView,
    met_again: Vec<MemoryItem>,
    fresh: Vec<MemoryItem>,
    similar_fresh: SimilarItems,
}

impl Merge<'_> {
    /// Returns the id of the memory that it becomes.
    fn add(&mut self, item: MemoryItem) -> Id {
        let (reinforce, now) = (self.reinforce, self.now);
        if let Some(fresh) = self.same_fresh(&item) {
            meet_again(fresh, &item, reinforce, now);
            fresh.meta.id.clone()
        } else if let Some(known) = self.same_known(&item) {
            meet_again(known, &item, reinforce, now);
            known.meta.updated_at = now;
            known.meta.id.clone()
        } else {
            let id = item.meta.id.clone();
            self.similar_fresh.push(&item);
            self.fresh.push(item);
            id
        }
    }

    /// The item of this very resource that says the same.
    fn same_fresh(&mut self, item: &MemoryItem) -> Option<&mut MemoryItem> {
        let id = self.similar_fresh.find(item, self.threshold)?;
        self.fresh.iter_mut().find(|fresh| fresh.meta.id == *id)
    }

    /// The stored item that says the same, ready to be changed.
    fn same_known(&mut self, item: &MemoryItem) -> Option<&mut MemoryItem> {
        let id = self.view.similar().find(item, self.threshold)?;
        if let Some(at) = self.met_again.iter().position(|known| known.meta.id == *id) {
            return self.met_again.get_mut(at);
        }
        self.met_again.push(self.view.data.item(id)?.clone());
        self.met_again.last_mut()
    }
}

fn meet_again(known: &mut MemoryItem, again: &MemoryItem, reinforce: bool, now: Timestamp) {
    for segment in &again.segment_ids {
        if !known.segment_ids.contains(segment) {
            known.segment_ids.push(segment.clone());
        }
    }
    if reinforce {
        let count = known.reinforcement_count() + 1;
        known
            .extra
            .insert("reinforcement_count".to_owned(), count.into());
        let now = format!("{}Z", now.to_civil());
        known
            .extra
            .insert("last_reinforced_at".to_owned(), now.into());
    }
}
