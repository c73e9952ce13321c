//! Memorizing and answering by models: what they are asked, and what is made of their answers.

// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod support;

use std::collections::HashSet;
use std::time::Duration;

use memu::core::records::ReplyState;
use memu::core::scope::ScopeSchema;
use memu::core::store::{Query, Write, WriteBatch};
use memu::{Id, MemorizeRequest, Modality, RetrieveRequest};
use memu_testkit::models::{Answer, Asked, FakeProvider};
use serde_json::json;
use support::models::{
    chats, conversation, embeddings, kept_by_step, memorize, memorize_parrot, model, replies,
    service, settings,
};
use support::user;

#[tokio::test]
async fn a_hundred_messages_take_a_dozen_calls_and_memories_know_where_they_are_from() {
    let folder = tempfile::tempdir().unwrap();
    // Long enough for all calls of a round to arrive before the first is answered.
    let latency = Duration::from_millis(500);
    let server = FakeProvider::builder().chat(model).latency(latency);
    let server = server.start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    let done = memorize(&service).await.unwrap();
    assert_eq!(done.items.len(), 100);
    assert!(chats(&server) <= 12, "{} chats", chats(&server));
    assert!(
        embeddings(&server) <= 3,
        "{} embeddings",
        embeddings(&server)
    );
    assert!(server.rounds() <= 4, "{} rounds", server.rounds());
    // Topics are asked about at the same time.
    let extracting = kept_by_step(&service, "extract_items").await;
    assert_eq!(extracting, 5);
    let kept = replies(&service).await;
    // Summaries quote the whole scope: what was said about them goes once they are stored.
    assert_eq!(kept.len(), extracting);
    assert!(kept.iter().all(|reply| reply.state == ReplyState::Parsed));
    let activities = done.categories.iter().find(|one| one.name == "activities");
    let summary = activities.unwrap().summary.as_deref();
    assert_eq!(summary, Some("What was said, in short."));
    let request = RetrieveRequest::question("violin strings").matching("user_id", "nora");
    let found = service.retrieve(request).await.unwrap();
    let hit = &found.items[0];
    assert!(hit.item.summary.ends_with(&hit.evidence[0].text), "{hit:?}");
    let scope = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
    let segments = service
        .store()
        .segments(&Query::scope(&scope))
        .await
        .unwrap();
    let captions = segments
        .records
        .iter()
        .filter(|one| one.topic_caption.as_deref() == Some("a talk"));
    assert_eq!(captions.count(), extracting);
}

#[tokio::test]
async fn the_same_content_again_asks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model).start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    memorize(&service).await.unwrap();
    server.forget_requests();
    memorize(&service).await.unwrap();
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn an_answer_with_everything_off_takes_no_chat_and_one_embedding() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model).start();
    let mut settings = settings(&server);
    settings.retrieve_config.route_intention = false;
    settings.retrieve_config.sufficiency_check = false;
    let service = service(&folder.path().join("memu.db"), settings).await;
    memorize(&service).await.unwrap();
    for _ in 0..2 {
        server.forget_requests();
        let request = RetrieveRequest::question("violin strings").matching("user_id", "nora");
        service.retrieve(request).await.unwrap();
        assert_eq!(chats(&server), 0);
        assert_eq!(embeddings(&server), 1);
    }
}

#[tokio::test]
async fn prompts_of_users_take_the_place_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder()
        .chat(|asked: &Asked| {
            if asked.prompt.contains("Only tell of parrots")
                || asked.system.contains("Only tell of parrots")
            {
                return json!({"items": [{
                    "content": "A parrot came on Friday", "message_numbers": [1],
                    "categories": ["opinions"], "happened_at": null,
                }]})
                .to_string();
            }
            if asked.prompt.contains("As a sailor would")
                || asked.system.contains("As a sailor would")
            {
                return "Ahoy, a parrot.".to_owned();
            }
            model(asked)
        })
        .start();
    let mut settings = settings(&server);
    let own = json!({
        "memory_types": ["event", "knowledge"],
        "memory_type_prompts": {"knowledge": "Only tell of parrots."},
        "memory_categories": [
            {"name": "activities"},
            {"name": "opinions", "summary_prompt": "As a sailor would."},
        ],
    });
    settings.memorize_config = serde_json::from_value(own).unwrap();
    settings.validate().unwrap();
    let service = service(&folder.path().join("memu.db"), settings).await;
    let done = memorize_parrot(&service).await.unwrap();
    let types: Vec<&str> = done
        .items
        .iter()
        .map(|one| one.memory_type.as_str())
        .collect();
    assert_eq!(types, ["event", "knowledge"]);
    let opinions = done
        .categories
        .iter()
        .find(|one| one.name == "opinions")
        .unwrap();
    assert_eq!(opinions.summary.as_deref(), Some("Ahoy, a parrot."));
    assert_eq!(chats(&server), 4);
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_not_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    // It never gets further than the answer to six messages.
    let server = FakeProvider::builder().chat(|asked: &Asked| {
        let whole = model(asked);
        match whole.match_indices("\"memory_type\"").nth(6) {
            Some((end, _)) => Answer::from(&whole[..end]).cut_off(),
            None => Answer::from(whole),
        }
    });
    let server = server.start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    let done = memorize(&service).await.unwrap();
    assert_eq!(done.items.len(), 100);
    let cited: HashSet<&str> = done
        .items
        .iter()
        .flat_map(|item| item.segment_ids.iter().map(Id::as_str))
        .collect();
    assert_eq!(cited.len(), 100);
}

