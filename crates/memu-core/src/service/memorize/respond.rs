use async_trait::async_trait;

use super::MemorizeState;
use crate::error::Result;
use crate::pipeline::Step;
use crate::service::Context;
use crate::service::responses::MemorizeResponse;

/// Builds the answer.
pub(super) struct BuildResponse;

#[async_trait]
impl Step<MemorizeState> for BuildResponse {
    async fn run(&self, _context: &Context, state: &mut MemorizeState) -> Result<()> {
        if state.is_unchanged() {
            find_what_is_there(state)?;
        }
        state.response = Some(MemorizeResponse {
            status: state.status,
            resource: state.resource()?.clone(),
            items: std::mem::take(&mut state.items),
            categories: std::mem::take(&mut state.categories),
            relations: std::mem::take(&mut state.relations),
            reinforced: std::mem::take(&mut state.reinforced),
            new_segments: state.segments.len() - state.first_new,
        });
        Ok(())
    }
}

/// For a resource that is known already, the answer shows what it has.
fn find_what_is_there(state: &mut MemorizeState) -> Result<()> {
    let view = state.view()?.clone();
    let resource = state.resource()?.meta.id.clone();
    state.items = view
        .data
        .items()
        .filter(|item| item.resource_id.as_ref() == Some(&resource))
        .cloned()
        .collect();
    state.relations = state
        .items
        .iter()
        .flat_map(|item| view.data.relations_of_item(&item.meta.id))
        .cloned()
        .collect();
    Ok(())
}
