//! What a model has to say on the way to an answer.

use std::sync::Arc;

use async_trait::async_trait;
use memu_core::Result;
use memu_core::provider::{
    Ask, Asked, Calls, ChatModel, ChatReply, FoundKind, FoundMemory, RetrievalModel, Route,
    Sufficiency,
};

use crate::understanding::prompt::Prompted;
use crate::understanding::retrieve::{
    RankCandidates, rank_request, read_ranking, read_route, read_sufficiency, route_request,
    sufficiency_request,
};

/// The models that help to answer; each may be of another profile, or none.
#[derive(Clone, Debug)]
pub struct RetrievalModels {
    /// Decides what a question needs.
    pub route: Option<ProfiledModel>,
    /// Judges what was found.
    pub sufficiency: Option<ProfiledModel>,
    /// Chooses from what was found.
    pub ranking: Option<ProfiledModel>,
}

/// A model and the profile that it is of.
#[derive(Clone, Debug)]
pub struct ProfiledModel {
    /// The name of the profile.
    pub profile: String,
    /// The model.
    pub model: Arc<dyn ChatModel>,
}

impl ProfiledModel {
    pub(crate) async fn ask<T: Send>(
        &self,
        step: &str,
        prompted: Prompted,
        calls: &Calls,
        read: impl Fn(&str) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let ask = Ask {
            step,
            profile: &self.profile,
            model: &*self.model,
            prompt_hash: prompted.hash,
            request: prompted.chat,
        };
        let read = |reply: &ChatReply| read(&reply.text);
        calls.ask(ask, read).await
    }
}

#[async_trait]
impl RetrievalModel for RetrievalModels {
    async fn route(&self, asked: &Asked, calls: &Calls) -> Result<Option<Route>> {
        let Some(model) = &self.route else {
            return Ok(None);
        };
        let before = asked.before.iter();
        let context: Vec<String> = before
            .map(|(role, text)| format!("{}: {text}", role.as_str()))
            .collect();
        let question = &asked.question;
        let prompted = route_request(question, &context)?;
        let read = |reply: &str| read_route(reply, question, &context);
        let route = model.ask("route_intention", prompted, calls, read);
        route.await.map(Some)
    }

    async fn suffices(
        &self,
        query: &str,
        found: &[FoundMemory],
        calls: &Calls,
    ) -> Result<Option<Sufficiency>> {
        let Some(model) = &self.sufficiency else {
            return Ok(None);
        };
        let found: Vec<String> = found
            .iter()
            .map(|one| format!("{}: {}", one.label, one.text))
            .collect();
        let prompted = sufficiency_request(query, &[], &found)?;
        let read = |reply: &str| read_sufficiency(reply, query, &[]);
        let told = model.ask("sufficiency_check", prompted, calls, read);
        told.await.map(Some)
    }

    async fn rank(
        &self,
        query: &str,
        candidates: &[FoundMemory],
        top_k: usize,
        calls: &Calls,
    ) -> Result<Option<Vec<usize>>> {
        let Some(model) = &self.ranking else {
            return Ok(None);
        };
        let places = |kind| {
            let all = candidates.iter().enumerate();
            let of_kind = all.filter(move |(_, one)| one.kind == kind);
            of_kind.map(|(place, one)| (place, format!("{}: {}", one.label, one.text)))
        };
        let [categories, items, resources] =
            [FoundKind::Category, FoundKind::Item, FoundKind::Resource]
                .map(|kind| places(kind).unzip::<usize, String, Vec<_>, Vec<_>>());
        let shown = RankCandidates {
            categories: &categories.1,
            items: &items.1,
            resources: &resources.1,
        };
        let prompted = rank_request(query, &shown, top_k)?;
        let read = |reply: &str| read_ranking(reply, &shown);
        let ranked = model.ask("ranking", prompted, calls, read).await?;
        let parts = [
            (categories.0, ranked.categories),
            (items.0, ranked.items),
            (resources.0, ranked.resources),
        ];
        let order = parts.into_iter().flat_map(|(places, ranked)| {
            let chosen = ranked.order.into_iter().take(ranked.chosen);
            chosen.filter_map(move |at| places.get(at).copied())
        });
        Ok(Some(order.take(top_k).collect()))
    }
}
