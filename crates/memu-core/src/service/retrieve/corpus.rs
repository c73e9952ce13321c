use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::excerpt::{self, AskedWords, NearHits};
use crate::config::RankingConfig;
use crate::environment::offload;
use crate::error::Result;
use crate::filter::Filter;
use crate::ranking::outline::Growth;
use crate::ranking::{FoundWords, HeldVectors, Nearest};
use crate::records::{
    EmbedderIdentity, Embedding, Id, MemoryCategory, MemoryItem, OwnerKind, Resource, Segment,
};
use crate::scope::{Scope, ScopeKey};
use crate::service::Context;
use crate::service::cache::FirstNumbers;
use crate::service::scope::Selection;
use crate::service::sealed::PartlyInMemory;
use crate::service::searchable::{ItemLinks, Named, Searchable};
use crate::store::{Query, RecordIds, RecordSet, Select, Store, VectorHit, VectorQuery};

/// How many segments, and how many items, the store is asked for where their vectors are not
/// all held in memory.
const NEAREST: usize = 64;

/// How often a question is asked of parts that become others meanwhile.
const TRIES: usize = 8;

/// The scopes that a question is asked of, with what it is answered from.
#[derive(Debug)]
pub(super) struct Corpus {
    store: Arc<dyn Store>,
    scopes: Vec<Scope>,
    searchable: Arc<Searchable>,
    /// Where parts of scopes are sealed: what is asked, and what is searchable is an excerpt for
    /// each question.
    partly: Option<PartlyInMemory>,
    filter: Filter,
}

impl Corpus {
    pub(super) async fn open(context: &Context, selection: Selection) -> Result<Self> {
        let Selection { scopes, filter } = selection;
        if let Some(partly) = partly_in_memory(context, &scopes).await? {
            let nothing = Searchable::build(&[], &[], context.words().clone());
            return Ok(Self {
                store: context.store().clone(),
                scopes,
                searchable: Arc::new(nothing),
                partly: Some(partly),
                filter,
            });
        }
        Self::whole(context, Selection { scopes, filter }).await
    }

    /// Of which all is in memory.
    async fn whole(context: &Context, selection: Selection) -> Result<Self> {
        let Selection { scopes, filter } = selection;
        let searchable = if let [one] = scopes.as_slice() {
            context.searchable(one).await?
        } else {
            let mut outlines = Vec::with_capacity(scopes.len());
            for scope in &scopes {
                outlines.push(context.outline(scope).await?);
            }
            let segments = outlines.iter().map(|known| known.outline.segment_count());
            let items = outlines.iter().map(|known| known.outline.item_count());
            let ranking = &context.parts().retrieve_config.ranking;
            let held = HeldVectors::of(segments.sum(), items.sum(), ranking);
            let mut vectors = Vec::with_capacity(scopes.len());
            let mut first = FirstNumbers::default();
            for (scope, known) in scopes.iter().zip(&outlines) {
                let (outline, all) = (&known.outline, Growth::of_everything());
                let read = context.scope_vectors(scope, outline, &all, held, first);
                vectors.push(read.await?);
                first.segments += outline.segment_count();
                first.items += outline.item_count();
            }
            let words = context.words().clone();
            let build = move || {
                let outlines: Vec<_> = outlines.iter().map(|known| &known.outline).collect();
                Arc::new(Searchable::build(&outlines, &vectors, words))
            };
            offload(&*context.parts().executor, build).await?
        };
        Ok(Self {
            store: context.store().clone(),
            scopes,
            searchable,
            partly: None,
            filter,
        })
    }

    /// What a question finds by its words and its vector, with the corpus in which it does: this
    /// one, or an excerpt.
    pub(super) async fn find(
        self: &Arc<Self>,
        context: &Context,
        asked: AskedWords,
        vector: Option<&Embedding>,
    ) -> Result<(Arc<Self>, FoundWords, Nearest)> {
        let config = context.parts().retrieve_config.ranking;
        let identity = context.parts().embedder.identity();
        let near = async |corpus: &Self| match vector {
            Some(vector) if corpus.asks_the_store(&config) => {
                corpus.near_hits(identity, vector).await
            }
            _ => Ok(NearHits::default()),
        };
        let mut corpus = self.clone();
        let mut partly = self.partly.clone();
        if let Some(store) = self.store.sealed()
            && partly.is_some()
        {
            let of = (store, self.scopes.as_slice());
            for _ in 0..TRIES {
                let Some(asked_of) = partly else { break };
                // What is near and what the words find are looked for at once.
                let found = excerpt::find(context, of, &asked_of, &asked);
                let (found, near) = futures_util::try_join!(found, near(self))?;
                if let Some(found) = found {
                    let taken = excerpt::take(context, of, &asked_of, found, &near).await?;
                    let (searchable, found) = taken;
                    let excerpt = self.excerpt(Arc::new(searchable), asked_of);
                    let nearest = excerpt.placed(&near, &config);
                    return Ok((Arc::new(excerpt), found, nearest));
                }
                for scope in &self.scopes {
                    context.cache().sealed.forget(&scope.key());
                }
                partly = partly_in_memory(context, &self.scopes).await?;
            }
            // It holds little now, or others keep changing it.
            let selection = Selection {
                scopes: self.scopes.clone(),
                filter: self.filter.clone(),
            };
            corpus = Arc::new(Self::whole(context, selection).await?);
        }
        let find = {
            let corpus = corpus.clone();
            move || {
                let AskedWords { question, carried } = &asked;
                let index = &corpus.searchable.index;
                index.find_words(question, carried, &config)
            }
        };
        if vector.is_none() || !corpus.asks_the_store(&config) {
            return Ok((corpus, find(), Nearest::default()));
        }
        // While the store looks for vectors, another thread looks for words.
        let words = offload(&*context.parts().executor, find);
        let (words, near) = futures_util::try_join!(words, near(&corpus))?;
        let nearest = corpus.placed(&near, &config);
        Ok((corpus, words, nearest))
    }

