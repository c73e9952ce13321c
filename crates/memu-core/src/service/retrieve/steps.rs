use std::sync::Arc;

use async_trait::async_trait;

use super::RetrieveState;
use super::diversity::{Candidate, diversified};
use super::rank::Ranking;
use crate::error::Result;
use crate::pipeline::Step;
use crate::records::{MemoryItem, Segment};
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
        let ranking = Ranking::new(
            &corpus,
            asked(state),
            &state.carried.join(" "),
            &state.config,
            now,
        );
        let ranking = Arc::new(ranking);
        if state.config.category.enabled {
            state.response.categories = ranking
                .categories(&corpus)
                .into_iter()
                .filter(|(number, _)| corpus.lets_category(*number))
                .take(state.config.category.top_k)
                .filter_map(|(number, score)| {
                    let (_, category) = corpus.category(number)?;
                    let category = category.clone();
                    Some(CategoryHit { category, score })
                })
                .collect();
        }
        state.ranking = Some(ranking);
        Ok(())
    }
}

/// What to search for: the question as it was asked, when the words that it refers to
/// are carried beside it, otherwise as a step has rewritten it.
fn asked(state: &RetrieveState) -> &str {
    if state.carried.is_empty() {
        &state.response.rewritten_query
    } else {
        &state.response.original_query
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
        let config = &state.config.item;
        let explain = state.request.explain;
        let found = state.ranking()?.best_items(config.top_k, config.diversity);
        let candidates: Vec<Candidate<u32>> = found
            .iter()
            .map(|(number, score, _)| Candidate {
                score: *score,
                sources: corpus
                    .item(*number)
                    .map_or_else(Vec::new, |(_, _, links)| links.segments.to_vec()),
            })
            .collect();
        state.response.items = diversified(&candidates, config.top_k, config.diversity)
            .into_iter()
            .filter_map(|(place, novelty)| {
                let (number, score, explanation) = found.get(place)?;
                let (view, item, _) = corpus.item(*number)?;
                Some(ItemHit {
                    item: item.clone(),
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
    let best = state
        .ranking()?
        .best_segments(&corpus, state.config.segment.top_k);
    Ok(best
        .into_iter()
        .filter_map(|(position, score)| {
            let (view, segment) = corpus.segment(position)?;
            let citing = view.data.items_citing(&segment.meta.id);
            Some(SegmentHit {
                segment: segment.clone(),
                score: score.score,
                items: citing.map(|item| item.meta.id.clone()).collect(),
                explanation: state.request.explain.then_some(score),
            })
        })
        .collect())
}

fn resource_hits(state: &RetrieveState) -> Result<Vec<ResourceHit>> {
    let corpus = state.corpus()?;
    let ranked = state.ranking()?.resources(&corpus);
    Ok(ranked
        .into_iter()
        .take(state.config.resource.top_k)
        .filter_map(|(number, score)| {
            let resource = corpus.resource(number)?.clone();
            Some(ResourceHit { resource, score })
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
