//! What a question finds in a scope of which parts are sealed: an excerpt of it, with what it
//! takes to score that as if all of the scope were known.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::RankingConfig;
use crate::environment::offload;
use crate::error::Result;
use crate::ranking::outline::{Block, BlockBuilder, Entry, ItemOutline, Outline, SegmentOutline};
use crate::ranking::{Excerpt, FoundPlaces, FoundWords, PartlySealed, ReadBucket, WantedBucket};
use crate::scope::Scope;
use crate::service::Context;
use crate::service::searchable::{ScopeVectors, Searchable};
use crate::store::{BucketBytes, SealedStore, SegmentEntry, VectorHit};

/// How far from a segment that was found those are that may score because of it.
const AROUND: usize = 2;

/// What the store finds near to the vector of a question.
#[derive(Clone, Debug, Default)]
pub(super) struct NearHits {
    pub(super) segments: Vec<VectorHit>,
    pub(super) items: Vec<VectorHit>,
}

/// What is asked, in words.
#[derive(Clone, Debug)]
pub(super) struct AskedWords {
    pub(super) question: String,
    pub(super) carried: String,
}

/// What the words of a question find in a scope, in an excerpt that holds what its vector finds,
/// too; `None` when the scope's parts have become others meanwhile.
pub(super) async fn find(
    context: &Context,
    store: &dyn SealedStore,
    scope: &Scope,
    index: &Arc<PartlySealed>,
    asked: &AskedWords,
    near: &NearHits,
) -> Result<Option<(Searchable, FoundWords)>> {
    let config = context.parts().retrieve_config.ranking;
    let executor = &*context.parts().executor;
    let question = {
        let (index, asked) = (index.clone(), asked.clone());
        let ask = move || {
            let question = index.ask(&asked.question, &asked.carried, &config);
            let wanted = index.wanted(&question);
            (question, wanted)
        };
        offload(executor, ask).await?
    };
    let (question, wanted) = question;
    let Some(buckets) = read(store, scope, &wanted).await? else {
        return Ok(None);
    };
    let found = {
        let index = index.clone();
        offload(executor, move || index.find(question, &buckets, &config)).await??
    };
    let gathered = gather(store, scope, &found, near).await?;
    let (index, words) = (index.clone(), context.words().clone());
    let tell = move || {
        let (outline, excerpt) = gathered.outline();
        let mut searchable = Searchable::build(&[&outline], &[ScopeVectors::none()], words);
        let items: Vec<_> = searchable.standing_items().collect();
        let found = index.tell(found, &mut searchable.index, &items, excerpt);
        (searchable, found)
    };
    Ok(Some(offload(executor, tell).await?))
}

/// The buckets of a question.
async fn read(
    store: &dyn SealedStore,
    scope: &Scope,
    wanted: &[WantedBucket],
) -> Result<Option<Vec<ReadBucket>>> {
    let names: Vec<_> = wanted.iter().map(|one| (one.part, one.bucket)).collect();
    let read = store.buckets(scope, &names).await?;
    let bucket = |read: BucketBytes| ReadBucket {
        which: WantedBucket {
            scope: 0,
            part: read.part,
            bucket: read.bucket,
        },
        words: read.words,
        lists: read.lists,
    };
    Ok(read.map(|buckets| buckets.into_iter().map(bucket).collect()))
}

/// The records of an excerpt.
#[derive(Debug, Default)]
struct Gathered {
    /// By place.
    segments: BTreeMap<u64, GatheredSegment>,
    items: Vec<Block<ItemOutline>>,
    /// Without segments and items.
    outline: Outline,
}

#[derive(Debug)]
struct GatheredSegment {
    entry: SegmentEntry,
    /// The place of the one before it in the scope, where that is known.
    before: Option<u64>,
}

