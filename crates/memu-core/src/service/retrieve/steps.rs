use std::sync::Arc;

use async_trait::async_trait;

use super::RetrieveState;
use super::by_model;
use super::corpus::Corpus;
use super::excerpt::AskedWords;
use super::picks::{PickedItem, Picks};
use super::rank::{Asked, Ranking};
use crate::error::Result;
use crate::pipeline::Step;
use crate::provider::Purpose;
use crate::ranking::{SegmentScore, in_first_person};
use crate::service::Context;
use crate::service::responses::{CategoryHit, ItemExplanation, ItemHit, ResourceHit, SegmentHit};

/// Scores everything, and shows the best categories.
pub(super) struct RouteCategory;

#[async_trait]
impl Step<RetrieveState> for RouteCategory {
    async fn run(&self, context: &Context, state: &mut RetrieveState) -> Result<()> {
        if !state.is_needed() {
            return Ok(());
        }
        rank(context, state).await?;
        let picks = state.picks(context).await?;
        let hits = picks.categories.iter().filter_map(|(name, score)| {
            let category = picks.records.category(name)?.clone();
            let score = *score;
            Some(CategoryHit { category, score })
        });
        let (hits, top_k) = (hits.collect(), state.config.category.top_k);
        state.response.categories = by_model::chosen(context, state, hits, top_k).await?;
        Ok(())
    }
}

/// What embeds questions, as usage names it.
const EMBED_QUESTION: &str = "embed_question";

/// Scores everything by what is searched for now.
pub(super) async fn rank(context: &Context, state: &mut RetrieveState) -> Result<()> {
    let corpus = state.corpus()?;
    let now = context.parts().clock.now();
    let (corpus, asked) = asked(context, &corpus, state).await?;
    state.corpus = Some(corpus.clone());
    let ranking = Ranking::new(&corpus, asked, &state.config, now);
    state.ranking = Some(Arc::new(ranking));
    state.picks = None;
    Ok(())
}

/// What to search for: the question as it was asked, when the words that it refers to
/// are carried beside it, otherwise as a step has rewritten it.
async fn asked(
    context: &Context,
    corpus: &Arc<Corpus>,
    state: &mut RetrieveState,
) -> Result<(Arc<Corpus>, Asked)> {
    let question = if state.carried.is_empty() {
        state.query()
    } else {
        &state.response.original_query
    };
    let carried = state.carried.join(" ");
    let embedder = &context.parts().embedder;
    let question = question.to_owned();
    // Where nothing is remembered, there is nothing to compare with.
    let compares = embedder.embeds_segments() && !corpus.is_empty();
    let vector = if compares {
        let mut text = in_first_person(&question, &corpus.speakers());
        if !carried.is_empty() {
            text = format!("{text} {carried}");
        }
        let calls = state.calls(context);
        let texts = [text.as_str()];
        let vectors = calls.embed(EMBED_QUESTION, &**embedder, &texts, Purpose::Question);
        vectors.await?.pop().flatten()
    } else {
        None
    };
    let words = AskedWords { question, carried };
    let (corpus, words, nearest) = corpus.find(context, words, vector.as_ref()).await?;
    let asked = Asked {
        words,
        vector,
        nearest,
    };
    Ok((corpus, asked))
}

/// Shows the best items.
pub(super) struct RecallItems;

#[async_trait]
impl Step<RetrieveState> for RecallItems {
    async fn run(&self, context: &Context, state: &mut RetrieveState) -> Result<()> {
        if state.goes_on() {
            let (corpus, ranking) = (state.corpus()?, state.ranking()?);
            let picks = state.picks(context).await?;
            let explain = state.request.explain;
            let hits = picks.items.iter().filter_map(|item| {
                let explanation = explain.then(|| ItemExplanation {
                    novelty: item.novelty,
                    ..ranking.score_item(item.number, &item.links).1
                });
                item_hit(&corpus, &picks, item, explanation)
            });
            let (hits, top_k) = (hits.collect(), state.config.item.top_k);
            state.response.items = by_model::chosen(context, state, hits, top_k).await?;
        }
        Ok(())
    }
}

fn item_hit(
    corpus: &Corpus,
    picks: &Picks,
    picked: &PickedItem,
    explanation: Option<ItemExplanation>,
) -> Option<ItemHit> {
    let records = &picks.records;
    let categories = corpus.filed_under(&picked.links);
    let cited = corpus.cited(&picked.links);
    Some(ItemHit {
        item: records.item(&picked.links.name)?.clone(),
        score: picked.score * picked.novelty,
        categories: categories
            .filter_map(|name| records.category(name))
            .map(|category| category.name.clone())
            .collect(),
        evidence: cited
            .iter()
            .filter_map(|name| records.segment(name))
            .cloned()
            .collect(),
        explanation,
    })
}

/// Shows the best segments and the resources they come from.
pub(super) struct RecallResources;

#[async_trait]
impl Step<RetrieveState> for RecallResources {
    async fn run(&self, context: &Context, state: &mut RetrieveState) -> Result<()> {
        if !state.goes_on() {
            return Ok(());
        }
        let picks = state.picks(context).await?;
        state.response.segments = segment_hits(state, &picks)?;
        let hits = picks.resources.iter().filter_map(|(name, score)| {
            let resource = picks.records.resource(name)?.clone();
            let score = *score;
            Some(ResourceHit { resource, score })
        });
        let (hits, top_k) = (hits.collect(), state.config.resource.top_k);
        state.response.resources = by_model::chosen(context, state, hits, top_k).await?;
        Ok(())
    }
}

fn segment_hits(state: &RetrieveState, picks: &Picks) -> Result<Vec<SegmentHit>> {
    let (corpus, ranking) = (state.corpus()?, state.ranking()?);
    let searchable = corpus.searchable();
    let hits = picks.segments.iter().filter_map(|picked| {
        let citing = searchable.citing(picked.position).iter();
        let citing = citing.filter_map(|number| searchable.items.get(*number as usize));
        Some(SegmentHit {
            segment: picks.records.segment(&picked.name)?.clone(),
            score: picked.score,
            items: citing.map(|item| item.name.id.clone()).collect(),
            explanation: (state.request.explain).then(|| SegmentScore {
                score: picked.score,
                spread: picked.spread,
                ..ranking.explain_segment(picked.position)
            }),
        })
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
