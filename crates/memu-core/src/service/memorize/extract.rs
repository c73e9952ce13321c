use async_trait::async_trait;

use super::MemorizeState;
use crate::error::{Error, Result};
use crate::pipeline::Step;
use crate::provider::ExtractRequest;
use crate::service::Context;
use crate::service::plan::{Plan, topic};

/// Draws memories from the new segments.
pub(super) struct ExtractItems;

#[async_trait]
impl Step<MemorizeState> for ExtractItems {
    async fn run(&self, context: &Context, state: &mut MemorizeState) -> Result<()> {
        if state.is_unchanged() {
            return Ok(());
        }
        let request = ExtractRequest {
            modality: state.request.modality,
            segments: state.segments.clone(),
            first: state.first_new,
            memory_types: context.parts().memorize_config.memory_types.clone().into(),
            categories: Plan::new(context, state.view()?.clone(), state.scope.clone())
                .categories
                .iter()
                .map(topic)
                .collect(),
        };
        let calls = state.calls(context);
        let extraction = context.parts().extractor.extract(request, &calls).await?;
        caption(state, extraction.topic_captions);
        state.extracted = extraction.items;
        for item in &state.extracted {
            let valid = |at: &usize| (state.first_new..state.segments.len()).contains(at);
            if !item.segments.iter().any(valid) {
                return Err(Error::internal("an extracted item cites no new segment")
                    .with("summary", &item.summary));
            }
        }
        Ok(())
    }
}

/// Gives topics the captions that were found for them.
fn caption(state: &mut MemorizeState, captions: Vec<(usize, String)>) {
    if captions.is_empty() {
        return;
    }
    let mut segments = state.segments.to_vec();
    for (first, caption) in captions {
        // What is stored already stays as it is.
        if first >= state.first_new
            && let Some(segment) = segments.get_mut(first)
        {
            segment.topic_caption = Some(caption);
        }
    }
    state.segments = segments.into();
}
