use std::fmt;

use async_trait::async_trait;
use memu_core::provider::{ChatModel, ChatReply, ChatRequest, Media, Price, RawReply, Usage};
use memu_core::{Error, Result};

use super::adaptation::Adaptation;
use super::{Manner, form, gemini, openai, reply};
use crate::connection::Connection;
use crate::presets::{Chat, ChatWire};
use crate::transport::{Call, Failure};

/// A model that chats, reached over HTTP in its provider's form.
pub struct ChatClient {
    connection: Connection,
    chat: Chat,
    model: String,
    name: String,
    /// Where the model is, where that is for the user to say.
    place: Option<String>,
    /// The provider and the model that transcribe.
    transcriber: Option<String>,
    adaptation: Adaptation,
}

impl fmt::Debug for ChatClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChatClient({}: {})", self.connection.name, self.name)
    }
}

impl ChatClient {
    pub(crate) fn new(connection: &Connection) -> Result<Self> {
        let chat = connection.preset.chat.ok_or_else(|| {
            connection.unsupported("the provider has no model that chats; it only embeds")
        })?;
        let named = connection.profile.chat_model.as_ref();
        let model = connection.model("chat_model", named, chat.model)?;
        Ok(Self {
            name: format!("{}/{model}", connection.preset.name),
            place: connection.place(),
            transcriber: transcriber(connection, &chat, &model),
            connection: connection.clone(),
            chat,
            model,
            adaptation: Adaptation::default(),
        })
    }

    /// How a request is put: what the profile says goes before what the request says, and
    /// what the model refused before both.
    fn manner(&self, request: &ChatRequest) -> Manner<'_> {
        let profile = &self.connection.profile;
        self.adaptation.apply(Manner {
            wire: self.chat.wire,
            model: &self.model,
            json: self.chat.json,
            formatted: request.format.is_some(),
            limit: self.chat.limit,
            temperature: profile.temperature.or(request.temperature),
            max_tokens: request.max_tokens.or(profile.max_output_tokens),
            context_tokens: profile.context_tokens,
        })
    }

    fn failed(&self, failure: Failure) -> Error {
        let error = failure.into_error(&self.connection.name, &self.name);
        self.connection.transport.told(error)
    }

    /// Adds whose reply it was.
    fn describe(&self, error: Error, reply: &RawReply) -> Error {
        let transport = &self.connection.transport;
        let error = transport
            .told(error)
            .with("profile", &self.connection.name)
            .with("model", &self.name)
            .with("attempts", reply.attempts);
        match transport.beginning(&reply.body).as_str() {
            "" => error,
            body => error.with("body", body),
        }
    }

    fn finish(&self, read: Result<ChatReply>, reply: &RawReply) -> Result<ChatReply> {
        let mut read = read.map_err(|error| self.describe(error, reply))?;
        read.usage.latency = reply.latency;
        Ok(read)
    }
}

/// Who transcribes, as far as the provider does and a model for it is known.
fn transcriber(connection: &Connection, chat: &Chat, model: &str) -> Option<String> {
    let preset = connection.preset.transcribe?;
    let named = connection.profile.transcribe_model.as_deref();
    let chats = (chat.wire == ChatWire::Gemini).then_some(model);
    let transcriber = named.or(preset.model).or(chats)?;
    Some(format!("{}/{transcriber}", connection.preset.name))
}

#[async_trait]
impl ChatModel for ChatClient {
    fn name(&self) -> &str {
        &self.name
    }

    fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    fn price(&self) -> Option<Price> {
        let profile = &self.connection.profile;
        match (profile.input_price, profile.output_price) {
            (None, None) => None,
            (input, output) => Some(Price {
                input: input.unwrap_or_default(),
                output: output.unwrap_or_default(),
            }),
        }
    }

    fn sees(&self) -> bool {
        self.chat.sees
    }

    fn transcriber(&self) -> Option<&str> {
        self.transcriber.as_deref()
    }

    async fn chat(&self, request: &ChatRequest) -> Result<RawReply> {
        self.connection.check_key()?;
        let pictures = request
            .messages
            .iter()
            .any(|message| !message.images.is_empty());
        if pictures && !self.chat.sees {
            return Err(self.connection.unsupported(
                "the provider has no model that sees pictures; name a profile of one that has, \
                 or hand in a caption",
            ));
        }
        let wire = self.chat.wire;
        let target = self
            .connection
            .target("chat", &super::path(wire, &self.model))?;
        let mut attempts = 0;
        loop {
            let manner = self.manner(request);
            let call = Call::json(target.clone(), &super::body(wire, request, manner));
            match self.connection.transport.send(&call).await {
                Ok(mut reply) => {
                    reply.attempts += attempts;
                    return Ok(reply);
                }
                Err(failure) if self.adaptation.learn(&failure, &manner, self.chat.limit) => {
                    attempts += failure.attempts;
                }
                Err(mut failure) => {
                    failure.attempts += attempts;
                    return Err(self.failed(failure));
                }
            }
        }
    }

    fn read(&self, reply: &RawReply) -> Result<ChatReply> {
        self.finish(super::read(self.chat.wire, &reply.body), reply)
    }

    fn usage(&self, reply: &RawReply) -> Usage {
        let usage = reply::usage_of(&reply.body);
        Usage {
            latency: reply.latency,
            ..usage
        }
    }

    async fn rest(&self, replies: u32) {
        self.connection.transport.rest(replies).await;
    }

    async fn transcribe(&self, recording: &Media) -> Result<RawReply> {
        self.connection.check_key()?;
        let Some(transcribe) = self.connection.preset.transcribe else {
            return Err(self.connection.unsupported(
                "the provider has no model that hears recordings; name a profile of one that has \
                 (openai, groq, mistral, together, gemini), or hand in a transcript",
            ));
        };
        let named = self.connection.profile.transcribe_model.as_ref();
        let reply = if self.chat.wire == ChatWire::Gemini {
            let model = named.unwrap_or(&self.model);
            let target = self
                .connection
                .target("transcriptions", &gemini::path(model))?;
            let call = Call::json(target, &gemini::transcribe(recording));
            self.connection.transport.send(&call).await
        } else {
            let model = self
                .connection
                .model("transcribe_model", named, transcribe.model)?;
            let target = self
                .connection
                .target("transcriptions", "/audio/transcriptions")?;
            let call = form::transcription(target, &model, recording);
            self.connection.transport.send(&call).await
        };
        reply.map_err(|failure| self.failed(failure))
    }

    fn read_transcript(&self, reply: &RawReply) -> Result<ChatReply> {
        let read = match self.chat.wire {
            ChatWire::Gemini => gemini::read(&reply.body),
            _ => openai::read_transcript(&reply.body),
        };
        self.finish(read, reply)
    }
}
