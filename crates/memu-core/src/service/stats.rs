//! How much is remembered, and what the models took.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::civil;
use serde::Serialize;
use serde_json::{Map, Value};

use super::MemoryService;
use super::replay::unfinished_in;
use crate::error::Result;
use crate::records::{ModelUsage, OwnerKind};
use crate::store::{Query, Select};

/// How much is remembered, and what the models took.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StatsResponse {
    /// How many scopes match.
    pub scopes: usize,
    /// How many resources they hold.
    pub resources: usize,
    /// How many messages and passages.
    pub segments: usize,
    /// How many memories.
    pub items: usize,
    /// How many categories.
    pub categories: usize,
    /// How much content was to be memorized and was cut off by a model that failed.
    pub unfinished: usize,
    /// What was asked of models, by profile, model and step, in this order; also of what was
    /// removed since. The day is that of the first call.
    pub model_calls: Vec<ModelUsage>,
}

impl MemoryService {
    /// How much is remembered in the scopes that match, and what their models took.
    ///
    /// # Errors
    /// [`ErrorKind::Filter`](crate::ErrorKind::Filter) or
    /// [`ErrorKind::Scope`](crate::ErrorKind::Scope) when the filter is not
    /// understood or names no scope among several.
    pub async fn stats(
        &self,
        filter: &Map<String, Value>,
        all_scopes: bool,
    ) -> Result<StatsResponse> {
        let selection = self.context().select(filter, all_scopes).await?;
        let query = Query {
            scopes: selection.scopes,
            filter: selection.filter,
            select: Select::All,
            after: None,
            limit: usize::MAX,
        };
        let count = async |kind| Ok(self.store().ids(kind, &query).await?.len());
        let mut stats = StatsResponse {
            scopes: query.scopes.len(),
            resources: count(OwnerKind::Resource).await?,
            segments: count(OwnerKind::Segment).await?,
            items: count(OwnerKind::Item).await?,
            categories: count(OwnerKind::Category).await?,
            unfinished: 0,
            model_calls: Vec::new(),
        };
        let mut calls: BTreeMap<[String; 3], ModelUsage> = BTreeMap::new();
        for scope in &query.scopes {
            for usage in self.store().model_usage(scope, civil::Date::MIN).await? {
                let (_, profile, model, step) = usage.key();
                match calls.entry([profile, model, step].map(str::to_owned)) {
                    Entry::Occupied(mut sum) => sum.get_mut().add(&usage),
                    Entry::Vacant(place) => drop(place.insert(usage)),
                }
            }
        }
        for scope in &query.scopes {
            stats.unfinished += unfinished_in(self.context(), scope).await?.len();
        }
        stats.model_calls = calls.into_values().collect();
        Ok(stats)
    }
}
