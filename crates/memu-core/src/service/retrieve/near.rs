//! What the store finds near to the vector of a question, where the index does not hold all vectors.

use rustc_hash::FxHashMap;

use super::corpus::Corpus;
use crate::config::RankingConfig;
use crate::error::Result;
use crate::filter::Filter;
use crate::ranking::Nearest;
use crate::records::{EmbedderIdentity, Embedding, OwnerKind};
use crate::scope::{Scope, ScopeKey};
use crate::store::{VectorHit, VectorQuery};

/// How many segments, and how many items, the store is asked for.
const NEAREST: usize = 64;

/// The nearest segments and items.
#[derive(Clone, Debug, Default)]
pub(super) struct NearHits {
    pub(super) segments: Vec<VectorHit>,
    pub(super) items: Vec<VectorHit>,
}

impl NearHits {
    /// Asks for segments and for items; with a filter also for the nearest that it lets through, for
    /// it changes what is shown, not what the nearest of all are.
    pub(super) async fn of(
        corpus: &Corpus,
        identity: &EmbedderIdentity,
        vector: &Embedding,
    ) -> Result<Self> {
        let mut found = [Vec::new(), Vec::new()];
        let nothing = Filter::default();
        let filters = [
            Some(&nothing),
            Some(&corpus.filter).filter(|one| !one.is_empty()),
        ];
        for filter in filters.into_iter().flatten() {
            let query = |kind| VectorQuery {
                scopes: corpus.scopes.clone(),
                filter: filter.clone(),
                kind,
                identity: identity.clone(),
                vector: vector.clone(),
                top_k: NEAREST,
            };
            let queries = [OwnerKind::Segment, OwnerKind::Item].map(query);
            let searches = queries.iter().map(|query| corpus.store.search(query));
            let hits = futures_util::future::try_join_all(searches).await?;
            for (found, hits) in found.iter_mut().zip(hits) {
                found.extend(hits);
            }
        }
        let [segments, items] = found;
        Ok(Self { segments, items })
    }

    /// What was found by its place in the index of a corpus; items make what they cite near.
    pub(super) fn placed(&self, corpus: &Corpus, config: &RankingConfig) -> Nearest {
        let numbers: FxHashMap<ScopeKey, usize> =
            corpus.scopes.iter().map(Scope::key).zip(0..).collect();
        // What was stored since the index was made is not in it yet.
        let scope = |hit: &VectorHit| numbers.get(&hit.scope.key()).copied();
        let mut nearest = Nearest::default();
        nearest
            .segments
            .extend(self.segments.iter().filter_map(|hit| {
                let position = corpus.searchable().segment_at(scope(hit)?, hit.place)?;
                // Its place may have been another one's.
                let known = corpus.searchable().index.segment(position as usize)?;
                (*known.id == hit.id).then_some((position, hit.score))
            }));
        for hit in &self.items {
            let item = scope(hit).and_then(|scope| corpus.searchable().item_at(scope, hit.place));
            let Some((number, item)) = item.filter(|(_, item)| item.name.id == hit.id) else {
                continue;
            };
            if item.segments.is_empty() {
                nearest.items.push((number, hit.score));
            }
            let near = hit.score * config.embedded_item;
            let cited = item.segments.iter().map(|position| (*position, near));
            nearest.segments.extend(cited);
        }
        nearest
    }
}
