//! Reading again what models said about resources that are memorized.

use std::sync::Arc;

use super::extract::ExtractItems;
use super::file::CategorizeItems;
use super::merge::DedupeMerge;
use super::{MemorizeState, until_committed};
use crate::error::{Error, Result};
use crate::pipeline::Step;
use crate::records::{Id, MemoryItem, Resource, Segment};
use crate::scope::Scope;
use crate::service::plan::Plan;
use crate::service::requests::{MemorizeRequest, Source};
use crate::service::{Context, MemorizeStatus};

/// Draws memories from a resource anew, by nothing but kept replies, and stores those that it
/// does not have; returns them. Its summaries stay as they are.
pub(in crate::service) async fn read_again(
    context: &Context,
    scope: &Scope,
    resource: &Resource,
    dry_run: bool,
) -> Result<Vec<MemoryItem>> {
    let view = context.view(scope).await?;
    let segments = view.data.segments_of_resource(&resource.meta.id);
    let segments: Vec<Segment> = segments.cloned().collect();
    let mut found = Vec::new();
    for portion in portions(&segments) {
        let new = until_committed(scope, || {
            portion_again(context, scope, resource, &portion, dry_run)
        });
        found.extend(new.await?);
    }
    Ok(found)
}

/// The segments as they came, run by run: each run with those before it, and where it begins.
/// Those of one run were stored at the same moment.
fn portions(segments: &[Segment]) -> Vec<(Arc<[Segment]>, usize)> {
    let mut portions = Vec::new();
    let mut first = 0;
    for run in segments.chunk_by(|one, next| one.meta.created_at == next.meta.created_at) {
        let end = first + run.len();
        portions.push((segments.iter().take(end).cloned().collect(), first));
        first = end;
    }
    portions
}

async fn portion_again(
    context: &Context,
    scope: &Scope,
    resource: &Resource,
    portion: &(Arc<[Segment]>, usize),
    dry_run: bool,
) -> Result<Vec<MemoryItem>> {
    let request = MemorizeRequest {
        source: Source::Url(resource.url.clone()),
        modality: resource.modality,
        user: serde_json::Map::new(),
        caption: resource.caption.clone(),
    };
    let mut state = MemorizeState::new(request, scope.clone());
    state.chats = false;
    state.status = MemorizeStatus::Extended;
    state.view = Some(context.view(scope).await?);
    state.resource = Some(resource.clone());
    (state.segments, state.first_new) = portion.clone();
    ExtractItems.run(context, &mut state).await?;
    if state.calls(context).known_count() == 0 {
        return Err(Error::model(
            "the configured extractor asks no model, so there are no replies to read again",
        ));
    }
    DedupeMerge.run(context, &mut state).await?;
    CategorizeItems.run(context, &mut state).await?;
    if dry_run || state.items.is_empty() {
        return Ok(state.items);
    }
    let view = state.view()?.clone();
    state.view = None;
    let mut plan = Plan::new(context, view, scope.clone());
    plan.calls = state.calls(context);
    plan.items.clone_from(&state.items);
    plan.relations.clone_from(&state.relations);
    let stored = plan.commit(context).await?;
    let as_stored = |id: &Id| stored.data.item(id).cloned();
    let ids = state.items.iter().map(|item| &item.meta.id);
    Ok(ids.filter_map(as_stored).collect())
}
