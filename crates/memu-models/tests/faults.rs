//! What goes wrong on the way: attempts, waits, limits, and what errors say.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop"
)]

mod support;

use std::time::Duration;

use futures_util::future::join_all;
use memu_core::provider::{ChatModel, Embedder};
use memu_core::{Error, ErrorKind};
use memu_models::Profile;
use memu_testkit::models::{FakeProvider, Fault};
use support::{KEY, asked, connect, connect_and_watch, profile, question};

/// A server with which the same thing always goes wrong.
fn failing(fault: &Fault) -> FakeProvider {
    let fault = fault.clone();
    FakeProvider::builder()
        .fault_when(move |_| Some(fault.clone()))
        .start()
}

/// A profile that waits no longer than it must to see the fault.
fn patient(fault: &Fault, server: &FakeProvider) -> Profile {
    let late = matches!(fault, Fault::Delay(_));
    Profile {
        timeout_s: if late { 0.5 } else { 60.0 },
        ..profile("openai", server)
    }
}

async fn error_of(fault: &Fault, server: &FakeProvider) -> Error {
    let client = connect(&patient(fault, server)).chat_model().unwrap();
    let error = client.chat(&question("Hello")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model, "{fault:?}");
    error
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_then_told() {
    let late = Fault::Delay(Duration::from_secs(30));
    for (fault, expected) in [
        (late, "127.0.0.1 did not answer within 0.5 s (profile: main"),
        (
            Fault::ResetBeforeHeaders,
            "the connection to 127.0.0.1 was lost before the reply was complete (profile: main",
        ),
        (
            Fault::ResetAfterHeaders,
            "the connection to 127.0.0.1 was lost before the reply was complete (profile: main",
        ),
        (Fault::Empty, "the provider's reply is empty (profile: main"),
        (Fault::status(408), "the provider answered 408 "),
        (
            Fault::status(429),
            "the provider answered 429 Too Many Requests (profile: main",
        ),
        (
            Fault::status(500),
            "the provider answered 500 Internal Server Error (",
        ),
        (Fault::status(502), "the provider answered 502 "),
        (Fault::status(503), "the provider answered 503 "),
        (Fault::status(504), "the provider answered 504 "),
        (Fault::status(529), "the provider answered 529 "),
    ] {
        let server = failing(&fault);
        let error = error_of(&fault, &server).await;
        let text = error.to_string();
        assert!(text.starts_with(expected), "{fault:?}: {text}");
        assert!(text.contains("model: openai/gpt-4o-mini"), "{text}");
        assert!(text.contains("attempts: 3"), "{text}");
        assert!(error.is_retryable(), "{text}");
        assert_eq!(server.request_count(), 3, "{fault:?}");
    }
}

#[tokio::test]
async fn what_will_not_pass_is_told_at_once() {
    let quota = Fault::status(429).saying(r#"{"error":{"code":"insufficient_quota"}}"#);
    let elsewhere = Fault::status(307).header("location", "/other");
    for fault in [400, 401, 403, 404, 413, 422]
        .map(Fault::status)
        .into_iter()
        .chain([quota, elsewhere])
    {
        let server = failing(&fault);
        let error = error_of(&fault, &server).await;
        assert!(error.to_string().contains("attempts: 1"), "{error}");
        assert!(!error.is_retryable(), "{error}");
        assert_eq!(server.request_count(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn an_error_has_the_status_and_the_beginning_of_what_was_said() {
    let page = "Bad  gateway\n".repeat(1000);
    let server = failing(&Fault::status(502).saying(&page));
    let error = error_of(&Fault::Empty, &server).await;
    let context: Vec<&str> = error.context().iter().map(|(key, _)| *key).collect();
    assert_eq!(context, ["profile", "model", "status", "attempts", "body"]);
    let body = &error.context()[4].1;
    assert!(body.starts_with("Bad gateway Bad gateway"), "{body}");
    assert!(body.ends_with('…') && body.chars().count() == 301, "{body}");
}

#[tokio::test]
async fn a_reply_that_cannot_be_read_is_kept() {
    for (fault, message) in [
        (Fault::Garbage, "the provider's reply is not JSON"),
        (Fault::Truncated, "the provider's reply breaks off"),
        (
            Fault::Body("{}".to_owned()),
            "the provider's reply has no choices",
        ),
    ] {
        let server = failing(&fault);
        let client = connect(&profile("openai", &server)).chat_model().unwrap();
        let raw = client.chat(&question("Hello")).await.unwrap();
        assert_eq!(raw.attempts, 1, "{fault:?}");
        let error = client.read(&raw).unwrap_err();
        assert_eq!(error.message(), message);
        assert!(error.to_string().contains("attempts: 1, body: "), "{error}");
        let error = asked(&client).await.unwrap_err();
        assert_eq!(error.message(), message);
        assert!(error.to_string().contains("replies: 3"), "{error}");
        assert_eq!(server.request_count(), 4, "{fault:?}");
    }
}

#[tokio::test]
async fn one_attempt_that_succeeds_is_enough() {
    for fault in [
        Fault::Delay(Duration::from_secs(30)),
        Fault::ResetBeforeHeaders,
        Fault::ResetAfterHeaders,
        Fault::Empty,
        Fault::Garbage,
        Fault::Truncated,
        Fault::status(500),
    ] {
        let server = FakeProvider::builder().faults([fault.clone()]).start();
        let client = connect(&patient(&fault, &server)).chat_model().unwrap();
        assert_eq!(asked(&client).await.unwrap(), "ok", "{fault:?}");
        assert_eq!(server.request_count(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_named() {
    let server = FakeProvider::start();
    let profile = profile("openai", &server);
    drop(server);
    let client = connect(&profile).chat_model().unwrap();
    let error = client.chat(&question("Hello")).await.unwrap_err();
    assert!(
        error.message().starts_with("127.0.0.1 cannot be reached"),
        "{error}"
    );
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_key_is_in_no_error_even_when_the_provider_repeats_it() {
    let quoted = format!("Incorrect API key: {KEY}, also sk-test-0****cdef; see /account");
    for status in [401, 500] {
        let server = failing(&Fault::status(status).saying(&quoted));
        let client = connect(&profile("openai", &server)).chat_model().unwrap();
        let error = client.chat(&question("Hello")).await.unwrap_err();
        for shown in [
            error.to_string(),
            format!("{error:?}"),
            error.to_json().to_string(),
        ] {
            assert!(
                !shown.contains("sk-test") && !shown.contains("cdef"),
                "{shown}"
            );
            assert!(
                shown.contains("Incorrect API key: ***, also ***; see /account"),
                "{shown}"
            );
        }
    }
    let server = failing(&Fault::Body(format!(r#"{{"echo":"{KEY}"}}"#)));
    let client = connect(&profile("openai", &server)).chat_model().unwrap();
    let raw = client.chat(&question("Hello")).await.unwrap();
    assert_eq!(&*raw.body, r#"{"echo":"***"}"#);
}

#[tokio::test]
async fn a_key_that_is_repeated_with_escapes_is_masked_whatever_the_status() {
    let key = "Ab3d/Ef6+Hi9kLm0/Vw7=";
    for echo in [
        key.replace('/', "\\/"),
        key.replace('+', "\\u002B").replace('/', "\\u002f"),
        key.replace('/', "%2F").replace('+', "%2B"),
        key.replace('/', "&#47;").replace('+', "&plus;"),
        "Ab3d/Ef6****/Vw7=".to_owned(),
    ] {
        let body = format!(r#"{{"error":{{"message":"Incorrect key {echo}","code":401}}}}"#);
        for fault in [Fault::Body(body.clone()), Fault::status(401).saying(&body)] {
            let server = failing(&fault);
            let profile = Profile {
                api_key: Some(memu_core::Secret::new(key)),
                dimension: Some(8),
                ..profile("openai", &server)
            };
            let connection = connect(&profile);
            let chat = connection.chat_model().unwrap();
            let asked = chat.chat(&question("Hello")).await;
            let told = asked.as_ref().map(|raw| raw.body.to_string()).ok();
            let read = asked.and_then(|raw| chat.read(&raw));
            let embedder = connection.embedder().await.unwrap();
            let error = embedder.embed(&["a"]).await.unwrap_err();
            for shown in [format!("{:?}", read.unwrap_err()), format!("{error:?}")] {
                assert!(shown.contains("Incorrect key ***"), "{shown}");
                assert!(!shown.contains("Ab3d") && !shown.contains("Vw7"), "{shown}");
            }
            if let Some(body) = told {
                let masked = r#"{"error":{"message":"Incorrect key ***","code":401}}"#;
                assert_eq!(body, masked, "{echo}");
            }
        }
    }
}

#[tokio::test]
async fn the_wait_that_a_provider_asks_for_is_kept_within_bounds() {
    for (value, expected) in [
        ("7", 7),
        ("0", 0),
        ("3600", 60),
        ("Sun, 06 Nov 1994 08:50:07 GMT", 30),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
    ] {
        let fault = Fault::status(429).retry_after(value);
        let server = FakeProvider::builder().faults([fault]).start();
        let (connection, pause) = connect_and_watch(&profile("openai", &server));
        let client = connection.chat_model().unwrap();
        client.chat(&question("Hello")).await.unwrap();
        assert_eq!(pause.asked(), [Duration::from_secs(expected)], "{value}");
    }
}

#[tokio::test]
async fn waits_double_with_a_random_part_and_have_an_end() {
    let server = failing(&Fault::status(500));
    let profile = Profile {
        max_retries: 10,
        ..profile("openai", &server)
    };
    let (connection, pause) = connect_and_watch(&profile);
    let client = connection.chat_model().unwrap();
    client.chat(&question("Hello")).await.unwrap_err();
    assert_eq!(server.request_count(), 11);
    let mut most = 0.5;
    for wait in pause.asked() {
        let wait = wait.as_secs_f64();
        assert!((most / 2.0..=most).contains(&wait), "{wait} of {most}");
        most = f64::min(most * 2.0, 20.0);
    }
    assert_eq!(pause.asked().len(), 10);
}

#[tokio::test]
async fn a_profile_without_retries_asks_once() {
    let server = failing(&Fault::status(500));
    let profile = Profile {
        max_retries: 0,
        ..profile("openai", &server)
    };
    let client = connect(&profile).chat_model().unwrap();
    client.chat(&question("Hello")).await.unwrap_err();
    assert_eq!(server.request_count(), 1);
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_the_profile_allows() {
    let server = FakeProvider::builder()
        .latency(Duration::from_millis(40))
        .start();
    let profile = Profile {
        max_concurrency: 3,
        embed_batch_size: 1,
        dimension: Some(8),
        ..profile("openai", &server)
    };
    let connection = connect(&profile);
    let chat = connection.chat_model().unwrap();
    let embedder = connection.embedder().await.unwrap();
    let request = question("Hello");
    let chats = join_all((0..9).map(|_| chat.chat(&request)));
    // Both halves of a profile share its limit.
    let (chats, vectors) = tokio::join!(chats, embedder.embed(&["a", "b", "c", "d", "e", "f"]));
    assert!(chats.iter().all(Result::is_ok) && vectors.is_ok());
    assert_eq!(server.request_count(), 15);
    assert_eq!(server.most_under_way(), 3);
}
