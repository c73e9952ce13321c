//! What turns bytes into memories: readers, extractors, categorizers,
//! summarizers, embedders and chat models; and what helps to answer questions. The `local`
//! provider implements all but the chat and retrieval models without any model.

mod calls;
mod chat;
mod embedder;
mod retrieval;
mod understanding;
mod words;

pub use calls::{Ask, Calls, Keeping, KeptContent, MAX_UNUSABLE};
pub use chat::{
    ChatMessage, ChatModel, ChatReply, ChatRequest, FinishReason, Media, ModelRequest, Price,
    RawReply, ReplyFormat, Usage,
};
pub use embedder::{Embedder, EmbeddingModel, EmbeddingReply, Purpose};
pub use retrieval::{Asked, FoundKind, FoundMemory, RetrievalModel, Route, Sufficiency};
pub use understanding::{
    CategorizeRequest, Categorizer, CategoryTopic, Draft, ExtractRequest, ExtractedItem,
    Extraction, Extractor, ReadRequest, Reader, Reading, Summarizer, SummaryItem, SummaryRequest,
};
pub use words::{NoWordVectors, WordVectors};
