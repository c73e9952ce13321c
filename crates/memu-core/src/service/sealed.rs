//! Scopes of which parts are sealed: what is kept of them in memory.

use std::sync::Arc;

use super::Context;
use super::growing::Growing;
use super::recent::Recent;
use super::searchable::ScopeVectors;
use crate::environment::offload;
use crate::error::Result;
use crate::ranking::outline::{Growth, ItemOutline, Outline, PASSAGE_WORDS};
use crate::ranking::{HeldVectors, PartlySealed, SegmentName};
use crate::records::Embedding;
use crate::scope::{Scope, ScopeKey};
use crate::store::{LogPosition, ScopeOutline, SealedScope};

/// How many open records, and words of sealed ones, stay in memory beside those of the largest
/// scope.
const KEPT: usize = 1 << 20;

/// A scope of which parts are sealed, with the index over it.
type Partly = Growing<SealedScope, PartlySealed>;

/// The sealed scopes that were asked last.
#[derive(Debug)]
pub(super) struct SealedScopes(Recent<Partly>);

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

/// What is sealed of a scope.
enum Sealed {
    Parts(Arc<Partly>),
    /// Its log ends here, as far as that was asked.
    Nothing(Option<LogPosition>),
}

impl Sealed {
    fn position(&self) -> Option<LogPosition> {
        match self {
            Self::Parts(partly) => Some(partly.state.position),
            Self::Nothing(position) => *position,
        }
    }
}

/// What questions to scopes are asked of.
#[derive(Debug)]
pub(super) enum AskedOf {
    /// What is in memory, and parts in the store.
    Parts(PartlyInMemory),
    /// Everything, in memory; by scope, where its log ended just now, as far as that was asked.
    Everything(Vec<Option<LogPosition>>),
}

/// What of a scope is in memory.
#[derive(Clone, Debug)]
enum InMemory {
    /// What is not sealed.
    Open(Arc<Partly>),
    /// All of it: nothing is sealed.
    Whole(Arc<ScopeOutline>),
}

impl InMemory {
    fn outline(&self) -> &Outline {
        match self {
            Self::Open(partly) => &partly.state.open,
            Self::Whole(whole) => &whole.outline,
        }
    }
}

/// What questions to scopes are asked of that are not all in memory.
#[derive(Clone, Debug)]
pub(super) struct PartlyInMemory {
    pub(super) index: Arc<PartlySealed>,
    /// By the number of a scope.
    scopes: Vec<InMemory>,
}

impl PartlyInMemory {
    /// The outline of the scope with this number, where nothing of it is sealed.
    pub(super) fn whole(&self, scope: usize) -> Option<&Outline> {
        match self.scopes.get(scope)? {
            InMemory::Open(_) => None,
            InMemory::Whole(whole) => Some(&whole.outline),
        }
    }
}

impl Context {
    /// What questions to these scopes are asked of, as the store holds them now: not all of it is in
    /// memory where parts of any of them are sealed, unless it must be to answer as configured.
    pub(super) async fn asked_of(&self, scopes: &[Scope]) -> Result<AskedOf> {
        let mut sealed = Vec::with_capacity(scopes.len());
        for scope in scopes {
            sealed.push(self.sealed_scope(scope).await?);
        }
        let positions = sealed.iter().map(Sealed::position).collect();
        if sealed.iter().all(|one| matches!(one, Sealed::Nothing(_))) {
            return Ok(AskedOf::Everything(positions));
        }
        let mut in_memory = Vec::with_capacity(scopes.len());
        for (scope, sealed) in scopes.iter().zip(sealed) {
            in_memory.push(match sealed {
                Sealed::Parts(partly) => InMemory::Open(partly),
                Sealed::Nothing(at) => InMemory::Whole(self.outline(scope, at).await?),
            });
        }
        let index = match (scopes, in_memory.as_slice()) {
            ([one], [InMemory::Open(partly)]) => self.index_one(one, partly).await?,
            _ => self.index_several(scopes, &in_memory).await?,
        };
        let config = &self.parts().retrieve_config.ranking;
        if !index.can_be_asked(config) {
            return Ok(AskedOf::Everything(positions));
        }
        Ok(AskedOf::Parts(PartlyInMemory {
            index,
            scopes: in_memory,
        }))
    }

    /// What is sealed of a scope, as the store holds it now.
    async fn sealed_scope(&self, scope: &Scope) -> Result<Sealed> {
        let store = self.store().sealed();
        let usual = self.parts().retrieve_config.ranking.passage_words == PASSAGE_WORDS;
        let Some(store) = store.filter(|_| usual) else {
            return Ok(Sealed::Nothing(None));
        };
        let key = scope.key();
        let sealed = &self.cache().sealed.0;
        let known = sealed.get(&key);
        let before = known.as_ref().map(|known| known.state.clone());
        let (position, now) = store.sealed(scope, before).await?;
        let Some(now) = now else {
            sealed.forget(&key);
            return Ok(Sealed::Nothing(Some(position)));
        };
        if let Some(known) = &known
            && known.state.position == now.position
        {
            return Ok(Sealed::Parts(known.clone()));
        }
        let before = known
            .as_deref()
            .filter(|known| same_parts(&known.state, &now));
        let records = now.open.segment_count() + now.open.item_count();
        let words: usize = now.parts.iter().map(|part| part.words.len()).sum();
        let partly = Arc::new(Growing::new(now, before));
        self.take_apart(sealed.put(key, records + words, partly.clone()));
        Ok(Sealed::Parts(partly))
    }

