use super::corpus::Corpus;
use super::diversity::{SameSession, SharedSources, diversified};
use super::rank::Ranking;
use super::records::Records;
use super::shown::Shown;
use crate::config::RetrieveConfig;
use crate::error::Result;
use crate::records::OwnerKind;
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
        let choice = segment_choice(ranking, config);
        let shown = Shown::of(corpus, ranking, config, choice).await?;
        if config.category.enabled {
            picks.categories = best_categories(corpus, &shown, config.category.top_k).await?;
        }
        if config.item.enabled {
            picks.items = best_items(corpus, &shown, config);
        }
        if config.segment.enabled {
            picks.segments = best_segments(corpus, ranking, &shown, config);
        }
        if config.resource.enabled {
            picks.resources = best_resources(corpus, &shown, config.resource.top_k);
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

async fn best_categories(
    corpus: &Corpus,
    shown: &Shown,
    top_k: usize,
) -> Result<Vec<(Named, f32)>> {
    let known = &corpus.searchable().categories;
    let scored = shown.categories(corpus).into_iter();
    let scored = scored.filter_map(|(number, score)| Some((known.get(number)?.clone(), score)));
    let (names, scores): (Vec<Named>, Vec<f32>) = scored.unzip();
    let lets = corpus.lets_through(OwnerKind::Category, &names).await?;
    let best = names.into_iter().zip(scores).zip(lets);
    let best = best.filter(|(_, lets)| *lets).map(|(best, _)| best);
    Ok(best.take(top_k).collect())
}

fn best_items(corpus: &Corpus, shown: &Shown, config: &RetrieveConfig) -> Vec<PickedItem> {
    let (top_k, diversity) = (config.item.top_k, config.item.diversity);
    let links = &corpus.searchable().items;
    let found: Vec<(usize, &ItemLinks, f32)> = shown
        .best_items(corpus, top_k, diversity)
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

/// From how many segments those that are shown are chosen.
fn segment_choice(ranking: &Ranking, config: &RetrieveConfig) -> usize {
    let top_k = config.segment.top_k;
    if ranking.session_weight() > 0.0 {
        top_k.saturating_mul(SPREAD_OVER)
    } else {
        top_k
    }
}

fn best_segments(
    corpus: &Corpus,
    ranking: &Ranking,
    shown: &Shown,
    config: &RetrieveConfig,
) -> Vec<PickedSegment> {
    let (top_k, weight) = (config.segment.top_k, ranking.session_weight());
    let choice = segment_choice(ranking, config);
    let found = shown.best_segments(corpus, choice);
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

fn best_resources(corpus: &Corpus, shown: &Shown, top_k: usize) -> Vec<(Named, f32)> {
    let known = &corpus.searchable().resources;
    let best = shown.resources(corpus);
    best.into_iter()
        .take(top_k)
        .filter_map(|(number, score)| Some((known.get(number)?.clone(), score)))
        .collect()
}
