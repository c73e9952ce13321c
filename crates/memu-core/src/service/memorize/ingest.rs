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
        if caption(request.modality, request.caption.as_deref()).is_none() {
            context.parts().reader.check(request.modality)?;
        }
        let limit = context.parts().memorize_config.max_resource_bytes;
        let (bytes, media_type, url) = match &request.source {
            Source::Content { bytes, url } => (bytes.clone(), None, url.clone()),
            Source::Url(url) => {
                let expected = state.expected.as_ref();
                let place = expected.map_or(url, |(location, _)| location);
                let fetched = context.parts().fetcher.fetch(place, limit).await?;
                check_media_type(&fetched, request.modality, url)?;
                (fetched.bytes, fetched.media_type, url.clone())
            }
        };
        if bytes.len() as u64 > limit {
            return Err(Error::input(format!(
                "the content has {} bytes; at most {limit} are accepted (memorize_config.max_resource_bytes)",
                bytes.len()
            ))
            .with_name("file", url));
        }
        if bytes.is_empty() {
            return Err(Error::input("the content is empty").with_name("file", url));
        }
        let hash = ContentHash::of(&bytes);
        if let Some((place, expected)) = &state.expected
            && *expected != hash
        {
            return Err(Error::input(
                "the content is another one now than when it was cut off; memorize it as any other",
            )
            .with_name("file", place));
        }
        state.content = Some(Content {
            bytes,
            hash,
            url,
            media_type,
        });
        Ok(())
    }
}

/// The words that are read in place of a picture or recording.
pub(super) fn caption(modality: Modality, caption: Option<&str>) -> Option<&str> {
    let words = caption.filter(|words| !words.trim().is_empty());
    words.filter(|_| !modality.is_text())
}

/// A server that says what it sends is believed where it rules the modality out.
fn check_media_type(fetched: &Fetched, modality: Modality, url: &str) -> Result<()> {
    let Some(media_type) = fetched.media_type.as_deref() else {
        return Ok(());
    };
    let kind = media_type.split('/').next().unwrap_or_default();
    let fits = match modality {
        Modality::Conversation => {
            !is_media(kind)
                && !matches!(
                    essence(media_type),
                    "text/html" | "application/xhtml+xml" | "application/pdf" | "application/zip"
                )
        }
        Modality::Document => !is_media(kind),
        Modality::Image => matches!(kind, "image" | "application"),
        Modality::Video => matches!(kind, "video" | "application"),
        // Recordings are sent as videos without pictures, too.
        Modality::Audio => matches!(kind, "audio" | "video" | "application"),
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
    .with_name("file", url))
}

fn is_media(kind: &str) -> bool {
    matches!(kind, "image" | "video" | "audio" | "font")
}

/// A media type without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or(media_type).trim()
}
