//! Summaries of categories without a model: the memories that say most about the
//! category, as they are.
//!
//! Memories are scored by how much of what the whole category talks about they
//! mention (centrality), how well they fit it (as the categorizer sees it), and a
//! little by how late they happened and how often they were met. They are then chosen one by one, each as different as possible
//! from those already chosen (maximal marginal relevance; Carbonell and
//! Goldstein, 1998), and shown in the order in which they happened.

mod choose;
mod line;
mod profile;

use std::sync::Arc;

use async_trait::async_trait;
use memu_core::Result;
use memu_core::environment::{Executor, offload};
use memu_core::provider::{Calls, Summarizer, SummaryRequest};

use crate::categorize::fit;
use choose::choose;
use line::{Line, one_line, shortened};
use profile::profiles;

/// The summarizer of the local provider.
#[derive(Clone, Debug)]
pub struct LocalSummarizer {
    executor: Arc<dyn Executor>,
}

impl LocalSummarizer {
    /// A summarizer that computes on `executor`.
    pub fn new(executor: Arc<dyn Executor>) -> Self {
        Self { executor }
    }
}

#[async_trait]
impl Summarizer for LocalSummarizer {
    /// As [`summarize`], for each request.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](memu_core::ErrorKind::Internal) when the executor
    /// drops the work.
    async fn summarize(
        &self,
        requests: Vec<SummaryRequest>,
        _calls: &Calls,
    ) -> Result<Vec<Option<String>>> {
        offload(self.executor.as_ref(), move || {
            requests.iter().map(summarize).collect()
        })
        .await
    }
}

/// A Markdown list of memories, one to a line: `- ` and the memory, followed by
/// ` [ref:abc123]` when citations are asked for. `None` where there is nothing to
/// say, or less room than for `- x…`.
///
/// Everything but the citations counts towards the target length, marks and line
/// breaks included, which is never exceeded. A memory is told whole, on one line;
/// only when none would fit is the best one cut short, after a clause or a word,
/// and ended with `…`. At most 512 memories are told. What looks like a citation
/// within a memory is left out.
pub fn summarize(request: &SummaryRequest) -> Option<String> {
    let texts: Vec<String> = request
        .items
        .iter()
        .map(|item| one_line(&item.summary))
        .collect();
    let profiles = profiles(&request.items, &texts);
    let chosen = choose(&profiles, request.target_length, |places| {
        fits(request, places)
    });
    let mut lines: Vec<Line<'_>> = chosen
        .iter()
        .filter_map(|profile| Line::of(profile.place, &request.items, &texts))
        .collect();
    if lines.is_empty() {
        lines.extend(first_line_cut(request, &profiles, &texts));
    }
    if lines.is_empty() {
        return None;
    }
    let lines: Vec<String> = lines
        .iter()
        .map(|line| line.markdown(request.references))
        .collect();
    Some(lines.join("\n"))
}

/// How well the items at `places` fit the category.
fn fits(request: &SummaryRequest, places: &[usize]) -> Vec<f32> {
    let items = places.iter().filter_map(|place| request.items.get(*place));
    let told = items.map(|item| (&*item.memory_type, &*item.summary));
    fit(&request.category, told)
}

/// The best memory, cut to the target length.
fn first_line_cut<'a>(
    request: &'a SummaryRequest,
    profiles: &[profile::Profile],
    texts: &'a [String],
) -> Option<Line<'a>> {
    let best = profiles.iter().reduce(|best, profile| {
        if profile.score > best.score {
            profile
        } else {
            best
        }
    })?;
    let mut line = Line::of(best.place, &request.items, texts)?;
    line.text = shortened(&line.text, request.target_length.checked_sub(2)?)?.into();
    Some(line)
}

#[cfg(test)]
mod tests;
