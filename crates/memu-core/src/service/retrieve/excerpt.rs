//! What a question finds in scopes of which parts are sealed: an excerpt of them, with what it
//! takes to score that as if all were known.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::near::NearHits;
use super::open_entries;
use crate::environment::offload;
use crate::error::Result;
use crate::ranking::outline::{
    Block, BlockBuilder, CategoryOutline, Entry, ItemOutline, Outline, ResourceOutline,
    SegmentOutline,
};
use crate::ranking::{
    Excerpt, FoundPlaces, FoundWords, NEIGHBOURS, ReadBucket, Standing, WantedBucket,
};
use crate::scope::Scope;
use crate::service::Context;
use crate::service::sealed::PartlyInMemory;
use crate::service::searchable::{ScopeVectors, Searchable};
use crate::store::{SealedStore, SegmentEntry, VectorHit};

/// What is asked, in words.
#[derive(Clone, Debug)]
pub(super) struct AskedWords {
    pub(super) question: String,
    pub(super) carried: String,
}

/// What the words of a question find in scopes; `None` when a scope's parts have become others
/// meanwhile.
pub(super) async fn find(
    context: &Context,
    (store, scopes): (&dyn SealedStore, &[Scope]),
    partly: &PartlyInMemory,
    asked: &AskedWords,
) -> Result<Option<FoundPlaces>> {
    let config = context.parts().retrieve_config.ranking;
    let executor = &*context.parts().executor;
    let index = &partly.index;
    let (question, wanted) = {
        let (index, asked) = (index.clone(), asked.clone());
        let ask = move || {
            let question = index.ask(&asked.question, &asked.carried, &config);
            let wanted = index.wanted(&question);
            (question, wanted)
        };
        offload(executor, ask).await?
    };
    let Some(buckets) = read(store, scopes, &wanted).await? else {
        return Ok(None);
    };
    let index = index.clone();
    let find = move || index.find(question, &buckets, &config);
    Ok(Some(offload(executor, find).await??))
}

/// The excerpt that holds what was found by words and by vectors, and what the words find there.
pub(super) async fn take(
    context: &Context,
    (store, scopes): (&dyn SealedStore, &[Scope]),
    partly: &PartlyInMemory,
    found: FoundPlaces,
    near: &NearHits,
) -> Result<(Searchable, FoundWords)> {
    let mut gathered = Vec::with_capacity(scopes.len());
    for (number, scope) in scopes.iter().enumerate() {
        let source = match partly.whole(number) {
            Some(outline) => Source::Memory(outline),
            None => Source::Store(store, scope),
        };
        gathered.push(gather(&source, &Sought::of(number, scope, &found, near)).await?);
    }
    let (index, words) = (partly.index.clone(), context.words().clone());
    let tell = move || {
        let (mut lengths, mut runs) = (Vec::new(), Vec::new());
        let told = gathered
            .into_iter()
            .map(|one| one.outline(&mut lengths, &mut runs));
        let outlines: Vec<Outline> = told.collect();
        let outlines: Vec<&Outline> = outlines.iter().collect();
        let vectors: Vec<_> = outlines.iter().map(|_| ScopeVectors::none()).collect();
        let mut searchable = Searchable::build(&outlines, &vectors, words);
        let excerpt = Excerpt::new(lengths, runs);
        let items: Vec<_> = searchable.standing_items().collect();
        let found = index.tell(found, &mut searchable.index, &items, excerpt);
        (searchable, found)
    };
    offload(&*context.parts().executor, tell).await
}

/// The buckets of a question.
async fn read(
    store: &dyn SealedStore,
    scopes: &[Scope],
    wanted: &[WantedBucket],
) -> Result<Option<Vec<ReadBucket>>> {
    let mut all = Vec::with_capacity(wanted.len());
    for (number, scope) in scopes.iter().enumerate() {
        let of_scope = wanted.iter().filter(|one| one.scope == number);
        let names: Vec<_> = of_scope.map(|one| (one.part, one.bucket)).collect();
        if names.is_empty() {
            continue;
        }
        let Some(read) = store.buckets(scope, &names).await? else {
            return Ok(None);
        };
        all.extend(read.into_iter().map(|read| ReadBucket {
            which: WantedBucket {
                scope: number,
                part: read.part,
                bucket: read.bucket,
            },
            words: read.words,
            lists: read.lists,
        }));
    }
    Ok(Some(all))
}

