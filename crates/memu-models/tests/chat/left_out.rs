//! What a model does not take, and what is done without it.

use super::*;

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