    fn excerpt(&self, searchable: Arc<Searchable>, partly: PartlyInMemory) -> Self {
        Self {
            store: self.store.clone(),
            scopes: self.scopes.clone(),
            searchable,
            partly: Some(partly),
            filter: self.filter.clone(),
        }
    }

    /// The names of those who speak in the scopes.
    pub(super) fn speakers(&self) -> Vec<&str> {
        match &self.partly {
            Some(partly) => partly.index.speakers(),
            None => self.searchable.index.speakers(),
        }
    }

    /// Whether nothing is remembered.
    pub(super) fn is_empty(&self) -> bool {
        let searchable = &self.searchable;
        self.partly.is_none()
            && searchable.items.is_empty()
            && searchable.index.segment_count() == 0
    }

    pub(super) fn searchable(&self) -> &Searchable {
        &self.searchable
    }

    /// Whether the store is asked what is near to a question: where vectors count, and the index
    /// does not hold all of them.
    fn asks_the_store(&self, config: &RankingConfig) -> bool {
        let counts = config.embedded > 0.0 || config.item_embedded > 0.0;
        let held = self.searchable.held_vectors();
        counts && (self.partly.is_some() || held.is_some_and(|held| held != HeldVectors::All))
    }

    /// What is nearest to the vector of a question, where the index does not hold all vectors:
    /// then the store is asked for segments and for items; with a filter also for the nearest that
    /// it lets through, for it changes what is shown, not what the nearest of all are.
    async fn near_hits(&self, identity: &EmbedderIdentity, vector: &Embedding) -> Result<NearHits> {
        let mut found = [Vec::new(), Vec::new()];
        let nothing = Filter::default();
        let filters = [
            Some(&nothing),
            Some(&self.filter).filter(|one| !one.is_empty()),
        ];
        for filter in filters.into_iter().flatten() {
            let query = |kind| VectorQuery {
                scopes: self.scopes.clone(),
                filter: filter.clone(),
                kind,
                identity: identity.clone(),
                vector: vector.clone(),
                top_k: NEAREST,
            };
            let queries = [OwnerKind::Segment, OwnerKind::Item].map(query);
            let searches = queries.iter().map(|query| self.store.search(query));
            let hits = futures_util::future::try_join_all(searches).await?;
            for (found, hits) in found.iter_mut().zip(hits) {
                found.extend(hits);
            }
        }
        let [segments, items] = found;
        Ok(NearHits { segments, items })
    }

    /// What the store found by its place in the index; items make what they cite near.
    fn placed(&self, near: &NearHits, config: &RankingConfig) -> Nearest {
        let numbers: FxHashMap<ScopeKey, usize> =
            self.scopes.iter().map(Scope::key).zip(0..).collect();
        // What was stored since the index was made is not in it yet.
        let scope = |hit: &VectorHit| numbers.get(&hit.scope.key()).copied();
        let mut nearest = Nearest::default();
        nearest
            .segments
            .extend(near.segments.iter().filter_map(|hit| {
                let position = self.searchable.segment_at(scope(hit)?, hit.place)?;
                // Its place may have been another one's.
                let known = self.searchable.index.segment(position as usize)?;
                (*known.id == hit.id).then_some((position, hit.score))
            }));
        for hit in &near.items {
            let item = scope(hit).and_then(|scope| self.searchable.item_at(scope, hit.place));
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

    /// A list of records to read, which is empty.
    pub(super) fn wanted(&self) -> Wanted {
        Wanted(vec![RecordIds::default(); self.scopes.len()])
    }

    /// The names of the segments that an item cites.
    pub(super) fn cited(&self, links: &ItemLinks) -> Vec<Named> {
        let positions = links.segments.iter();
        positions
            .filter_map(|position| self.segment(*position as usize))
            .collect()
    }

    /// The names of the categories of an item.
    pub(super) fn filed_under<'c>(
        &'c self,
        links: &'c ItemLinks,
    ) -> impl Iterator<Item = &'c Named> {
        let numbers = links.categories.iter();
        numbers.filter_map(|number| self.searchable.categories.get(*number as usize))
    }

