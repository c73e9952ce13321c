//! What the in-memory store holds, and how it answers from it.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::{Error, Result};
use crate::records::EmbeddingSet;
use crate::scope::{Scope, ScopeKey};
use crate::store::data::{Kind, ScopeData};
use crate::store::rules::{self, SetForVectors};
use crate::store::{
    Cleared, Committed, Cursor, Page, Query, Report, Severity, VectorHit, VectorQuery, Write,
    WriteBatch,
};
use crate::vector::cosine;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) closed: bool,
    pub(super) scopes: FxHashMap<ScopeKey, ScopeData>,
    /// The scopes in the order of their first line.
    pub(super) order: Vec<ScopeKey>,
    pub(super) sets: Vec<EmbeddingSet>,
    /// How many scopes have come to life.
    pub(super) lives: u64,
    /// Where in the order of all scopes' records the next one comes.
    pub(super) next_position: u64,
}

impl State {
    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed {
            return Err(Error::storage("the store is closed"));
        }
        Ok(())
    }

    pub(super) fn scope(&self, scope: &Scope) -> Option<&ScopeData> {
        self.scopes.get(&scope.key())
    }

    /// The data of these scopes, each once.
    pub(super) fn named<'s>(&'s self, scopes: &'s [Scope]) -> impl Iterator<Item = &'s ScopeData> {
        let mut seen = FxHashSet::default();
        scopes
            .iter()
            .map(Scope::key)
            .filter(move |key| seen.insert(*key))
            .filter_map(|key| self.scopes.get(&key))
    }

    pub(super) fn page<T: Kind>(&self, query: &Query) -> Result<Page<T>> {
        check_count("limit", query.limit)?;
        let first = match &query.after {
            Some(cursor) => position_after(cursor)?,
            None => 0,
        };
        let filter = query.filter.record_part();
        // One more than asked for tells whether anything follows.
        let limit = query.limit.saturating_add(1);
        let mut chosen: Vec<_> = self
            .named(&query.scopes)
            .flat_map(|data| T::choose(data, &query.select, &filter, first, limit))
            .collect();
        chosen.sort_unstable_by_key(|(position, _)| *position);
        let more = chosen.len() > query.limit;
        chosen.truncate(query.limit);
        let last = chosen.last().map(|(position, _)| *position);
        Ok(Page {
            records: chosen
                .into_iter()
                .map(|(_, record)| record.clone())
                .collect(),
            next: last
                .filter(|_| more)
                .map(|position| Cursor(position.to_string())),
        })
    }

    pub(super) fn search(&self, query: &VectorQuery) -> Result<Vec<VectorHit>> {
        check_count("top_k", query.top_k)?;
        rules::check_embedder(&self.sets, &query.identity)?;
        let vector = query.vector.as_slice();
        if vector.len() != query.identity.dimension as usize {
            return Err(Error::model(format!(
                "an embedding has {} dimensions where {} are expected",
                vector.len(),
                query.identity.dimension
            )));
        }
        let filter = query.filter.record_part();
        let mut hits = Vec::new();
        for data in self.named(&query.scopes) {
            for (id, owned) in data.vectors_of_kind(&query.identity, query.kind) {
                let Some(position) = data.owner_position(query.kind, id, &filter) else {
                    continue;
                };
                hits.push((cosine(vector, owned.as_slice()), position, data, id));
            }
        }
        hits.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        hits.truncate(query.top_k);
        Ok(hits
            .into_iter()
            .map(|(score, place, data, id)| VectorHit {
                scope: data.scope().clone(),
                id: id.clone(),
                place,
                score,
            })
            .collect())
    }

    pub(super) fn commit(&mut self, batch: &WriteBatch) -> Result<Committed> {
        let sets = self.sets_with(batch)?;
        let key = batch.scope.key();
        let mut fresh = None;
        let data = match self.scopes.get_mut(&key) {
            Some(data) => data,
            None => fresh.insert(ScopeData::new(batch.scope.clone())),
        };
        data.skip_to(self.next_position);
        let new = !data.is_listed() && !self.order.contains(&key);
        let mut committed = data.apply(batch)?;
        data.drop_outdated(batch, &sets);
        self.next_position = data.next_position();
        if new && data.is_listed() {
            self.order.push(key);
        }
        // A scope that holds nothing and in which nothing ever changed is not kept.
        let unused = committed.seq == 0 && data.is_empty();
        match fresh {
            Some(mut data) if !unused => {
                self.lives += 1;
                committed.life = self.lives;
                data.set_life(committed.life);
                self.scopes.insert(key, data);
            }
            None if unused => {
                committed.life = 0;
                self.scopes.remove(&key);
                self.order.retain(|known| *known != key);
            }
            _ => {}
        }
        self.sets = sets;
        Ok(committed)
    }

    /// The embedding sets once the batch is applied.
    fn sets_with(&self, batch: &WriteBatch) -> Result<Vec<EmbeddingSet>> {
        let mut sets = self.sets.clone();
        for write in &batch.writes {
            let Write::Embeddings(identity, vectors) = write else {
                continue;
            };
            if vectors.is_empty() {
                continue;
            }
            if let SetForVectors::New(state) = rules::set_for_vectors(&sets, identity)? {
                sets.push(EmbeddingSet {
                    id: next_id(&sets),
                    identity: identity.clone(),
                    state,
                });
            }
        }
        Ok(sets)
    }

    pub(super) fn clear(&mut self, scopes: &[Scope]) -> Cleared {
        let mut cleared = Cleared::default();
        for scope in scopes {
            let key = scope.key();
            let Some(data) = self.scopes.remove(&key) else {
                continue;
            };
            cleared.scopes += usize::from(data.is_listed());
            cleared.resources.extend(data.resources().cloned());
            cleared.items.extend(data.items().cloned());
            cleared.categories.extend(data.categories().cloned());
            cleared.relations += data.relation_count();
            cleared.segments += data.segment_count();
            cleared.model_replies += data.model_reply_count();
        }
        self.order.retain(|key| self.scopes.contains_key(key));
        cleared
    }

    pub(super) fn report(&self) -> Report {
        let count = |of: fn(&ScopeData) -> usize| {
            self.scopes
                .values()
                .map(of)
                .fold(0, |sum, one| sum + one as u64)
        };
        let mut report = Report {
            scopes: count(|data| usize::from(data.is_listed())),
            resources: count(ScopeData::resource_count),
            segments: count(ScopeData::segment_count),
            items: count(ScopeData::item_count),
            categories: count(ScopeData::category_count),
            relations: count(ScopeData::relation_count),
            embeddings: count(ScopeData::vector_count),
            model_replies: count(ScopeData::model_reply_count),
            ..Report::default()
        };
        report.push(
            "integrity",
            Severity::Ok,
            "everything is in memory, and goes with the process",
        );
        report
    }
}

/// The number of the next set: one that none has had since the last was made.
pub(super) fn next_id(sets: &[EmbeddingSet]) -> u32 {
    sets.iter().map(|set| set.id).max().unwrap_or_default() + 1
}

fn check_count(name: &str, count: usize) -> Result<()> {
    if count == 0 {
        return Err(Error::input(format!("{name} must be at least 1")));
    }
    Ok(())
}

fn position_after(cursor: &Cursor) -> Result<u64> {
    let last: Option<u64> = cursor.0.parse().ok();
    last.and_then(|last| last.checked_add(1)).ok_or_else(|| {
        Error::input("this is not a cursor of this store; use the one a page came with")
            .with("cursor", format!("{:?}", cursor.0))
    })
}
