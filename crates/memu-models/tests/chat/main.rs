//! What every provider is asked for in its own form, and what is read from its replies.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop"
)]

mod forms;
mod left_out;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use memu_core::ErrorKind;
use memu_core::provider::{ChatMessage, ChatModel, FinishReason, Media, RawReply};
use memu_core::records::Role;
use memu_models::{ChatClient, Profile};
use memu_testkit::models::{Answer, FakeProvider, Fault};
use serde_json::{Value, json};
use support::{KEY, asked, connect, format, profile, question};

/// One for each form.
const PROVIDERS: [&str; 4] = ["openai", "anthropic", "gemini", "ollama"];

fn client(provider: &str, server: &FakeProvider) -> ChatClient {
    connect(&profile(provider, server)).chat_model().unwrap()
}

fn picture() -> Media {
    Media {
        bytes: Arc::from(*b"\x89PNG"),
        media_type: "image/png".to_owned(),
    }
}

fn recording() -> Media {
    Media {
        bytes: Arc::from(*b"RIFF--"),
        media_type: "audio/wav".to_owned(),
    }
}

/// What the server got, as JSON.
fn sent(server: &FakeProvider) -> Value {
    server.requests().pop().unwrap().json()
}

#[tokio::test]
async fn an_answer_is_read_with_its_cost_from_every_provider() {
    for provider in PROVIDERS {
        let server = FakeProvider::builder()
            .chat(|asked| {
                assert_eq!(asked.system, "Be brief.");
                Answer::from(format!("{}!", asked.prompt)).tokens(40, 5)
            })
            .start();
        let client = client(provider, &server);
        let raw = client.chat(&question("Hello")).await.unwrap();
        assert_eq!(raw.attempts, 1, "{provider}");
        let reply = client.read(&raw).unwrap();
        assert_eq!(reply.text, "Hello!", "{provider}");
        assert_eq!(reply.finish_reason, FinishReason::Stop, "{provider}");
        let usage = (reply.usage.input_tokens, reply.usage.output_tokens);
        assert_eq!(usage, (40, 5), "{provider}");
        assert_eq!(reply.usage.latency, raw.latency, "{provider}");
    }
}

#[tokio::test]
async fn every_ending_is_told_apart() {
    for provider in PROVIDERS {
        let server = FakeProvider::builder()
            .chat(|_| Answer::from("half").cut_off())
            .start();
        let client = client(provider, &server);
        let raw = client.chat(&question("Hello")).await.unwrap();
        let reply = client.read(&raw).unwrap();
        assert_eq!(reply.finish_reason, FinishReason::Length, "{provider}");
        reply.complete_text().unwrap_err();
    }
    for provider in ["openai", "gemini"] {
        let server = FakeProvider::builder()
            .chat(|_| Answer::from("half").withheld())
            .start();
        let client = client(provider, &server);
        let raw = client.chat(&question("Hello")).await.unwrap();
        let reply = client.read(&raw).unwrap();
        assert_eq!(
            reply.finish_reason,
            FinishReason::ContentFilter,
            "{provider}"
        );
    }
}

