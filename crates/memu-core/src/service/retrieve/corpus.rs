use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::excerpt::{self, AskedWords};
use super::near::NearHits;
use super::records::Wanted;
use crate::config::RankingConfig;
use crate::environment::offload;
use crate::error::Result;
use crate::filter::Filter;
use crate::ranking::{FoundWords, HeldVectors, Nearest};
use crate::records::{Embedding, Id, OwnerKind};
use crate::scope::Scope;
use crate::service::Context;
use crate::service::scope::Selection;
use crate::service::sealed::{AskedOf, PartlyInMemory};
use crate::service::searchable::{ItemLinks, Named, Searchable};
use crate::store::{LogPosition, Query, Select, Store};

/// How often a question is asked of parts that become others meanwhile.
const TRIES: usize = 8;

/// The scopes that a question is asked of, with what it is answered from.
#[derive(Debug)]
pub(super) struct Corpus {
    pub(super) store: Arc<dyn Store>,
    pub(super) scopes: Vec<Scope>,
    searchable: Arc<Searchable>,
    /// Where parts of scopes are sealed: what is asked, and what is searchable is an excerpt for
    /// each question.
    partly: Option<PartlyInMemory>,
    pub(super) filter: Filter,
}

impl Corpus {
    pub(super) async fn open(context: &Context, selection: Selection) -> Result<Self> {
        let Selection { scopes, filter } = selection;
        let (partly, searchable) = match context.asked_of(&scopes).await? {
            AskedOf::Parts(partly) => {
                let nothing = Searchable::build(&[], &[], context.words().clone());
                (Some(partly), Arc::new(nothing))
            }
            AskedOf::Everything(at) => (None, everything(context, &scopes, &at).await?),
        };
        Ok(Self {
            store: context.store().clone(),
            scopes,
            searchable,
            partly,
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
        let mut partly = self.partly.clone();
        for _ in 0..TRIES {
            let Some(asked_of) = partly else { break };
            if let Some(found) = self
                .find_in_parts(context, asked_of, &asked, vector)
                .await?
            {
                return Ok(found);
            }
            for scope in &self.scopes {
                context.cache().sealed.forget(&scope.key());
            }
            partly = match context.asked_of(&self.scopes).await? {
                AskedOf::Parts(partly) => Some(partly),
                AskedOf::Everything(_) => None,
            };
        }
        if self.partly.is_none() {
            return self.clone().find_in_memory(context, asked, vector).await;
        }
        // It holds little now, or others keep changing it.
        let at = vec![None; self.scopes.len()];
        let searchable = everything(context, &self.scopes, &at).await?;
        let whole = Arc::new(self.with(searchable, None));
        whole.find_in_memory(context, asked, vector).await
    }

    /// The same in an excerpt; `None` when the scopes' parts have become others meanwhile.
    async fn find_in_parts(
        &self,
        context: &Context,
        partly: PartlyInMemory,
        asked: &AskedWords,
        vector: Option<&Embedding>,
    ) -> Result<Option<(Arc<Self>, FoundWords, Nearest)>> {
        let Some(store) = self.store.sealed() else {
            return Ok(None);
        };
        let of = (store, self.scopes.as_slice());
        // What is near and what the words find are looked for at once.
        let found = excerpt::find(context, of, &partly, asked);
        let (found, near) = futures_util::try_join!(found, self.near(context, vector))?;
        let Some(found) = found else { return Ok(None) };
        let (searchable, found) = excerpt::take(context, of, &partly, found, &near).await?;
        let excerpt = self.with(Arc::new(searchable), Some(partly));
        let nearest = near.placed(&excerpt, &context.parts().retrieve_config.ranking);
        Ok(Some((Arc::new(excerpt), found, nearest)))
    }

    /// The same where everything is in memory, but perhaps vectors.
    async fn find_in_memory(
        self: Arc<Self>,
        context: &Context,
        asked: AskedWords,
        vector: Option<&Embedding>,
    ) -> Result<(Arc<Self>, FoundWords, Nearest)> {
        let config = context.parts().retrieve_config.ranking;
        let corpus = self.clone();
        let find = move || {
            let AskedWords { question, carried } = &asked;
            let index = &corpus.searchable.index;
            index.find_words(question, carried, &config)
        };
        if vector.is_none() || !self.asks_the_store(&config) {
            return Ok((self, find(), Nearest::default()));
        }
        // While the store looks for vectors, another thread looks for words.
        let words = offload(&*context.parts().executor, find);
        let (words, near) = futures_util::try_join!(words, self.near(context, vector))?;
        let nearest = near.placed(&self, &config);
        Ok((self, words, nearest))
    }

    /// What the store finds near to the vector of a question, where it is asked.
    async fn near(&self, context: &Context, vector: Option<&Embedding>) -> Result<NearHits> {
        match vector {
            Some(vector) if self.asks_the_store(&context.parts().retrieve_config.ranking) => {
                NearHits::of(self, context.parts().embedder.identity(), vector).await
            }
            _ => Ok(NearHits::default()),
        }
    }

    /// The same scopes, answered from this.
    fn with(&self, searchable: Arc<Searchable>, partly: Option<PartlyInMemory>) -> Self {
        Self {
            store: self.store.clone(),
            scopes: self.scopes.clone(),
            searchable,
            partly,
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

    /// A list of records to read, which is empty.
    pub(super) fn wanted(&self) -> Wanted {
        Wanted::of_scopes(self.scopes.len())
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

/// What questions to scopes are answered from of which all is in memory; their logs ended `at`
/// these places just now, as far as that was asked.
async fn everything(
    context: &Context,
    scopes: &[Scope],
    at: &[Option<LogPosition>],
) -> Result<Arc<Searchable>> {
    if let ([scope], [at]) = (scopes, at) {
        return context.searchable(scope, *at).await;
    }
    context.searchable_together(scopes, at).await
}
