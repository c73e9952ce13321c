//! What each provider is sent.

use serde_json::{Value, json};

use crate::presets::EmbedWire;
use crate::wire::gemini::model_name;
use crate::wire::put;

/// Where requests go, below the base address.
pub(super) fn path(wire: EmbedWire, model: &str) -> String {
    match wire {
        EmbedWire::OpenAi | EmbedWire::Voyage => "/embeddings".to_owned(),
        EmbedWire::Cohere => "/v2/embed".to_owned(),
        EmbedWire::Gemini => {
            format!("/v1beta/models/{}:batchEmbedContents", model_name(model))
        }
        EmbedWire::Ollama => "/api/embed".to_owned(),
    }
}

/// The body of a request; `dimension` when the model is to be asked for one.
pub(super) fn body(wire: EmbedWire, model: &str, texts: &[&str], dimension: Option<u32>) -> Value {
    let mut body = match wire {
        EmbedWire::OpenAi | EmbedWire::Voyage | EmbedWire::Ollama => {
            json!({"model": model, "input": texts})
        }
        EmbedWire::Cohere => cohere(model, texts),
        EmbedWire::Gemini => return gemini(model, texts, dimension),
    };
    let name = match wire {
        EmbedWire::Voyage | EmbedWire::Cohere => "output_dimension",
        _ => "dimensions",
    };
    if let Some(dimension) = dimension {
        put(&mut body, name, dimension);
    }
    body
}

fn cohere(model: &str, texts: &[&str]) -> Value {
    json!({
        "model": model,
        "texts": texts,
        // Memories and questions are not told apart here: one kind for both.
        "input_type": "search_document",
        "embedding_types": ["float"],
    })
}

fn gemini(model: &str, texts: &[&str], dimension: Option<u32>) -> Value {
    let model = format!("models/{}", model_name(model));
    let requests = texts.iter().map(|text| {
        let mut request = json!({"model": model, "content": {"parts": [{"text": text}]}});
        if let Some(dimension) = dimension {
            put(&mut request, "outputDimensionality", dimension);
        }
        request
    });
    json!({"requests": requests.collect::<Vec<_>>()})
}
