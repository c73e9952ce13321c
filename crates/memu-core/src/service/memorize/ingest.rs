use async_trait::async_trait;

use super::{Content, MemorizeState};
use crate::error::{Error, Result};
use crate::pipeline::Step;
use crate::records::{ContentHash, Modality};
use crate::service::{Context, Fetched, Source};

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
                check_media_type(&fetched, request.modality, url)?;
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

/// A server that says what it sends is believed where it rules the modality out.
fn check_media_type(fetched: &Fetched, modality: Modality, url: &str) -> Result<()> {
    let Some(media_type) = fetched.media_type.as_deref() else {
        return Ok(());
    };
    let kind = media_type.split('/').next().unwrap_or_default();
    let fits = match modality {
        Modality::Conversation | Modality::Document => {
            !matches!(kind, "image" | "video" | "audio" | "font")
                && !matches!(
                    media_type,
                    "text/html" | "application/xhtml+xml" | "application/pdf" | "application/zip"
                )
        }
        Modality::Image => matches!(kind, "image" | "application"),
        Modality::Video => matches!(kind, "video" | "application"),
        Modality::Audio => matches!(kind, "audio" | "application"),
    };
    if fits {
        return Ok(());
    }
    Err(Error::input(format!(
        "the content is {media_type}, which cannot be read as {} {modality}",
        if modality.as_str().starts_with(['a', 'i']) {
            "an"
        } else {
            "a"
        }
    ))
    .with("file", url))
}
