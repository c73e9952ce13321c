//! Scopes in memory: what a store holds, with the indexes derived from it.
//!
//! What is cached is used only while the scope's change log ends where the store's
//! does, so that what other processes write is seen at once.

use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use super::Context;
use super::filing::Filing;
use super::growing::Growing;
use super::recent::Recent;
use super::sealed::SealedScopes;
use super::searchable::{ScopeVectors, Searchable};
use super::similar::SimilarItems;
use crate::environment::offload;
use crate::error::{Error, Result};
use crate::ranking::HeldVectors;
use crate::ranking::outline::{Growth, Outline, PASSAGE_WORDS};
use crate::records::{Id, MemoryItem, OwnerKind};
use crate::scope::{Scope, ScopeKey};
use crate::store::{Committed, LogPosition, ScopeData, ScopeOutline, Write, WriteBatch};

/// How many records stay in memory for writing, of one or two KB each, beside those of the
/// largest scope.
const RECORDS: usize = 1 << 18;

/// The same for answering: segments and items, of one KB each.
const OUTLINED: usize = 1 << 20;

/// One scope with its derived indexes, as of one position of its change log.
#[derive(Debug)]
pub(crate) struct ScopeView {
    pub(crate) data: ScopeData,
    similar: OnceLock<SimilarItems>,
}

impl ScopeView {
    fn new(data: ScopeData) -> Self {
        Self {
            data,
            similar: OnceLock::new(),
        }
    }

    /// The index that recognises a memory that is known already.
    pub(super) fn similar(&self) -> &SimilarItems {
        self.similar
            .get_or_init(|| SimilarItems::build(self.data.items()))
    }
}

/// The scopes that were used last: their records for writing, their outlines for
/// answering, their categories for filing.
#[derive(Debug)]
pub(crate) struct Cache {
    views: Recent<ScopeView>,
    indexed: Recent<Indexed>,
    pub(super) sealed: SealedScopes,
    pub(super) filing: Filing,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            views: Recent::new(RECORDS),
            indexed: Recent::new(OUTLINED),
            sealed: SealedScopes::default(),
            filing: Filing::default(),
        }
    }
}

impl Cache {
    /// Forgets a scope, and its memories with it.
    pub(super) fn forget(&self, key: &ScopeKey) {
        self.views.forget(key);
        self.indexed.forget(key);
        self.sealed.forget(key);
        self.filing.forget(key);
    }
}

/// A scope's outline with the index over it.
type Indexed = Growing<ScopeOutline, Searchable>;

/// The index that was there before, with how this outline has grown since; `None`
/// when it must be built anew, as when it does not hold the vectors that it is to hold.
fn grown_from(indexed: &Indexed, held: HeldVectors) -> Option<(Arc<Searchable>, Growth)> {
    let before = indexed.take_before()?;
    let outline = &indexed.state.outline;
    let growth = Growth::between(&before.state.outline, outline)?;
    let holds_the_same = before.index.held_vectors();
    let holds_the_same = holds_the_same.is_none_or(|now| now.can_become(held));
    let can_grow = holds_the_same && before.index.can_grow(outline, &growth);
    can_grow.then_some((before.index, growth))
}

impl Context {
    /// The scope as the store holds it now.
    pub(super) async fn view(&self, scope: &Scope) -> Result<Arc<ScopeView>> {
        let key = scope.key();
        let position = self.store().log_position(scope).await?;
        if let Some(view) = self.cache().views.get(&key)
            && view.data.log_position() == position
        {
            return Ok(view);
        }
        let data = ScopeData::load(&**self.store(), scope).await?;
        let view = Arc::new(ScopeView::new(data));
        self.keep_view(key, view.clone());
        Ok(view)
    }

    fn keep_view(&self, key: ScopeKey, view: Arc<ScopeView>) {
        let records = view.data.record_count();
        self.take_apart(self.cache().views.put(key, records, view));
    }

