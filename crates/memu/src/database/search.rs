//! Nearest items, by the vectors that a caller brought.

use memu_core::records::{
    EmbedderIdentity, Embedding, EmbeddingSet, Id, MemoryItem, OwnerKind, SetState,
};
use memu_core::store::{Query, VectorQuery};
use memu_core::time::Timestamp;
use memu_core::vector::cosine;
use memu_core::{Error, Result};
use serde_json::Value;

use super::{Access, Object};

/// What an item that nobody knows when it was met last loses, as in memU 1.x.
const UNKNOWN_RECENCY: f64 = 0.5;

/// What orders the items that a search finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ranking {
    /// The cosine alone.
    #[default]
    Similarity,
    /// The cosine times ln(1 + how often it was met) times a half for every
    /// `recency_decay_days` since it was met last.
    Salience,
}

/// A search for items.
#[derive(Clone, Debug)]
pub struct VectorSearch {
    /// The vector.
    pub query: Vec<f32>,
    /// At most this many, from 1.
    pub top_k: usize,
    /// Conditions on the items, and whose they are.
    pub filter: Object,
    /// What orders them. Default similarity.
    pub ranking: Ranking,
    /// For salience: after how many days the weight is halved. Default 30.
    pub recency_decay_days: f64,
}

impl VectorSearch {
    /// The `top_k` most similar items of whoever `filter` names.
    pub fn new(query: Vec<f32>, top_k: usize, filter: Object) -> Self {
        Self {
            query,
            top_k,
            filter,
            ranking: Ranking::Similarity,
            recency_decay_days: 30.0,
        }
    }
}

pub(super) async fn search(access: &Access, search: VectorSearch) -> Result<Vec<(Id, f32)>> {
    if search.top_k == 0 {
        return Err(Error::input("top_k must be at least 1"));
    }
    if search.recency_decay_days.is_nan() || search.recency_decay_days <= 0.0 {
        return Err(Error::input("recency_decay_days must be above 0"));
    }
    let query = access.query(&search.filter, false).await?;
    let dimension = u32::try_from(search.query.len()).unwrap_or(u32::MAX);
    let vector = super::fit(search.query.clone(), dimension)?;
    let sets = access.store.embedding_sets().await?;
    let Some((identity, is_searched)) = embedder(access, &sets, dimension) else {
        return unfit(&sets, dimension);
    };
    if is_searched && search.ranking == Ranking::Similarity {
        let query = VectorQuery {
            scopes: query.scopes,
            filter: query.filter,
            kind: OwnerKind::Item,
            identity,
            vector,
            top_k: search.top_k,
        };
        let found = access.store.search(&query).await?;
        return Ok(found.into_iter().map(|hit| (hit.id, hit.score)).collect());
    }
    one_by_one(access, query, &identity, &vector, &search).await
}

/// Whose vectors are compared with one of this dimension, and whether the store searches them.
fn embedder(
    access: &Access,
    sets: &[EmbeddingSet],
    dimension: u32,
) -> Option<(EmbedderIdentity, bool)> {
    let fits = |identity: &EmbedderIdentity| identity.dimension == dimension;
    let active = sets.iter().find(|set| set.state == SetState::Active);
    let is_active =
        |identity: &EmbedderIdentity| active.is_some_and(|active| active.identity == *identity);
    let chosen = access.shown(sets);
    chosen.into_iter().find(fits).map(|identity| {
        let is_searched = active.is_none() || is_active(&identity);
        (identity, is_searched)
    })
}

/// A store without vectors has none that are near; one with others cannot be asked.
fn unfit(sets: &[EmbeddingSet], dimension: u32) -> Result<Vec<(Id, f32)>> {
    let mut known: Vec<u32> = sets.iter().map(|set| set.identity.dimension).collect();
    known.sort_unstable();
    known.dedup();
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    Err(Error::input(format!(
        "the vector has {dimension} numbers; those of this store have {}",
        known.join(" or ")
    )))
}

/// Compares page after page, and keeps the best.
async fn one_by_one(
    access: &Access,
    query: Query,
    identity: &EmbedderIdentity,
    vector: &Embedding,
    search: &VectorSearch,
) -> Result<Vec<(Id, f32)>> {
    let now = access.clock.now();
    let mut best: Vec<(Id, f32)> = Vec::new();
    for scope in &query.scopes {
        let mut query = Query {
            scopes: vec![scope.clone()],
            ..query.clone()
        };
        loop {
            let page = access.store.items(&query).await?;
            let ids: Vec<Id> = page
                .records
                .iter()
                .map(|item| item.meta.id.clone())
                .collect();
            let vectors = access
                .store
                .embeddings(scope, identity, OwnerKind::Item, &ids)
                .await?;
            let mut vectors = vectors.into_iter().peekable();
            for item in page.records {
                let Some(own) = vectors.next_if(|own| own.owner == item.meta.id) else {
                    continue;
                };
                let similarity = cosine(vector.as_slice(), own.vector.as_slice());
                let weight = match search.ranking {
                    Ranking::Similarity => 1.0,
                    Ranking::Salience => salience_of(&item, search.recency_decay_days, now),
                };
                best.push((item.meta.id, similarity * weight));
            }
            // Equal scores stay in stored order.
            best.sort_by(|one, other| other.1.total_cmp(&one.1));
            best.truncate(search.top_k);
            if page.next.is_none() {
                break;
            }
            query.after = page.next;
        }
    }
    Ok(best)
}

/// What a similarity is multiplied with for a memory that was met `count` times, the last time so
/// many days ago: ln(1 + count) · ½^(days / decay), as memU 1.x has it. Where nobody knows when,
/// the second factor is ½.
pub fn salience(count: f64, days_ago: Option<f64>, decay_days: f64) -> f64 {
    let recency = days_ago.map_or(UNKNOWN_RECENCY, |days| {
        0.5_f64.powf(days.max(0.0) / decay_days)
    });
    count.max(0.0).ln_1p() * recency
}

fn salience_of(item: &MemoryItem, decay_days: f64, now: Timestamp) -> f32 {
    let met = item.extra.get("last_reinforced_at").and_then(Value::as_str);
    let met = met.and_then(|text| Timestamp::parse(text).ok());
    let days_ago = met.map(|met| now.days_since(met));
    salience(item.reinforcement_count() as f64, days_ago, decay_days) as f32
}
