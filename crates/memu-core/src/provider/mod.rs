//! What turns bytes into memories: readers, extractors, categorizers,
//! summarizers, embedders and chat models. The `local` provider implements all
//! but the last without any model.

mod calls;
mod chat;
mod embedder;
mod understanding;
mod words;

pub use calls::{Ask, Calls, Keeping, MAX_UNUSABLE};
pub use chat::{
    ChatMessage, ChatModel, ChatReply, ChatRequest, FinishReason, Media, RawReply, ReplyFormat,
    Usage,
};
pub use embedder::Embedder;
pub use understanding::{
    CategorizeRequest, Categorizer, CategoryTopic, Draft, ExtractRequest, ExtractedItem,
    Extraction, Extractor, ReadRequest, Reader, Reading, Summarizer, SummaryItem, SummaryRequest,
};
pub use words::{NoWordVectors, WordVectors};
