use std::sync::Arc;

use async_trait::async_trait;

use super::RetrieveState;
use super::corpus::Corpus;
use super::diversity::{Candidate, diversified};
use super::rank::Ranking;
use super::records::Records;
use crate::error::Result;
use crate::pipeline::Step;
use crate::records::{MemoryCategory, MemoryItem, Resource, Segment};
use crate::service::Context;
use crate::service::responses::{CategoryHit, ItemExplanation, ItemHit, ResourceHit, SegmentHit};
use crate::service::searchable::{ItemLinks, Named};

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
            let top_k = state.config.category.top_k;
            state.response.categories = category_hits(&corpus, &ranking, top_k).await?;
        }
        state.ranking = Some(ranking);
        Ok(())
    }
}

async fn category_hits(
    corpus: &Corpus,
    ranking: &Ranking,
    top_k: usize,
) -> Result<Vec<CategoryHit>> {
    let best: Vec<(&Named, f32)> = ranking
        .categories(corpus)
        .into_iter()
        .filter(|(number, _)| corpus.lets_category(*number))
        .take(top_k)
        .filter_map(|(number, score)| Some((corpus.searchable().categories.get(number)?, score)))
        .collect();
    let names = best.iter().map(|(name, _)| *name);
    let records: Records<MemoryCategory> = corpus.records(names).await?;
    let hits = best.into_iter().filter_map(|(name, score)| {
        let category = records.get(name)?.clone();
        Some(CategoryHit { category, score })
    });
    Ok(hits.collect())
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
        state.response.items = item_hits(state).await?;
        Ok(())
    }
}

async fn item_hits(state: &RetrieveState) -> Result<Vec<ItemHit>> {
    let (corpus, ranking) = (state.corpus()?, state.ranking()?);
    let config = &state.config.item;
    let links = &corpus.searchable().items;
    let found: Vec<(usize, &ItemLinks, f32)> = ranking
        .best_items(config.top_k, config.diversity)
        .into_iter()
        .filter_map(|(number, score)| Some((number, links.get(number)?, score)))
        .collect();
    let candidates: Vec<Candidate<u32>> = found
        .iter()
        .map(|(_, links, score)| Candidate {
            score: *score,
            sources: links.segments.to_vec(),
        })
        .collect();
    let chosen = diversified(&candidates, config.top_k, config.diversity);
    let chosen: Vec<_> = chosen
        .into_iter()
        .filter_map(|(place, novelty)| Some((found.get(place)?, novelty)))
        .collect();
    let shown = ShownItems::read(&corpus, chosen.iter().map(|((_, links, _), _)| *links)).await?;
    let hits = chosen
        .into_iter()
        .filter_map(|((number, links, score), novelty)| {
            Some(ItemHit {
                item: shown.items.get(&links.name)?.clone(),
                score: score * novelty,
                categories: shown.category_names(&corpus, links),
                evidence: shown.evidence(&corpus, links),
                explanation: state.request.explain.then(|| ItemExplanation {
                    novelty,
                    ..ranking.score_item(*number, links).1
                }),
            })
        });
    Ok(hits.collect())
}

/// The items of an answer, with what is shown beside them.
struct ShownItems {
    items: Records<MemoryItem>,
    segments: Records<Segment>,
    categories: Records<MemoryCategory>,
}

impl ShownItems {
    async fn read<'l>(
        corpus: &Corpus,
        items: impl Iterator<Item = &'l ItemLinks> + Clone,
    ) -> Result<Self> {
        let searchable = corpus.searchable();
        let segments = items.clone().flat_map(|links| &links.segments);
        let segments: Vec<Named> = segments
            .filter_map(|position| corpus.segment(*position as usize))
            .collect();
        let categories = items.clone().flat_map(|links| &links.categories);
        let categories = categories
            .filter_map(|number| searchable.categories.get(*number as usize))
            .collect::<Vec<_>>();
        Ok(Self {
            items: corpus.records(items.map(|links| &links.name)).await?,
            segments: corpus.records(&segments).await?,
            categories: corpus.records(categories).await?,
        })
    }

    fn category_names(&self, corpus: &Corpus, links: &ItemLinks) -> Vec<String> {
        let known = &corpus.searchable().categories;
        let names = links.categories.iter();
        names
            .filter_map(|number| self.categories.get(known.get(*number as usize)?))
            .map(|category| category.name.clone())
            .collect()
    }

    fn evidence(&self, corpus: &Corpus, links: &ItemLinks) -> Vec<Segment> {
        let positions = links.segments.iter();
        positions
            .filter_map(|position| self.segments.get(&corpus.segment(*position as usize)?))
            .cloned()
            .collect()
    }
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
            state.response.segments = segment_hits(state).await?;
        }
        if state.config.resource.enabled {
            state.response.resources = resource_hits(state).await?;
        }
        Ok(())
    }
}

async fn segment_hits(state: &RetrieveState) -> Result<Vec<SegmentHit>> {
    let (corpus, ranking) = (state.corpus()?, state.ranking()?);
    let best: Vec<(usize, Named, f32)> = ranking
        .best_segments(&corpus, state.config.segment.top_k)
        .into_iter()
        .filter_map(|(position, score)| Some((position, corpus.segment(position)?, score)))
        .collect();
    let names = best.iter().map(|(_, name, _)| name);
    let records: Records<Segment> = corpus.records(names).await?;
    let searchable = corpus.searchable();
    let hits = best.into_iter().filter_map(|(position, name, score)| {
        let citing = searchable.citing(position).iter();
        let citing = citing.filter_map(|number| searchable.items.get(*number as usize));
        Some(SegmentHit {
            segment: records.get(&name)?.clone(),
            score,
            items: citing.map(|item| item.name.id.clone()).collect(),
            explanation: (state.request.explain).then(|| ranking.explain_segment(position)),
        })
    });
    Ok(hits.collect())
}

async fn resource_hits(state: &RetrieveState) -> Result<Vec<ResourceHit>> {
    let (corpus, ranking) = (state.corpus()?, state.ranking()?);
    let best: Vec<(&Named, f32)> = ranking
        .resources(&corpus)
        .into_iter()
        .take(state.config.resource.top_k)
        .filter_map(|(number, score)| Some((corpus.searchable().resources.get(number)?, score)))
        .collect();
    let names = best.iter().map(|(name, _)| *name);
    let records: Records<Resource> = corpus.records(names).await?;
    let hits = best.into_iter().filter_map(|(name, score)| {
        let resource = records.get(name)?.clone();
        Some(ResourceHit { resource, score })
    });
    Ok(hits.collect())
}

/// The last step: a place for users to shape the answer.
pub(super) struct BuildContext;

#[async_trait]
impl Step<RetrieveState> for BuildContext {
    async fn run(&self, _context: &Context, _state: &mut RetrieveState) -> Result<()> {
        Ok(())
    }
}