    /// Drops what is large, while nobody waits for it.
    pub(super) fn take_apart<T: Send + Sync + 'static>(&self, gone: Vec<Arc<T>>) {
        if !gone.is_empty() {
            self.parts().executor.execute(Box::new(move || drop(gone)));
        }
    }

    /// What ranking needs to know of the scope, as the store holds it now.
    pub(super) async fn outline(
        &self,
        scope: &Scope,
        at: Option<LogPosition>,
    ) -> Result<Arc<ScopeOutline>> {
        Ok(self.indexed(scope, at).await?.state.clone())
    }

    async fn indexed(&self, scope: &Scope, at: Option<LogPosition>) -> Result<Arc<Indexed>> {
        let key = scope.key();
        let known = self.cache().indexed.get(&key);
        if let Some(known) = &known
            && Some(known.state.position) == at
        {
            return Ok(known.clone());
        }
        let outline = known.as_ref().map(|known| known.state.clone());
        let outline = self.read_outline(scope, outline).await?;
        if let Some(known) = &known
            && known.state.position == outline.position
        {
            return Ok(known.clone());
        }
        let before = known.as_deref();
        let before = before.filter(|known| known.state.position.life == outline.position.life);
        let indexed = Arc::new(Growing::new(outline, before));
        let outline = &indexed.state.outline;
        let records = outline.segment_count() + outline.item_count();
        let gone = self.cache().indexed.put(key, records, indexed.clone());
        self.take_apart(gone);
        Ok(indexed)
    }

    /// The outline that the store keeps, or one made from the records where passages
    /// are configured to be of another length than it keeps.
    async fn read_outline(
        &self,
        scope: &Scope,
        known: Option<Arc<ScopeOutline>>,
    ) -> Result<Arc<ScopeOutline>> {
        let passage_words = self.parts().retrieve_config.ranking.passage_words;
        if passage_words == PASSAGE_WORDS {
            return self.store().outline(scope, known).await;
        }
        let view = self.view(scope).await?;
        let position = view.data.log_position();
        match known {
            Some(known) if known.position == position => Ok(known),
            _ => {
                let outline = view.data.outline(passage_words);
                Ok(Arc::new(ScopeOutline { position, outline }))
            }
        }
    }

    /// What questions to the scope are answered from, built off the caller's thread: what
    /// was there before with what is new, where nothing else has changed.
    pub(super) async fn searchable(
        &self,
        scope: &Scope,
        at: Option<LogPosition>,
    ) -> Result<Arc<Searchable>> {
        let indexed = self.indexed(scope, at).await?;
        if let Some(searchable) = indexed.index.get() {
            return Ok(searchable.clone());
        }
        let words = self.words().clone();
        let outline = &indexed.state.outline;
        let (segments, items) = (outline.segment_count(), outline.item_count());
        let held = HeldVectors::of(segments, items, &self.parts().retrieve_config.ranking);
        let (before, growth) = match grown_from(&indexed, held) {
            Some((before, growth)) => (Some(before), growth),
            None => (None, Growth::of_everything()),
        };
        let vectors = self.vectors_of(&[(scope, outline)], &growth, held).await?;
        offload(&*self.parts().executor, move || {
            let outline = &indexed.state.outline;
            let build = || match before {
                Some(before) => {
                    // Questions that are being answered go on with what was.
                    let mut searchable = Arc::unwrap_or_clone(before);
                    searchable.grow(outline, &vectors, &growth);
                    Arc::new(searchable)
                }
                None => Arc::new(Searchable::build(&[outline], &vectors, words)),
            };
            indexed.index.get_or_init(build).clone()
        })
        .await
    }

    /// What questions to several scopes are answered from, which is built anew for each.
    pub(super) async fn searchable_together(
        &self,
        scopes: &[Scope],
        at: &[Option<LogPosition>],
    ) -> Result<Arc<Searchable>> {
        let mut outlines = Vec::with_capacity(scopes.len());
        for (scope, at) in scopes.iter().zip(at) {
            outlines.push(self.outline(scope, *at).await?);
        }
        let segments = outlines.iter().map(|known| known.outline.segment_count());
        let items = outlines.iter().map(|known| known.outline.item_count());
        let ranking = &self.parts().retrieve_config.ranking;
        let held = HeldVectors::of(segments.sum(), items.sum(), ranking);
        let pairs = scopes.iter().zip(&outlines);
        let pairs: Vec<_> = pairs
            .map(|(scope, known)| (scope, &known.outline))
            .collect();
        let new = Growth::of_everything();
        let vectors = self.vectors_of(&pairs, &new, held).await?;
        let words = self.words().clone();
        offload(&*self.parts().executor, move || {
            let outlines: Vec<_> = outlines.iter().map(|known| &known.outline).collect();
            Arc::new(Searchable::build(&outlines, &vectors, words))
        })
        .await
    }

    /// The vectors that the configured embedder made of the new segments and items of each of
    /// these scopes, as far as they are held in memory, which are numbered one scope after the
    /// other; none when it makes none of segments.
    pub(super) async fn vectors_of(
        &self,
        scopes: &[(&Scope, &Outline)],
        growth: &Growth,
        held: HeldVectors,
    ) -> Result<Vec<ScopeVectors>> {
        let mut vectors = Vec::with_capacity(scopes.len());
        let mut first = FirstNumbers::default();
        for (scope, outline) in scopes {
            vectors.push(
                self.scope_vectors(scope, outline, growth, held, first)
                    .await?,
            );
            first.segments += outline.segment_count();
            first.items += outline.item_count();
        }
        Ok(vectors)
    }

    async fn scope_vectors(
        &self,
        scope: &Scope,
        outline: &Outline,
        growth: &Growth,
        held: HeldVectors,
        first: FirstNumbers,
    ) -> Result<ScopeVectors> {
        let embedder = &self.parts().embedder;
        let mut vectors = ScopeVectors {
            held,
            segments: FxHashMap::default(),
            items: FxHashMap::default(),
        };
        if !embedder.embeds_segments() {
            return Ok(vectors);
        }
        let identity = embedder.identity();
        let read = async |kind, owners: Vec<Id>| {
            let vectors = self.store().embeddings(scope, identity, kind, &owners);
            let vectors = vectors.await?.into_iter();
            Ok::<_, Error>(vectors.map(|one| (one.owner, one.vector)).collect())
        };
        let segments = growth.segments.numbered(&outline.segments);
        let segments = segments.filter(|(number, _)| held.hold_segment(first.segments + number));
        let segments = segments.map(|(_, one)| one.id.clone()).collect();
        vectors.segments = read(OwnerKind::Segment, segments).await?;
        let items = growth.items.numbered(&outline.items);
        let items = items
            .filter(|(number, one)| held.hold_item(first.items + number, !one.segments.is_empty()));
        let items = items.map(|(_, one)| one.id.clone()).collect();
        vectors.items = read(OwnerKind::Item, items).await?;
        // When others have replaced them meanwhile, some may be gone.
        self.check_embedder().await?;
        Ok(vectors)
    }

    /// Commits a batch that was not planned on a view. A view that shows the scope as it
    /// was before is brought up to date.
    pub(super) async fn commit_unplanned(&self, mut batch: WriteBatch) -> Result<Committed> {
        let key = batch.scope.key();
        self.cache().filing.forget_categories(&key);
        let Some(view) = self.cache().views.get(&key) else {
            return self.store().commit(batch).await;
        };
        let position = match batch.expected() {
            Some(position) => position,
            None => self.store().log_position(&batch.scope).await?,
        };
        self.cache().views.forget(&key);
        if view.data.log_position() != position {
            return self.store().commit(batch).await;
        }
        batch.expect(position);
        self.commit(view, batch).await
    }

    /// Commits a batch that was planned on `view`, and keeps the cache in step.
    pub(super) async fn commit(
        &self,
        view: Arc<ScopeView>,
        batch: WriteBatch,
    ) -> Result<Committed> {
        let key = batch.scope.key();
        self.cache().filing.forget_categories(&key);
        let kept = without_content(&batch);
        let committed = self.store().commit(batch).await?;
        self.cache().views.forget(&key);
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
                self.keep_view(key, Arc::new(next));
            }
        }
        Ok(committed)
    }
}

/// The numbers of the first segment and the first item of a scope among those of several.
#[derive(Clone, Copy, Debug, Default)]
struct FirstNumbers {
    segments: usize,
    items: usize,
}

/// The writes of a batch that a view shows: content and model replies stay in the store.
fn without_content(batch: &WriteBatch) -> WriteBatch {
    let shown = |write: &&Write| {
        !matches!(
            write,
            Write::Blob(_)
                | Write::ModelReply(_)
                | Write::ModelUsage(_)
                | Write::DeleteModelReply(_)
        )
    };
    WriteBatch {
        scope: batch.scope.clone(),
        expected_seq: batch.expected_seq,
        expected_life: batch.expected_life,
        lease: None,
        restoring: false,
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
