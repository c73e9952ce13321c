use serde_json::{Value, json};

use super::asked::Language;
use super::{Asked, Fault};

/// What is answered, before it is put into the language of the request.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    text: String,
    ending: Ending,
    tokens: (u64, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Done,
    CutOff,
    Withheld,
    Refused,
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self {
            text,
            ending: Ending::Done,
            tokens: (12, 3),
        }
    }
}

impl From<&str> for Answer {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        value.to_string().into()
    }
}

impl Answer {
    /// The same, ended by the token limit.
    #[must_use]
    pub fn cut_off(mut self) -> Self {
        self.ending = Ending::CutOff;
        self
    }

    /// The same, ended by the provider's filter.
    #[must_use]
    pub fn withheld(mut self) -> Self {
        self.ending = Ending::Withheld;
        self
    }

    /// The model refuses in these words, in the way that its language has for it.
    pub fn refusal(text: &str) -> Self {
        Self {
            ending: Ending::Refused,
            ..Self::from(text)
        }
    }

    /// The same, at this price: tokens read, tokens written. Default: 12 and 3.
    #[must_use]
    pub fn tokens(mut self, input: u64, output: u64) -> Self {
        self.tokens = (input, output);
        self
    }

    /// The body that a provider would send.
    pub(super) fn body(&self, asked: &Asked) -> Value {
        match asked.language {
            Some(Language::Anthropic) => self.anthropic(asked),
            Some(Language::Gemini) => self.gemini(),
            Some(Language::Ollama) => self.ollama(asked),
            _ => self.openai(asked),
        }
    }

    fn openai(&self, asked: &Asked) -> Value {
        let text = Value::from(self.text.as_str());
        let (content, refusal) = if self.ending == Ending::Refused {
            (Value::Null, text)
        } else {
            (text, Value::Null)
        };
        let finish = match self.ending {
            Ending::Done | Ending::Refused => "stop",
            Ending::CutOff => "length",
            Ending::Withheld => "content_filter",
        };
        let message = json!({"role": "assistant", "content": content, "refusal": refusal});
        let (input, output) = self.tokens;
        json!({
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": asked.model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {
                "prompt_tokens": input,
                "completion_tokens": output,
                "total_tokens": input + output,
            },
        })
    }

    fn anthropic(&self, asked: &Asked) -> Value {
        let parsed = serde_json::from_str::<Value>(&self.text).ok();
        let block = match parsed {
            Some(input) if asked.tool => {
                json!({"type": "tool_use", "id": "toolu_1", "name": "reply", "input": input})
            }
            _ => json!({"type": "text", "text": self.text}),
        };
        let stop = match self.ending {
            Ending::Done if block.get("input").is_some() => "tool_use",
            Ending::Done => "end_turn",
            Ending::CutOff => "max_tokens",
            Ending::Withheld | Ending::Refused => "refusal",
        };
        let (input, output) = self.tokens;
        json!({
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": asked.model,
            "content": [block],
            "stop_reason": stop,
            "usage": {"input_tokens": input, "output_tokens": output},
        })
    }

    fn gemini(&self) -> Value {
        let (input, output) = self.tokens;
        let usage = json!({"promptTokenCount": input, "candidatesTokenCount": output});
        let finish = match self.ending {
            Ending::Done => "STOP",
            Ending::CutOff => "MAX_TOKENS",
            Ending::Withheld => "SAFETY",
            Ending::Refused => {
                let why = json!({"blockReason": "SAFETY"});
                return json!({"promptFeedback": why, "usageMetadata": usage});
            }
        };
        let content = json!({"role": "model", "parts": [{"text": self.text}]});
        json!({
            "candidates": [{"content": content, "finishReason": finish, "index": 0}],
            "usageMetadata": usage,
        })
    }

    fn ollama(&self, asked: &Asked) -> Value {
        let (input, output) = self.tokens;
        let reason = match self.ending {
            Ending::CutOff => "length",
            _ => "stop",
        };
        json!({
            "model": asked.model,
            "message": {"role": "assistant", "content": self.text},
            "done": true,
            "done_reason": reason,
            "prompt_eval_count": input,
            "eval_count": output,
        })
    }
}

/// The body of an answer with vectors.
pub(super) fn embeddings(
    language: Language,
    mut vectors: Vec<Vec<f32>>,
    fault: Option<&Fault>,
) -> Value {
    if let Some(fault) = fault {
        fault.spoil(&mut vectors);
    }
    match language {
        Language::GeminiEmbeddings => {
            let vectors = vectors.iter().map(|values| json!({"values": values}));
            json!({"embeddings": vectors.collect::<Vec<_>>()})
        }
        Language::OllamaEmbeddings => json!({"embeddings": vectors, "prompt_eval_count": 1}),
        Language::CohereEmbeddings => json!({
            "id": "1",
            "embeddings": {"float": vectors},
            "meta": {"billed_units": {"input_tokens": 1}},
        }),
        _ => {
            let vectors = vectors.iter().enumerate();
            let vectors = vectors.map(|(index, vector)| {
                json!({"object": "embedding", "index": index, "embedding": vector})
            });
            let mut data: Vec<Value> = vectors.collect();
            if fault == Some(&Fault::OutOfOrder) {
                data.reverse();
            }
            json!({"object": "list", "data": data, "usage": {"prompt_tokens": 1}})
        }
    }
}
