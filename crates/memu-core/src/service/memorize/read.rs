use async_trait::async_trait;

use super::ingest::caption;
use super::{Content, MemorizeState};
use crate::error::{Error, Result};
use crate::pipeline::Step;
use crate::provider::{Calls, Draft, ReadRequest, Reading};
use crate::records::{Meta, Resource, Segment};
use crate::service::Context;
use crate::service::cache::ScopeView;
use crate::service::responses::MemorizeStatus;
use crate::time::Timestamp;

/// Reads the content into segments and finds out what of it is new.
pub(super) struct PreprocessMultimodal;

#[async_trait]
impl Step<MemorizeState> for PreprocessMultimodal {
    async fn run(&self, context: &Context, state: &mut MemorizeState) -> Result<()> {
        let view = context.view(&state.scope).await?;
        let content = state.content()?.clone();
        state.view = Some(view.clone());
        if let Some(known) = known_content(&view, &content, state) {
            state.status = MemorizeStatus::Unchanged;
            state.resource = Some(known);
            return Ok(());
        }
        if state.reading.is_none() {
            let calls = state.calls(context);
            state.reading = Some(read(context, state, &content, &calls).await?);
            state.read_by_model = !calls.writes().is_empty();
        }
        let reading = state.reading.clone().unwrap_or_default();
        let now = context.parts().clock.now();
        let grown = grown_resource(&view, &content, state, &reading);
        if let Some((resource, known)) = grown {
            let all = reading.drafts.len();
            state.status = if known.len() == all {
                MemorizeStatus::Unchanged
            } else {
                MemorizeStatus::Extended
            };
            let resource = updated(resource, &content, all, now);
            extend(context, state, resource, known, &reading.drafts, now);
        } else {
            state.status = MemorizeStatus::Created;
            let resource = new_resource(context, state, &content, &reading, now);
            extend(context, state, resource, Vec::new(), &reading.drafts, now);
        }
        Ok(())
    }
}

/// The resource that holds exactly this content already.
fn known_content(view: &ScopeView, content: &Content, state: &MemorizeState) -> Option<Resource> {
    view.data
        .resources()
        .find(|resource| {
            resource.content_hash == content.hash && resource.modality == state.request.modality
        })
        .cloned()
}

async fn read(
    context: &Context,
    state: &MemorizeState,
    content: &Content,
    calls: &Calls,
) -> Result<Reading> {
    let modality = state.request.modality;
    let request = ReadRequest {
        bytes: content.bytes.clone(),
        modality,
        caption: caption(modality, state.request.caption.as_deref()).map(str::to_owned),
        media_type: content.media_type.clone(),
        url: content.url.clone(),
    };
    let reading = context.parts().reader.read(request, calls).await?;
    if reading.drafts.is_empty() {
        return Err(
            Error::input("there is nothing to memorize in it").with_name("file", &content.url)
        );
    }
    Ok(reading)
}

/// The resource of which this content is a continuation, with its segments in
/// order: it came from the same place, and everything it says is said again. A picture
/// or recording does not grow: other bytes are another one.
fn grown_resource(
    view: &ScopeView,
    content: &Content,
    state: &MemorizeState,
    reading: &Reading,
) -> Option<(Resource, Vec<Segment>)> {
    view.data
        .resources()
        .filter(|resource| resource.modality == state.request.modality)
        .filter(|resource| resource.modality.is_text())
        .filter(
            |resource| match (&resource.external_id, &reading.external_id) {
                (Some(known), Some(given)) => known == given,
                (None, None) => resource.url == content.url && !content.url.is_empty(),
                _ => false,
            },
        )
        .filter_map(|resource| {
            let known: Vec<Segment> = view
                .data
                .segments_of_resource(&resource.meta.id)
                .cloned()
                .collect();
            is_prefix(&known, &reading.drafts).then(|| (resource.clone(), known))
        })
        .max_by_key(|(_, known)| known.len())
}

fn is_prefix(known: &[Segment], drafts: &[Draft]) -> bool {
    !known.is_empty()
        && known.len() <= drafts.len()
        && known.iter().zip(drafts).all(|(segment, draft)| {
            segment.text == draft.text
                && segment.role == draft.role
                && segment.speaker == draft.speaker
                && segment.message_id == draft.message_id
                && segment.happened_at_text == draft.happened_at_text
        })
}

fn new_resource(
    context: &Context,
    state: &MemorizeState,
    content: &Content,
    reading: &Reading,
    now: Timestamp,
) -> Resource {
    Resource {
        meta: Meta::new(context.parts().ids.next_id(), state.scope.clone(), now),
        url: content.url.clone(),
        modality: state.request.modality,
        local_path: String::new(),
        caption: state.request.caption.clone().or(reading.caption.clone()),
        content_hash: content.hash,
        external_id: reading.external_id.clone(),
        segment_count: reading.drafts.len() as u32,
    }
}

fn updated(mut resource: Resource, content: &Content, segments: usize, now: Timestamp) -> Resource {
    resource.meta.updated_at = now;
    resource.content_hash = content.hash;
    resource.segment_count = segments as u32;
    resource
}

/// Gives the drafts after the known segments an identity.
fn extend(
    context: &Context,
    state: &mut MemorizeState,
    resource: Resource,
    known: Vec<Segment>,
    drafts: &[Draft],
    now: Timestamp,
) {
    state.first_new = known.len();
    let mut segments = known;
    for (ordinal, draft) in drafts.iter().enumerate().skip(segments.len()) {
        segments.push(Segment {
            meta: Meta::new(context.parts().ids.next_id(), state.scope.clone(), now),
            resource_id: resource.meta.id.clone(),
            ordinal: ordinal as u32,
            session: draft.session,
            topic: draft.topic,
            role: draft.role,
            speaker: draft.speaker.clone(),
            message_id: draft.message_id.clone(),
            text: draft.text.clone(),
            caption: draft.caption.clone(),
            topic_caption: draft.topic_caption.clone(),
            span: draft.span,
            happened_at: draft.happened_at,
            happened_at_text: draft.happened_at_text.clone(),
        });
    }
    state.segments = segments.into();
    state.resource = Some(resource);
}