/// Reads what was found and what may score because of that, with all that these hang on.
async fn gather(
    store: &dyn SealedStore,
    scope: &Scope,
    found: &FoundPlaces,
    near: &NearHits,
) -> Result<Gathered> {
    let mut gathered = Gathered::default();
    let mut places: Vec<u64> = found.segments().map(|(_, place)| place).collect();
    places.extend(near.segments.iter().map(|hit| hit.place));
    let near_items: Vec<u64> = near.items.iter().map(|hit| hit.place).collect();
    if !near_items.is_empty() {
        // What they cite is near because of them.
        let items = store.items(scope, &near_items, &[]).await?;
        let items = items.iter().flat_map(|block| &block.entries);
        places.extend(items.flat_map(|item| &item.segments));
    }
    places.sort_unstable();
    places.dedup();
    for window in store.around(scope, &places).await? {
        gathered.add_window(window, &places);
    }
    let around: Vec<u64> = gathered.segments.keys().copied().collect();
    let mut own: Vec<u64> = found.items().map(|(_, place)| place).collect();
    own.extend(near_items);
    own.sort_unstable();
    own.dedup();
    gathered.items = store.items(scope, &own, &around).await?;
    let entries = || gathered.items.iter().flat_map(|block| &block.entries);
    let cited = entries().flat_map(|item| &item.segments).copied();
    let mut missing: Vec<u64> = cited
        .filter(|place| !gathered.segments.contains_key(place))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    let of_items = entries().filter_map(|item| item.resource);
    let mut resources: Vec<u64> = of_items.collect();
    let mut categories: Vec<u64> = entries()
        .flat_map(|item| &item.categories)
        .copied()
        .collect();
    for entry in store.segments(scope, &missing).await? {
        gathered.add(entry, None);
    }
    let segments = gathered.segments.values();
    let of_segments = segments.flat_map(|one| &one.entry.block.entries);
    resources.extend(of_segments.map(|segment| segment.resource));
    for places in [&mut resources, &mut categories] {
        places.sort_unstable();
        places.dedup();
    }
    let (resources, categories) = store.hung_on(scope, &resources, &categories).await?;
    gathered.outline.resources = resources;
    gathered.outline.categories = categories;
    Ok(gathered)
}

fn place(entry: &SegmentEntry) -> Option<u64> {
    entry.block.entries.first().map(Entry::place)
}

impl Gathered {
    /// Adds the segments around one that was found, which are side by side, as far as they may
    /// score because of it; the outermost tell only what is beside those.
    fn add_window(&mut self, window: Vec<SegmentEntry>, found: &[u64]) {
        let places: Vec<Option<u64>> = window.iter().map(place).collect();
        let is_whole = |entry: &SegmentEntry| {
            let entries = entry.block.entries.first();
            entries.is_some_and(|entry| !entry.passages.is_empty())
        };
        let Some(middle) = window.iter().position(is_whole) else {
            return;
        };
        let mut before = None;
        for (at, (entry, place)) in window.into_iter().zip(places).enumerate() {
            if at.abs_diff(middle) <= AROUND {
                let is_found = place.is_some_and(|place| found.binary_search(&place).is_ok());
                // One that was found comes with its words elsewhere.
                if at == middle || !is_found {
                    self.add(entry, before);
                }
            }
            before = place;
        }
    }

    fn add(&mut self, entry: SegmentEntry, before: Option<u64>) {
        let Some(place) = place(&entry) else { return };
        let known = self.segments.entry(place);
        let known = known.or_insert(GatheredSegment {
            entry,
            before: None,
        });
        known.before = known.before.or(before);
    }

    /// The outline of the excerpt, and what it does not tell.
    fn outline(self) -> (Outline, Excerpt) {
        let mut builder: BlockBuilder<SegmentOutline> = BlockBuilder::default();
        let (mut lengths, mut runs) = (Vec::new(), Vec::new());
        let (mut last, mut run) = (None, 0);
        for (place, segment) in &self.segments {
            let block = &segment.entry.block;
            for entry in &block.entries {
                builder.push_from(block, entry);
            }
            if last.is_none() || segment.before != last {
                run += 1;
            }
            last = Some(*place);
            lengths.push(segment.entry.length);
            runs.push(run);
        }
        let mut items = BlockBuilder::default();
        for block in &self.items {
            for entry in &block.entries {
                items.push_from(block, entry);
            }
        }
        let outline = Outline {
            segments: builder.finish().into_iter().map(Arc::new).collect(),
            items: items.finish().into_iter().map(Arc::new).collect(),
            ..self.outline
        };
        (outline, Excerpt::new(lengths, runs))
    }
}

/// Whether a question is asked of the parts: where all messages may score, all must be read.
pub(super) fn suits(index: &PartlySealed, config: &RankingConfig) -> bool {
    index.knows_averages(config) && index.passages() > config.candidates as u64
}
