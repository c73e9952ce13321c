//! Scopes of which parts are sealed: what is kept of them in memory.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Context;
use super::cache::FirstNumbers;
use super::recent::Recent;
use super::searchable::ScopeVectors;
use crate::environment::offload;
use crate::error::Result;
use crate::ranking::outline::{Growth, ItemOutline, Outline, PASSAGE_WORDS};
use crate::ranking::{HeldVectors, PartlySealed, SegmentName, Words};
use crate::records::Embedding;
use crate::scope::{Scope, ScopeKey};
use crate::store::{ScopeOutline, SealedScope};

/// How many open records, and words of sealed ones, stay in memory beside those of the largest
/// scope; of half a KB each.
const KEPT: usize = 1 << 20;

/// The sealed scopes that were asked last.
#[derive(Debug)]
pub(super) struct SealedScopes(Recent<Known>);

impl Default for SealedScopes {
    fn default() -> Self {
        Self(Recent::new(KEPT))
    }
}

impl SealedScopes {
    /// Forgets a scope, which is then read anew.
    pub(super) fn forget(&self, key: &ScopeKey) {
        self.0.forget(key);
    }
}

/// A scope with the index over it.
#[derive(Debug)]
pub(super) struct Known {
    scope: Arc<SealedScope>,
    index: OnceLock<Arc<PartlySealed>>,
    /// What was there before, which may only need to grow.
    before: Mutex<Option<Before>>,
}

/// An earlier state of a scope with the index over it.
type Before = (Arc<SealedScope>, Arc<PartlySealed>);

impl Known {
    fn new(scope: Arc<SealedScope>, before: Option<&Self>) -> Self {
        let before = before.filter(|before| {
            let same_life = before.scope.position.life == scope.position.life;
            let pairs = before.scope.parts.iter().zip(&scope.parts);
            same_life
                && before.scope.parts.len() == scope.parts.len()
                && pairs.into_iter().all(|(a, b)| Arc::ptr_eq(a, b))
        });
        Self {
            before: Mutex::new(before.and_then(Self::as_before)),
            scope,
            index: OnceLock::new(),
        }
    }

    /// What the state that comes next may start from.
    fn as_before(&self) -> Option<Before> {
        match self.index.get() {
            Some(index) => Some((self.scope.clone(), index.clone())),
            None => self.take_before(),
        }
    }

    fn take_before(&self) -> Option<Before> {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        before.take()
    }

    /// The index that was there before, with how what is open has grown since; `None` when it
    /// must be built anew.
    fn grown_from(&self) -> Option<(Arc<PartlySealed>, Growth)> {
        let (scope, index) = self.take_before()?;
        let open = &self.scope.open;
        let growth = Growth::between(&scope.open, open)?;
        let can_grow = index.can_grow(open, &growth);
        can_grow.then_some((index, growth))
    }

    fn build(
        &self,
        before: Option<Arc<PartlySealed>>,
        growth: &Growth,
        vectors: &ScopeVectors,
        words: Arc<Words>,
    ) -> Arc<PartlySealed> {
        let open = &self.scope.open;
        let mut index = if let Some(before) = before {
            let mut index = Arc::unwrap_or_clone(before);
            index.grow(open, growth);
            index
        } else {
            let parts = self.scope.parts.iter().map(|part| (0, part.clone()));
            PartlySealed::build(&[open], parts, words)
        };
        let items = growth.items.numbered(&open.items);
        embed(&mut index, std::slice::from_ref(vectors), items);
        Arc::new(index)
    }
}

/// Takes vectors, by scope, of what was added; items come by number.
fn embed<'i>(
    index: &mut PartlySealed,
    vectors: &[ScopeVectors],
    items: impl Iterator<Item = (usize, &'i ItemOutline)>,
) {
    let segment = |name: SegmentName<'_>| vectors.get(name.scope)?.segments.get(name.id);
    let vector = |item: &ItemOutline| {
        let mut known = vectors.iter().map(|of| of.items.get(&item.id));
        known.find_map(|vector| vector)
    };
    let dimension = vectors.iter().find_map(ScopeVectors::dimension);
    let alone = items.filter(|(_, item)| item.segments.is_empty());
    let alone = alone.filter_map(|(number, item)| Some((number, vector(item)?.as_slice())));
    let segment = |name: SegmentName<'_>| segment(name).map(Embedding::as_slice);
    index.embed(dimension, segment, alone);
}

/// What of a scope is in memory.
struct Open {
    known: Option<Arc<Known>>,
    outline: Option<Arc<ScopeOutline>>,
}

impl Open {
    fn outline(&self) -> &Outline {
        const NOTHING: &Outline = &Outline {
            resources: Vec::new(),
            categories: Vec::new(),
            segments: Vec::new(),
            items: Vec::new(),
        };
        match (&self.known, &self.outline) {
            (Some(known), _) => &known.scope.open,
            (None, Some(outline)) => &outline.outline,
            (None, None) => NOTHING,
        }
    }
}

/// What questions to scopes are asked of that are not all in memory.
#[derive(Clone, Debug)]
pub(super) struct PartlyInMemory {
    pub(super) index: Arc<PartlySealed>,
    /// By the number of a scope: its outline, where nothing of it is sealed.
    pub(super) outlines: Vec<Option<Arc<ScopeOutline>>>,
}