#[tokio::test]
async fn a_decision_about_a_question_holds_for_that_question_alone() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model).start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    memorize(&service).await.unwrap();
    let mut asked = Vec::new();
    for _ in 0..2 {
        server.forget_requests();
        let request = RetrieveRequest::question("violin strings").matching("user_id", "nora");
        service.retrieve(request).await.unwrap();
        asked.push(chats(&server));
    }
    assert!(asked[0] > 0);
    assert_eq!(asked[0], asked[1]);
    let kept = replies(&service).await;
    assert!(kept.iter().all(|reply| reply.content_hash.is_some()));
    let stats = service.stats(&user("nora"), false).await.unwrap();
    let routes = stats
        .model_calls
        .iter()
        .find(|one| one.step == "route_intention");
    assert_eq!(routes.unwrap().calls, 2);
}

#[tokio::test]
async fn what_models_said_about_a_conversation_that_has_grown_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model).start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    memorize_parrot(&service).await.unwrap();
    let whole: serde_json::Value = serde_json::from_str(&conversation()).unwrap();
    let mut resource = None;
    for count in [10, 30] {
        let mut part = whole.clone();
        part["messages"].as_array_mut().unwrap().truncate(count);
        let part = part.to_string().into_bytes();
        let request = MemorizeRequest::content(part, "talk.json", Modality::Conversation);
        let done = service
            .memorize(request.user("user_id", "nora"))
            .await
            .unwrap();
        resource = Some(done.resource.meta.id);
    }
    let said = async || -> Vec<String> {
        let kept = replies(&service).await;
        kept.into_iter().map(|reply| reply.text).collect()
    };
    let quotes = |said: Vec<String>, text: &str| said.iter().any(|one| one.contains(text));
    assert!(quotes(said().await, "harbour"));
    let scope = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
    let mut batch = WriteBatch::new(scope, None);
    batch.writes.push(Write::DeleteResource(resource.unwrap()));
    service.store().commit(batch).await.unwrap();
    assert!(!quotes(said().await, "harbour"));
    assert!(quotes(said().await, "parrot"));
}

/// A provider that embeds refuses texts of more than some thousand tokens, and a model that chats
/// those beyond what it keeps in mind.
#[tokio::test]
async fn a_very_long_message_is_asked_about_in_pieces_and_embedded_by_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model).start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    let words: Vec<String> = (0..12_000).map(|number| format!("wörd{number}")).collect();
    let text = words.join(" ");
    let content = json!([{"role": "user", "content": text}]).to_string();
    let request =
        MemorizeRequest::content(content.into_bytes(), "long.json", Modality::Conversation);
    let done = service
        .memorize(request.user("user_id", "nora"))
        .await
        .unwrap();
    assert_eq!(done.resource.segment_count, 1);
    let requests = server.requests();
    let (embedded, asked): (Vec<_>, Vec<_>) =
        requests.iter().partition(|one| one.asked().is_embedding());
    let draws = |asked: &Asked| {
        asked.schema.as_ref().unwrap()["properties"]
            .get("caption")
            .is_some()
    };
    let asked = asked.iter().map(|one| one.asked()).filter(draws);
    let asked: Vec<String> = asked.map(|one| one.prompt).collect();
    assert!(asked.len() > 3);
    assert!(asked.iter().all(|one| one.chars().count() < 34_000));
    let all = asked.concat();
    for word in ["wörd0 ", "wörd6000 ", "wörd11999"] {
        assert!(all.contains(word), "{word}");
    }
    let longest = embedded.iter().flat_map(|one| {
        let texts = one.json()["input"].as_array().unwrap().clone();
        texts.into_iter().map(|text| text.as_str().unwrap().len())
    });
    assert!((10_000..=16_000).contains(&longest.max().unwrap()));
    // The message itself is stored whole.
    let scope = ScopeSchema::default().scope([("user_id", "nora")]).unwrap();
    let stored = service
        .store()
        .segments(&Query::scope(&scope))
        .await
        .unwrap();
    assert_eq!(stored.records[0].text, text);
}

#[tokio::test]
async fn absurd_counts_of_tokens_stop_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder()
        .chat(|asked: &Asked| Answer::from(model(asked)).tokens(u64::MAX / 2, u64::MAX / 2))
        .start();
    let service = service(&folder.path().join("memu.db"), settings(&server)).await;
    memorize(&service).await.unwrap();
    let stats = service.stats(&user("nora"), false).await.unwrap();
    assert!(
        stats
            .model_calls
            .iter()
            .any(|one| one.input_tokens > 1_000_000)
    );
}

#[tokio::test]
async fn where_the_provider_has_no_model_that_embeds_this_process_does() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeProvider::builder().chat(model).start();
    let profile = json!({
        "provider": "vllm",
        "base_url": format!("{}/v1", server.base_url()),
        "chat_model": "one",
    });
    let settings = memu::settings::Layers::new()
        .value(json!({"llm_profiles": {"default": profile}}))
        .settings()
        .unwrap();
    let service = service(&folder.path().join("memu.db"), settings).await;
    memorize(&service).await.unwrap();
    assert_eq!(embeddings(&server), 0);
}
