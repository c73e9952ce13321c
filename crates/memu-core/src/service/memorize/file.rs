use async_trait::async_trait;
use rustc_hash::FxHashMap;

use super::MemorizeState;
use crate::error::Result;
use crate::pipeline::Step;
use crate::records::{Id, MemoryItem};
use crate::service::Context;
use crate::service::plan::Plan;

/// Files the new memories under categories; one that fits none is kept unfiled.
pub(super) struct CategorizeItems;

#[async_trait]
impl Step<MemorizeState> for CategorizeItems {
    async fn run(&self, context: &Context, state: &mut MemorizeState) -> Result<()> {
        state.relations.clear();
        if state.is_unchanged() {
            return Ok(());
        }
        let mut plan = Plan::new(context, state.view()?.clone(), state.scope.clone());
        plan.calls = state.calls(context);
        let mut named: FxHashMap<&Id, Vec<&String>> = FxHashMap::default();
        for (item, names) in &state.filed {
            named.entry(item).or_default().extend(names);
        }
        let (told, open): (Vec<&MemoryItem>, Vec<&MemoryItem>) = state
            .items
            .iter()
            .partition(|item| named.contains_key(&item.meta.id));
        let open: Vec<MemoryItem> = open.into_iter().cloned().collect();
        let mut relations = Vec::new();
        for item in told {
            let names = named.get(&item.meta.id).map_or(&[][..], Vec::as_slice);
            let categories = plan.categories.iter();
            let categories = categories.filter(|category| names.contains(&&category.name));
            relations.extend(
                categories.map(|category| plan.relation(context, &item.meta.id, &category.meta.id)),
            );
        }
        relations.extend(plan.categorize(context, &open).await?);
        state.relations = relations;
        state.categories = plan.categories;
        Ok(())
    }
}
