//! What every provider is asked for in its own form, and what is read from its replies.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop"
)]

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
async fn openai_is_asked_as_it_wants_it() {
    let server = FakeProvider::start();
    let client = client("openai", &server);
    let mut request = question("Hello");
    request
        .messages
        .push(ChatMessage::new(Role::Assistant, "Hi"));
    let mut last = ChatMessage::new(Role::User, "What is this?");
    last.images.push(picture());
    request.messages.push(last);
    request.format = Some(format());
    request.temperature = Some(0.2);
    request.max_tokens = Some(100);
    client.chat(&request).await.unwrap();
    assert_eq!(client.name(), "openai/gpt-4o-mini");
    let requests = server.requests();
    assert_eq!(requests[0].path, "/chat/completions");
    assert_eq!(requests[0].method, "POST");
    let bearer = format!("Bearer {KEY}");
    assert_eq!(requests[0].header("authorization"), Some(bearer.as_str()));
    let picture =
        json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}});
    assert_eq!(
        requests[0].json(),
        json!({
            "model": "gpt-4o-mini",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Hi"},
                {"role": "user", "content": [{"type": "text", "text": "What is this?"}, picture]},
            ],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "facts", "strict": true, "schema": format().schema},
            },
            "temperature": 0.2,
            "max_completion_tokens": 100,
        })
    );
}

#[tokio::test]
async fn anthropic_is_asked_as_it_wants_it() {
    let server = FakeProvider::builder()
        .chat(|_| json!({"facts": ["a"]}))
        .start();
    let client = client("anthropic", &server);
    let mut request = question("Hello");
    request.messages[1].images.push(picture());
    request.format = Some(format());
    request.temperature = Some(1.5);
    let raw = client.chat(&request).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].path, "/v1/messages");
    assert_eq!(requests[0].header("x-api-key"), Some(KEY));
    assert_eq!(requests[0].header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(requests[0].header("authorization"), None);
    let source = json!({"type": "base64", "media_type": "image/png", "data": "iVBORw=="});
    assert_eq!(
        requests[0].json(),
        json!({
            "model": "claude-haiku-4-5",
            "max_tokens": 8192,
            "messages": [{"role": "user", "content": [
                {"type": "image", "source": source},
                {"type": "text", "text": "Hello"},
            ]}],
            "system": "Be brief.",
            "temperature": 1.0,
            "output_config": {"format": {"type": "json_schema", "schema": format().schema}},
        })
    );
    let reply = client.read(&raw).unwrap();
    assert_eq!(reply.text, r#"{"facts":["a"]}"#);
    assert_eq!(reply.finish_reason, FinishReason::Stop);
}

#[tokio::test]
async fn gemini_is_asked_as_it_wants_it() {
    let server = FakeProvider::start();
    let client = client("gemini", &server);
    let mut request = question("Hello");
    request.messages[1].images.push(picture());
    request.format = Some(format());
    request.max_tokens = Some(100);
    client.chat(&request).await.unwrap();
    let requests = server.requests();
    assert_eq!(
        requests[0].path,
        "/v1beta/models/gemini-3.5-flash-lite:generateContent"
    );
    assert_eq!(requests[0].header("x-goog-api-key"), Some(KEY));
    assert_eq!(
        requests[0].json(),
        json!({
            "contents": [{"role": "user", "parts": [
                {"text": "Hello"},
                {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}},
            ]}],
            "generationConfig": {
                "maxOutputTokens": 100,
                "responseMimeType": "application/json",
                "responseJsonSchema": format().schema,
            },
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
        })
    );
}

#[tokio::test]
async fn ollama_is_asked_as_it_wants_it() {
    let server = FakeProvider::start();
    let profile = Profile {
        context_tokens: Some(16_384),
        temperature: Some(0.0),
        ..profile("ollama", &server)
    };
    let client = connect(&profile).chat_model().unwrap();
    let mut request = question("Hello");
    request.messages[1].images.push(picture());
    request.format = Some(format());
    request.temperature = Some(0.7);
    request.max_tokens = Some(100);
    client.chat(&request).await.unwrap();
    assert_eq!(server.requests()[0].path, "/api/chat");
    assert_eq!(
        sent(&server),
        json!({
            "model": "gemma3:4b",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hello", "images": ["iVBORw=="]},
            ],
            "stream": false,
            "options": {"temperature": 0.0, "num_predict": 100, "num_ctx": 16384},
            "format": format().schema,
        })
    );
}

#[tokio::test]
async fn ollama_is_told_how_much_to_keep_in_mind_when_that_is_much() {
    let server = FakeProvider::start();
    let client = client("ollama", &server);
    client.chat(&question("Hello")).await.unwrap();
    assert_eq!(sent(&server)["options"], json!({}));
    client.chat(&question(&"word ".repeat(6000))).await.unwrap();
    assert_eq!(sent(&server)["options"], json!({"num_ctx": 16384}));
}

