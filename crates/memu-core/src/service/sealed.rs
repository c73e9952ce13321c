//! Scopes of which parts are sealed: what is kept of them in memory.

use std::sync::{Arc, OnceLock};

use super::Context;
use super::cache::FirstNumbers;
use super::recent::Recent;
use super::searchable::ScopeVectors;
use crate::environment::offload;
use crate::error::Result;
use crate::ranking::outline::{Growth, PASSAGE_WORDS};
use crate::ranking::{HeldVectors, PartlySealed, Words};
use crate::records::{Embedding, Id};
use crate::scope::{Scope, ScopeKey};
use crate::store::SealedScope;

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
    before: Option<(Arc<SealedScope>, Arc<PartlySealed>)>,
}

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
            before: before.and_then(|one| Some((one.scope.clone(), one.index.get()?.clone()))),
            scope,
            index: OnceLock::new(),
        }
    }

    /// The index that was there before, with how what is open has grown since; `None` when it
    /// must be built anew.
    fn grown_from(&self) -> Option<(Arc<PartlySealed>, Growth)> {
        let (scope, index) = self.before.as_ref()?;
        let open = &self.scope.open;
        let growth = Growth::between(&scope.open, open)?;
        let can_grow = index.can_grow(open, &growth);
        can_grow.then(|| (index.clone(), growth))
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
        let segment = |id: &Id| vectors.segments.get(id).map(Embedding::as_slice);
        let item = |id: &Id| vectors.items.get(id).map(Embedding::as_slice);
        index.embed(open, growth, vectors.dimension(), segment, item);
        Arc::new(index)
    }
}

impl Context {
    /// The index over a scope of which parts are sealed, as the store holds it now; `None` for
    /// one of which nothing is.
    pub(super) async fn partly_sealed(&self, scope: &Scope) -> Result<Option<Arc<PartlySealed>>> {
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
        let known = match known {
            Some(known) if known.scope.position == now.position => known,
            known => {
                let records = now.open.segment_count() + now.open.item_count();
                let words: usize = now.parts.iter().map(|part| part.words.len()).sum();
                let known = Arc::new(Known::new(now, known.as_deref()));
                self.take_apart(sealed.put(key, records + words, known.clone()));
                known
            }
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
