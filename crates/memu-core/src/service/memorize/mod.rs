//! The memorize pipeline: from content to memories, all of it or nothing.

mod again;
mod extract;
mod file;
mod ingest;
mod merge;
mod persist;
mod read;
mod respond;

pub(super) use again::read_again;
pub(super) use merge::note_details;

use std::sync::Arc;

use super::cache::ScopeView;
use super::requests::{MemorizeRequest, Source};
use super::responses::{MemorizeResponse, MemorizeStatus};
use super::{Context, MemoryService};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::Pipeline;
use crate::provider::{Calls, ExtractedItem, KeptContent, Reading};
use crate::records::{
    CategoryItem, ContentHash, Id, MemoryCategory, MemoryItem, ReplySource, Resource, Segment,
};
use crate::scope::Scope;

/// How often a plan is made anew when others write to the same scope meanwhile.
const MAX_ATTEMPTS: usize = 100;

/// The step from which a plan is made anew.
const REPLAN_FROM: &str = "preprocess_multimodal";

/// What the steps of memorize hand on to each other.
#[derive(Debug)]
pub struct MemorizeState {
    /// What was asked for.
    pub request: MemorizeRequest,
    /// Whose memory it becomes.
    pub scope: Scope,
    /// The content, after `ingest_resource`.
    pub content: Option<Content>,
    /// The segments as they were read, after `preprocess_multimodal`.
    pub reading: Option<Reading>,
    /// Whether the content is new, after `preprocess_multimodal`.
    pub status: MemorizeStatus,
    /// The resource, after `preprocess_multimodal`.
    pub resource: Option<Resource>,
    /// All segments of the resource, after `preprocess_multimodal`.
    pub segments: Arc<[Segment]>,
    /// The first segment that is new.
    pub first_new: usize,
    /// What was drawn from the new segments, after `extract_items`.
    pub extracted: Vec<ExtractedItem>,
    /// Memories to be stored, after `dedupe_merge`.
    pub items: Vec<MemoryItem>,
    /// Known memories that were met again, after `dedupe_merge`.
    pub reinforced: Vec<MemoryItem>,
    /// Categories to be stored for the first time, after `categorize_items`.
    pub new_categories: Vec<MemoryCategory>,
    /// What is filed where, after `categorize_items`.
    pub relations: Vec<CategoryItem>,
    /// All categories of the scope, after `persist_index`.
    pub categories: Vec<MemoryCategory>,
    /// The answer, after `build_response`.
    pub response: Option<MemorizeResponse>,
    /// What of the memories to be stored is filed where, as far as the extractor told: by item,
    /// the names of categories. After `dedupe_merge`.
    pub filed: Vec<(Id, Vec<String>)>,
    view: Option<Arc<ScopeView>>,
    calls: Option<Calls>,
    /// Whether models are asked for what is not known from kept replies.
    chats: bool,
    /// Whether nothing is stored.
    dry_run: bool,
    /// Where the content is to be found, and which one it must be: it was cut off before.
    expected: Option<(String, ContentHash)>,
    /// Whether models were asked for the reading.
    read_by_model: bool,
}

/// Content that is being memorized.
#[derive(Clone, Debug)]
pub struct Content {
    /// The bytes.
    pub bytes: Arc<[u8]>,
    /// The hash of the bytes.
    pub hash: ContentHash,
    /// Where they came from, as the caller named it.
    pub url: String,
    /// The media type with its parameters, where the source told one.
    pub media_type: Option<String>,
}

impl MemorizeState {
    fn new(request: MemorizeRequest, scope: Scope) -> Self {
        Self {
            request,
            scope,
            content: None,
            reading: None,
            status: MemorizeStatus::Created,
            resource: None,
            segments: Vec::new().into(),
            first_new: 0,
            extracted: Vec::new(),
            items: Vec::new(),
            reinforced: Vec::new(),
            new_categories: Vec::new(),
            relations: Vec::new(),
            categories: Vec::new(),
            response: None,
            filed: Vec::new(),
            view: None,
            calls: None,
            chats: true,
            dry_run: false,
            expected: None,
            read_by_model: false,
        }
    }

    /// Whether there is nothing left to do but to answer.
    fn is_unchanged(&self) -> bool {
        self.status == MemorizeStatus::Unchanged
    }

    /// The scope as the plan is made on it.
    fn view(&self) -> Result<&Arc<ScopeView>> {
        self.view.as_ref().ok_or_else(|| missing("the scope"))
    }

    /// Asks models, and keeps what they answer with the content.
    fn calls(&mut self, context: &Context) -> Calls {
        let calls = self.calls.take().unwrap_or_else(|| {
            let content = self.content.as_ref();
            let content = content.map(|content| self.kept(context, content));
            let calls = context.calls(&self.scope, content);
            if self.chats {
                calls
            } else {
                calls.without_chats()
            }
        });
        self.calls.insert(calls).clone()
    }