#[tokio::test]
async fn a_provider_without_schemas_is_told_the_schema() {
    let server = FakeProvider::start();
    let client = client("deepseek", &server);
    let mut request = question("Hello");
    request.format = Some(format());
    request.max_tokens = Some(9);
    client.chat(&request).await.unwrap();
    let body = sent(&server);
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    assert_eq!(body["max_tokens"], 9);
    let system = body["messages"][0]["content"].as_str().unwrap();
    assert!(
        system.starts_with("Be brief.\n\nAnswer with one JSON object"),
        "{system}"
    );
    assert!(system.ends_with(&format().schema.to_string()), "{system}");
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
async fn what_a_model_does_not_take_is_left_out_from_then_on() {
    let server = FakeProvider::builder()
        .fault_when(|request| {
            let body = request.json();
            let refused = ["temperature", "response_format", "max_completion_tokens"];
            let refused = refused.iter().find(|name| body.get(*name).is_some())?;
            Some(Fault::status(400).saying(&format!("{refused} is not supported")))
        })
        .start();
    let client = client("openai", &server);
    let mut request = question("Hello");
    request.format = Some(format());
    request.temperature = Some(0.2);
    request.max_tokens = Some(100);
    let raw = client.chat(&request).await.unwrap();
    assert_eq!(raw.attempts, 5);
    let body = sent(&server);
    assert_eq!(body["max_tokens"], 100);
    assert!(
        body["messages"][0]["content"]
            .as_str()
            .unwrap()
            .contains("JSON schema")
    );
    assert_eq!(client.chat(&request).await.unwrap().attempts, 1);
}

#[tokio::test]
async fn an_older_claude_gives_an_answer_in_form_as_the_input_of_a_tool() {
    let server = FakeProvider::builder()
        .chat(|_| json!({"facts": ["a"]}))
        .fault_when(|request| {
            let config = request.json().get("output_config").is_some();
            let refusal = "output_config: Extra inputs are not permitted";
            config.then(|| Fault::status(400).saying(refusal))
        })
        .start();
    let client = client("anthropic", &server);
    let mut request = question("Hello");
    request.format = Some(format());
    let raw = client.chat(&request).await.unwrap();
    let reply = client.read(&raw).unwrap();
    assert_eq!(reply.text, r#"{"facts":["a"]}"#);
    assert_eq!(reply.finish_reason, FinishReason::Stop);
    let body = sent(&server);
    assert_eq!(
        body["tool_choice"],
        json!({"type": "tool", "name": "facts"})
    );
    assert_eq!(body["tools"][0]["input_schema"], format().schema);
    assert_eq!(body["system"], "Be brief.");
}

#[tokio::test]
async fn a_form_that_nobody_takes_is_explained_in_the_end() {
    for provider in PROVIDERS {
        let server = FakeProvider::builder()
            .fault_when(|request| {
                let sent = request.json().to_string();
                let signs = [
                    "output_config",
                    "tool_choice",
                    "response_format",
                    "\"format\"",
                    "responseMimeType",
                ];
                let refused = signs.iter().any(|sign| sent.contains(sign));
                refused.then(|| Fault::status(400).saying("json_schema is not supported"))
            })
            .start();
        let client = client(provider, &server);
        let mut request = question("Hello");
        request.format = Some(format());
        assert_eq!(
            client.chat(&request).await.unwrap().attempts,
            3,
            "{provider}"
        );
        let asked = server.requests().pop().unwrap().asked();
        assert!(
            asked.system.contains("follows this JSON schema"),
            "{provider}"
        );
    }
}

#[tokio::test]
async fn calls_at_the_same_time_all_learn_what_a_model_does_not_take() {
    let server = FakeProvider::builder()
        .latency(Duration::from_millis(20))
        .fault_when(|request| {
            let refused = request.json().get("temperature").is_some();
            refused.then(|| Fault::status(400).saying("`temperature` is deprecated"))
        })
        .start();
    let client = client("anthropic", &server);
    let mut request = question("Hello");
    request.temperature = Some(0.2);
    for reply in join_all((0..5).map(|_| client.chat(&request))).await {
        assert_eq!(reply.unwrap().attempts, 2);
    }
}

#[tokio::test]
async fn a_limit_that_is_too_large_is_no_unknown_limit() {
    let too_large = Fault::status(400).saying("max_completion_tokens is too large: 9. At most 8");
    let server = FakeProvider::builder().faults([too_large]).start();
    let client = client("openai", &server);
    let mut request = question("Hello");
    request.max_tokens = Some(9);
    client.chat(&request).await.unwrap_err();
    request.max_tokens = Some(8);
    client.chat(&request).await.unwrap();
    assert_eq!(sent(&server)["max_completion_tokens"], 8);
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
