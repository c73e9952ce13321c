//! Pipelines that users change.

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
use memu::core::pipeline::Step;
use memu::core::service::{Context, MemorizeState, RetrieveState};
use memu::{ErrorKind, MemoryService, Result, RetrieveRequest, RetrieveResponse};
use memu_testkit::models::{Asked, FakeProvider};
use support::models::{chats, counts, memorize_parrot, model, service, settings};

async fn ask(service: &MemoryService) -> Result<RetrieveResponse> {
    let request = RetrieveRequest::question("the parrot").matching("user_id", "nora");
    service.retrieve(request).await
}

fn taken(seen: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut *seen.lock().unwrap())
}

/// A step of a user: it adds to what was drawn.
struct Add;

#[async_trait]
impl Step<MemorizeState> for Add {
    async fn run(&self, _: &Context, state: &mut MemorizeState) -> Result<()> {
        let mut added = state.extracted.clone();
        for item in &mut added {
            ADDED.clone_into(&mut item.summary);
        }
        state.extracted.extend(added);
        Ok(())
    }
}

const ADDED: &str = "Bread is baked in a smoking oven";

/// A step of a user that does nothing but to note what there is.
struct Look(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Step<MemorizeState> for Look {
    async fn run(&self, _: &Context, state: &mut MemorizeState) -> Result<()> {
        let (drawn, merged) = (state.extracted.len(), state.items.len());
        self.0.lock().unwrap().push(format!("{drawn} {merged}"));
        Ok(())
    }
}

#[async_trait]
impl Step<RetrieveState> for Look {
    async fn run(&self, _: &Context, state: &mut RetrieveState) -> Result<()> {
        let (items, categories) = (&state.response.items, &state.response.categories);
        let told = format!("{} {}", items.len(), categories.len());
        self.0.lock().unwrap().push(told);
        "the parrot of Friday".clone_into(&mut state.response.rewritten_query);
        Ok(())
    }
}

#[tokio::test]
async fn steps_of_users_run_where_they_were_put() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model).start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    service
        .edit_memorize_pipeline(|pipeline| {
            pipeline.insert_after("extract_items", "add", Arc::new(Add))?;
            pipeline.insert_before("add", "look", Arc::new(Look(seen.clone())))?;
            pipeline.insert_after("dedupe_merge", "look_again", Arc::new(Look(seen.clone())))
        })
        .unwrap();
    let done = memorize_parrot(&service).await.unwrap();
    assert_eq!(taken(&seen), ["1 0", "2 2"]);
    let summaries: Vec<&str> = done.items.iter().map(|item| &*item.summary).collect();
    assert_eq!(summaries.len(), 2);
    assert_eq!(summaries[1], ADDED);
    // The answer is another one where its step is another one.
    service
        .edit_retrieve_pipeline(|pipeline| {
            pipeline.replace("route_intention", Arc::new(Look(seen.clone())))?;
            pipeline.insert_after("recall_items", "look", Arc::new(Look(seen.clone())))
        })
        .unwrap();
    server.forget_requests();
    let answer = ask(&service).await.unwrap();
    assert_eq!(answer.rewritten_query, "the parrot of Friday");
    let told = taken(&seen);
    assert_eq!(told[0], "0 0");
    assert_eq!(told[1].split(' ').next(), Some("2"));
    let prompts = server.requests();
    let routes = prompts
        .iter()
        .filter(|one| is_about(&one.asked(), "needs_retrieval"));
    assert_eq!(routes.count(), 0);
}

fn is_about(asked: &Asked, field: &str) -> bool {
    let schema = asked.schema.as_ref();
    schema.is_some_and(|schema| schema.pointer(&format!("/properties/{field}")).is_some())
}

#[tokio::test]
async fn a_step_that_was_removed_does_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model).start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    service
        .edit_memorize_pipeline(|pipeline| pipeline.remove("extract_items"))
        .unwrap();
    let done = memorize_parrot(&service).await.unwrap();
    assert_eq!(done.items.len(), 0);
    assert_eq!(counts(&service).await[..3], [1, 1, 0]);
    assert_eq!(chats(&server), 0);
    service
        .edit_retrieve_pipeline(|pipeline| pipeline.remove("route_intention"))
        .unwrap();
    server.forget_requests();
    ask(&service).await.unwrap();
    let asked = server.requests();
    let routes = asked
        .iter()
        .filter(|one| is_about(&one.asked(), "needs_retrieval"));
    assert_eq!(routes.count(), 0);
    // What a step needs and no step made is told, and nothing is stored.
    service
        .edit_memorize_pipeline(|pipeline| pipeline.remove("preprocess_multimodal"))
        .unwrap();
    let before = counts(&service).await;
    let request = memu::MemorizeRequest::content(
        b"[{\"role\": \"user\", \"content\": \"I have a cat\"}]".to_vec(),
        "cat.json",
        memu::Modality::Conversation,
    );
    let error = service
        .memorize(request.user("user_id", "nora"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error.message().contains("which no step before it made"),
        "{error}"
    );
    assert_eq!(counts(&service).await, before);
}

#[tokio::test]
async fn a_change_of_an_unknown_step_lists_those_there_are_and_changes_nothing() {
    let service = memu::open("inmemory").await.unwrap();
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let look = || Arc::new(Look(seen.clone()));
    let steps = "ingest_resource, preprocess_multimodal, extract_items, dedupe_merge, \
                 categorize_items, persist_index, build_response";
    let expected = format!("the memorize pipeline has no step \"extract\"; it has {steps}");
    let changes = [
        service.edit_memorize_pipeline(|all| {
            all.remove("extract_items")?;
            all.insert_before("extract", "look", look())
        }),
        service.edit_memorize_pipeline(|all| all.insert_before("extract", "look", look())),
        service.edit_memorize_pipeline(|all| all.insert_after("extract", "look", look())),
        service.edit_memorize_pipeline(|all| all.replace("extract", look())),
        service.edit_memorize_pipeline(|all| all.remove("extract")),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let error = change.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let expected = if number == 0 {
            expected.replace("extract_items, ", "")
        } else {
            expected.clone()
        };
        assert_eq!(error.message(), expected);
    }
    let taken_name = service
        .edit_memorize_pipeline(|all| all.insert_after("extract_items", "dedupe_merge", look()));
    let error = taken_name.unwrap_err();
    assert_eq!(
        error.message(),
        "the memorize pipeline already has a step \"dedupe_merge\""
    );
    let error = service
        .edit_retrieve_pipeline(|all| all.remove("recall"))
        .unwrap_err();
    assert!(
        error.message().contains("it has route_intention, "),
        "{error}"
    );
    let mut names = Vec::new();
    service
        .edit_memorize_pipeline(|all| {
            names.extend(all.step_names().map(str::to_owned));
            Ok(())
        })
        .unwrap();
    assert_eq!(names.join(", "), steps);
}
