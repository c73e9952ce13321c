//! Files memories under categories without a model.
//!
//! Every sign that a memory belongs into a category is worth some points. The
//! ten default categories know words and phrases of their own (a lexicon); any
//! other category goes by the words of its name and description, and by the words
//! of the fields of life that these name ("pets" knows "kitten"). A score is
//! `points / (points + 6)`: 2 points reach the default threshold of 0.25, a
//! telling phrase (3 to 6 points) 0.33 to 0.5, several of them more.

mod cues;
mod fields;
mod lexicon;
mod topic;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::try_join_all;
use memu_core::Result;
use memu_core::environment::{Executor, offload};
use memu_core::provider::{Calls, CategorizeRequest, Categorizer, CategoryTopic};

use cues::{Stems, Tokens};
use lexicon::DefaultCategory;
use topic::Topic;

/// The points at which a score is one half.
const HALF_SCORE_POINTS: f32 = 6.0;

/// The categorizer of the local provider.
#[derive(Clone, Debug)]
pub struct LocalCategorizer {
    executor: Arc<dyn Executor>,
    /// The categories of the last request, prepared: most stores have the same ones in
    /// every scope.
    prepared: Arc<Mutex<Option<Prepared>>>,
    stems: StemPool,
}

/// Categories that are prepared for matching.
#[derive(Clone, Debug)]
struct Prepared {
    categories: Arc<[CategoryTopic]>,
    topics: Arc<[Topic]>,
}

impl Prepared {
    fn new(categories: &Arc<[CategoryTopic]>) -> Self {
        Self {
            categories: categories.clone(),
            topics: categories.iter().map(Topic::new).collect(),
        }
    }
}

impl LocalCategorizer {
    /// A categorizer that computes on `executor`.
    pub fn new(executor: Arc<dyn Executor>) -> Self {
        Self {
            executor,
            prepared: Arc::default(),
            stems: StemPool::default(),
        }
    }

    fn prepared(&self, categories: &Arc<[CategoryTopic]>) -> Arc<[Topic]> {
        let mut last = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last.take().filter(|last| last.categories == *categories);
        let known = known.unwrap_or_else(|| Prepared::new(categories));
        last.insert(known).topics.clone()
    }
}

/// The stems that are known, for each part of a request.
#[derive(Clone, Debug, Default)]
struct StemPool(Arc<Mutex<Vec<Stems>>>);

impl StemPool {
    /// Works with what nobody else works with at this moment.
    fn with<T>(&self, work: impl FnOnce(&mut Stems) -> T) -> T {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stems = lock().pop().unwrap_or_default();
        let result = work(&mut stems);
        let mut known = lock();
        if known.len() < PARTS {
            known.push(stems);
        }
        result
    }
}

#[async_trait]
impl Categorizer for LocalCategorizer {
    /// As [`categorize`].
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](memu_core::ErrorKind::Internal) when the executor
    /// drops the work.
    async fn categorize(
        &self,
        request: CategorizeRequest,
        _calls: &Calls,
    ) -> Result<Vec<Vec<(usize, f32)>>> {
        let topics = self.prepared(&request.categories);
        let threshold = request.threshold;
        if request.items.len() <= FEW {
            return Ok(self
                .stems
                .with(|stems| categorize_by(&request.items, stems, &topics, threshold)));
        }
        let mut items = request.items.into_iter();
        let size = items.len().div_ceil(PARTS).max(PART);
        let parts = std::iter::from_fn(|| {
            let part: Vec<_> = items.by_ref().take(size).collect();
            (!part.is_empty()).then_some(part)
        });
        let parts = parts.map(|part| {
            let (topics, pool) = (topics.clone(), self.stems.clone());
            let work = move || pool.with(|stems| categorize_by(&part, stems, &topics, threshold));
            offload(self.executor.as_ref(), work)
        });
        let filed = try_join_all(parts).await?;
        Ok(filed.into_iter().flatten().collect())
    }
}

/// For each item, the categories that it belongs into, as indexes into the request
/// with their scores: at least the threshold, above 0 and below 1, best first,
/// equal ones in configured order. A pure function of the request.
pub fn categorize(request: &CategorizeRequest) -> Vec<Vec<(usize, f32)>> {
    let topics = Prepared::new(&request.categories).topics;
    let mut stems = Stems::default();
    categorize_by(&request.items, &mut stems, &topics, request.threshold)
}

fn categorize_by(
    items: &[(String, String)],
    stems: &mut Stems,
    topics: &[Topic],
    threshold: f32,
) -> Vec<Vec<(usize, f32)>> {
    let filed = items.iter().map(|(memory_type, summary)| {
        let tokens = stems.tokens(summary);
        filed((memory_type, summary), &tokens, topics, threshold)
    });
    filed.collect()
}

/// So few memories are filed sooner than another thread would begin to.
const FEW: usize = 8;

/// Many memories are filed in parts of at least this many, each on a thread of its own.
const PART: usize = 250;
/// How many parts there are at most.
const PARTS: usize = 2;

/// How well one category fits each of some memories, given by type and summary: a
/// score from 0 to 1.
pub(crate) fn fit<'a>(
    category: &CategoryTopic,
    items: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<f32> {
    let topic = Topic::new(category);
    let mut stems = Stems::default();
    let mut points = |(memory_type, summary): (&str, &str)| {
        let tokens = stems.tokens(summary);
        topic.points(
            summary,
            &tokens.terms(),
            &lexicon::points(memory_type, &tokens),
        )
    };
    items.into_iter().map(|item| score(points(item))).collect()
}

fn filed(
    (memory_type, summary): (&str, &str),
    tokens: &Tokens,
    topics: &[Topic],
    threshold: f32,
) -> Vec<(usize, f32)> {
    let terms = tokens.terms();
    let default_points = lexicon::points(memory_type, tokens);
    let mut filed: Vec<(usize, f32)> = topics
        .iter()
        .map(|topic| topic.points(summary, &terms, &default_points))
        .map(score)
        .enumerate()
        .filter(|(_, score)| *score > 0.0 && *score >= threshold)
        .collect();
    // The sort is stable, so that equal scores keep the configured order.
    filed.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    filed
}

fn score(points: i32) -> f32 {
    let points = points.max(0) as f32;
    points / (points + HALF_SCORE_POINTS)
}

#[cfg(test)]
mod tests;
