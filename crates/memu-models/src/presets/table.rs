use super::{
    Chat, ChatWire, Embed, EmbedModel, EmbedWire, Json, KeyHeader, Limit, Preset, Transcribe,
};

const fn fixed(name: &'static str, dimension: u32) -> EmbedModel {
    EmbedModel {
        name,
        dimension,
        resizes: false,
    }
}

const fn resized(name: &'static str, dimension: u32) -> EmbedModel {
    EmbedModel {
        name,
        dimension,
        resizes: true,
    }
}

const OPENAI_VECTORS: &[EmbedModel] = &[
    resized("text-embedding-3-small", 1536),
    resized("text-embedding-3-large", 3072),
    fixed("text-embedding-ada-002", 1536),
];

/// Someone who speaks as OpenAI does, chats by `model` and does not embed.
const fn like_openai(
    name: &'static str,
    base_url: Option<&'static str>,
    model: Option<&'static str>,
) -> Preset {
    Preset {
        name,
        aliases: &[],
        base_url,
        url_variable: None,
        url_suffix: "",
        key_variables: &[],
        needs_key: true,
        key_header: KeyHeader::Bearer,
        chat: Some(openai_chat(model)),
        embed: None,
        transcribe: None,
    }
}

/// Someone who only embeds.
const fn only_embeds(name: &'static str, base_url: &'static str, embed: Embed) -> Preset {
    Preset {
        chat: None,
        embed: Some(embed),
        ..like_openai(name, Some(base_url), None)
    }
}

const fn openai_chat(model: Option<&'static str>) -> Chat {
    Chat {
        wire: ChatWire::OpenAi,
        model,
        json: Json::Schema,
        sees: true,
        limit: Limit::MaxTokens,
    }
}

/// A model that is held to JSON only, and has to be told the schema.
const fn chat_in_objects(model: &'static str) -> Chat {
    Chat {
        json: Json::Object,
        ..openai_chat(Some(model))
    }
}

const fn chat_by(wire: ChatWire, model: &'static str) -> Chat {
    Chat {
        wire,
        ..openai_chat(Some(model))
    }
}

const fn openai_embed(model: Option<&'static str>, models: &'static [EmbedModel]) -> Embed {
    Embed {
        wire: EmbedWire::OpenAi,
        model,
        models,
        max_batch: 2048,
    }
}

