use serde_json::Value;

use super::Recorded;

/// The language of a request, told by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `…/chat/completions`
    OpenAiChat,
    /// `…/audio/transcriptions`
    OpenAiTranscription,
    /// `…/embeddings`: OpenAI, Voyage, Jina
    OpenAiEmbeddings,
    /// `…/messages`
    Anthropic,
    /// `…:generateContent`
    Gemini,
    /// `…:batchEmbedContents`
    GeminiEmbeddings,
    /// `…/api/chat`
    Ollama,
    /// `…/api/embed`
    OllamaEmbeddings,
    /// `…/embed`
    CohereEmbeddings,
}

impl Language {
    const ENDINGS: [(&'static str, Self); 9] = [
        ("/chat/completions", Self::OpenAiChat),
        ("/audio/transcriptions", Self::OpenAiTranscription),
        ("/embeddings", Self::OpenAiEmbeddings),
        ("/messages", Self::Anthropic),
        (":generateContent", Self::Gemini),
        (":batchEmbedContents", Self::GeminiEmbeddings),
        ("/api/chat", Self::Ollama),
        ("/api/embed", Self::OllamaEmbeddings),
        ("/embed", Self::CohereEmbeddings),
    ];

    fn of(path: &str) -> Option<Self> {
        let path = path.split('?').next().unwrap_or(path);
        let mut endings = Self::ENDINGS.iter();
        endings
            .find(|(ending, _)| path.ends_with(ending))
            .map(|(_, language)| *language)
    }
}

/// What a request asks for, in whatever language it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The language; `None` for a path that no provider has.
    pub language: Option<Language>,
    /// The model.
    pub model: String,
    /// The instructions.
    pub system: String,
    /// What all others said, one message a line.
    pub prompt: String,
    /// How many pictures or recordings there are.
    pub media: usize,
    /// The schema that the answer must follow.
    pub schema: Option<Value>,
    /// What is to be embedded.
    pub texts: Vec<String>,
    /// Whether the answer is to be the input of a tool.
    pub tool: bool,
    /// How many numbers a vector shall have.
    pub dimension: Option<usize>,
}

impl Asked {
    pub(super) fn new(request: &Recorded) -> Self {
        let body = request.json();
        let language = Language::of(&request.path);
        Self {
            language,
            model: model(request, &body),
            system: system(&body),
            prompt: prompt(&body),
            media: count_media(&body),
            schema: schema(&body),
            texts: texts(&body),
            tool: body.get("tool_choice").is_some(),
            dimension: dimension(&body),
        }
    }

    /// Whether it is to be embedded.
    pub fn is_embedding(&self) -> bool {
        matches!(
            self.language,
            Some(
                Language::OpenAiEmbeddings
                    | Language::GeminiEmbeddings
                    | Language::OllamaEmbeddings
                    | Language::CohereEmbeddings
            )
        )
    }
}

/// The elements of an array; none of anything else.
fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn model(request: &Recorded, body: &Value) -> String {
    let in_path = || {
        let (_, rest) = request.path.rsplit_once("models/")?;
        Some(rest.split(':').next().unwrap_or(rest).to_owned())
    };
    let in_body = body.get("model").and_then(Value::as_str);
    let in_form = || request.field("model");
    in_body
        .map(str::to_owned)
        .or_else(in_path)
        .or_else(in_form)
        .unwrap_or_default()
}

/// The texts of a content: one text, or parts of which some are texts.
fn text_of(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let texts = parts
                .iter()
                .filter_map(|part| part.get("text").and_then(Value::as_str));
            texts.collect::<Vec<_>>().join("\n")
        }
        Some(Value::Object(content)) => text_of(content.get("parts")),
        _ => String::new(),
    }
}

/// The messages: who speaks, and what.
fn messages(body: &Value) -> Vec<(String, String)> {
    let all = list(body.get("messages")).chain(list(body.get("contents")));
    all.map(|message| {
        let role = message.get("role").and_then(Value::as_str);
        let content = message.get("content").or_else(|| message.get("parts"));
        (role.unwrap_or("user").to_owned(), text_of(content))
    })
    .collect()
}

fn system(body: &Value) -> String {
    let apart = [body.get("system"), body.get("systemInstruction")];
    let apart = apart.into_iter().map(text_of);
    let among = messages(body).into_iter();
    let among = among.filter_map(|(role, text)| (role == "system").then_some(text));
    let all: Vec<String> = apart.chain(among).filter(|text| !text.is_empty()).collect();
    all.join("\n")
}

fn prompt(body: &Value) -> String {
    let said = messages(body).into_iter();
    let said = said.filter_map(|(role, text)| (role != "system").then_some(text));
    said.collect::<Vec<_>>().join("\n")
}

fn count_media(body: &Value) -> usize {
    let is_media = |part: &&Value| {
        ["image_url", "source", "inlineData"]
            .iter()
            .any(|key| part.get(key).is_some())
    };
    list(body.get("messages"))
        .chain(list(body.get("contents")))
        .map(|message| {
            let parts = list(message.get("content")).chain(list(message.get("parts")));
            parts.filter(is_media).count() + list(message.get("images")).count()
        })
        .sum()
}

fn schema(body: &Value) -> Option<Value> {
    [
        "/response_format/json_schema/schema",
        "/output_config/format/schema",
        "/tools/0/input_schema",
        "/generationConfig/responseJsonSchema",
        "/format",
    ]
    .iter()
    .find_map(|place| body.pointer(place).cloned())
}

fn texts(body: &Value) -> Vec<String> {
    let plain = list(body.get("input")).chain(list(body.get("texts")));
    let plain = plain.filter_map(|text| text.as_str().map(str::to_owned));
    let nested = list(body.get("requests")).map(|request| text_of(request.get("content")));
    plain.chain(nested).collect()
}

fn dimension(body: &Value) -> Option<usize> {
    let wanted = [
        "/dimensions",
        "/output_dimension",
        "/requests/0/outputDimensionality",
    ]
    .iter()
    .find_map(|place| body.pointer(place)?.as_u64());
    wanted.and_then(|wanted| usize::try_from(wanted).ok())
}
