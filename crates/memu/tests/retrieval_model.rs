//! What a model that has a say in answers is asked, and what becomes of what it says.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use memu::core::config::RetrieveMethod;
use memu::core::provider::{Asked, Calls, FoundMemory, RetrievalModel, Route, Sufficiency};
use memu::settings::Settings;
use memu::{
    CreateItems, ErrorKind, MemoryService, MemoryServiceBuilder, NewItem, Result, RetrieveRequest,
    RetrieveResponse,
};
use support::user;

/// Says what it was told to say, and notes what it is asked.
#[derive(Debug, Default)]
struct Scripted {
    needs_no_memory: bool,
    rewritten: &'static str,
    suffices: bool,
    next: Option<&'static str>,
    order: Vec<usize>,
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl RetrievalModel for Scripted {
    async fn route(&self, asked: &Asked, _: &Calls) -> Result<Option<Route>> {
        self.note(format!(
            "route {} after {}",
            asked.question,
            asked.before.len()
        ));
        Ok(Some(Route {
            needs_retrieval: !self.needs_no_memory,
            query: self.rewritten.to_owned(),
        }))
    }

    async fn suffices(
        &self,
        query: &str,
        found: &[FoundMemory],
        _: &Calls,
    ) -> Result<Option<Sufficiency>> {
        self.note(format!("suffices for {query}: {}", found.len()));
        Ok(Some(Sufficiency {
            suffices: self.suffices,
            next_query: self.next.map(str::to_owned),
        }))
    }

    async fn rank(
        &self,
        query: &str,
        candidates: &[FoundMemory],
        top_k: usize,
        _: &Calls,
    ) -> Result<Option<Vec<usize>>> {
        self.note(format!("rank for {query}: {top_k} of {}", candidates.len()));
        if self.order.is_empty() {
            return Err(memu::Error::model("it has no opinion"));
        }
        Ok(Some(self.order.clone()))
    }
}

const MEMORIES: [&str; 4] = [
    "Nora keeps her boat in the harbour of Kiel",
    "Nora painted the boat green in June",
    "Nora plays the violin on Sundays",
    "Nora sold the boat to her neighbour",
];

async fn service(model: &Arc<Scripted>, settings: Settings) -> MemoryService {
    let service = MemoryServiceBuilder::new()
        .settings(settings)
        .retrieval_model(model.clone())
        .build()
        .await
        .unwrap();
    let item = |content: &str| NewItem {
        memory_type: "event".to_owned(),
        content: content.to_owned(),
        categories: vec!["activities".to_owned()],
        extra: serde_json::Map::new(),
    };
    let request = CreateItems {
        items: MEMORIES.map(item).to_vec(),
        user: user("nora"),
        propagate: true,
    };
    service.create_memory_items(request).await.unwrap();
    service
}

fn quiet() -> Settings {
    let mut settings = Settings::default();
    settings.retrieve_config.route_intention = false;
    settings.retrieve_config.sufficiency_check = false;
    settings
}

async fn ask(service: &MemoryService, question: &str) -> RetrieveResponse {
    let request = RetrieveRequest::question(question).matching("user_id", "nora");
    service.retrieve(request).await.unwrap()
}

fn found(response: &RetrieveResponse) -> Vec<&str> {
    let items = response.items.iter();
    items.map(|hit| hit.item.summary.as_str()).collect()
}

#[tokio::test]
async fn with_everything_off_no_model_is_asked() {
    let model = Arc::new(Scripted::default());
    let service = service(&model, quiet()).await;
    assert!(!found(&ask(&service, "Where is the boat?").await).is_empty());
    assert_eq!(model.asked(), [""; 0]);
}

#[tokio::test]
async fn a_question_that_needs_no_memory_is_searched_nowhere() {
    let model = Arc::new(Scripted {
        needs_no_memory: true,
        ..Scripted::default()
    });
    let service = service(&model, Settings::default()).await;
    let answer = ask(&service, "What is seven times eight?").await;
    assert!(!answer.needs_retrieval && answer.items.is_empty() && answer.categories.is_empty());
    assert_eq!(model.asked(), ["route What is seven times eight? after 0"]);
    // Nobody needs a model to recognise thanks.
    assert!(!ask(&service, "Thank you!").await.needs_retrieval);
    assert_eq!(model.asked().len(), 1);
}

#[tokio::test]
async fn a_rewritten_question_is_what_is_searched_for() {
    let model = Arc::new(Scripted {
        rewritten: "Which instrument, the violin, does Nora play?",
        ..Scripted::default()
    });
    let mut settings = Settings::default();
    settings.retrieve_config.sufficiency_check = false;
    let service = service(&model, settings).await;
    let answer = ask(&service, "And what about that?").await;
    assert_eq!(answer.rewritten_query, model.rewritten);
    assert_eq!(answer.original_query, "And what about that?");
    assert_eq!(found(&answer)[0], MEMORIES[2]);
}

#[tokio::test]
async fn what_suffices_ends_the_search() {
    let model = Arc::new(Scripted {
        suffices: true,
        ..Scripted::default()
    });
    let service = service(&model, Settings::default()).await;
    let answer = ask(&service, "What became of the boat?").await;
    assert!(!answer.categories.is_empty());
    assert!(answer.items.is_empty() && answer.resources.is_empty());
    assert_eq!(model.asked().len(), 2, "{:?}", model.asked());
}

#[tokio::test]
async fn what_does_not_suffice_is_searched_for_by_what_the_model_asks_next() {
    let model = Arc::new(Scripted {
        next: Some("violin on Sundays"),
        ..Scripted::default()
    });
    let service = service(&model, Settings::default()).await;
    let answer = ask(&service, "What became of the boat?").await;
    assert_eq!(found(&answer)[0], MEMORIES[2]);
    assert_eq!(answer.next_step_query.as_deref(), Some("violin on Sundays"));
    let asked = model.asked();
    assert_eq!(asked[1], "suffices for What became of the boat?: 1");
    assert!(asked[2].starts_with("suffices for violin on Sundays: "));
}

#[tokio::test]
async fn a_model_chooses_from_more_than_are_shown_and_cannot_invent() {
    let model = Arc::new(Scripted {
        order: vec![2, 99, 0, 2, 1],
        ..Scripted::default()
    });
    let mut settings = quiet();
    settings.retrieve_config.method = RetrieveMethod::Llm;
    settings.retrieve_config.item.top_k = 2;
    settings.retrieve_config.category.enabled = false;
    let by_model = service(&model, settings.clone()).await;
    let chosen = ask(&by_model, "Nora's boat").await;
    assert_eq!(model.asked(), ["rank for Nora's boat: 2 of 4"]);
    settings.retrieve_config.method = RetrieveMethod::Rag;
    settings.retrieve_config.item.top_k = 8;
    let by_evidence = service(&model, settings).await;
    let all = ask(&by_evidence, "Nora's boat").await;
    let all = found(&all);
    assert_eq!(found(&chosen), [all[2], all[0]]);
}

#[tokio::test]
async fn a_model_that_fails_makes_the_question_fail() {
    let model = Arc::new(Scripted::default());
    let mut settings = quiet();
    settings.retrieve_config.method = RetrieveMethod::Llm;
    let service = service(&model, settings).await;
    let request = RetrieveRequest::question("Nora's boat").matching("user_id", "nora");
    let error = service.retrieve(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model);
}
