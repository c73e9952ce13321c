use super::corpus::{Corpus, Records};
use super::diversity::{SameSession, SharedSources, diversified};
use super::rank::Ranking;
use crate::config::RetrieveConfig;
use crate::error::Result;
use crate::service::searchable::{ItemLinks, Named};

/// What an answer shows of each kind of record, best first, with the records.
#[derive(Debug)]
pub(super) struct Picks {
    /// What they were picked by.
    pub(super) config: RetrieveConfig,
    pub(super) categories: Vec<(Named, f32)>,
    pub(super) items: Vec<PickedItem>,
    pub(super) segments: Vec<PickedSegment>,
    pub(super) resources: Vec<(Named, f32)>,
    pub(super) records: Records,
}

/// An item that is shown.
#[derive(Debug)]
pub(super) struct PickedItem {
    pub(super) number: usize,
    pub(super) links: ItemLinks,
    pub(super) score: f32,
    /// What is left of the score after what those before it show.
    pub(super) novelty: f32,
}

/// A segment that is shown.
#[derive(Debug)]
pub(super) struct PickedSegment {
    /// Its position in the index.
    pub(super) position: usize,
    pub(super) name: Named,
    pub(super) score: f32,
    /// What is left of the score after those of its session before it.
    pub(super) spread: f32,
}

/// From how many times as many segments as are asked for those of several sessions
/// are picked.
const SPREAD_OVER: usize = 3;

impl Picks {
    /// Picks by this configuration, and reads all of it at once.
    pub(super) async fn new(
        corpus: &Corpus,
        ranking: &Ranking,
        config: &RetrieveConfig,
    ) -> Result<Self> {
        let mut picks = Self {
            config: config.clone(),
            categories: Vec::new(),
            items: Vec::new(),
            segments: Vec::new(),
            resources: Vec::new(),
            records: Records::default(),
        };
        if config.category.enabled {
            picks.categories = best_categories(corpus, ranking, config.category.top_k);
        }
        if config.item.enabled {
            picks.items = best_items(corpus, ranking, config);
        }
        if config.segment.enabled {
            picks.segments = best_segments(corpus, ranking, config);
        }
        if config.resource.enabled {
            picks.resources = best_resources(corpus, ranking, config.resource.top_k);
        }
        picks.records = picks.read(corpus).await?;
        Ok(picks)
    }

    async fn read(&self, corpus: &Corpus) -> Result<Records> {
        let mut wanted = corpus.wanted();
        wanted.categories(self.categories.iter().map(|(name, _)| name));
        wanted.segments(self.segments.iter().map(|segment| &segment.name));
        wanted.resources(self.resources.iter().map(|(name, _)| name));
        for item in &self.items {
            wanted.items([&item.links.name]);
            wanted.segments(&corpus.cited(&item.links));
            wanted.categories(corpus.filed_under(&item.links));
        }
        wanted.read(corpus).await
    }
}

fn best_categories(corpus: &Corpus, ranking: &Ranking, top_k: usize) -> Vec<(Named, f32)> {
    let known = &corpus.searchable().categories;
    ranking
        .categories(corpus)
        .into_iter()
        .filter(|(number, _)| corpus.lets_category(*number))
        .take(top_k)
        .filter_map(|(number, score)| Some((known.get(number)?.clone(), score)))
        .collect()
}

fn best_items(corpus: &Corpus, ranking: &Ranking, config: &RetrieveConfig) -> Vec<PickedItem> {
    let (top_k, diversity) = (config.item.top_k, config.item.diversity);
    let links = &corpus.searchable().items;
    let found: Vec<(usize, &ItemLinks, f32)> = ranking
        .best_items(top_k, diversity)
        .into_iter()
        .filter_map(|(number, score)| Some((number, links.get(number)?, score)))
        .collect();
    let scores: Vec<f32> = found.iter().map(|(_, _, score)| *score).collect();
    let sources = found.iter().map(|(_, links, _)| &*links.segments);
    let repetition = SharedSources::new(sources.collect(), diversity);
    diversified(&scores, top_k, repetition)
        .into_iter()
        .filter_map(|(place, novelty)| {
            let (number, links, score) = found.get(place)?;
            Some(PickedItem {
                number: *number,
                links: (*links).clone(),
                score: *score,
                novelty,
            })
        })
        .collect()
}

fn best_segments(
    corpus: &Corpus,
    ranking: &Ranking,
    config: &RetrieveConfig,
) -> Vec<PickedSegment> {
    let top_k = config.segment.top_k;
    let weight = ranking.session_weight();
    let choice = if weight > 0.0 {
        top_k.saturating_mul(SPREAD_OVER)
    } else {
        top_k
    };
    let found = ranking.best_segments(corpus, choice);
    let scores: Vec<f32> = found.iter().map(|(_, score)| *score).collect();
    let sessions = found.iter().map(|(position, _)| ranking.session(*position));
    let repetition = SameSession::new(sessions.collect(), weight);
    diversified(&scores, top_k, repetition)
        .into_iter()
        .filter_map(|(place, spread)| {
            let (position, score) = *found.get(place)?;
            Some(PickedSegment {
                position,
                name: corpus.segment(position)?,
                score: score * spread,
                spread,
            })
        })
        .collect()
}

fn best_resources(corpus: &Corpus, ranking: &Ranking, top_k: usize) -> Vec<(Named, f32)> {
    let known = &corpus.searchable().resources;
    let best = ranking.resources(corpus).into_iter().take(top_k);
    best.filter_map(|(number, score)| Some((known.get(number)?.clone(), score)))
        .collect()
}