impl Context {
    /// What questions to these scopes are asked of, as the store holds them now; `None` when
    /// nothing of any of them is sealed.
    pub(super) async fn partly_in_memory(
        &self,
        scopes: &[Scope],
    ) -> Result<Option<PartlyInMemory>> {
        if let [one] = scopes {
            let index = self.partly_sealed(one).await?;
            return Ok(index.map(|index| PartlyInMemory {
                index,
                outlines: vec![None],
            }));
        }
        let mut known = Vec::with_capacity(scopes.len());
        for scope in scopes {
            known.push(self.sealed_scope(scope).await?);
        }
        if known.iter().all(Option::is_none) {
            return Ok(None);
        }
        let mut outlines = Vec::with_capacity(scopes.len());
        for (scope, known) in scopes.iter().zip(&known) {
            outlines.push(match known {
                Some(_) => None,
                None => Some(self.outline(scope).await?),
            });
        }
        let index = self.index_several(scopes, known, &outlines).await?;
        Ok(Some(PartlyInMemory { index, outlines }))
    }

    async fn index_several(
        &self,
        scopes: &[Scope],
        known: Vec<Option<Arc<Known>>>,
        outlines: &[Option<Arc<ScopeOutline>>],
    ) -> Result<Arc<PartlySealed>> {
        let pairs = known.into_iter().zip(outlines.iter().cloned());
        let all: Vec<Open> = pairs
            .map(|(known, outline)| Open { known, outline })
            .collect();
        let open: Vec<&Outline> = all.iter().map(Open::outline).collect();
        let segments = open.iter().map(|outline| outline.segment_count()).sum();
        let items = open.iter().map(|outline| outline.item_count()).sum();
        let ranking = &self.parts().retrieve_config.ranking;
        let held = HeldVectors::of_newest(segments, items, ranking);
        let (mut vectors, mut first) = (Vec::new(), FirstNumbers::default());
        let new = Growth::of_everything();
        for (scope, outline) in scopes.iter().zip(open) {
            let read = self.scope_vectors(scope, outline, &new, held, first);
            vectors.push(read.await?);
            first.segments += outline.segment_count();
            first.items += outline.item_count();
        }
        let words = self.words().clone();
        let build = move || {
            let open: Vec<&Outline> = all.iter().map(Open::outline).collect();
            let parts = all.iter().enumerate().flat_map(|(number, one)| {
                let parts = one.known.iter().flat_map(|known| &known.scope.parts);
                parts.map(move |part| (number, part.clone()))
            });
            let mut index = PartlySealed::build(&open, parts, words);
            let items = open.iter().flat_map(|outline| &outline.items);
            let items = items.flat_map(|block| &block.entries).enumerate();
            embed(&mut index, &vectors, items);
            Arc::new(index)
        };
        offload(&*self.parts().executor, build).await
    }

    /// A scope of which parts are sealed, as the store holds it now; `None` for one of which
    /// nothing is.
    async fn sealed_scope(&self, scope: &Scope) -> Result<Option<Arc<Known>>> {
        let store = self.store().sealed();
        let usual = self.parts().retrieve_config.ranking.passage_words == PASSAGE_WORDS;
        let Some(store) = store.filter(|_| usual) else {
            return Ok(None);
        };
        let key = scope.key();
        let sealed = &self.cache().sealed.0;
        let known = sealed.get(&key);
        let before = known.as_ref().map(|known| known.scope.clone());
        let Some(now) = store.sealed(scope, before).await? else {
            sealed.forget(&key);
            return Ok(None);
        };
        if let Some(known) = &known
            && known.scope.position == now.position
        {
            return Ok(Some(known.clone()));
        }
        let records = now.open.segment_count() + now.open.item_count();
        let words: usize = now.parts.iter().map(|part| part.words.len()).sum();
        let known = Arc::new(Known::new(now, known.as_deref()));
        self.take_apart(sealed.put(key, records + words, known.clone()));
        Ok(Some(known))
    }

    /// The index over such a scope.
    async fn partly_sealed(&self, scope: &Scope) -> Result<Option<Arc<PartlySealed>>> {
        let Some(known) = self.sealed_scope(scope).await? else {
            return Ok(None);
        };
        if let Some(index) = known.index.get() {
            return Ok(Some(index.clone()));
        }
        let (before, growth) = match known.grown_from() {
            Some((before, growth)) => (Some(before), growth),
            None => (None, Growth::of_everything()),
        };
        let open = &known.scope.open;
        let ranking = &self.parts().retrieve_config.ranking;
        let held = HeldVectors::of_newest(open.segment_count(), open.item_count(), ranking);
        let vectors = self.scope_vectors(scope, open, &growth, held, FirstNumbers::default());
        let vectors = vectors.await?;
        let words = self.words().clone();
        let build = move || {
            let build = || known.build(before, &growth, &vectors, words);
            known.index.get_or_init(build).clone()
        };
        Ok(Some(offload(&*self.parts().executor, build).await?))
    }
}
