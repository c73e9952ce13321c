use std::fmt;

use async_trait::async_trait;
use serde::Serialize;

use super::Calls;
use crate::error::Result;
use crate::records::Role;

/// What was said before a question, and the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The conversation before the question: who speaks, and what is said.
    pub before: Vec<(Role, String)>,
    /// The question.
    pub question: String,
}

/// What a question needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Whether it needs memory at all.
    pub needs_retrieval: bool,
    /// The question so that it can be understood without what was said before it.
    pub query: String,
}

/// A memory that was found, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundMemory {
    /// What it is.
    pub kind: FoundKind,
    /// Its name or type: of a category, an item; the URL of a resource.
    pub label: String,
    /// What it says.
    pub text: String,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FoundKind {
    /// A category with its summary.
    Category,
    /// A memory.
    Item,
    /// A conversation, a document, ….
    Resource,
}

/// Whether what was found suffices to answer a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sufficiency {
    /// Whether it does.
    pub suffices: bool,
    /// What to search for next, where it does not.
    pub next_query: Option<String>,
}

/// A model that has a say in how questions are answered. Without one every question is
/// searched for as it is, and every tier is searched; so where it answers `None`, because nobody
/// is to be asked in that step.
#[async_trait]
pub trait RetrievalModel: fmt::Debug + Send + Sync {
    /// Whether a question needs memory, and what it asks in the light of what was said before.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) when the model fails.
    async fn route(&self, asked: &Asked, calls: &Calls) -> Result<Option<Route>>;

    /// Whether what was found suffices to answer.
    ///
    /// # Errors
    /// As [`Self::route`].
    async fn suffices(
        &self,
        query: &str,
        found: &[FoundMemory],
        calls: &Calls,
    ) -> Result<Option<Sufficiency>>;

    /// Which of these answer the question, as indexes, best first; at most `top_k`.
    ///
    /// # Errors
    /// As [`Self::route`].
    async fn rank(
        &self,
        query: &str,
        candidates: &[FoundMemory],
        top_k: usize,
        calls: &Calls,
    ) -> Result<Option<Vec<usize>>>;
}
