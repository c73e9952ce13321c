//! What a model has to say on the way to an answer.

use async_trait::async_trait;

use super::RetrieveState;
use super::steps::rank;
use crate::config::{RetrieveConfig, RetrieveMethod};
use crate::error::Result;
use crate::pipeline::Step;
use crate::provider::{Asked, Calls, FoundKind, FoundMemory};
use crate::records::public_address;
use crate::scope::Scope;
use crate::service::responses::{CategoryHit, ItemHit, ResourceHit};
use crate::service::{Context, Message};

/// From how many times as many memories as are asked for a model chooses.
const CHOICE: usize = 4;
/// A model does not choose from more, unless more are asked for.
const MOST_CANDIDATES: usize = 100;

/// What a model may be shown of a hit.
pub(super) trait InWords {
    fn in_words(&self) -> FoundMemory;
}

impl InWords for CategoryHit {
    fn in_words(&self) -> FoundMemory {
        let summary = self.category.summary_without_references();
        FoundMemory {
            kind: FoundKind::Category,
            label: self.category.name.clone(),
            text: format!("{}\n{summary}", self.category.description),
        }
    }
}

impl InWords for ItemHit {
    fn in_words(&self) -> FoundMemory {
        FoundMemory {
            kind: FoundKind::Item,
            label: self.item.memory_type.clone(),
            text: self.item.summary.clone(),
        }
    }
}

impl InWords for ResourceHit {
    fn in_words(&self) -> FoundMemory {
        FoundMemory {
            kind: FoundKind::Resource,
            // Its parameters may hold keys.
            label: public_address(&self.resource.url).into_owned(),
            text: self.resource.caption.clone().unwrap_or_default(),
        }
    }
}

/// By what to pick: where a model chooses, it gets more to choose from.
pub(super) fn choice(context: &Context, config: &RetrieveConfig) -> RetrieveConfig {
    let mut config = config.clone();
    if chooses(context, &config) {
        let tiers = [
            &mut config.category.top_k,
            &mut config.item.top_k,
            &mut config.resource.top_k,
        ];
        for top_k in tiers {
            *top_k = (*top_k).max((*top_k * CHOICE).min(MOST_CANDIDATES));
        }
    }
    config
}

fn chooses(context: &Context, config: &RetrieveConfig) -> bool {
    config.method == RetrieveMethod::Llm && context.parts().retrieval_model.is_some()
}

/// The hits that a model chooses, in its order, where one is to choose: at most `top_k`.
pub(super) async fn chosen<H: InWords>(
    context: &Context,
    state: &mut RetrieveState,
    hits: Vec<H>,
    top_k: usize,
) -> Result<Vec<H>> {
    let model = context.parts().retrieval_model.as_ref();
    let model = model.filter(|_| state.config.method == RetrieveMethod::Llm && !hits.is_empty());
    let Some(model) = model else {
        return Ok(hits);
    };
    let candidates: Vec<FoundMemory> = hits.iter().map(InWords::in_words).collect();
    let calls = state.calls(context);
    let query = state.query().to_owned();
    let Some(order) = model.rank(&query, &candidates, top_k, &calls).await? else {
        return Ok(hits);
    };
    let mut hits: Vec<Option<H>> = hits.into_iter().map(Some).collect();
    let chosen = order
        .into_iter()
        .filter_map(|at| hits.get_mut(at).and_then(Option::take));
    Ok(chosen.take(top_k).collect())
}

/// Asks what the question needs; gives `false` where nobody can be asked.
pub(super) async fn route(context: &Context, state: &mut RetrieveState) -> Result<bool> {
    let Some(model) = &context.parts().retrieval_model else {
        return Ok(false);
    };
    // Where nothing is remembered, nobody need be asked.
    let corpus = state.corpus()?;
    if corpus.is_empty() {
        return Ok(false);
    }
    let asked = asked(state);
    let calls = state.calls(context);
    let Some(route) = model.route(&asked, &calls).await? else {
        return Ok(false);
    };
    state.response.needs_retrieval = route.needs_retrieval;
    if !route.query.trim().is_empty() {
        state.response.rewritten_query = route.query;
    }
    Ok(true)
}