/// Every provider that is known by name.
pub const ALL: &[Preset] = &[
    Preset {
        url_variable: Some("OPENAI_BASE_URL"),
        key_variables: &["OPENAI_API_KEY"],
        chat: Some(Chat {
            limit: Limit::MaxCompletionTokens,
            ..openai_chat(Some("gpt-4o-mini"))
        }),
        embed: Some(openai_embed(Some("text-embedding-3-small"), OPENAI_VECTORS)),
        transcribe: Some(Transcribe {
            model: Some("gpt-4o-mini-transcribe"),
        }),
        ..like_openai("openai", Some("https://api.openai.com/v1"), None)
    },
    Preset {
        key_variables: &["OPENROUTER_API_KEY"],
        embed: Some(openai_embed(
            Some("openai/text-embedding-3-small"),
            &[
                resized("openai/text-embedding-3-small", 1536),
                resized("openai/text-embedding-3-large", 3072),
            ],
        )),
        ..like_openai(
            "openrouter",
            Some("https://openrouter.ai/api/v1"),
            Some("openai/gpt-4o-mini"),
        )
    },
    Preset {
        url_variable: Some("GROQ_BASE_URL"),
        url_suffix: "/openai/v1",
        key_variables: &["GROQ_API_KEY"],
        chat: Some(Chat {
            limit: Limit::MaxCompletionTokens,
            ..openai_chat(Some("openai/gpt-oss-20b"))
        }),
        transcribe: Some(Transcribe {
            model: Some("whisper-large-v3-turbo"),
        }),
        ..like_openai("groq", Some("https://api.groq.com/openai/v1"), None)
    },
    Preset {
        key_variables: &["DEEPSEEK_API_KEY"],
        chat: Some(chat_in_objects("deepseek-flash")),
        ..like_openai("deepseek", Some("https://api.deepseek.com"), None)
    },
    Preset {
        aliases: &["dashscope"],
        key_variables: &["DASHSCOPE_API_KEY"],
        chat: Some(chat_in_objects("qwen-plus")),
        embed: Some(Embed {
            max_batch: 10,
            ..openai_embed(
                Some("text-embedding-v4"),
                &[
                    resized("text-embedding-v4", 1024),
                    resized("text-embedding-v3", 1024),
                ],
            )
        }),
        ..like_openai(
            "qwen",
            Some("https://dashscope.aliyuncs.com/compatible-mode/v1"),
            None,
        )
    },
    Preset {
        aliases: &["ark", "volcengine"],
        key_variables: &["ARK_API_KEY"],
        chat: Some(chat_in_objects("doubao-seed-2-0-lite-260215")),
        embed: Some(openai_embed(None, &[])),
        ..like_openai(
            "doubao",
            Some("https://ark.cn-beijing.volces.com/api/v3"),
            None,
        )
    },
    Preset {
        aliases: &["xai"],
        key_variables: &["XAI_API_KEY"],
        ..like_openai("grok", Some("https://api.x.ai/v1"), Some("grok-4.3"))
    },
    Preset {
        key_variables: &["MISTRAL_API_KEY"],
        embed: Some(openai_embed(
            Some("mistral-embed"),
            &[fixed("mistral-embed", 1024), fixed("codestral-embed", 1536)],
        )),
        transcribe: Some(Transcribe {
            model: Some("voxtral-mini-latest"),
        }),
        ..like_openai(
            "mistral",
            Some("https://api.mistral.ai/v1"),
            Some("mistral-small-latest"),
        )
    },
    Preset {
        url_variable: Some("TOGETHER_BASE_URL"),
        key_variables: &["TOGETHER_API_KEY"],
        embed: Some(openai_embed(
            Some("intfloat/multilingual-e5-large-instruct"),
            &[fixed("intfloat/multilingual-e5-large-instruct", 1024)],
        )),
        transcribe: Some(Transcribe {
            model: Some("openai/whisper-large-v3"),
        }),
        ..like_openai(
            "together",
            Some("https://api.together.xyz/v1"),
            Some("openai/gpt-oss-20b"),
        )
    },
    Preset {
        key_variables: &["VLLM_API_KEY"],
        needs_key: false,
        embed: Some(openai_embed(None, &[])),
        transcribe: Some(Transcribe { model: None }),
        ..like_openai("vllm", Some("http://localhost:8000/v1"), None)
    },
    Preset {
        key_variables: &["LM_API_TOKEN"],
        needs_key: false,
        embed: Some(openai_embed(
            Some("text-embedding-nomic-embed-text-v1.5"),
            &[fixed("text-embedding-nomic-embed-text-v1.5", 768)],
        )),
        ..like_openai("lmstudio", Some("http://localhost:1234/v1"), None)
    },
    Preset {
        aliases: &["llama.cpp"],
        key_variables: &["LLAMA_API_KEY"],
        needs_key: false,
        // Its server runs one model and takes any name for it.
        embed: Some(openai_embed(Some("default"), &[])),
        ..like_openai(
            "llamacpp",
            Some("http://localhost:8080/v1"),
            Some("default"),
        )
    },
    Preset {
        url_variable: Some("AZURE_OPENAI_ENDPOINT"),
        url_suffix: "/openai/v1",
        key_variables: &["AZURE_OPENAI_API_KEY"],
        key_header: KeyHeader::Named("api-key"),
        chat: Some(Chat {
            limit: Limit::MaxCompletionTokens,
            ..openai_chat(None)
        }),
        embed: Some(openai_embed(None, OPENAI_VECTORS)),
        transcribe: Some(Transcribe { model: None }),
        ..like_openai("azure", None, None)
    },
    Preset {
        aliases: &["claude"],
        url_variable: Some("ANTHROPIC_BASE_URL"),
        key_variables: &["ANTHROPIC_API_KEY"],
        key_header: KeyHeader::Named("x-api-key"),
        chat: Some(chat_by(ChatWire::Anthropic, "claude-haiku-4-5")),
        ..like_openai("anthropic", Some("https://api.anthropic.com"), None)
    },
    Preset {
        aliases: &["google"],
        url_variable: Some("GOOGLE_GEMINI_BASE_URL"),
        key_variables: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        key_header: KeyHeader::Named("x-goog-api-key"),
        chat: Some(chat_by(ChatWire::Gemini, "gemini-3.5-flash-lite")),
        embed: Some(Embed {
            wire: EmbedWire::Gemini,
            max_batch: 100,
            ..openai_embed(
                Some("gemini-embedding-001"),
                &[
                    resized("gemini-embedding-001", 3072),
                    resized("gemini-embedding-2", 3072),
                ],
            )
        }),
        transcribe: Some(Transcribe { model: None }),
        ..like_openai(
            "gemini",
            Some("https://generativelanguage.googleapis.com"),
            None,
        )
    },
    Preset {
        url_variable: Some("OLLAMA_HOST"),
        key_variables: &["OLLAMA_API_KEY"],
        needs_key: false,
        chat: Some(chat_by(ChatWire::Ollama, "gemma3:4b")),
        embed: Some(Embed {
            wire: EmbedWire::Ollama,
            ..openai_embed(
                Some("nomic-embed-text"),
                &[
                    fixed("nomic-embed-text", 768),
                    fixed("embeddinggemma", 768),
                    fixed("mxbai-embed-large", 1024),
                    fixed("bge-m3", 1024),
                    fixed("all-minilm", 384),
                ],
            )
        }),
        ..like_openai("ollama", Some("http://localhost:11434"), None)
    },
    Preset {
        key_variables: &["VOYAGE_API_KEY"],
        ..only_embeds(
            "voyage",
            "https://api.voyageai.com/v1",
            Embed {
                wire: EmbedWire::Voyage,
                max_batch: 1000,
                ..openai_embed(
                    Some("voyage-4"),
                    &[
                        resized("voyage-4", 1024),
                        resized("voyage-4-large", 1024),
                        resized("voyage-4-lite", 1024),
                        resized("voyage-3.5", 1024),
                        resized("voyage-3.5-lite", 1024),
                        resized("voyage-3-large", 1024),
                        resized("voyage-code-3", 1024),
                    ],
                )
            },
        )
    },
    Preset {
        key_variables: &["JINA_API_KEY"],
        ..only_embeds(
            "jina",
            "https://api.jina.ai/v1",
            Embed {
                wire: EmbedWire::Jina,
                max_batch: 512,
                ..openai_embed(
                    Some("jina-embeddings-v5-text-small"),
                    &[
                        resized("jina-embeddings-v5-text-small", 1024),
                        resized("jina-embeddings-v5-text-nano", 768),
                        resized("jina-embeddings-v4", 2048),
                        resized("jina-embeddings-v3", 1024),
                    ],
                )
            },
        )
    },
    Preset {
        url_variable: Some("CO_API_URL"),
        key_variables: &["CO_API_KEY", "COHERE_API_KEY"],
        ..only_embeds(
            "cohere",
            "https://api.cohere.com",
            Embed {
                wire: EmbedWire::Cohere,
                max_batch: 96,
                ..openai_embed(
                    Some("embed-v4.0"),
                    &[
                        resized("embed-v4.0", 1536),
                        fixed("embed-multilingual-v3.0", 1024),
                        fixed("embed-english-v3.0", 1024),
                        fixed("embed-multilingual-light-v3.0", 384),
                        fixed("embed-english-light-v3.0", 384),
                    ],
                )
            },
        )
    },
];
