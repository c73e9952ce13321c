use std::sync::Arc;

use async_trait::async_trait;
use memu_core::Result;
use memu_core::environment::{Executor, offload};
use memu_core::provider::{Calls, ReadRequest, Reader, Reading};
use memu_core::records::Modality;

use crate::{Markdown, to_markdown};

/// Hands rich documents to another reader as Markdown, and everything else as it is.
///
/// Segments of rich documents have no spans: their text is not to be found in the bytes. The
/// title that a page or book states becomes the caption of the whole, unless the other reader has
/// one.
#[derive(Clone, Debug)]
pub struct DocumentReader {
    inner: Arc<dyn Reader>,
    executor: Arc<dyn Executor>,
}

impl DocumentReader {
    /// A reader that does its work on `executor`.
    pub fn new(inner: Arc<dyn Reader>, executor: Arc<dyn Executor>) -> Self {
        Self { inner, executor }
    }

    async fn convert(&self, request: &ReadRequest) -> Result<Option<Markdown>> {
        if request.modality != Modality::Document {
            return Ok(None);
        }
        let request = request.clone();
        let job = move || to_markdown(&request.bytes, request.media_type.as_deref(), &request.url);
        offload(&*self.executor, job).await?
    }
}

#[async_trait]
impl Reader for DocumentReader {
    fn check(&self, modality: Modality) -> Result<()> {
        self.inner.check(modality)
    }

    async fn read(&self, mut request: ReadRequest, calls: &Calls) -> Result<Reading> {
        let Some(Markdown { text, title }) = self.convert(&request).await? else {
            return self.inner.read(request, calls).await;
        };
        request.bytes = text.into_bytes().into();
        let mut reading = self.inner.read(request, calls).await?;
        for draft in &mut reading.drafts {
            draft.span = None;
        }
        reading.caption = reading.caption.or(title);
        Ok(reading)
    }
}