    /// The index over one scope: what was there before with what is new, where nothing else has
    /// changed.
    async fn index_one(&self, scope: &Scope, partly: &Arc<Partly>) -> Result<Arc<PartlySealed>> {
        if let Some(index) = partly.index.get() {
            return Ok(index.clone());
        }
        let (before, growth) = match grown_from(partly) {
            Some((before, growth)) => (Some(before), growth),
            None => (None, Growth::of_everything()),
        };
        let open = &partly.state.open;
        let held = self.newest(&[open]);
        let vectors = self.vectors_of(&[(scope, open)], &growth, held).await?;
        let (partly, words) = (partly.clone(), self.words().clone());
        let build = move || {
            let open = &partly.state.open;
            let build = || {
                let mut index = if let Some(before) = before {
                    let mut index = Arc::unwrap_or_clone(before);
                    index.grow(open, &growth);
                    index
                } else {
                    let parts = partly.state.parts.iter().map(|part| (0, part.clone()));
                    PartlySealed::build(&[open], parts, words)
                };
                embed(
                    &mut index,
                    held,
                    &vectors,
                    growth.items.numbered(&open.items),
                );
                Arc::new(index)
            };
            partly.index.get_or_init(build).clone()
        };
        offload(&*self.parts().executor, build).await
    }

    async fn index_several(
        &self,
        scopes: &[Scope],
        in_memory: &[InMemory],
    ) -> Result<Arc<PartlySealed>> {
        let outlines: Vec<&Outline> = in_memory.iter().map(InMemory::outline).collect();
        let held = self.newest(&outlines);
        let pairs: Vec<_> = scopes.iter().zip(outlines).collect();
        let new = Growth::of_everything();
        let vectors = self.vectors_of(&pairs, &new, held).await?;
        let (in_memory, words) = (in_memory.to_vec(), self.words().clone());
        let build = move || {
            let outlines: Vec<&Outline> = in_memory.iter().map(InMemory::outline).collect();
            let parts = in_memory.iter().enumerate().flat_map(|(number, one)| {
                let parts = match one {
                    InMemory::Open(partly) => partly.state.parts.as_slice(),
                    InMemory::Whole(_) => &[],
                };
                parts.iter().map(move |part| (number, part.clone()))
            });
            let mut index = PartlySealed::build(&outlines, parts, words);
            let items = outlines.iter().flat_map(|outline| &outline.items);
            let items = items.flat_map(|block| &block.entries).enumerate();
            embed(&mut index, held, &vectors, items);
            Arc::new(index)
        };
        offload(&*self.parts().executor, build).await
    }

    /// Whose vectors are held of what is in memory.
    fn newest(&self, outlines: &[&Outline]) -> HeldVectors {
        let segments = outlines.iter().map(|outline| outline.segment_count());
        let items = outlines.iter().map(|outline| outline.item_count());
        let ranking = &self.parts().retrieve_config.ranking;
        HeldVectors::of_newest(segments.sum(), items.sum(), ranking)
    }
}

/// Whether the parts of a scope are the ones that they were.
fn same_parts(before: &SealedScope, now: &SealedScope) -> bool {
    let mut pairs = before.parts.iter().zip(&now.parts);
    before.position.life == now.position.life
        && before.parts.len() == now.parts.len()
        && pairs.all(|(before, now)| Arc::ptr_eq(before, now))
}

/// The index that was there before, with how what is open has grown since; `None` when it must be
/// built anew.
fn grown_from(partly: &Partly) -> Option<(Arc<PartlySealed>, Growth)> {
    let before = partly.take_before()?;
    let open = &partly.state.open;
    let growth = Growth::between(&before.state.open, open)?;
    let can_grow = before.index.can_grow(open, &growth);
    can_grow.then_some((before.index, growth))
}

/// Takes vectors, by scope, of what was added; items come by number.
fn embed<'i>(
    index: &mut PartlySealed,
    held: HeldVectors,
    vectors: &[ScopeVectors],
    items: impl Iterator<Item = (usize, &'i ItemOutline)>,
) {
    let segment = |name: SegmentName<'_>| {
        let of_scope = vectors.get(name.scope)?;
        of_scope.segments.get(name.id).map(Embedding::as_slice)
    };
    let vector = |item: &ItemOutline| vectors.iter().find_map(|of| of.items.get(&item.id));
    let dimension = vectors.iter().find_map(ScopeVectors::dimension);
    let alone = items.filter(|(_, item)| item.segments.is_empty());
    let alone = alone.filter_map(|(number, item)| Some((number, vector(item)?.as_slice())));
    index.embed(held, dimension, segment, alone);
}
