//! How much is remembered, and what the models took.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::MemoryService;
use crate::error::Result;
use crate::records::{ModelReply, OwnerKind, ReplyState};
use crate::store::{Query, Select};

/// How many replies are read at a time.
const PAGE: usize = 500;

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
    /// What was asked of models, by profile, model and step, in this order. Replies that went
    /// with what they were about are not counted any more.
    pub model_calls: Vec<ModelCalls>,
}

/// What one step asked of one model.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ModelCalls {
    /// The model profile.
    pub profile: String,
    /// The provider and the model.
    pub model: String,
    /// The step of the pipeline.
    pub step: String,
    /// How many replies came.
    pub replies: usize,
    /// How many of them could not be read.
    pub unusable: usize,
    /// Tokens read, as far as the provider tells.
    pub input_tokens: u64,
    /// Tokens written, as far as the provider tells.
    pub output_tokens: u64,
    /// How long the calls took together, in seconds.
    pub seconds: f64,
}

impl ModelCalls {
    fn add(&mut self, reply: &ModelReply) {
        let tokens = |name| reply.usage.get(name).and_then(Value::as_u64);
        self.replies += 1;
        self.unusable += usize::from(reply.state == ReplyState::Failed);
        self.input_tokens += tokens("input_tokens").unwrap_or_default();
        self.output_tokens += tokens("output_tokens").unwrap_or_default();
        let latency = reply.usage.get("latency").and_then(Value::as_f64);
        self.seconds += latency.unwrap_or_default();
    }
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
        let mut query = Query {
            scopes: selection.scopes,
            filter: selection.filter,
            select: Select::All,
            after: None,
            limit: PAGE,
        };
        let count = async |kind| Ok(self.store().ids(kind, &query).await?.len());
        let mut stats = StatsResponse {
            scopes: query.scopes.len(),
            resources: count(OwnerKind::Resource).await?,
            segments: count(OwnerKind::Segment).await?,
            items: count(OwnerKind::Item).await?,
            categories: count(OwnerKind::Category).await?,
            model_calls: Vec::new(),
        };
        let mut calls: BTreeMap<(String, String, String), ModelCalls> = BTreeMap::new();
        loop {
            let page = self.store().model_replies(&query).await?;
            for reply in &page.records {
                let model = format!("{}/{}", reply.provider, reply.model);
                let key = (reply.profile.clone(), model.clone(), reply.step.clone());
                let of = calls.entry(key).or_insert_with(|| ModelCalls {
                    profile: reply.profile.clone(),
                    model,
                    step: reply.step.clone(),
                    ..ModelCalls::default()
                });
                of.add(reply);
            }
            if page.next.is_none() {
                break;
            }
            query.after = page.next;
        }
        stats.model_calls = calls.into_values().collect();
        Ok(stats)
    }
}
