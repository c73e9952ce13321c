#![allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::indexing_slicing,
    clippy::unwrap_used
)]
use async_trait::async_trait;
use memu_core::Result;
use memu_core::analysis::Analyzer;
use memu_core::environment::Executor;
use memu_core::provider::*;
use memu_core::records::*;
use std::sync::Arc;
#[derive(Debug)]
pub struct LocalReader;
impl LocalReader {
    pub fn new(_: Arc<dyn Executor>) -> Self {
        Self
    }
}
#[async_trait]
impl Reader for LocalReader {
    async fn read(&self, r: ReadRequest) -> Result<Reading> {
        let text = String::from_utf8_lossy(&r.bytes).to_string();
        let Ok(v) = serde_json::from_str::<serde_json::Value>(&text) else {
            return Ok(Reading {
                external_id: None,
                drafts: memu_core::analysis::passages(&text, 100)
                    .into_iter()
                    .map(|x| Draft {
                        text: text[x].to_owned(),
                        ..Draft::default()
                    })
                    .collect(),
            });
        };
        let ms = v
            .get("messages")
            .or(v.get("content"))
            .unwrap_or(&v)
            .as_array()
            .cloned()
            .unwrap_or_default();
        Ok(Reading {
            external_id: v.get("id").and_then(|x| x.as_str()).map(|s| s.to_owned()),
            drafts: ms
                .iter()
                .map(|m| Draft {
                    role: m["role"].as_str().and_then(Role::from_name),
                    speaker: m["name"].as_str().map(|s| s.to_owned()),
                    message_id: m["id"].as_str().map(|s| s.to_owned()),
                    text: m["content"]
                        .as_str()
                        .or(m["content"]["text"].as_str())
                        .unwrap_or("")
                        .to_owned(),
                    session: m["session"].as_u64().unwrap_or(0) as u32,
                    happened_at: m["created_at"]
                        .as_str()
                        .and_then(|t| memu_core::time::parse_civil(t).ok()),
                    happened_at_text: m["created_at"].as_str().map(|s| s.to_owned()),
                    ..Draft::default()
                })
                .collect(),
        })
    }
}
#[derive(Debug)]
pub struct LocalCategorizer;
impl LocalCategorizer {
    pub fn new(_: Arc<dyn Executor>) -> Self {
        Self
    }
}
#[async_trait]
impl Categorizer for LocalCategorizer {
    async fn categorize(&self, r: CategorizeRequest) -> Result<Vec<Vec<(usize, f32)>>> {
        let a = Analyzer::default();
        Ok(r.items
            .iter()
            .map(|(t, s)| {
                let it = a.terms(s);
                let mut o = vec![];
                for (i, c) in r.categories.iter().enumerate() {
                    if a.terms(&format!("{} {}", c.name.replace('_', " "), c.description))
                        .iter()
                        .any(|x| it.contains(x))
                        || (c.name == "experiences" && t == "event")
                    {
                        o.push((i, 0.5))
                    }
                }
                o
            })
            .collect())
    }
}
#[derive(Debug)]
pub struct LocalSummarizer;
impl LocalSummarizer {
    pub fn new(_: Arc<dyn Executor>) -> Self {
        Self
    }
}
#[async_trait]
impl Summarizer for LocalSummarizer {
    async fn summarize(&self, r: Vec<SummaryRequest>) -> Result<Vec<Option<String>>> {
        Ok(r.iter()
            .map(|q| {
                if q.items.is_empty() {
                    None
                } else {
                    Some(
                        q.items
                            .iter()
                            .rev()
                            .take(5)
                            .map(|i| i.summary.clone())
                            .collect::<Vec<_>>()
                            .join("\n"),
                    )
                }
            })
            .collect())
    }
}
#[derive(Debug)]
pub struct HashEmbedder(EmbedderIdentity);
impl HashEmbedder {
    pub fn new(_: Arc<dyn Executor>) -> Self {
        Self(EmbedderIdentity {
            provider: "local".into(),
            model: "hash-v1".into(),
            dimension: 8,
        })
    }
}
#[async_trait]
impl Embedder for HashEmbedder {
    fn identity(&self) -> &EmbedderIdentity {
        &self.0
    }
    async fn embed(&self, t: &[&str]) -> Result<Vec<Option<Embedding>>> {
        Ok(t.iter()
            .map(|s| {
                let mut v = vec![0f32; 8];
                for b in s.bytes() {
                    v[b as usize % 8] += 1.0
                }
                Embedding::checked(v, 8).ok()
            })
            .collect())
    }
}
