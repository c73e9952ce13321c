//! Which model is asked by which step, and what models may take in all.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use memu::core::config::RetrieveMethod;
use memu::settings::Layers;
use memu::{ErrorKind, MemoryService, RetrieveRequest};
use memu_testkit::models::{Asked, FakeProvider, Recorded};
use serde_json::json;
use support::models::{KEY, chats, counts, memorize_parrot, model, service};
use support::user;

fn is_about(asked: &Asked, field: &str) -> bool {
    let schema = asked.schema.as_ref();
    schema.is_some_and(|schema| schema.pointer(&format!("/properties/{field}")).is_some())
}

#[tokio::test]
async fn each_step_asks_the_model_of_its_profile() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model).start();
    let other = FakeProvider::builder().chat(model).start();
    let profile = |server: &FakeProvider, name: &str| {
        json!({
            "base_url": format!("{}/v1", server.base_url()),
            "api_key": KEY,
            "chat_model": name,
            "embed_model": "vectors",
            "dimension": 8,
        })
    };
    let settings = Layers::new().value(json!({
        "llm_profiles": {
            "default": profile(&server, "main"),
            "drawing": profile(&other, "draws"),
            "summing": profile(&server, "sums"),
            "routing": profile(&server, "routes"),
            "judging": profile(&other, "judges"),
            "choosing": profile(&server, "chooses"),
        },
        "memorize_config": {
            "memory_extract_llm_profile": "drawing",
            "category_update_llm_profile": "summing",
        },
        "retrieve_config": {
            "method": "llm",
            "route_intention_llm_profile": "routing",
            "sufficiency_check_llm_profile": "judging",
            "llm_ranking_llm_profile": "choosing",
        },
    }));
    let settings = settings.settings().unwrap();
    assert_eq!(settings.retrieve_config.method, RetrieveMethod::Llm);
    let service = service(&folder.path().join("memu.db"), settings).await;
    memorize_parrot(&service).await.unwrap();
    let request = RetrieveRequest::question("the parrot").matching("user_id", "nora");
    service.retrieve(request).await.unwrap();
    let mut models: BTreeMap<(bool, String), Vec<String>> = BTreeMap::new();
    for (is_other, server) in [(false, &server), (true, &other)] {
        for request in server.requests() {
            let asked = request.asked();
            let schema = asked.schema.clone().unwrap_or_default();
            let fields = schema["properties"]
                .as_object()
                .cloned()
                .unwrap_or_default();
            let of_model = models.entry((is_other, asked.model)).or_default();
            of_model.extend(fields.keys().cloned());
        }
    }
    let has = |is_other: bool, model: &str, field: &str| {
        let fields = models.get(&(is_other, model.to_owned()));
        fields.is_some_and(|fields| fields.iter().any(|one| one == field))
    };
    assert!(has(true, "draws", "caption"), "{models:?}");
    assert!(has(false, "sums", "summaries"), "{models:?}");
    assert!(has(false, "routes", "needs_retrieval"), "{models:?}");
    assert!(has(true, "judges", "sufficient"), "{models:?}");
    assert!(has(false, "chooses", "items"), "{models:?}");
    let names: Vec<&str> = models.keys().map(|(_, name)| name.as_str()).collect();
    assert_eq!(
        names,
        ["chooses", "routes", "sums", "vectors", "draws", "judges"]
    );
    // What it took is told by profile.
    let stats = service.stats(&user("nora"), false).await.unwrap();
    let profiles = stats
        .model_calls
        .iter()
        .map(|one| (&*one.step, &*one.profile));
    let profiles: Vec<(&str, &str)> = profiles.collect();
    for (step, profile) in [("extract_items", "drawing"), ("route_intention", "routing")] {
        assert!(profiles.contains(&(step, profile)), "{profiles:?}");
    }
}