    /// The name of the segment at a position of the index.
    pub(super) fn segment(&self, position: usize) -> Option<Named> {
        let segment = self.searchable.index.segment(position)?;
        Some(Named {
            scope: segment.scope,
            id: segment.id.clone(),
        })
    }

    /// Whether records are shown only where they are as a filter demands.
    pub(super) fn has_filter(&self) -> bool {
        !self.filter.is_empty()
    }

    /// Of each of these records whether the filter lets it through.
    pub(super) async fn lets_through(&self, kind: OwnerKind, names: &[Named]) -> Result<Vec<bool>> {
        if !self.has_filter() {
            return Ok(vec![true; names.len()]);
        }
        let mut by_scope = vec![Vec::new(); self.scopes.len()];
        for name in names {
            if let Some(ids) = by_scope.get_mut(name.scope) {
                ids.push(name.id.clone());
            }
        }
        let mut passing = Vec::with_capacity(by_scope.len());
        for (scope, ids) in self.scopes.iter().zip(by_scope) {
            passing.push(if ids.is_empty() {
                FxHashSet::default()
            } else {
                self.passing(kind, scope, ids).await?
            });
        }
        let passes = |name: &Named| {
            let ids: Option<&FxHashSet<Id>> = passing.get(name.scope);
            ids.is_some_and(|ids| ids.contains(&name.id))
        };
        Ok(names.iter().map(passes).collect())
    }

    /// Those of these records that the filter lets through.
    async fn passing(&self, kind: OwnerKind, scope: &Scope, ids: Vec<Id>) -> Result<FxHashSet<Id>> {
        let mut query = Query::scope(scope).select(Select::Ids(ids));
        query.filter = self.filter.clone();
        Ok(self.store.ids(kind, &query).await?.into_iter().collect())
    }
}

/// What questions to scopes are asked of, if parts of them are sealed and that is what suits.
async fn partly_in_memory(context: &Context, scopes: &[Scope]) -> Result<Option<PartlyInMemory>> {
    let config = &context.parts().retrieve_config.ranking;
    let partly = context.partly_in_memory(scopes).await?;
    Ok(partly.filter(|partly| partly.index.can_be_asked(config)))
}

/// Records to read, by the number of their scope.
pub(super) struct Wanted(Vec<RecordIds>);

impl Wanted {
    pub(super) fn resources<'n>(&mut self, names: impl IntoIterator<Item = &'n Named>) {
        self.add(names, |ids| &mut ids.resources);
    }

    pub(super) fn segments<'n>(&mut self, names: impl IntoIterator<Item = &'n Named>) {
        self.add(names, |ids| &mut ids.segments);
    }

    pub(super) fn items<'n>(&mut self, names: impl IntoIterator<Item = &'n Named>) {
        self.add(names, |ids| &mut ids.items);
    }

    pub(super) fn categories<'n>(&mut self, names: impl IntoIterator<Item = &'n Named>) {
        self.add(names, |ids| &mut ids.categories);
    }

    fn add<'n>(
        &mut self,
        names: impl IntoIterator<Item = &'n Named>,
        kind: impl Fn(&mut RecordIds) -> &mut Vec<Id>,
    ) {
        for name in names {
            if let Some(ids) = self.0.get_mut(name.scope) {
                kind(ids).push(name.id.clone());
            }
        }
    }

    pub(super) async fn read(self, corpus: &Corpus) -> Result<Records> {
        let mut records = Records::default();
        for (scope, ids) in corpus.scopes.iter().zip(self.0) {
            records.0.push(if ids.is_empty() {
                RecordSet::default()
            } else {
                corpus.store.records(scope, &ids).await?
            });
        }
        Ok(records)
    }
}

/// Records that were read, by the number of their scope. What is gone by now is missing.
#[derive(Debug, Default)]
pub(super) struct Records(Vec<RecordSet>);

impl Records {
    pub(super) fn resource(&self, name: &Named) -> Option<&Resource> {
        let resources = &self.0.get(name.scope)?.resources;
        resources.iter().find(|one| one.meta.id == name.id)
    }

    pub(super) fn segment(&self, name: &Named) -> Option<&Segment> {
        let segments = &self.0.get(name.scope)?.segments;
        segments.iter().find(|one| one.meta.id == name.id)
    }

    pub(super) fn item(&self, name: &Named) -> Option<&MemoryItem> {
        let items = &self.0.get(name.scope)?.items;
        items.iter().find(|one| one.meta.id == name.id)
    }

    pub(super) fn category(&self, name: &Named) -> Option<&MemoryCategory> {
        let categories = &self.0.get(name.scope)?.categories;
        categories.iter().find(|one| one.meta.id == name.id)
    }
}
