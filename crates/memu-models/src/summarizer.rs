//! Summaries written by a model.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use memu_core::provider::{Ask, Calls, ChatModel, ChatReply, Summarizer, SummaryRequest};
use memu_core::{Error, Result};

use crate::understanding::prompt::CustomPrompt;
use crate::understanding::summarize::{
    SummaryTask, read_summaries, summary_calls, summary_request,
};

/// The step that asks.
const STEP: &str = "persist_index";
/// How many categories share a call.
const TOGETHER: usize = 5;
/// How many characters of memories are shown in a call.
const BUDGET: usize = 40_000;

/// Writes summaries by asking a model, about several categories together; alone about those
/// with a prompt of their own. A reply in which one is missing or useless is asked for again.
#[derive(Debug)]
pub struct ModelSummarizer {
    model: Arc<dyn ChatModel>,
    profile: String,
    /// The prompt of all categories without one of their own.
    default_prompt: Option<CustomPrompt>,
    /// By category.
    prompts: BTreeMap<String, CustomPrompt>,
}

impl ModelSummarizer {
    /// One that asks the model of a profile, by our prompts.
    pub fn new(model: Arc<dyn ChatModel>, profile: &str) -> Self {
        Self {
            model,
            profile: profile.to_owned(),
            default_prompt: None,
            prompts: BTreeMap::new(),
        }
    }

    /// The same by users' prompts: one for all, and some by category.
    #[must_use]
    pub fn by(
        mut self,
        default_prompt: Option<CustomPrompt>,
        prompts: BTreeMap<String, CustomPrompt>,
    ) -> Self {
        self.default_prompt = default_prompt;
        self.prompts = prompts;
        self
    }

    fn task(&self, request: SummaryRequest) -> SummaryTask {
        let own = self.prompts.get(&request.category.name);
        SummaryTask {
            prompt: own.or(self.default_prompt.as_ref()).cloned(),
            request,
        }
    }

    async fn ask(&self, tasks: &[SummaryTask], calls: &Calls) -> Result<Vec<String>> {
        let prompted = summary_request(tasks, BUDGET)?;
        let ask = Ask {
            step: STEP,
            profile: &self.profile,
            model: &*self.model,
            prompt_hash: prompted.hash,
            request: prompted.chat,
        };
        calls.ask(ask, |reply| all_of(reply, tasks)).await
    }
}

/// All summaries, or why some cannot be used.
fn all_of(reply: &ChatReply, tasks: &[SummaryTask]) -> Result<Vec<String>> {
    let text = reply.complete_text()?;
    let mut summaries = Vec::with_capacity(tasks.len());
    let mut missing = String::new();
    for (task, read) in tasks.iter().zip(read_summaries(text, tasks)) {
        match read {
            Ok(summary) => summaries.push(summary.text),
            Err(reason) => {
                // Writing into a String cannot fail.
                let _ = write!(missing, "; {}: {reason}", task.request.category.name);
            }
        }
    }
    if missing.is_empty() {
        return Ok(summaries);
    }
    let missing = missing.trim_start_matches("; ");
    Err(Error::model(format!(
        "the model's reply has no usable summary of every category ({missing})"
    )))
}

#[async_trait]
impl Summarizer for ModelSummarizer {
    async fn summarize(
        &self,
        requests: Vec<SummaryRequest>,
        calls: &Calls,
    ) -> Result<Vec<Option<String>>> {
        let mut summaries = vec![None; requests.len()];
        // Of nothing there is nothing to say, and nobody to ask.
        let told = requests.into_iter().enumerate();
        let told = told.filter(|(_, request)| !request.items.is_empty());
        let (places, tasks): (Vec<usize>, Vec<SummaryTask>) = told
            .map(|(place, request)| (place, self.task(request)))
            .unzip();
        let groups = summary_calls(&tasks, TOGETHER);
        // All are waited for, also when one fails: what others answered need not be asked again.
        let written = join_all(groups.iter().map(async |group| {
            let tasks = group.iter().filter_map(|at| tasks.get(*at)).cloned();
            self.ask(&tasks.collect::<Vec<_>>(), calls).await
        }));
        for (group, texts) in groups.iter().zip(written.await) {
            for (at, text) in group.iter().zip(texts?) {
                let summary = places.get(*at).and_then(|place| summaries.get_mut(*place));
                if let Some(summary) = summary {
                    *summary = Some(text);
                }
            }
        }
        Ok(summaries)
    }
}
