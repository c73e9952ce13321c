//! Vectors of every provider: what is sent, what comes back, and what is refused.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop"
)]

mod support;

use memu_core::ErrorKind;
use memu_core::provider::{Embedder, EmbeddingModel, Purpose};
use memu_core::records::Embedding;
use memu_models::Profile;
use memu_testkit::models::{FakeProvider, Fault, vector_of};
use serde_json::json;
use support::{KEY, connect, profile};

/// One for each form, and Jina.
const PROVIDERS: [&str; 6] = ["openai", "voyage", "jina", "cohere", "gemini", "ollama"];

fn small(provider: &str, server: &FakeProvider) -> Profile {
    Profile {
        dimension: Some(8),
        ..profile(provider, server)
    }
}

fn floats(vectors: &[Option<Embedding>]) -> Vec<Option<Vec<f32>>> {
    let float = |vector: &Embedding| vector.as_slice().to_vec();
    vectors
        .iter()
        .map(|vector| vector.as_ref().map(float))
        .collect()
}

#[tokio::test]
async fn vectors_of_every_provider_come_in_the_order_of_their_texts() {
    for provider in PROVIDERS {
        let server = FakeProvider::start();
        let profile = Profile {
            embed_batch_size: 2,
            ..small(provider, &server)
        };
        let embedder = connect(&profile).embedder().await.unwrap();
        let texts = ["one", "", "two", "three", " \n", "four", "five"];
        let vectors = embedder.embed(&texts).await.unwrap();
        let expected = texts.map(|text| {
            let meant = !text.trim().is_empty();
            meant.then(|| vector_of(text, 8))
        });
        assert_eq!(floats(&vectors), expected, "{provider}");
        assert_eq!(server.request_count(), 3, "{provider}");
    }
}

#[tokio::test]
async fn each_provider_is_asked_in_its_own_form() {
    let gemini = |text| {
        json!({
            "model": "models/gemini-embedding-001",
            "content": {"parts": [{"text": text}]},
            "taskType": "RETRIEVAL_DOCUMENT",
            "outputDimensionality": 8,
        })
    };
    for (provider, path, key, body) in [
        (
            "openai",
            "/embeddings",
            ("authorization", format!("Bearer {KEY}")),
            json!({"model": "text-embedding-3-small", "input": ["a", "b"], "dimensions": 8}),
        ),
        (
            "voyage",
            "/embeddings",
            ("authorization", format!("Bearer {KEY}")),
            json!({
                "model": "voyage-4",
                "input": ["a", "b"],
                "input_type": "document",
                "output_dimension": 8,
            }),
        ),
        (
            "cohere",
            "/v2/embed",
            ("authorization", format!("Bearer {KEY}")),
            json!({
                "model": "embed-v4.0",
                "texts": ["a", "b"],
                "input_type": "search_document",
                "embedding_types": ["float"],
                "output_dimension": 8,
            }),
        ),
        (
            "gemini",
            "/v1beta/models/gemini-embedding-001:batchEmbedContents",
            ("x-goog-api-key", KEY.to_owned()),
            json!({"requests": [gemini("a"), gemini("b")]}),
        ),
        (
            "ollama",
            "/api/embed",
            ("authorization", format!("Bearer {KEY}")),
            json!({"model": "nomic-embed-text", "input": ["a", "b"]}),
        ),
    ] {
        let server = FakeProvider::start();
        let embedder = connect(&small(provider, &server)).embedder().await.unwrap();
        embedder.embed(&["a", "b"]).await.unwrap();
        let request = server.requests().pop().unwrap();
        assert_eq!(request.path, path);
        assert_eq!(request.header(key.0), Some(key.1.as_str()), "{provider}");
        assert_eq!(request.json(), body, "{provider}");
    }
}

#[tokio::test]
async fn questions_are_told_from_memories_where_the_provider_has_words_for_it() {
    for (provider, model, field, memory, question) in [
        ("voyage", "voyage-4", "/input_type", "document", "query"),
        (
            "jina",
            "jina-embeddings-v3",
            "/task",
            "retrieval.passage",
            "retrieval.query",
        ),
        (
            "cohere",
            "embed-v4.0",
            "/input_type",
            "search_document",
            "search_query",
        ),
        (
            "gemini",
            "gemini-embedding-001",
            "/requests/0/taskType",
            "RETRIEVAL_DOCUMENT",
            "RETRIEVAL_QUERY",
        ),
    ] {
        let server = FakeProvider::start();
        let profile = Profile {
            embed_model: Some(model.to_owned()),
            ..small(provider, &server)
        };
        let embedder = connect(&profile).embedder().await.unwrap();
        for (purpose, expected) in [(Purpose::Memory, memory), (Purpose::Question, question)] {
            embedder.ask(&["a"], purpose).await.unwrap();
            let request = server.requests().pop().unwrap().json();
            assert_eq!(request.pointer(field).unwrap(), expected, "{provider}");
        }
    }
    for (provider, model) in [
        ("openai", "text-embedding-3-small"),
        ("jina", "jina-embeddings-v2-base-en"),
        ("gemini", "gemini-embedding-2"),
        ("ollama", "nomic-embed-text"),
    ] {
        let server = FakeProvider::start();
        let profile = Profile {
            embed_model: Some(model.to_owned()),
            ..small(provider, &server)
        };
        let embedder = connect(&profile).embedder().await.unwrap();
        for purpose in [Purpose::Memory, Purpose::Question] {
            embedder.ask(&["a"], purpose).await.unwrap();
        }
        let [memory, question] = &server.requests()[..] else {
            panic!("two requests")
        };
        assert_eq!(memory.json(), question.json(), "{provider}");
    }
}

