//! The local reader: bytes into segments, without a model.
//!
//! The modality says whether to look for messages or for passages; which layout
//! it is, the content tells. A conversation that has grown is read the same way
//! up to where it ended before: every decision looks back only, topics excepted.

mod blocks;
mod content;
mod conversation;
mod document;
mod fault;
mod json;
mod line;
mod message;
mod moment;
mod node;
mod pointer;
mod sessions;
mod source;
mod transcript;

#[cfg(test)]
#[allow(clippy::string_slice)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use memu_core::environment::{Executor, offload};
use memu_core::provider::{Calls, ReadRequest, Reader, Reading};
use memu_core::records::Modality;
use memu_core::{Error, Result};

use fault::Fallible;
pub(crate) use sessions::seconds_between;
use source::Source;

/// Reads conversations and documents in all common layouts of text. See [`read`].
#[derive(Clone, Debug)]
pub struct LocalReader {
    executor: Arc<dyn Executor>,
}

impl LocalReader {
    /// A reader that does its work on `executor`.
    pub fn new(executor: Arc<dyn Executor>) -> Self {
        Self { executor }
    }
}

#[async_trait]
impl Reader for LocalReader {
    fn check(&self, modality: Modality) -> Result<()> {
        if modality.is_text() {
            return Ok(());
        }
        Err(Error::unsupported(format!(
            "the local provider cannot look at or listen to a resource of modality {modality}; \
             hand in a caption or transcript, or configure a model that can in llm_profiles \
             (memorize_config.preprocess_llm_profile)"
        ))
        .with("modality", modality))
    }

    async fn read(&self, request: ReadRequest, _: &Calls) -> Result<Reading> {
        offload(&*self.executor, move || read(&request)).await?
    }
}

/// Reads the content into segments, in order, with sessions and topics.
///
/// Text is UTF-8, or UTF-16 with a byte order mark.
///
/// A conversation is a JSON list of messages, an object that holds one under
/// `messages`, `conversation`, `turns` or `content`, JSON Lines of either, or a
/// transcript of `Name: text` lines, optionally with times. Messages without text
/// and caption are left out. A document becomes passages of about 100 words that
/// respect Markdown, with the path of headings as caption. Pictures and
/// recordings are read from the caption or transcript that was handed in with
/// them.
///
/// # Errors
/// [`ErrorKind::Input`](memu_core::ErrorKind::Input) when the content is empty,
/// not text, broken JSON, JSON of another shape, or has no messages; with the
/// `file`, and the `byte`, the `line` and `column` or the JSON `pointer`.
pub fn read(request: &ReadRequest) -> Result<Reading> {
    let bytes = match &request.caption {
        Some(caption) if !request.modality.is_text() => caption.as_bytes(),
        _ => &request.bytes,
    };
    Source::decode(bytes)
        .and_then(|source| read_source(&source, request.modality))
        .map_err(|fault| fault.into_error(&request.url))
}

fn read_source(source: &Source<'_>, modality: Modality) -> Fallible<Reading> {
    let text = source.text();
    match modality {
        Modality::Conversation if is_json(text) => json::read(source),
        Modality::Conversation => transcript::read(source),
        Modality::Audio | Modality::Video if is_json(text) => {
            Ok(json::read(source).unwrap_or_else(|_| document::read(source)))
        }
        Modality::Audio | Modality::Video if transcript::is_transcript(text) => {
            transcript::read(source)
        }
        Modality::Document | Modality::Image | Modality::Audio | Modality::Video => {
            Ok(document::read(source))
        }
    }
}

/// Whether the text is meant to be JSON: it opens an object or an array, and the
/// bracket does not hold the time of a transcript's line.
fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    let Some(inside) = text.strip_prefix('[') else {
        return text.starts_with('{');
    };
    let line = text.lines().next().unwrap_or_default();
    let opens_value = |c: char| c.is_ascii_digit() || "{[]\"-tfn".contains(c);
    let inside = inside.trim_start();
    (inside.is_empty() || inside.starts_with(opens_value)) && line::opening(line).is_none()
}
