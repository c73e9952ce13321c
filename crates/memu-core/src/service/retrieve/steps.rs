use std::sync::Arc;

use async_trait::async_trait;

use super::RetrieveState;
use super::diversity::{Candidate, diversified};
use super::rank::{Ranking, category_scores};
use crate::error::Result;
use crate::pipeline::Step;
use crate::records::{Id, MemoryItem, Resource, Segment};
use crate::scope::ScopeKey;
use crate::service::Context;
use crate::service::cache::ScopeView;
use crate::service::responses::{CategoryHit, ItemExplanation, ItemHit, ResourceHit, SegmentHit};

/// Scores everything, and picks the categories.
pub(super) struct RouteCategory;

#[async_trait]
impl Step<RetrieveState> for RouteCategory {
    async fn run(&self, context: &Context, state: &mut RetrieveState) -> Result<()> {
        if !state.is_needed() {
            return Ok(());
        }
        let corpus = state.corpus()?;
        let now = context.parts().clock.now();
        let query = &state.response.rewritten_query;
        let ranking = Arc::new(Ranking::new(&corpus, query, &state.config, now));
        if state.config.category.enabled {
            state.response.categories = category_scores(&corpus, &ranking)
                .into_iter()
                .filter_map(|(view, id, score)| {
                    let category = view.data.category(id)?;
                    let fits = corpus.filter.matches(&view.data.category_facts(category));
                    fits.then(|| CategoryHit {
                        category: category.clone(),
                        score,
                    })
                })
                .take(state.config.category.top_k)
                .collect();
        }
        state.ranking = Some(ranking);
        Ok(())
    }
}

/// Asks whether what was found suffices. Without a model there is nobody to ask, and
/// looking further costs nothing: every tier is always searched.
pub(super) struct Sufficiency;

#[async_trait]
impl Step<RetrieveState> for Sufficiency {
    async fn run(&self, _context: &Context, _state: &mut RetrieveState) -> Result<()> {
        Ok(())
    }
}

/// Picks the items.
pub(super) struct RecallItems;

#[async_trait]
impl Step<RetrieveState> for RecallItems {
    async fn run(&self, _context: &Context, state: &mut RetrieveState) -> Result<()> {
        if !state.is_needed() || !state.config.item.enabled {
            return Ok(());
        }
        let corpus = state.corpus()?;
        let items: Vec<_> = corpus.items().collect();
        let ranking = state.ranking()?;
        let explain = state.request.explain;
        let candidates: Vec<Candidate<_>> = ranking
            .items
            .iter()
            .map(|(position, score, _)| Candidate {
                score: *score,
                sources: items.get(*position).map_or_else(Vec::new, sources),
            })
            .collect();
        let config = &state.config.item;
        state.response.items = diversified(&candidates, config.top_k, config.diversity)
            .into_iter()
            .filter_map(|(place, novelty)| {
                let (position, score, explanation) = ranking.items.get(place)?;
                let (view, item) = items.get(*position)?;
                Some(ItemHit {
                    item: (*item).clone(),
                    score: score * novelty,
                    categories: category_names(view, item),
                    evidence: evidence(view, item),
                    explanation: explain.then_some(ItemExplanation {
                        novelty,
                        ..*explanation
                    }),
                })
            })
            .collect();
        Ok(())
    }
}

/// The segments that an item cites.
fn sources<'c>((view, item): &(&'c ScopeView, &'c MemoryItem)) -> Vec<(ScopeKey, &'c Id)> {
    let key = view.data.scope().key();
    item.segment_ids.iter().map(|id| (key, id)).collect()
}

fn category_names(view: &ScopeView, item: &MemoryItem) -> Vec<String> {
    view.data
        .relations_of_item(&item.meta.id)
        .filter_map(|relation| view.data.category(&relation.category_id))
        .map(|category| category.name.clone())
        .collect()
}

fn evidence(view: &ScopeView, item: &MemoryItem) -> Vec<Segment> {
    item.segment_ids
        .iter()
        .filter_map(|id| view.data.segment(id))
        .cloned()
        .collect()
}

/// Picks the segments and the resources they come from.
pub(super) struct RecallResources;

#[async_trait]
impl Step<RetrieveState> for RecallResources {
    async fn run(&self, _context: &Context, state: &mut RetrieveState) -> Result<()> {
        if !state.is_needed() {
            return Ok(());
        }
        if state.config.segment.enabled {
            state.response.segments = segment_hits(state)?;
        }
        if state.config.resource.enabled {
            state.response.resources = resource_hits(state)?;
        }
        Ok(())
    }
}

fn segment_hits(state: &RetrieveState) -> Result<Vec<SegmentHit>> {
    let corpus = state.corpus()?;
    let ranking = state.ranking()?;
    let best = ranking.segments.iter().take(state.config.segment.top_k);
    Ok(best
        .filter_map(|(position, score)| {
            let (view, segment) = corpus.segment(*position)?;
            let citing = view.data.items_citing(&segment.meta.id);
            Some(SegmentHit {
                segment: segment.clone(),
                score: score.score,
                items: citing.map(|item| item.meta.id.clone()).collect(),
                explanation: state.request.explain.then_some(*score),
            })
        })
        .collect())
}

/// A resource scores as its best segment, or as its best item where that is better.
fn resource_hits(state: &RetrieveState) -> Result<Vec<ResourceHit>> {
    let corpus = state.corpus()?;
    let ranking = state.ranking()?;
    let items: Vec<_> = corpus.items().collect();
    let of_segments = ranking.segments.iter().filter_map(|(position, score)| {
        let (view, segment) = corpus.segment(*position)?;
        Some((view, &segment.resource_id, score.score))
    });
    let of_items = ranking.items.iter().filter_map(|(position, score, _)| {
        let (view, item) = items.get(*position)?;
        Some((*view, item.resource_id.as_ref()?, *score))
    });
    let mut hits: Vec<(&Resource, f32)> = Vec::new();
    for (view, id, score) in of_segments.chain(of_items) {
        let known = hits.iter_mut().find(|(resource, _)| {
            resource.meta.id == *id && resource.meta.scope == *view.data.scope()
        });
        match known {
            Some((_, best)) => *best = best.max(score),
            None => hits.extend(view.data.resource(id).map(|resource| (resource, score))),
        }
    }
    hits.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    Ok(hits
        .into_iter()
        .take(state.config.resource.top_k)
        .map(|(resource, score)| ResourceHit {
            resource: resource.clone(),
            score,
        })
        .collect())
}

/// The last step: a place for users to shape the answer.
pub(super) struct BuildContext;

#[async_trait]
impl Step<RetrieveState> for BuildContext {
    async fn run(&self, _context: &Context, _state: &mut RetrieveState) -> Result<()> {
        Ok(())
    }
}