#[tokio::test]
async fn a_refusal_is_an_error_that_is_kept_and_not_asked_for_again() {
    for provider in ["openai", "anthropic", "gemini"] {
        let server = FakeProvider::builder()
            .chat(|_| Answer::refusal("SAFETY: I will not"))
            .start();
        let client = client(provider, &server);
        let raw = client.chat(&question("Hello")).await.unwrap();
        assert_eq!(server.request_count(), 1, "{provider}");
        let error = client.read(&raw).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Model);
        let message = error.message().to_owned();
        assert!(
            message.starts_with("the model refused to answer: SAFETY"),
            "{message}"
        );
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn an_error_inside_a_reply_is_reported_and_tried_again_when_it_may_pass() {
    let passing = r#"{"error":{"code":429,"message":"busy upstream"}}"#;
    let lasting = r#"{"error":{"code":400,"message":"no such model"}}"#;
    for (body, replies) in [(passing, 3), (lasting, 1)] {
        let server = FakeProvider::builder()
            .fault_when(move |_| Some(Fault::Body(body.to_owned())))
            .start();
        let client = client("openrouter", &server);
        let raw = client.chat(&question("Hello")).await.unwrap();
        assert_eq!((raw.attempts, &*raw.body), (1, body));
        let error = client.read(&raw).unwrap_err().to_string();
        assert!(
            error.starts_with("the provider reports an error: "),
            "{error}"
        );
        assert!(error.contains("profile: main"), "{error}");
        let error = asked(&client).await.unwrap_err();
        assert!(
            error.to_string().contains(&format!("replies: {replies}")),
            "{error}"
        );
        assert_eq!(server.request_count(), 1 + replies);
    }
}

#[tokio::test]
async fn thoughts_and_parts_do_not_get_into_the_answer() {
    let server = FakeProvider::start();
    let read = |provider, body: Value| {
        let raw = RawReply {
            body: body.to_string().into(),
            latency: Duration::ZERO,
            attempts: 1,
        };
        client(provider, &server).read(&raw).unwrap()
    };
    let gemini = json!({"candidates": [{"finishReason": "STOP", "content": {"parts": [
        {"text": "Hm.", "thought": true}, {"text": "Y"}, {"text": "es"},
    ]}}], "usageMetadata": {"candidatesTokenCount": 2, "thoughtsTokenCount": 7}});
    let reply = read("gemini", gemini);
    assert_eq!((reply.text.as_str(), reply.usage.output_tokens), ("Yes", 9));
    let mistral = json!({"choices": [{"finish_reason": "stop", "message": {"content": [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "Yes"},
    ]}}]});
    assert_eq!(read("mistral", mistral).text, "Yes");
    let anthropic = json!({"content": [
        {"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Yes"},
    ], "stop_reason": "end_turn", "usage": {"input_tokens": 1, "cache_read_input_tokens": 8}});
    let reply = read("anthropic", anthropic);
    assert_eq!((reply.text.as_str(), reply.usage.input_tokens), ("Yes", 9));
}

#[tokio::test]
async fn a_recording_is_sent_as_a_form_and_its_text_read() {
    let server = FakeProvider::builder().transcript("Good morning").start();
    let client = client("openai", &server);
    let raw = client.transcribe(&recording()).await.unwrap();
    let reply = client.read_transcript(&raw).unwrap();
    assert_eq!(reply.text, "Good morning");
    assert_eq!(
        (reply.usage.input_tokens, reply.usage.output_tokens),
        (12, 3)
    );
    let request = server.requests().pop().unwrap();
    assert_eq!(request.path, "/audio/transcriptions");
    assert_eq!(
        request.field("model").as_deref(),
        Some("gpt-4o-mini-transcribe")
    );
    assert_eq!(request.field("response_format").as_deref(), Some("json"));
    assert_eq!(request.field("file").as_deref(), Some("RIFF--"));
    let body = String::from_utf8_lossy(&request.body).into_owned();
    assert!(
        body.contains("filename=\"recording.wav\"\r\ncontent-type: audio/wav\r\n"),
        "{body}"
    );
}

#[tokio::test]
async fn gemini_hears_by_the_model_that_chats() {
    let server = FakeProvider::builder()
        .chat(|asked| {
            assert_eq!(asked.media, 1);
            "Good morning"
        })
        .start();
    let client = client("gemini", &server);
    let raw = client.transcribe(&recording()).await.unwrap();
    assert_eq!(client.read_transcript(&raw).unwrap().text, "Good morning");
    let inline = sent(&server)["contents"][0]["parts"][1]["inlineData"].clone();
    assert_eq!(inline, json!({"mimeType": "audio/wav", "data": "UklGRi0t"}));
}

#[tokio::test]
async fn what_a_provider_cannot_do_is_said_before_anything_is_sent() {
    let server = FakeProvider::start();
    let error = client("anthropic", &server)
        .transcribe(&recording())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let text = error.to_string();
    assert!(
        text.contains("hears recordings") && text.contains("profile: main"),
        "{text}"
    );
    let error = connect(&profile("voyage", &server))
        .chat_model()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let error = connect(&profile("vllm", &server)).chat_model().unwrap_err();
    assert_eq!(
        error.to_string(),
        "llm_profiles.main names no chat_model, and the provider \"vllm\" has no model that is \
         always there"
    );
    assert_eq!(server.request_count(), 0);
}