/// Where an excerpt is taken from.
enum Source<'s> {
    Store(&'s dyn SealedStore, &'s Scope),
    Memory(&'s Outline),
}

impl Source<'_> {
    async fn around(&self, places: &[u64]) -> Result<Vec<Vec<SegmentEntry>>> {
        match self {
            _ if places.is_empty() => Ok(Vec::new()),
            Self::Store(store, scope) => store.around(scope, places).await,
            Self::Memory(outline) => Ok(open_entries::around(outline, places)),
        }
    }

    async fn segments(&self, places: &[u64]) -> Result<Vec<SegmentEntry>> {
        match self {
            _ if places.is_empty() => Ok(Vec::new()),
            Self::Store(store, scope) => store.segments(scope, places).await,
            Self::Memory(outline) => Ok(open_entries::segments(outline, places)),
        }
    }

    async fn items(&self, places: &[u64], citing: &[u64]) -> Result<Vec<Block<ItemOutline>>> {
        match self {
            _ if places.is_empty() && citing.is_empty() => Ok(Vec::new()),
            Self::Store(store, scope) => store.items(scope, places, citing).await,
            Self::Memory(outline) => Ok(open_entries::items(outline, places, citing)),
        }
    }

    async fn hung_on(
        &self,
        resources: &[u64],
        categories: &[u64],
    ) -> Result<(Vec<ResourceOutline>, Vec<CategoryOutline>)> {
        match self {
            _ if resources.is_empty() && categories.is_empty() => Ok((Vec::new(), Vec::new())),
            Self::Store(store, scope) => store.hung_on(scope, resources, categories).await,
            Self::Memory(outline) => Ok(open_entries::hung_on(outline, resources, categories)),
        }
    }
}

/// The places of what is looked for in one scope.
#[derive(Debug)]
struct Sought {
    segments: Vec<u64>,
    items: Vec<u64>,
    /// Of items that the vector of the question finds, which make near what they cite.
    near_items: Vec<u64>,
}

impl Sought {
    fn of(number: usize, scope: &Scope, found: &FoundPlaces, near: &NearHits) -> Self {
        let key = scope.key();
        let hits = |hits: &[VectorHit]| -> Vec<u64> {
            let here = hits.iter().filter(|hit| hit.scope.key() == key);
            here.map(|hit| hit.place).collect()
        };
        let here = |(scope, place): Standing| (scope == number).then_some(place);
        let mut segments: Vec<u64> = found.segments().filter_map(here).collect();
        segments.extend(hits(&near.segments));
        Self {
            segments,
            items: found.items().filter_map(here).collect(),
            near_items: hits(&near.items),
        }
    }
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
async fn gather(source: &Source<'_>, sought: &Sought) -> Result<Gathered> {
    let mut gathered = Gathered::default();
    let mut places = sought.segments.clone();
    let near_items = source.items(&sought.near_items, &[]).await?;
    let near_items = near_items.iter().flat_map(|block| &block.entries);
    places.extend(near_items.flat_map(|item| &item.segments));
    places.sort_unstable();
    places.dedup();
    for window in source.around(&places).await? {
        gathered.add_window(window, &places);
    }
    let around: Vec<u64> = gathered.segments.keys().copied().collect();
    let mut own = sought.items.clone();
    own.extend_from_slice(&sought.near_items);
    own.sort_unstable();
    own.dedup();
    gathered.items = source.items(&own, &around).await?;
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
    for entry in source.segments(&missing).await? {
        gathered.add(entry, None);
    }
    let segments = gathered.segments.values();
    let of_segments = segments.flat_map(|one| &one.entry.block.entries);
    resources.extend(of_segments.map(|segment| segment.resource));
    for places in [&mut resources, &mut categories] {
        places.sort_unstable();
        places.dedup();
    }
    let (resources, categories) = source.hung_on(&resources, &categories).await?;
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
            if at.abs_diff(middle) <= NEIGHBOURS {
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

    /// The outline of the excerpt; how many words its segments have, and which lie side by side,
    /// goes after those of the scopes before.
    fn outline(self, lengths: &mut Vec<u32>, runs: &mut Vec<u32>) -> Outline {
        let mut builder: BlockBuilder<SegmentOutline> = BlockBuilder::default();
        let (mut last, mut run) = (None, runs.last().copied().unwrap_or_default());
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
        Outline {
            segments: builder.finish().into_iter().map(Arc::new).collect(),
            items: items.finish().into_iter().map(Arc::new).collect(),
            ..self.outline
        }
    }
}
