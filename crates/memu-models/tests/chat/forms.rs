//! What each provider is asked for in its own form.

use super::*;

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
