//! The neural embedder computes what the reference computes, on the real weights.

#![cfg(feature = "minilm")]
// Clippy's allowances for tests do not reach the helper functions of test binaries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::path::Path;
use std::sync::Arc;

use memu_core::ErrorKind;
use memu_core::conformance::block_on;
use memu_core::environment::InlineExecutor;
use memu_core::provider::Embedder;
use memu_local::MiniLm;
use memu_testkit::skip_unless_set;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    texts: Vec<Text>,
}

#[derive(Deserialize)]
struct Text {
    text: String,
    vector: Vec<f32>,
}

fn model(test: &str) -> Option<MiniLm> {
    let folder = skip_unless_set("MEMU_MINILM_DIR", test)?;
    Some(MiniLm::open(Path::new(&folder), Arc::new(InlineExecutor)).unwrap())
}

#[test]
fn vectors_agree_with_the_reference() {
    let Some(model) = model("minilm::vectors_agree_with_the_reference") else {
        return;
    };
    let reference: Reference = serde_json::from_str(include_str!("data/minilm.json")).unwrap();
    let texts: Vec<&str> = reference
        .texts
        .iter()
        .map(|one| one.text.as_str())
        .collect();
    // One by one and all at once: batches make no difference.
    let together = block_on(model.embed(&texts)).unwrap();
    for (one, together) in reference.texts.iter().zip(together) {
        let alone = block_on(model.embed(&[&one.text]))
            .unwrap()
            .remove(0)
            .unwrap();
        for vector in [alone, together.unwrap()] {
            assert_eq!(vector.as_slice().len(), 384);
            let pairs = vector.as_slice().iter().zip(&one.vector);
            let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0_f32, f32::max);
            assert!(worst < 1e-3, "{}: {worst}", one.text);
        }
    }
}

#[test]
fn a_text_without_words_has_no_vector_and_a_long_one_is_cut() {
    let Some(model) = model("minilm::a_text_without_words_has_no_vector") else {
        return;
    };
    let long = "ferry ".repeat(400);
    let longer = "ferry ".repeat(900);
    let vectors = block_on(model.embed(&["", " \n", &long, &longer])).unwrap();
    assert!(vectors[0].is_none() && vectors[1].is_none());
    assert_eq!(vectors[2], vectors[3]);
}

#[test]
fn a_folder_without_the_model_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = MiniLm::open(folder.path(), Arc::new(InlineExecutor)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("config.json"), "{error}");
    let config = r#"{"vocab_size": 30522, "hidden_size": 384, "num_hidden_layers": 6,
        "num_attention_heads": 12, "layer_norm_eps": 1e-12, "hidden_act": "gelu"}"#;
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    std::fs::write(folder.path().join("model.safetensors"), b"no weights").unwrap();
    let error = MiniLm::open(folder.path(), Arc::new(InlineExecutor)).unwrap_err();
    assert!(
        error.message().contains("model.safetensors is damaged"),
        "{error}"
    );
}
