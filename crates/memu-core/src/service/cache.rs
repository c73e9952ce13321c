//! Scopes in memory: what a store holds, with the indexes derived from it.
//!
//! A cached scope is used only while its change log ends where the store's does,
//! so that what other processes write is seen at once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Context;
use super::searchable::Searchable;
use super::similar::SimilarItems;
use crate::environment::offload;
use crate::error::Result;
use crate::records::MemoryItem;
use crate::scope::{Scope, ScopeKey};
use crate::store::{ScopeData, Write, WriteBatch};

/// How many scopes stay in memory.
const CAPACITY: usize = 64;

/// One scope with its derived indexes, as of one position of its change log.
#[derive(Debug)]
pub(crate) struct ScopeView {
    pub(crate) data: ScopeData,
    similar: OnceLock<SimilarItems>,
    searchable: OnceLock<Arc<Searchable>>,
}

impl ScopeView {
    fn new(data: ScopeData) -> Self {
        Self {
            data,
            similar: OnceLock::new(),
            searchable: OnceLock::new(),
        }
    }

    /// The index that recognises a memory that is known already.
    pub(super) fn similar(&self) -> &SimilarItems {
        self.similar
            .get_or_init(|| SimilarItems::build(self.data.items()))
    }
}

/// The scopes that were used last.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    views: Mutex<VecDeque<(ScopeKey, Arc<ScopeView>)>>,
}

impl Cache {
    fn get(&self, key: &ScopeKey) -> Option<Arc<ScopeView>> {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        let position = views.iter().position(|(known, _)| known == key)?;
        let entry = views.remove(position)?;
        let view = entry.1.clone();
        views.push_front(entry);
        Some(view)
    }

    fn put(&self, key: ScopeKey, view: Arc<ScopeView>) {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        views.retain(|(known, _)| *known != key);
        views.push_front((key, view));
        views.truncate(CAPACITY);
    }

    /// Forgets a scope, and its memories with it.
    pub(super) fn forget(&self, key: &ScopeKey) {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        views.retain(|(known, _)| known != key);
    }
}

impl Context {
    /// The scope as the store holds it now.
    pub(super) async fn view(&self, scope: &Scope) -> Result<Arc<ScopeView>> {
        let key = scope.key();
        let position = self.store().log_position(scope).await?;
        if let Some(view) = self.cache().get(&key)
            && view.data.log_position() == position
        {
            return Ok(view);
        }
        let data = ScopeData::load(&**self.store(), scope).await?;
        let view = Arc::new(ScopeView::new(data));
        self.cache().put(key, view.clone());
        Ok(view)
    }

    /// What questions to the scope are answered from, built off the caller's thread.
    pub(super) async fn searchable(&self, view: &Arc<ScopeView>) -> Result<Arc<Searchable>> {
        if let Some(searchable) = view.searchable.get() {
            return Ok(searchable.clone());
        }
        let config = self.parts().retrieve_config.ranking;
        let words = self.parts().words.clone();
        let shared = view.clone();
        offload(&*self.parts().executor, move || {
            let build = || Arc::new(Searchable::build(&[&shared.data], words, &config));
            shared.searchable.get_or_init(build).clone()
        })
        .await
    }

    /// Commits a batch that was planned on `view`, and keeps the cache in step.
    pub(super) async fn commit(&self, view: Arc<ScopeView>, batch: WriteBatch) -> Result<()> {
        let key = batch.scope.key();
        let kept = without_content(&batch);
        let committed = self.store().commit(batch).await?;
        self.cache().forget(&key);
        // The scope as it is now follows from the batch, without reading it again.
        if let Ok(mut next) = Arc::try_unwrap(view) {
            let applied = next.data.apply(&kept);
            if applied.is_ok_and(|applied| applied.seq == committed.seq) {
                next.data.set_life(committed.life);
                match next.similar.get_mut() {
                    Some(similar) if only_adds_items(&kept) => {
                        new_items(&kept).for_each(|item| similar.push(item));
                    }
                    _ => next.similar = OnceLock::new(),
                }
                next.searchable = OnceLock::new();
                self.cache().put(key, Arc::new(next));
            }
        }
        Ok(())
    }
}

/// The writes of a batch that a view shows: content and model replies stay in the store.
fn without_content(batch: &WriteBatch) -> WriteBatch {
    let shown = |write: &&Write| {
        !matches!(
            write,
            Write::Blob(_) | Write::ModelReply(_) | Write::DeleteModelReply(_)
        )
    };
    WriteBatch {
        scope: batch.scope.clone(),
        expected_seq: batch.expected_seq,
        expected_life: batch.expected_life,
        lease: None,
        writes: batch.writes.iter().filter(shown).cloned().collect(),
    }
}

/// Whether the items there were stay as they were.
fn only_adds_items(batch: &WriteBatch) -> bool {
    batch.writes.iter().all(|write| match write {
        Write::Item(item) => item.meta.revision == 0,
        Write::DeleteItem(_) | Write::DeleteResource(_) => false,
        _ => true,
    })
}

fn new_items(batch: &WriteBatch) -> impl Iterator<Item = &MemoryItem> {
    batch.writes.iter().filter_map(|write| match write {
        Write::Item(item) => Some(item),
        _ => None,
    })
}
