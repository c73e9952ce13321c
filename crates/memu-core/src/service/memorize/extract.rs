use async_trait::async_trait;

use super::MemorizeState;
use crate::error::{Error, Result};
use crate::pipeline::Step;
use crate::provider::ExtractRequest;
use crate::service::Context;

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
        };
        state.extracted = context.parts().extractor.extract(request).await?;
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
