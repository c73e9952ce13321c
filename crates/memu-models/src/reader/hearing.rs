use async_trait::async_trait;
use memu_core::provider::{
    Ask, Calls, ChatMessage, ChatModel, ChatReply, ChatRequest, Media, Price, RawReply, Usage,
};
use memu_core::records::{ContentHash, Role};
use memu_core::{Error, Result};

/// What is asked, in words: it is not sent, but tells these calls from others.
const QUESTION: &str = "What does the recording say?";

/// A model as one that answers with what recordings say: its calls are kept, counted and watched
/// as those of any chat.
#[derive(Debug)]
pub(super) struct Hearing<'m>(&'m dyn ChatModel);

impl<'m> Hearing<'m> {
    pub(super) fn of(model: &'m dyn ChatModel) -> Self {
        Self(model)
    }

    /// What a recording says; nothing where nobody speaks.
    pub(super) async fn transcript(
        &self,
        step: &str,
        profile: &str,
        recording: &Media,
        calls: &Calls,
    ) -> Result<String> {
        let mut message = ChatMessage::new(Role::User, QUESTION);
        message.images = vec![recording.clone()];
        let ask = Ask {
            step,
            profile,
            model: self,
            prompt_hash: ContentHash::of(QUESTION.as_bytes()),
            request: ChatRequest {
                messages: vec![message],
                format: None,
                temperature: None,
                max_tokens: None,
            },
        };
        let read = |reply: &ChatReply| Ok(reply.text.trim().to_owned());
        calls.ask(ask, read).await
    }
}

#[async_trait]
impl ChatModel for Hearing<'_> {
    fn name(&self) -> &str {
        self.0.transcriber().unwrap_or_else(|| self.0.name())
    }

    fn place(&self) -> Option<&str> {
        self.0.place()
    }

    fn price(&self) -> Option<Price> {
        // Prices are those of the model that chats.
        let same = self.name() == self.0.name();
        self.0.price().filter(|_| same)
    }

    async fn chat(&self, request: &ChatRequest) -> Result<RawReply> {
        let recording = request.messages.iter().find_map(|one| one.images.first());
        let recording =
            recording.ok_or_else(|| Error::internal("there is no recording to hear"))?;
        self.0.transcribe(recording).await
    }

    fn read(&self, reply: &RawReply) -> Result<ChatReply> {
        self.0.read_transcript(reply)
    }

    fn usage(&self, reply: &RawReply) -> Usage {
        self.0.usage(reply)
    }

    async fn rest(&self, replies: u32) {
        self.0.rest(replies).await;
    }

    async fn transcribe(&self, recording: &Media) -> Result<RawReply> {
        self.0.transcribe(recording).await
    }

    fn read_transcript(&self, reply: &RawReply) -> Result<ChatReply> {
        self.0.read_transcript(reply)
    }
}