fn asked(state: &RetrieveState) -> Asked {
    let question = state.response.original_query.clone();
    let queries = state.request.queries.as_slice();
    let is_question = |query: &Message| query.text.trim() == question;
    let end = queries.iter().rposition(is_question).unwrap_or_default();
    let before = queries.get(..end).unwrap_or_default();
    Asked {
        before: before
            .iter()
            .map(|query| (query.role, query.text.clone()))
            .collect(),
        question,
    }
}

/// Asks, after a tier, whether what was found suffices. Where it does, no further tier is
/// searched; where it does not, the next is searched for what the model asks. Without a model
/// there is nobody to ask, and looking further costs nothing: every tier is always searched.
pub(super) struct SufficiencyCheck;

#[async_trait]
impl Step<RetrieveState> for SufficiencyCheck {
    async fn run(&self, context: &Context, state: &mut RetrieveState) -> Result<()> {
        let Some(model) = &context.parts().retrieval_model else {
            return Ok(());
        };
        if !state.config.sufficiency_check || !state.goes_on() {
            return Ok(());
        }
        let categories = state.response.categories.iter().map(InWords::in_words);
        let items = state.response.items.iter().map(InWords::in_words);
        let found: Vec<FoundMemory> = categories.chain(items).collect();
        if found.is_empty() {
            return Ok(());
        }
        let calls = state.calls(context);
        let query = state.query().to_owned();
        let Some(told) = model.suffices(&query, &found, &calls).await? else {
            return Ok(());
        };
        state.suffices = told.suffices;
        let next = told.next_query.filter(|next| !next.trim().is_empty());
        if let Some(next) = next.filter(|_| !told.suffices) {
            state.search_for(next);
            rank(context, state).await?;
        }
        Ok(())
    }
}

/// Replies about one scope are kept there, and go with it. What is asked about several scopes
/// quotes all of them, and may be kept in none.
pub(super) fn calls(context: &Context, scopes: &[Scope]) -> Calls {
    match scopes {
        [one] => context.calls(one, None),
        _ => Calls::new(None, context.parts().interceptors.clone()),
    }
}

/// Marks the replies that were read as such.
pub(super) async fn mark_read(state: &RetrieveState) -> Result<()> {
    match &state.calls {
        Some(calls) => calls.mark_read().await,
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{ContentHash, Meta, Modality, Resource, Role};
    use crate::scope::ScopeSchema;
    use crate::service::{Message, RetrieveRequest};
    use crate::time::Timestamp;

    #[test]
    fn a_model_sees_no_key_in_the_address_of_a_resource() {
        let scope = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
        let resource = Resource {
            meta: Meta::new("r".into(), scope, Timestamp::from_micros(0)),
            url: "https://nora:pw@h.example/talk.pdf?token=secret#2".to_owned(),
            modality: Modality::Document,
            local_path: String::new(),
            caption: None,
            content_hash: ContentHash::of(b""),
            external_id: None,
            segment_count: 0,
        };
        let hit = ResourceHit {
            resource,
            score: 1.0,
        };
        assert_eq!(hit.in_words().label, "https://h.example/talk.pdf");
    }

    #[test]
    fn what_comes_before_the_question_is_context() {
        let say = |role, text: &str| Message {
            role,
            text: text.to_owned(),
        };
        let mut request = RetrieveRequest::question("and where?");
        request.queries = vec![
            say(Role::User, "When did Ann sail?"),
            say(Role::Assistant, "In June."),
            say(Role::User, " and where? "),
        ];
        let mut state = RetrieveState::new(request, RetrieveConfig::default(), "and where?");
        let asked = asked(&state);
        assert_eq!(asked.question, "and where?");
        assert_eq!(asked.before.len(), 2);
        state.search_for("the harbour that Ann sailed to".to_owned());
        assert_eq!(state.query(), "the harbour that Ann sailed to");
        assert_eq!(
            state.response.next_step_query.as_deref(),
            Some(state.query())
        );
    }
}