    fn kept(&self, context: &Context, content: &Content) -> KeptContent {
        KeptContent {
            hash: content.hash,
            source: ReplySource {
                url: content.url.clone(),
                location: match (&self.expected, &self.request.source) {
                    (Some((location, _)), _) => Some(location.clone()),
                    (None, Source::Url(url)) => Some(context.parts().fetcher.locate(url)),
                    (None, Source::Content { .. }) => None,
                },
                modality: self.request.modality,
                caption: self.request.caption.clone(),
            },
        }
    }

    fn content(&self) -> Result<&Content> {
        self.content.as_ref().ok_or_else(|| missing("the content"))
    }

    fn resource(&self) -> Result<&Resource> {
        self.resource
            .as_ref()
            .ok_or_else(|| missing("the resource"))
    }
}

/// A pipeline was changed so that a step lacks what an earlier one made.
fn missing(what: &str) -> Error {
    Error::config(format!(
        "a step of the memorize pipeline needs {what}, which no step before it made"
    ))
}

pub(super) fn standard_pipeline() -> Pipeline<MemorizeState> {
    Pipeline::new("memorize")
        .then("ingest_resource", ingest::IngestResource)
        .then(REPLAN_FROM, read::PreprocessMultimodal)
        .then("extract_items", extract::ExtractItems)
        .then("dedupe_merge", merge::DedupeMerge)
        .then("categorize_items", file::CategorizeItems)
        .then("persist_index", persist::PersistIndex)
        .then("build_response", respond::BuildResponse)
}

impl MemoryService {
    /// Turns content into memories: all of it or nothing, also when the future is
    /// dropped.
    ///
    /// The same content again in the same scope changes nothing. A conversation that
    /// has grown (same id or URL, earlier messages unchanged) adds only what is new.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] when the content cannot be used, naming file, line or
    /// JSON pointer; [`ErrorKind::Scope`] when `user` does not fit the store;
    /// [`ErrorKind::Unsupported`] for pictures and recordings with neither a caption nor a
    /// model that sees or hears; [`ErrorKind::Model`], [`ErrorKind::Storage`] and
    /// [`ErrorKind::Busy`] when those fail. The store is then as it was.
    pub async fn memorize(&self, request: MemorizeRequest) -> Result<MemorizeResponse> {
        self.memorize_by(request, |_| {}).await
    }

    /// Goes on with content that was cut off; asks models for what is not known from kept
    /// replies only if it is to, and stores nothing in a dry run.
    pub(super) async fn go_on(
        &self,
        request: MemorizeRequest,
        expected: (String, ContentHash),
        chats: bool,
        dry_run: bool,
    ) -> Result<MemorizeResponse> {
        self.memorize_by(request, |state| {
            state.expected = Some(expected);
            state.chats = chats;
            state.dry_run = dry_run;
        })
        .await
    }

    async fn memorize_by(
        &self,
        request: MemorizeRequest,
        how: impl FnOnce(&mut MemorizeState) + Send,
    ) -> Result<MemorizeResponse> {
        let context = self.context();
        let scope = context.user_scope(&request.user)?;
        let pipeline = self.memorize_pipeline();
        let mut state = MemorizeState::new(request, scope);
        how(&mut state);
        let run = run(&pipeline, context, &mut state).await;
        let resource = state.resource.as_ref();
        if run.is_err() && resource.is_some_and(|resource| !resource.local_path.is_empty()) {
            // What failed is what the caller must hear; `memu doctor` finds the file.
            let _ = context.remove_strays(&[state.scope]).await;
        }
        run?;
        if let Some(calls) = state.calls.filter(Calls::were_used) {
            // What is stored is stored, whether or not this can be done now.
            let _ = calls.empty_old().await;
        }
        state.response.ok_or_else(|| missing("a response"))
    }
}

/// Runs the steps, anew from the plan on whenever others changed the scope meanwhile.
async fn run(
    pipeline: &Pipeline<MemorizeState>,
    context: &Context,
    state: &mut MemorizeState,
) -> Result<()> {
    let mut first = 0;
    for _ in 0..MAX_ATTEMPTS {
        match pipeline.run_from(first, context, state).await {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                first = pipeline.position(REPLAN_FROM).unwrap_or(0);
                state.view = None;
                // What it has in hand may have been marked by others; it is kept, and found again.
                state.calls = None;
                if state.read_by_model {
                    state.reading = None;
                }
            }
            ended => return ended,
        }
    }
    Err(conflict_persists(&state.scope))
}

/// Others kept writing to the scope while plans were made.
pub(super) fn conflict_persists(scope: &Scope) -> Error {
    Error::busy(format!(
        "other writers kept changing the scope {scope}; gave up after {MAX_ATTEMPTS} attempts"
    ))
}

/// Runs `plan` until it commits without a conflict.
pub(super) async fn until_committed<T, F, Fut>(scope: &Scope, mut plan: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    for _ in 0..MAX_ATTEMPTS {
        match plan().await {
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            result => return result,
        }
    }
    Err(conflict_persists(scope))
}