#[tokio::test]
async fn a_step_of_a_local_profile_asks_nobody_while_others_ask_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model).start();
    let settings = Layers::new().value(json!({
        "llm_profiles": {
            "default": {
                "base_url": format!("{}/v1", server.base_url()),
                "api_key": KEY,
                "chat_model": "main",
            },
            "embedding": {"provider": "local"},
            "here": {"provider": "local"},
        },
        "retrieve_config": {
            "route_intention_llm_profile": "here",
            "sufficiency_check": true,
        },
    }));
    let service = service(&folder.path().join("memu.db"), settings.settings().unwrap()).await;
    memorize_parrot(&service).await.unwrap();
    server.forget_requests();
    let request = RetrieveRequest::question("the parrot").matching("user_id", "nora");
    let found = service.retrieve(request).await.unwrap();
    assert!(!found.items.is_empty());
    let asked: Vec<Asked> = server.requests().iter().map(Recorded::asked).collect();
    assert!(!asked.is_empty());
    assert!(
        asked.iter().all(|one| is_about(one, "sufficient")),
        "{asked:?}"
    );
}

/// What the models of Nora may take.
async fn budgeted(path: &Path, server: &FakeProvider, budget: serde_json::Value) -> MemoryService {
    let profile = json!({
        "base_url": format!("{}/v1", server.base_url()),
        "api_key": KEY,
        "chat_model": "one",
        "embed_model": "two",
        "dimension": 8,
        "input_price": 1e6,
        "output_price": 2e6,
    });
    let layers = Layers::new().value(json!({
        "llm_profiles": {"default": profile},
        "budget": budget,
    }));
    service(path, layers.settings().unwrap()).await
}

#[tokio::test]
async fn what_is_over_the_budget_is_refused_before_anything_is_asked_or_written() {
    let server = FakeProvider::builder().chat(model).start();
    for (budget, over) in [
        (json!({"max_tokens": 10}), " of 10 tokens within 30 days"),
        (json!({"max_cost": 10.0, "days": 7}), " of 10 within 7 days"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memu.db");
        let service = budgeted(&path, &server, budget.clone()).await;
        server.forget_requests();
        // One call is 12 + 3 tokens: the first is within the budget, the next is over it.
        let error = memorize_parrot(&service).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Model);
        assert!(error.message().contains("used up their budget"), "{error}");
        assert!(error.message().ends_with(over), "{error}");
        assert_eq!(chats(&server), 1);
        let [resources, segments, items, _] = counts(&service).await;
        assert_eq!((resources, segments, items), (0, 0, 0));
        let asked = server.request_count();
        memorize_parrot(&service).await.unwrap_err();
        assert_eq!(server.request_count(), asked);
        // What was paid for is not lost: with more to spend, it is not asked again.
        drop(service);
        let service = budgeted(&path, &server, json!({"max_cost": 1e6})).await;
        server.forget_requests();
        memorize_parrot(&service).await.unwrap();
        let extracts = server.requests();
        let extracts = extracts
            .iter()
            .filter(|one| is_about(&one.asked(), "caption"));
        assert_eq!(extracts.count(), 0, "{budget}");
    }
}

#[tokio::test]
async fn one_scope_does_not_use_up_the_budget_of_another() {
    let server = FakeProvider::builder().chat(model).start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memu.db");
    let service = budgeted(&path, &server, json!({"max_tokens": 10})).await;
    memorize_parrot(&service).await.unwrap_err();
    server.forget_requests();
    let text = br#"[{"role": "user", "content": "I have a cat"}]"#;
    let request =
        memu::MemorizeRequest::content(text.to_vec(), "cat.json", memu::Modality::Conversation);
    service
        .memorize(request.user("user_id", "bob"))
        .await
        .unwrap_err();
    assert_eq!(chats(&server), 1);
}

#[tokio::test]
async fn a_budget_that_is_none_is_refused_with_the_settings() {
    for (budget, expected) in [
        (json!({"max_cost": -1.0}), "budget.max_cost"),
        (json!({"days": 0}), "budget.days"),
        (json!({"max_token": 5}), "max_tokens"),
    ] {
        let error = Layers::new()
            .value(json!({"budget": budget}))
            .settings()
            .and_then(|settings| settings.validate())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains(expected), "{error}");
    }
}
