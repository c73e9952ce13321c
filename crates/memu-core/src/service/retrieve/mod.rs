//! The retrieve pipeline: from a question to the memories that answer it.

mod best;
mod by_model;
mod corpus;
mod diversity;
mod excerpt;
mod follow_up;
mod intention;
mod near;
mod open_entries;
mod picks;
mod rank;
mod records;
mod shown;
mod steps;

use std::sync::Arc;

use super::requests::RetrieveRequest;
use super::responses::RetrieveResponse;
use super::{Context, MemoryService};
use crate::config::{RetrieveConfig, check_top_k};
use crate::error::{Error, Result};
use crate::pipeline::Pipeline;
use crate::provider::Calls;
use crate::records::Role;
use crate::scope::Scope;
use corpus::Corpus;
use picks::Picks;
use rank::Ranking;

/// The longest question, in bytes.
const MAX_QUESTION_BYTES: usize = 1 << 20;

/// What the steps of retrieve hand on to each other.
#[derive(Debug)]
pub struct RetrieveState {
    /// What was asked.
    pub request: RetrieveRequest,
    /// How to answer it: the configuration, with what the request overrides.
    pub config: RetrieveConfig,
    /// The answer so far.
    pub response: RetrieveResponse,
    /// Words of earlier queries that the question refers to.
    carried: Vec<String>,
    /// What a model wants to be searched for instead, as what was found does not suffice.
    next_query: Option<String>,
    /// Whether a model said that what was found suffices.
    suffices: bool,
    scopes: Vec<Scope>,
    calls: Option<Calls>,
    corpus: Option<Arc<Corpus>>,
    ranking: Option<Arc<Ranking>>,
    picks: Option<Arc<Picks>>,
}

impl RetrieveState {
    fn new(request: RetrieveRequest, config: RetrieveConfig, question: &str) -> Self {
        Self {
            config,
            response: RetrieveResponse {
                needs_retrieval: true,
                rewritten_query: question.to_owned(),
                original_query: question.to_owned(),
                ..RetrieveResponse::default()
            },
            carried: Vec::new(),
            next_query: None,
            suffices: false,
            scopes: Vec::new(),
            calls: None,
            corpus: None,
            ranking: None,
            picks: None,
            request,
        }
    }

    /// What is searched for.
    fn query(&self) -> &str {
        let next = self.next_query.as_deref();
        next.unwrap_or(&self.response.rewritten_query)
    }

    /// From now on something else is searched for.
    fn search_for(&mut self, query: String) {
        self.carried.clear();
        self.response.next_step_query = Some(query.clone());
        self.next_query = Some(query);
    }

    /// Whether further tiers are to be searched.
    fn goes_on(&self) -> bool {
        self.is_needed() && !self.suffices
    }

    /// Asks models.
    fn calls(&mut self, context: &Context) -> Calls {
        let calls = self.calls.take();
        let calls = calls.unwrap_or_else(|| by_model::calls(context, &self.scopes));
        self.calls.insert(calls).clone()
    }

    /// Whether there is anything to look for.
    fn is_needed(&self) -> bool {
        self.response.needs_retrieval
    }

    fn corpus(&self) -> Result<Arc<Corpus>> {
        self.corpus.clone().ok_or_else(missing)
    }

    fn ranking(&self) -> Result<Arc<Ranking>> {
        self.ranking.clone().ok_or_else(missing)
    }

    /// What to show by the configuration as it is now; a step may have changed it.
    async fn picks(&mut self, context: &Context) -> Result<Arc<Picks>> {
        let config = by_model::choice(context, &self.config);
        if let Some(picks) = &self.picks
            && picks.config == config
        {
            return Ok(picks.clone());
        }
        let (corpus, ranking) = (self.corpus()?, self.ranking()?);
        let picks = Arc::new(Picks::new(&corpus, &ranking, &config).await?);
        self.picks = Some(picks.clone());
        Ok(picks)
    }
}

fn missing() -> Error {
    Error::config("a step of the retrieve pipeline needs the ranking of route_category before it")
}

pub(super) fn standard_pipeline() -> Pipeline<RetrieveState> {
    Pipeline::new("retrieve")
        .then("route_intention", intention::RouteIntention)
        .then("route_category", steps::RouteCategory)
        .then("sufficiency_after_category", by_model::SufficiencyCheck)
        .then("recall_items", steps::RecallItems)
        .then("sufficiency_after_items", by_model::SufficiencyCheck)
        .then("recall_resources", steps::RecallResources)
        .then("build_context", steps::BuildContext)
}

impl MemoryService {
    /// The memories that answer a question, with their evidence.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) when there is no question or
    /// `top_k` is 0; [`ErrorKind::Filter`](crate::ErrorKind::Filter) and
    /// [`ErrorKind::Scope`](crate::ErrorKind::Scope) when the filter is not
    /// understood, or names no scope among several;
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when another process has moved
    /// the store to another embedder.
    pub async fn retrieve(&self, request: RetrieveRequest) -> Result<RetrieveResponse> {
        let context = self.context();
        let question = checked_question(&request)?;
        let configured = &context.parts().retrieve_config;
        let mut config = match &request.config {
            Some(config) => {
                config.validate()?;
                RetrieveConfig {
                    ranking: configured.ranking,
                    ..config.clone()
                }
            }
            None => configured.clone(),
        };
        if let Some(top_k) = request.top_k {
            check_top_k("top_k", top_k)
                .map_err(|error| Error::input(error.message().to_owned()))?;
            config.category.top_k = top_k;
            config.item.top_k = top_k;
            config.resource.top_k = top_k;
            config.segment.top_k = top_k;
        }
        context.check_embedder().await?;
        // An unusable filter is an error even where no memory is needed.
        let selection = context.select(&request.filter, request.all_scopes).await?;
        let mut state = RetrieveState::new(request, config, &question);
        state.scopes.clone_from(&selection.scopes);
        state.corpus = Some(Arc::new(Corpus::open(context, selection).await?));
        self.retrieve_pipeline()
            .run_from(0, context, &mut state)
            .await?;
        by_model::mark_read(&state).await?;
        Ok(state.response)
    }
}

fn checked_question(request: &RetrieveRequest) -> Result<String> {
    let question = request
        .queries
        .iter()
        .rev()
        .find(|message| message.role == Role::User)
        .or(request.queries.last())
        .ok_or_else(|| Error::input("queries is empty; the last one is the question"))?;
    let text = question.text.trim();
    if text.is_empty() {
        return Err(Error::input("the question is empty"));
    }
    if text.len() > MAX_QUESTION_BYTES {
        return Err(Error::input(format!(
            "the question has {} bytes; at most {MAX_QUESTION_BYTES} are allowed",
            text.len()
        )));
    }
    Ok(text.to_owned())
}
