//! The verbs of MemU, over any store and any providers.

pub(crate) mod amend;
mod cache;
mod check;
mod clear;
mod context;
mod create;
mod edit;
pub(crate) mod files;
mod filing;
mod growing;
mod list;
mod memorize;
mod plan;
mod recent;
mod reembed;
mod replay;
mod requests;
mod responses;
mod retrieve;
mod scope;
mod sealed;
mod searchable;
mod show;
mod similar;
mod stats;

pub use context::{Context, Fetched, Fetcher, Parts};
pub use files::ResourceFiles;
pub use memorize::MemorizeState;
pub use reembed::{Embedded, Reembed, ReembedProgress, ReembedResponse, ReembedStatus};
pub use replay::{Replay, ReplayStatus, Replayed, Unfinished};
pub use requests::{
    CreateItem, CreateItems, ListRequest, MemorizeRequest, Message, NewItem, RetrieveRequest,
    Source, UpdateItem,
};
pub use responses::{
    CategoryHit, ClearResponse, ItemHit, ItemResponse, ItemsResponse, ListResponse,
    MemorizeResponse, MemorizeStatus, ResourceHit, RetrieveResponse, SegmentHit,
};
pub use retrieve::RetrieveState;
pub use scope::{Selection, select_scopes};
pub use show::Record;
pub use stats::StatsResponse;

use std::sync::{Arc, PoisonError, RwLock};

use crate::error::Result;
use crate::pipeline::Pipeline;
use crate::store::Store;

/// Long-term memory: `memorize`, `retrieve`, and the verbs around them.
///
/// Cheap to clone; clones share everything. All verbs may run at once.
#[derive(Clone, Debug)]
pub struct MemoryService {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    context: Context,
    memorize: RwLock<Pipeline<MemorizeState>>,
    retrieve: RwLock<Pipeline<RetrieveState>>,
}

impl MemoryService {
    /// A service over these parts.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when a setting is out of
    /// range.
    pub fn new(parts: Parts) -> Result<Self> {
        parts.memorize_config.validate()?;
        parts.retrieve_config.validate()?;
        Ok(Self {
            inner: Arc::new(Inner {
                context: Context::new(parts),
                memorize: RwLock::new(memorize::standard_pipeline()),
                retrieve: RwLock::new(retrieve::standard_pipeline()),
            }),
        })
    }

    /// The store behind the service.
    pub fn store(&self) -> &Arc<dyn Store> {
        self.inner.context.store()
    }

    /// What the steps work with.
    pub fn context(&self) -> &Context {
        &self.inner.context
    }

    /// Changes the memorize pipeline for all later calls.
    ///
    /// # Errors
    /// The error of `change`; the pipeline then stays as it was.
    pub fn edit_memorize_pipeline(
        &self,
        change: impl FnOnce(&mut Pipeline<MemorizeState>) -> Result<()>,
    ) -> Result<()> {
        edit_pipeline(&self.inner.memorize, change)
    }

    /// Changes the retrieve pipeline for all later calls.
    ///
    /// # Errors
    /// The error of `change`; the pipeline then stays as it was.
    pub fn edit_retrieve_pipeline(
        &self,
        change: impl FnOnce(&mut Pipeline<RetrieveState>) -> Result<()>,
    ) -> Result<()> {
        edit_pipeline(&self.inner.retrieve, change)
    }

    /// Finishes all writes and closes the store.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) when the last write fails.
    pub async fn close(&self) -> Result<()> {
        self.store().close().await
    }

    fn memorize_pipeline(&self) -> Pipeline<MemorizeState> {
        let guard = self.inner.memorize.read();
        guard.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn retrieve_pipeline(&self) -> Pipeline<RetrieveState> {
        let guard = self.inner.retrieve.read();
        guard.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn edit_pipeline<S: Send>(
    pipeline: &RwLock<Pipeline<S>>,
    change: impl FnOnce(&mut Pipeline<S>) -> Result<()>,
) -> Result<()> {
    let mut guard = pipeline.write().unwrap_or_else(PoisonError::into_inner);
    let mut changed = guard.clone();
    change(&mut changed)?;
    *guard = changed;
    Ok(())
}
