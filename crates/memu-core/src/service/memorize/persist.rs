use async_trait::async_trait;

use super::MemorizeState;
use crate::error::{ErrorKind, Result};
use crate::pipeline::Step;
use crate::records::Blob;
use crate::service::Context;
use crate::service::cache::ScopeView;
use crate::service::files;
use crate::service::plan::Plan;
use crate::service::responses::MemorizeStatus;
use crate::store::{Lease, Write};

/// Writes the summaries and stores everything in one transaction.
pub(super) struct PersistIndex;

#[async_trait]
impl Step<MemorizeState> for PersistIndex {
    async fn run(&self, context: &Context, state: &mut MemorizeState) -> Result<()> {
        if state.is_unchanged() {
            state.categories = state.view()?.data.categories().cloned().collect();
            return Ok(());
        }
        if state.dry_run {
            return Ok(());
        }
        // The plan gets the only other reference to the view, so that the cache can
        // be brought up to date without copying the scope.
        let view = state.view()?.clone();
        state.view = None;
        let mut plan = Plan::new(context, view, state.scope.clone());
        plan.categories = std::mem::take(&mut state.categories);
        plan.lease = keep_file(context, state).await?;
        plan.first = first_writes(state)?;
        plan.first.extend(read_replies(context, state)?);
        plan.items = state
            .items
            .iter()
            .chain(&state.reinforced)
            .cloned()
            .collect();
        plan.relations.clone_from(&state.relations);
        if !state.chats {
            plan.calls = plan.calls.without_chats();
        }
        match plan.summarize(context).await {
            // Nobody may be asked: the summaries stay behind rather than the memories.
            Err(error) if !state.chats && error.kind() == ErrorKind::Model => {}
            summarized => drop(summarized?),
        }
        let stored = plan.commit(context).await?;
        show_as_stored(state, &stored);
        state.view = Some(stored);
        Ok(())
    }
}

/// Marks what models said about the content as read, and as about the resource: its content may
/// grow, and they go with it all the same. Summaries quote other resources, too, and are asked
/// for by calls that are about none.
fn read_replies(context: &Context, state: &mut MemorizeState) -> Result<Vec<Write>> {
    let id = state.resource()?.meta.id.clone();
    let writes = state.calls(context).writes().into_iter();
    let about = writes.map(|write| match write {
        Write::ModelReply(mut reply) => {
            reply.resource_id = Some(id.clone());
            Write::ModelReply(reply)
        }
        other => other,
    });
    Ok(about.collect())
}

/// Keeps a large file beside the store, before anything refers to it: a crash leaves a
/// file too many at most, which `memu doctor` finds.
async fn keep_file(context: &Context, state: &mut MemorizeState) -> Result<Option<Lease>> {
    let (Some(files), Some(resource)) = (&context.parts().files, &mut state.resource) else {
        return Ok(None);
    };
    let Some(content) = &state.content else {
        return Ok(None);
    };
    let (scope, size) = (state.scope.key(), content.bytes.len());
    let Some(name) = files::name(&scope, &content.hash, resource.modality, size) else {
        return Ok(None);
    };
    resource.local_path.clone_from(&name);
    files.keep(&name, content.bytes.clone()).await.map(Some)
}

/// From here on the state shows the records as they are in the store.
fn show_as_stored(state: &mut MemorizeState, stored: &ScopeView) {
    for item in state.items.iter_mut().chain(&mut state.reinforced) {
        if let Some(now) = stored.data.item(&item.meta.id) {
            *item = now.clone();
        }
    }
    for relation in &mut state.relations {
        let pair = stored
            .data
            .relation_between(&relation.item_id, &relation.category_id);
        if let Some(now) = pair {
            *relation = now.clone();
        }
    }
    if let Some(resource) = &mut state.resource
        && let Some(now) = stored.data.resource(&resource.meta.id)
    {
        *resource = now.clone();
    }
    state.categories = stored.data.categories().cloned().collect();
}

fn first_writes(state: &MemorizeState) -> Result<Vec<Write>> {
    let content = state.content()?;
    let resource = state.resource()?;
    let mut writes = Vec::new();
    if resource.local_path.is_empty() {
        writes.push(Write::Blob(Blob {
            hash: content.hash,
            bytes: content.bytes.clone(),
        }));
    }
    writes.push(Write::Resource(resource.clone()));
    let fresh = state.segments.get(state.first_new..).unwrap_or_default();
    if !fresh.is_empty() {
        writes.push(Write::Segments(fresh.to_vec()));
    }
    debug_assert!(state.status != MemorizeStatus::Unchanged);
    Ok(writes)
}
