use async_trait::async_trait;

use super::{Content, MemorizeState};
use crate::error::{Error, Result};
use crate::pipeline::Step;
use crate::records::{ContentHash, Modality};
use crate::service::{Context, Source};

/// Gets the content and names it by its hash.
pub(super) struct IngestResource;

#[async_trait]
impl Step<MemorizeState> for IngestResource {
    async fn run(&self, context: &Context, state: &mut MemorizeState) -> Result<()> {
        let request = &state.request;
        check_modality(request.modality, request.caption.as_deref())?;
        let limit = context.parts().memorize_config.max_resource_bytes;
        let (bytes, url) = match &request.source {
            Source::Content { bytes, url } => (bytes.clone(), url.clone()),
            Source::Url(url) => {
                let fetched = context.parts().fetcher.fetch(url, limit).await?;
                (fetched.bytes, url.clone())
            }
        };
        if bytes.len() as u64 > limit {
            return Err(Error::input(format!(
                "the content has {} bytes; at most {limit} are accepted (memorize_config.max_resource_bytes)",
                bytes.len()
            ))
            .with("file", url));
        }
        if bytes.is_empty() {
            return Err(Error::input("the content is empty").with("file", url));
        }
        state.content = Some(Content {
            hash: ContentHash::of(&bytes),
            bytes,
            url,
        });
        Ok(())
    }
}

/// Pictures and recordings need somebody to look or listen.
fn check_modality(modality: Modality, caption: Option<&str>) -> Result<()> {
    if modality.is_text() {
        return Ok(());
    }
    match caption.map(str::trim) {
        Some(caption) if !caption.is_empty() => Ok(()),
        _ => Err(Error::unsupported(format!(
            "the local provider cannot look at or listen to a resource of modality {modality}; \
             hand in a caption or transcript, or configure a model in llm_profiles"
        ))),
    }
}
