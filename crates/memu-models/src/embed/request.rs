//! What each provider is sent.

use memu_core::provider::Purpose;
use serde_json::{Value, json};

use crate::presets::EmbedWire;
use crate::wire::gemini::model_name;
use crate::wire::put;

/// Where requests go, below the base address.
pub(super) fn path(wire: EmbedWire, model: &str) -> String {
    match wire {
        EmbedWire::OpenAi | EmbedWire::Voyage | EmbedWire::Jina => "/embeddings".to_owned(),
        EmbedWire::Cohere => "/v2/embed".to_owned(),
        EmbedWire::Gemini => {
            format!("/v1beta/models/{}:batchEmbedContents", model_name(model))
        }
        EmbedWire::Ollama => "/api/embed".to_owned(),
    }
}

/// The body of a request; `dimension` when the model is to be asked for one.
pub(super) fn body(
    wire: EmbedWire,
    model: &str,
    texts: &[&str],
    purpose: Purpose,
    dimension: Option<u32>,
) -> Value {
    let mut body = match wire {
        EmbedWire::OpenAi | EmbedWire::Voyage | EmbedWire::Jina | EmbedWire::Ollama => {
            json!({"model": model, "input": texts})
        }
        EmbedWire::Cohere => cohere(model, texts),
        EmbedWire::Gemini => return gemini(model, texts, purpose, dimension),
    };
    if let Some((name, value)) = purpose_field(wire, model, purpose) {
        put(&mut body, name, value);
    }
    let name = match wire {
        EmbedWire::Voyage | EmbedWire::Cohere => "output_dimension",
        _ => "dimensions",
    };
    if let Some(dimension) = dimension {
        put(&mut body, name, dimension);
    }
    body
}

/// How a model is told what the vectors are for, where it makes a difference.
fn purpose_field(
    wire: EmbedWire,
    model: &str,
    purpose: Purpose,
) -> Option<(&'static str, &'static str)> {
    let (name, memory, question) = match wire {
        EmbedWire::OpenAi | EmbedWire::Ollama => return None,
        EmbedWire::Voyage => ("input_type", "document", "query"),
        EmbedWire::Jina if model.starts_with("jina-embeddings-v2") => return None,
        EmbedWire::Jina => ("task", "retrieval.passage", "retrieval.query"),
        EmbedWire::Cohere => ("input_type", "search_document", "search_query"),
        // Later ones refuse it.
        EmbedWire::Gemini if model_name(model) != "gemini-embedding-001" => return None,
        EmbedWire::Gemini => ("taskType", "RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY"),
    };
    Some(match purpose {
        Purpose::Memory => (name, memory),
        Purpose::Question => (name, question),
    })
}

fn cohere(model: &str, texts: &[&str]) -> Value {
    json!({
        "model": model,
        "texts": texts,
        "embedding_types": ["float"],
    })
}

fn gemini(model: &str, texts: &[&str], purpose: Purpose, dimension: Option<u32>) -> Value {
    let told = purpose_field(EmbedWire::Gemini, model, purpose);
    let model = format!("models/{}", model_name(model));
    let requests = texts.iter().map(|text| {
        let mut request = json!({"model": model, "content": {"parts": [{"text": text}]}});
        if let Some((name, value)) = told {
            put(&mut request, name, value);
        }
        if let Some(dimension) = dimension {
            put(&mut request, "outputDimensionality", dimension);
        }
        request
    });
    json!({"requests": requests.collect::<Vec<_>>()})
}
