//! What each provider sends back.

use memu_core::provider::Usage;
use memu_core::{Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::presets::EmbedWire;
use crate::wire;

/// A number, or `null` where there should be one.
type Number = Option<f32>;

#[derive(Deserialize)]
struct Numbered {
    data: Vec<NumberedVector>,
}

#[derive(Deserialize)]
struct NumberedVector {
    index: Option<usize>,
    embedding: Vec<Number>,
}

#[derive(Deserialize)]
struct Listed<T> {
    embeddings: T,
}

#[derive(Deserialize)]
struct Floats {
    float: Vec<Vec<Number>>,
}

#[derive(Deserialize)]
struct Values {
    values: Vec<Number>,
}

/// Where providers count tokens: Ollama and Cohere at places of their own, Gemini not at all.
#[derive(Deserialize)]
struct Counted {
    usage: Option<Tokens>,
    meta: Option<Meta>,
    prompt_eval_count: Option<u64>,
}

#[derive(Deserialize)]
struct Tokens {
    prompt_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Meta {
    billed_units: Option<BilledUnits>,
}

#[derive(Deserialize)]
struct BilledUnits {
    input_tokens: Option<f64>,
}

impl Counted {
    fn usage(self) -> Usage {
        let tokens = self
            .usage
            .and_then(|one| one.prompt_tokens.or(one.total_tokens));
        let billed = self.meta.and_then(|meta| meta.billed_units?.input_tokens);
        let tokens = tokens
            .or(self.prompt_eval_count)
            .or(billed.map(|tokens| tokens as u64));
        Usage {
            input_tokens: tokens.unwrap_or_default().min(wire::MOST_TOKENS),
            ..Usage::default()
        }
    }
}

/// The tokens that a reply took which is otherwise of no use, as far as it says so.
pub(super) fn usage(body: &str) -> Usage {
    parse::<Counted>(body).map_or_else(|_| Usage::default(), Counted::usage)
}

/// The vectors of a reply, in the order of the texts, and the tokens that they took. What is not
/// a number is `NaN`.
///
/// # Errors
/// [`ErrorKind::Model`](memu_core::ErrorKind::Model), retryable, when it is not what this
/// provider answers to so many texts.
pub(super) fn read(wire: EmbedWire, body: &str, texts: usize) -> Result<(Vec<Vec<f32>>, Usage)> {
    let vectors = match wire {
        EmbedWire::OpenAi | EmbedWire::Voyage | EmbedWire::Jina => {
            in_order(parse::<Numbered>(body)?.data)?
        }
        EmbedWire::Cohere => parse::<Listed<Floats>>(body)?.embeddings.float,
        EmbedWire::Ollama => parse::<Listed<Vec<Vec<Number>>>>(body)?.embeddings,
        EmbedWire::Gemini => {
            let listed = parse::<Listed<Vec<Values>>>(body)?.embeddings;
            listed.into_iter().map(|vector| vector.values).collect()
        }
    };
    if vectors.len() != texts {
        return Err(unusable(format!(
            "the provider sent {} vectors for {texts} texts",
            vectors.len()
        )));
    }
    let floats = |vector: Vec<Number>| {
        let numbers = vector.into_iter().map(|number| number.unwrap_or(f32::NAN));
        numbers.collect()
    };
    let vectors = vectors.into_iter().map(floats).collect();
    Ok((vectors, parse::<Counted>(body)?.usage()))
}

fn unusable(message: String) -> Error {
    Error::model(message).retryable(true)
}

/// Reads a reply. Servers written in Python may write `NaN`, which is no JSON.
fn parse<T: DeserializeOwned>(body: &str) -> Result<T> {
    let broken = match serde_json::from_str(body) {
        Ok(parsed) => return Ok(parsed),
        Err(broken) => broken,
    };
    let numbers = ["-Infinity", "Infinity", "NaN"];
    if numbers.iter().any(|number| body.contains(number)) {
        let clean = numbers
            .iter()
            .fold(body.to_owned(), |body, number| body.replace(number, "null"));
        if let Ok(parsed) = serde_json::from_str(&clean) {
            return Ok(parsed);
        }
    }
    // Empty, cut off, no JSON, or an error in the place of an answer.
    wire::parse(body)?;
    Err(unusable("the provider's reply holds no vectors".to_owned()).caused_by(broken))
}

/// Vectors in the order of their numbers, where they have some.
fn in_order(mut vectors: Vec<NumberedVector>) -> Result<Vec<Vec<Number>>> {
    if vectors.iter().all(|vector| vector.index.is_some()) {
        vectors.sort_by_key(|vector| vector.index);
        let mut numbers = vectors.iter().enumerate();
        if let Some((place, vector)) = numbers.find(|(place, vector)| vector.index != Some(*place))
        {
            return Err(unusable(format!(
                "the provider numbered its vectors wrongly: {} where {place} is expected",
                vector.index.unwrap_or_default()
            )));
        }
    }
    Ok(vectors.into_iter().map(|vector| vector.embedding).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(body: &str) -> String {
        let error = read(EmbedWire::OpenAi, body, 2).unwrap_err();
        error.message().to_owned()
    }

    #[test]
    fn numbers_decide_the_order_and_their_absence_keeps_it() {
        let numbered = r#"{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}]}"#;
        let plain = r#"{"data":[{"embedding":[1]},{"embedding":[2]}]}"#;
        for body in [numbered, plain] {
            let (vectors, _) = read(EmbedWire::OpenAi, body, 2).unwrap();
            assert_eq!(vectors, [[1.0], [2.0]]);
        }
    }

    #[test]
    fn each_unusable_reply_is_named() {
        let twice = r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#;
        assert_eq!(
            failure(twice),
            "the provider numbered its vectors wrongly: 0 where 1 is expected"
        );
        let short = r#"{"data":[{"index":0,"embedding":[1]}]}"#;
        assert_eq!(failure(short), "the provider sent 1 vectors for 2 texts");
        assert_eq!(
            failure(r#"{"vectors":[]}"#),
            "the provider's reply holds no vectors"
        );
        assert_eq!(failure("<html>"), "the provider's reply is not JSON");
        assert_eq!(
            failure(r#"{"data":[{"ind"#),
            "the provider's reply breaks off"
        );
        assert_eq!(failure(""), "the provider's reply is empty");
        assert_eq!(
            failure(r#"{"error":{"message":"too long"}}"#),
            "the provider reports an error: too long"
        );
    }

    #[test]
    fn what_is_not_a_number_is_kept_as_such_and_not_taken_for_zero() {
        let body = r#"{"embeddings":[[NaN,1.0],[null,-Infinity]]}"#;
        let (vectors, _) = read(EmbedWire::Ollama, body, 2).unwrap();
        let finite: Vec<bool> = vectors
            .concat()
            .iter()
            .map(|value| value.is_finite())
            .collect();
        assert_eq!(finite, [false, true, false, false]);
    }
}
