use async_trait::async_trait;

use super::MemorizeState;
use crate::error::Result;
use crate::pipeline::Step;
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
        let plan = Plan::new(context, state.view()?.clone(), state.scope.clone());
        state.relations = plan.categorize(context, &state.items).await?;
        state.categories = plan.categories;
        Ok(())
    }
}