#[tokio::test]
async fn tokens_are_counted_where_the_provider_tells() {
    for (provider, tells) in [
        ("openai", true),
        ("voyage", true),
        ("jina", true),
        ("cohere", true),
        ("ollama", true),
        ("gemini", false),
    ] {
        let server = FakeProvider::start();
        let embedder = connect(&small(provider, &server)).embedder().await.unwrap();
        let reply = embedder.ask(&["a b c"], Purpose::Memory).await.unwrap();
        let read = embedder.read(&reply, 1).unwrap();
        assert_eq!(read.usage.input_tokens > 0, tells, "{provider}");
    }
}

#[tokio::test]
async fn the_dimension_is_known_or_configured_or_asked_for() {
    let server = FakeProvider::builder().dimension(24).start();
    let known = connect(&profile("openai", &server))
        .embedder()
        .await
        .unwrap();
    assert_eq!(
        known.identity().to_string(),
        "openai/text-embedding-3-small (1536 dimensions)"
    );
    assert_eq!(server.request_count(), 0);
    let unknown = Profile {
        embed_model: Some("my-model".to_owned()),
        ..profile("vllm", &server)
    };
    let connection = connect(&unknown);
    let embedder = connection.embedder().await.unwrap();
    assert_eq!(embedder.identity().dimension, 24);
    assert_eq!(connection.probe().await.unwrap(), 24);
    let request = server.requests().pop().unwrap();
    assert_eq!(
        request.json(),
        json!({"model": "my-model", "input": ["dimension"]})
    );
}

#[tokio::test]
async fn nothing_is_sent_for_texts_that_mean_nothing() {
    let server = FakeProvider::start();
    let embedder = connect(&small("openai", &server)).embedder().await.unwrap();
    assert!(embedder.embed(&[]).await.unwrap().is_empty());
    assert_eq!(
        floats(&embedder.embed(&["", " "]).await.unwrap()),
        [None, None]
    );
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn vectors_that_come_out_of_order_are_put_in_order() {
    let server = FakeProvider::builder().faults([Fault::OutOfOrder]).start();
    let embedder = connect(&small("openai", &server)).embedder().await.unwrap();
    let vectors = embedder.embed(&["a", "b", "c"]).await.unwrap();
    assert_eq!(
        floats(&vectors),
        ["a", "b", "c"].map(|text| Some(vector_of(text, 8)))
    );
}

#[tokio::test]
async fn unusable_vectors_are_asked_for_again_and_then_refused() {
    for provider in PROVIDERS {
        for (fault, expected) in [
            (
                Fault::WrongDimension,
                "an embedding has 7 dimensions where 8 are expected (text: 1 of 2, ",
            ),
            (
                Fault::NotANumber,
                "an embedding holds a value that is not a finite number (position: 0, text: 1 of 2, ",
            ),
            (Fault::Zeros, "an embedding is all zeros (text: 1 of 2, "),
            (
                Fault::MissingVector,
                "the provider sent 1 vectors for 2 texts (",
            ),
            (Fault::Empty, "the provider's reply is empty ("),
            (Fault::Garbage, "the provider's reply is not JSON ("),
            (Fault::Truncated, "the provider's reply breaks off ("),
        ] {
            let spoilt = fault.clone();
            let server = FakeProvider::builder()
                .fault_when(move |_| Some(spoilt.clone()))
                .start();
            let embedder = connect(&small(provider, &server)).embedder().await.unwrap();
            let error = embedder.embed(&["a", "b"]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Model);
            let text = error.to_string();
            assert!(text.starts_with(expected), "{provider}, {fault:?}: {text}");
            assert!(text.contains("profile: main, model: "), "{text}");
            // An empty reply is none; any other is asked for anew by whoever keeps them.
            let counted = if fault == Fault::Empty {
                "attempts: 3"
            } else {
                "replies: 3"
            };
            assert!(text.contains(counted), "{text}");
            assert_eq!(server.request_count(), 3, "{provider}, {fault:?}");
        }
    }
}

#[tokio::test]
async fn vectors_that_are_right_the_second_time_are_taken() {
    let server = FakeProvider::builder()
        .faults([Fault::NotANumber, Fault::WrongDimension])
        .start();
    let embedder = connect(&small("openai", &server)).embedder().await.unwrap();
    let vectors = embedder.embed(&["a"]).await.unwrap();
    assert_eq!(floats(&vectors), [Some(vector_of("a", 8))]);
    assert_eq!(server.request_count(), 3);
}

#[tokio::test]
async fn long_texts_and_strict_providers_get_smaller_batches() {
    let server = FakeProvider::start();
    let embedder = connect(&small("openai", &server)).embedder().await.unwrap();
    // Of each the first 16,000 bytes are sent, six of which fit into one call.
    let long = "wörd ".repeat(15_000);
    let texts = [long.as_str(); 8];
    let vectors = embedder.embed(&texts).await.unwrap();
    assert_eq!(vectors.len(), 8);
    assert_eq!(server.request_count(), 2);
    let sent = server
        .requests()
        .iter()
        .flat_map(|one| one.asked().texts)
        .collect::<Vec<_>>();
    assert_eq!(sent.len(), 8);
    assert!(
        sent.iter()
            .all(|one| (15_990..=16_000).contains(&one.len()) && long.starts_with(one))
    );
    let server = FakeProvider::start();
    let embedder = connect(&small("qwen", &server)).embedder().await.unwrap();
    embedder.embed(&["a"; 25]).await.unwrap();
    let mut sizes: Vec<usize> = server
        .requests()
        .iter()
        .map(|request| request.asked().texts.len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 10, 10]);
}

#[tokio::test]
async fn a_provider_that_does_not_embed_says_so() {
    let server = FakeProvider::start();
    let error = connect(&profile("anthropic", &server))
        .embedder()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("provider: anthropic"), "{error}");
}
