//! Interceptors that watch the calls of models.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use memu::core::pipeline::{CallInfo, Interceptor, StepInfo};
use memu::core::provider::{ChatReply, ModelRequest};
use memu::providers::Surroundings;
use memu::settings::Settings;
use memu::{Error, MemoryService, MemoryServiceBuilder, Result, RetrieveRequest, RetrieveResponse};
use memu_testkit::models::{FakeProvider, Fault};
use support::models::{
    NoPause, chats, counts, embeddings, memorize_parrot, model, replies, settings,
};

/// Notes what happens, and refuses calls of the steps that it is told.
#[derive(Debug, Default)]
struct Watcher {
    name: &'static str,
    refused: Mutex<Option<&'static str>>,
    refused_after: Mutex<Option<&'static str>>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Watcher {
    fn named(name: &'static str, seen: &Arc<Mutex<Vec<String>>>) -> Arc<Self> {
        Arc::new(Self {
            name,
            seen: seen.clone(),
            ..Self::default()
        })
    }

    fn note(&self, what: &str) {
        let name = self.name;
        self.seen.lock().unwrap().push(format!("{name}: {what}"));
    }
}

fn check(step: &str, refused: &Mutex<Option<&'static str>>) -> Result<()> {
    match *refused.lock().unwrap() {
        Some(refused) if refused == step => Err(Error::model("not today")),
        _ => Ok(()),
    }
}

#[async_trait]
impl Interceptor for Watcher {
    async fn before(&self, _: &StepInfo) -> Result<()> {
        Ok(())
    }

    async fn after(&self, _: &StepInfo) -> Result<()> {
        Ok(())
    }

    async fn on_error(&self, step: &StepInfo, error: &Error) {
        self.note(&format!("step {} failed: {}", step.step, error.message()));
    }

    async fn before_call(&self, call: &CallInfo, request: &ModelRequest<'_>) -> Result<()> {
        let what = match request {
            ModelRequest::Chat(chat) => format!("{} messages", chat.messages.len()),
            ModelRequest::Embed(texts) => format!("{} texts", texts.len()),
        };
        let CallInfo {
            step,
            profile,
            model,
            ..
        } = call;
        self.note(&format!("{step} asks {profile} {model} {what}"));
        check(step, &self.refused)
    }

    async fn after_call(&self, call: &CallInfo, reply: &ChatReply) -> Result<()> {
        let (step, usage) = (&call.step, &reply.usage);
        let (input, output) = (usage.input_tokens, usage.output_tokens);
        self.note(&format!("{step} took {input} + {output}"));
        check(step, &self.refused_after)
    }

    async fn on_call_error(&self, call: &CallInfo, error: &Error) {
        self.note(&format!("{} failed: {}", call.step, error.message()));
    }
}

async fn watched(path: &Path, settings: Settings, watchers: &[Arc<Watcher>]) -> MemoryService {
    let surroundings = Surroundings {
        pause: Arc::new(NoPause),
        ..Surroundings::default()
    };
    let mut builder = MemoryServiceBuilder::new()
        .settings(settings)
        .surroundings(surroundings)
        .database(&path.display().to_string());
    for watcher in watchers {
        builder = builder.interceptor(watcher.clone());
    }
    builder.build().await.unwrap()
}

async fn ask(service: &MemoryService) -> Result<RetrieveResponse> {
    let request = RetrieveRequest::question("the parrot").matching("user_id", "nora");
    service.retrieve(request).await
}

fn taken(seen: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut *seen.lock().unwrap())
}

/// A service that one interceptor watches.
struct Watched {
    folder: tempfile::TempDir,
    server: FakeProvider,
    seen: Arc<Mutex<Vec<String>>>,
    watcher: Arc<Watcher>,
    service: MemoryService,
}

async fn watched_alone() -> Watched {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model).start();
    let seen = Arc::default();
    let watcher = Watcher::named("a", &seen);
    let path = folder.path().join("memu.db");
    let service = watched(&path, settings(&server), std::slice::from_ref(&watcher)).await;
    Watched {
        folder,
        server,
        seen,
        watcher,
        service,
    }
}

