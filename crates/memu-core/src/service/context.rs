use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::cache::Cache;
use super::files::ResourceFiles;
use crate::config::{BudgetConfig, MemorizeConfig, RetrieveConfig};
use crate::environment::{Clock, Executor, IdSource};
use crate::error::Result;
use crate::pipeline::Interceptor;
use crate::provider::{
    Calls, Categorizer, Embedder, Extractor, Keeping, KeptContent, Reader, RetrievalModel,
    Summarizer, WordVectors,
};
use crate::ranking::Words;
use crate::scope::Scope;
use crate::store::Store;
use crate::store::rules::check_embedder;

/// Everything a service is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where memories are kept.
    pub store: Arc<dyn Store>,
    /// Gets the bytes behind a path or URL.
    pub fetcher: Arc<dyn Fetcher>,
    /// Keeps large files; `None` keeps them in the store.
    pub files: Option<Arc<dyn ResourceFiles>>,
    /// Turns content into segments.
    pub reader: Arc<dyn Reader>,
    /// Draws items from segments.
    pub extractor: Arc<dyn Extractor>,
    /// Files items under categories.
    pub categorizer: Arc<dyn Categorizer>,
    /// Writes summaries of categories.
    pub summarizer: Arc<dyn Summarizer>,
    /// Turns texts into vectors.
    pub embedder: Arc<dyn Embedder>,
    /// Tells which words mean nearly the same.
    pub words: Arc<dyn WordVectors>,
    /// Has a say in how questions are answered; `None` without a configured model.
    pub retrieval_model: Option<Arc<dyn RetrievalModel>>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes identifiers.
    pub ids: Arc<dyn IdSource>,
    /// Runs what computes for long.
    pub executor: Arc<dyn Executor>,
    /// Watch every step.
    pub interceptors: Vec<Arc<dyn Interceptor>>,
    /// How content becomes memories.
    pub memorize_config: MemorizeConfig,
    /// How questions are answered.
    pub retrieve_config: RetrieveConfig,
    /// What the models of a scope may take.
    pub budget: BudgetConfig,
}

/// What steps work with: the parts of the service and its caches.
pub struct Context {
    parts: Parts,
    cache: Cache,
    words: Arc<Words>,
}

impl Context {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            words: Arc::new(Words::new(parts.words.clone())),
            parts,
            cache: Cache::default(),
        }
    }

    /// Where memories are kept.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.parts.store
    }

    /// Every part of the service.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Calls to models for work in a scope, perhaps on some content.
    pub(super) fn calls(&self, scope: &Scope, content: Option<KeptContent>) -> Calls {
        let parts = &self.parts;
        let keeping = Keeping {
            store: parts.store.clone(),
            clock: parts.clock.clone(),
            ids: parts.ids.clone(),
            scope: scope.clone(),
            budget: parts.budget,
            content,
        };
        Calls::new(Some(keeping), parts.interceptors.clone())
    }

    /// Refuses to go on where the store's vectors are another embedder's.
    pub(super) async fn check_embedder(&self) -> Result<()> {
        let sets = self.store().embedding_sets().await?;
        check_embedder(&sets, self.parts.embedder.identity())
    }

    /// What is known about words.
    pub(super) fn words(&self) -> &Arc<Words> {
        &self.words
    }

    pub(super) fn cache(&self) -> &Cache {
        &self.cache
    }

    pub(crate) fn interceptors(&self) -> &[Arc<dyn Interceptor>] {
        &self.parts.interceptors
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("parts", &self.parts)
            .finish_non_exhaustive()
    }
}

/// Content that was fetched.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The bytes.
    pub bytes: Arc<[u8]>,
    /// The media type with its parameters, where the source told one.
    pub media_type: Option<String>,
}

/// Gets the bytes behind a path or URL.
#[async_trait]
pub trait Fetcher: fmt::Debug + Send + Sync {
    /// Reads all of it, at most `limit` bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) when it does not exist, is a
    /// folder, cannot be reached or is too large;
    /// [`ErrorKind::Permission`](crate::ErrorKind::Permission) when access is denied.
    async fn fetch(&self, url: &str, limit: u64) -> Result<Fetched>;

    /// The same place under a name that means it in every folder.
    fn locate(&self, url: &str) -> String {
        url.to_owned()
    }
}
