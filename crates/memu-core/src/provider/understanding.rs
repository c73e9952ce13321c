use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil;
use serde_json::{Map, Value};

use super::Calls;
use crate::error::{Error, Result};
use crate::records::{Id, Modality, Role, Segment, Span};
use crate::time::When;

/// Content to be read.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// The bytes.
    pub bytes: Arc<[u8]>,
    /// How to read them.
    pub modality: Modality,
    /// For pictures and recordings, the caption or transcript that was handed in: it is read in
    /// place of the bytes.
    pub caption: Option<String>,
    /// The media type with its parameters, where the source told one:
    /// `text/html; charset=utf-8`.
    pub media_type: Option<String>,
    /// Where they came from, for messages; the ending may tell the layout.
    pub url: String,
}

/// What a reader found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The caller's own id of the conversation, where the input has one.
    pub external_id: Option<String>,
    /// What all of it is about, where that was found out.
    pub caption: Option<String>,
    /// The segments, in order.
    pub drafts: Vec<Draft>,
}

/// A segment before it has an identity. See [`Segment`] for the fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// The session, from 0.
    pub session: u32,
    /// The topic, from 0.
    pub topic: u32,
    /// Who speaks, by role.
    pub role: Option<Role>,
    /// Who speaks, by name.
    pub speaker: Option<String>,
    /// The caller's own id of the message.
    pub message_id: Option<String>,
    /// What was said or written.
    pub text: String,
    /// What an attached picture shows, or the headings above a passage.
    pub caption: Option<String>,
    /// What the topic is about; on the first segment of a topic.
    pub topic_caption: Option<String>,
    /// Where the text lies in the input.
    pub span: Option<Span>,
    /// When it was said, on the wall clock.
    pub happened_at: Option<civil::DateTime>,
    /// The time as the input wrote it.
    pub happened_at_text: Option<String>,
}

/// Reads content into segments, with sessions and topics.
#[async_trait]
pub trait Reader: fmt::Debug + Send + Sync {
    /// Whether it can make something of a modality without a caption or transcript. This is
    /// asked before anything is fetched. By default it can of text.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported), naming the modality, what is
    /// missing, and what can be handed in instead.
    fn check(&self, modality: Modality) -> Result<()> {
        if modality.is_text() {
            return Ok(());
        }
        Err(Error::unsupported(format!(
            "this reader cannot look at or listen to a resource of modality {modality}; hand in \
             a caption or transcript"
        ))
        .with("modality", modality))
    }

    /// Reads all of it, or fails. Models are asked through `calls`.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input), naming the line or JSON
    /// pointer and what was expected there; [`ErrorKind::Model`](crate::ErrorKind::Model) when
    /// a model fails.
    async fn read(&self, request: ReadRequest, calls: &Calls) -> Result<Reading>;
}

/// Segments to draw memories from.
#[derive(Clone, Debug)]
pub struct ExtractRequest {
    /// What kind of resource they are from.
    pub modality: Modality,
    /// All segments of the resource, in order.
    pub segments: Arc<[Segment]>,
    /// The first segment to draw from; those before it are known and serve as
    /// context only.
    pub first: usize,
    /// The types of memory that are wanted, in configured order.
    pub memory_types: Arc<[String]>,
    /// The categories that memories may be filed under.
    pub categories: Arc<[CategoryTopic]>,
}

/// What was drawn from segments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extraction {
    /// The memories, in the order of their segments.
    pub items: Vec<ExtractedItem>,
    /// What topics are about: the first segment of each, as an index into the request, and a
    /// caption. Those without one keep what the reader made.
    pub topic_captions: Vec<(usize, String)>,
}

/// A memory before it has an identity.
#[derive(Clone, Debug, PartialEq)]
pub struct ExtractedItem {
    /// Its type; one of those requested.
    pub memory_type: String,
    /// The memory, in a sentence that stands alone.
    pub summary: String,
    /// When it happened.
    pub happened: Option<When>,
    /// The segments it was drawn from, as indexes into the request; never empty.
    pub segments: Vec<usize>,
    /// The names of the categories it belongs into, where that was found out along with it;
    /// otherwise the categorizer files it.
    pub categories: Vec<String>,
    /// Further details for [`MemoryItem::extra`](crate::records::MemoryItem::extra).
    pub extra: Map<String, Value>,
}

/// Draws memories from segments.
#[async_trait]
pub trait Extractor: fmt::Debug + Send + Sync {
    /// What there is in the segments that are not known. Models are asked through `calls`.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) when a model fails.
    async fn extract(&self, request: ExtractRequest, calls: &Calls) -> Result<Extraction>;
}

/// A category, as a categorizer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryTopic {
    /// Its name.
    pub name: String,
    /// What belongs into it.
    pub description: String,
}

/// Memories to be filed.
#[derive(Clone, Debug)]
pub struct CategorizeRequest {
    /// The memories: type and summary.
    pub items: Vec<(String, String)>,
    /// The categories to choose from.
    pub categories: Arc<[CategoryTopic]>,
    /// The least score, from 0 to 1, at which an item is filed.
    pub threshold: f32,
}

/// Files memories under categories.
#[async_trait]
pub trait Categorizer: fmt::Debug + Send + Sync {
    /// For each item, the categories it belongs into, as indexes into the request
    /// with a score from the threshold to 1, best first; empty where none fits. Models are asked
    /// through `calls`.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) when a model fails.
    async fn categorize(
        &self,
        request: CategorizeRequest,
        calls: &Calls,
    ) -> Result<Vec<Vec<(usize, f32)>>>;
}

/// A memory, as a summarizer sees it.
#[derive(Clone, Debug)]
pub struct SummaryItem {
    /// Its id; the short form is what a summary cites.
    pub id: Id,
    /// The memory.
    pub summary: String,
    /// Its type.
    pub memory_type: String,
    /// When it happened.
    pub happened: Option<When>,
    /// How often it was met.
    pub reinforcement_count: u64,
}

/// A category whose summary is to be written.
#[derive(Clone, Debug)]
pub struct SummaryRequest {
    /// The category.
    pub category: CategoryTopic,
    /// What it says so far.
    pub summary: Option<String>,
    /// All its items, in the order in which they were stored.
    pub items: Vec<SummaryItem>,
    /// Which of them are new in it, or changed.
    pub new: Vec<Id>,
    /// What items said that were removed from it, or changed.
    pub removed: Vec<String>,
    /// At most about this many characters, citations not counted.
    pub target_length: usize,
    /// Whether to cite items as `[ref:abc123]`.
    pub references: bool,
}

/// Writes summaries of categories.
#[async_trait]
pub trait Summarizer: fmt::Debug + Send + Sync {
    /// One summary per request, in order; `None` where there is nothing to say, so
    /// that the old summary is removed.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) when a model fails; old
    /// summaries then stay.
    async fn summarize(
        &self,
        requests: Vec<SummaryRequest>,
        calls: &Calls,
    ) -> Result<Vec<Option<String>>>;
}