#[tokio::test]
async fn interceptors_see_every_call_in_order_with_what_it_took() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model).start();
    let seen = Arc::default();
    let watchers = [Watcher::named("a", &seen), Watcher::named("b", &seen)];
    let path = folder.path().join("memu.db");
    let service = watched(&path, settings(&server), &watchers).await;
    memorize_parrot(&service).await.unwrap();
    let first = taken(&seen);
    let expected = [
        "a: extract_items asks default openai/one 2 messages",
        "b: extract_items asks default openai/one 2 messages",
        "a: extract_items took 12 + 3",
        "b: extract_items took 12 + 3",
    ];
    assert_eq!(first.get(..4).unwrap(), expected, "{first:?}");
    let of_a = first.iter().filter(|line| line.starts_with("a: "));
    let asked = of_a.clone().filter(|line| line.contains(" asks "));
    let took = of_a.filter(|line| line.contains(" took "));
    assert_eq!(asked.count(), server.request_count());
    assert_eq!(took.count(), server.request_count());
    assert!(
        first.iter().any(|line| line.ends_with(" texts")),
        "{first:?}"
    );
    // What is known is not asked again, so there is nothing to see.
    memorize_parrot(&service).await.unwrap();
    assert_eq!(taken(&seen), Vec::<String>::new());
}

#[tokio::test]
async fn an_error_before_a_call_keeps_it_from_being_made() {
    let Watched {
        folder: _folder,
        server,
        seen,
        watcher,
        service,
    } = watched_alone().await;
    *watcher.refused.lock().unwrap() = Some("extract_items");
    let error = memorize_parrot(&service).await.unwrap_err();
    assert_eq!(error.message(), "not today");
    assert_eq!(chats(&server), 0);
    let (resources, items) = (counts(&service).await[0], counts(&service).await[2]);
    assert_eq!((resources, items), (0, 0));
    // Vectors are calls, too.
    *watcher.refused.lock().unwrap() = None;
    memorize_parrot(&service).await.unwrap();
    let seen_now = taken(&seen);
    let embeds = seen_now
        .iter()
        .find(|line| line.ends_with(" texts"))
        .unwrap();
    let step: &'static str = match embeds.split(' ').nth(1).unwrap() {
        "embed_memories" => "embed_memories",
        other => panic!("{other}"),
    };
    *watcher.refused.lock().unwrap() = Some(step);
    server.forget_requests();
    let before = counts(&service).await;
    let added = support::created("Nora has a second parrot", "nora");
    let error = service.create_memory_item(added).await.unwrap_err();
    assert_eq!(error.message(), "not today");
    assert_eq!(embeddings(&server), 0);
    assert_eq!(counts(&service).await, before);
    *watcher.refused.lock().unwrap() = Some("embed_question");
    let error = ask(&service).await.unwrap_err();
    assert_eq!(error.message(), "not today");
    assert_eq!(embeddings(&server), 0);
}

#[tokio::test]
async fn an_error_after_a_call_ends_the_pipeline_and_the_reply_is_kept() {
    let Watched {
        folder: _folder,
        server,
        seen,
        watcher,
        service,
    } = watched_alone().await;
    *watcher.refused_after.lock().unwrap() = Some("extract_items");
    let error = memorize_parrot(&service).await.unwrap_err();
    assert_eq!(error.message(), "not today");
    assert_eq!(counts(&service).await[2], 0);
    assert_eq!(replies(&service).await.len(), 1);
    *watcher.refused_after.lock().unwrap() = None;
    server.forget_requests();
    memorize_parrot(&service).await.unwrap();
    let extracts = taken(&seen);
    let extracts = extracts
        .iter()
        .filter(|line| line.starts_with("a: extract_items asks"));
    assert_eq!(extracts.count(), 1, "the kept reply is used");
}

#[tokio::test]
async fn interceptors_hear_of_calls_that_failed() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model);
    let server = server.fault_when(|request| {
        let is_chat = !request.asked().is_embedding();
        is_chat.then(|| Fault::status(401))
    });
    let server = server.start();
    let seen = Arc::default();
    let watcher = Watcher::named("a", &seen);
    let path = folder.path().join("memu.db");
    let service = watched(&path, settings(&server), &[watcher]).await;
    let error = memorize_parrot(&service).await.unwrap_err();
    let message = error.message();
    let told = [
        "a: extract_items asks default openai/one 2 messages".to_owned(),
        format!("a: extract_items failed: {message}"),
        format!("a: step extract_items failed: {message}"),
    ];
    assert_eq!(taken(&seen), told);
}
