//! How replies are kept, and what they took is counted.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::exchange::Question;
use crate::config::BudgetConfig;
use crate::environment::{Clock, IdSource};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{ChatReply, Price, RawReply};
use crate::records::{ContentHash, Id, Meta, ModelReply, ModelUsage, ReplySource, ReplyState};
use crate::scope::Scope;
use crate::store::{Store, Write, WriteBatch};
use crate::time::Timestamp;

/// Where replies are kept, and what they are about.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Tells when a reply came.
    pub clock: Arc<dyn Clock>,
    /// Names replies.
    pub ids: Arc<dyn IdSource>,
    /// Whose memory it is for.
    pub scope: Scope,
    /// What the scope's models may take.
    pub budget: BudgetConfig,
    /// The content that is being memorized: replies go with it. They come before the resource,
    /// which gets another id when it is memorized again after a failure. Without content, they
    /// may quote anything in the scope: those that were read go, and the same question is asked
    /// again.
    pub content: Option<KeptContent>,
}

/// Content that replies are about.
#[derive(Clone, Debug)]
pub struct KeptContent {
    /// Its hash.
    pub hash: ContentHash,
    /// Where it came from.
    pub source: ReplySource,
}

/// How long a reply is kept that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// As long as what it is about, marked as read.
    AndMarked,
    /// Until what was made of it is stored: it says the same, in more bytes.
    UntilStored,
    /// Not at all.
    IfUnusable,
}

/// A reply that was read, and what is to be noted about that.
pub(super) struct Done {
    reply: ModelReply,
    kept: Kept,
    /// What it took, unless that was counted.
    usage: Option<ModelUsage>,
}

impl Done {
    pub(super) fn new(reply: ModelReply, kept: Kept, usage: Option<ModelUsage>) -> Self {
        Self { reply, kept, usage }
    }

    fn id(&self) -> &Id {
        &self.reply.meta.id
    }

    pub(super) fn is_about(&self, other: &Self) -> bool {
        self.id() == other.id()
    }

    /// Itself, if there is anything to note.
    pub(super) fn needed(self) -> Option<Self> {
        let is_noted = self.kept == Kept::AndMarked && self.reply.state == ReplyState::Parsed;
        (!is_noted || self.usage.is_some()).then_some(self)
    }

    pub(super) fn writes(&self) -> Vec<Write> {
        let mut reply = self.reply.clone();
        reply.state = ReplyState::Parsed;
        reply.error = None;
        // Without content it may quote anything in the scope, and a decision about a question
        // holds for that question alone.
        let gone = self.kept == Kept::UntilStored || self.reply.content_hash.is_none();
        let gone = gone.then(|| {
            reply.text = String::new();
            Write::DeleteModelReply(self.id().clone())
        });
        // When others have removed it meanwhile, writing it is a conflict, and removing it
        // would be an error.
        let mut writes = vec![Write::from(reply)];
        writes.extend(gone);
        writes.extend(self.usage.clone().map(Write::ModelUsage));
        writes
    }
}

impl Keeping {
    /// Keeps a reply as it came, if it is to be kept before it is read; `None` where it cannot
    /// be kept and need not.
    pub(super) async fn keep(
        &self,
        question: &Question,
        raw: &RawReply,
    ) -> Result<Option<ModelReply>> {
        let mut reply = record(self, question, raw);
        if question.kept != Kept::IfUnusable {
            raw.body.as_ref().clone_into(&mut reply.text);
            match self.write(vec![Write::from(reply.clone())]).await {
                // A question is answered from a file that can only be read, too.
                Err(error) if self.content.is_none() && is_read_only(&error) => return Ok(None),
                written => written?,
            }
            reply.meta.revision += 1;
        }
        Ok(Some(reply))
    }

    pub(super) async fn write(&self, writes: Vec<Write>) -> Result<()> {
        let mut batch = WriteBatch::new(self.scope.clone(), None);
        batch.writes = writes;
        self.store.commit(batch).await?;
        Ok(())
    }
}

fn is_read_only(error: &Error) -> bool {
    error.kind() == ErrorKind::Permission
}

/// A reply, apart from its text.
pub(super) fn record(keeping: &Keeping, question: &Question, raw: &RawReply) -> ModelReply {
    let name = &*question.info.model;
    let (provider, model) = name.split_once('/').unwrap_or(("", name));
    ModelReply {
        meta: Meta::new(
            keeping.ids.next_id(),
            keeping.scope.clone(),
            keeping.clock.now(),
        ),
        resource_id: None,
        content_hash: keeping.content.as_ref().map(|content| content.hash),
        source: keeping
            .content
            .as_ref()
            .map(|content| content.source.clone()),
        step: question.info.step.to_string(),
        profile: question.info.profile.to_string(),
        provider: provider.to_owned(),
        model: model.to_owned(),
        prompt_hash: question.prompt_hash,
        request_hash: question.hash,
        text: String::new(),
        usage: Map::from_iter([
            ("latency".to_owned(), raw.latency.as_secs_f64().into()),
            ("attempts".to_owned(), raw.attempts.into()),
        ]),
        finish_reason: None,
        state: ReplyState::Received,
        error: None,
    }
}

impl ModelReply {
    /// Notes what it cost, and why it ended; `false` when that is known.
    pub(super) fn note_usage(&mut self, told: &ChatReply, price: Option<Price>) -> bool {
        if self.usage.contains_key("input_tokens") {
            return false;
        }
        let usage = &told.usage;
        let mut note = |name: &str, value: Value| self.usage.insert(name.to_owned(), value);
        note("input_tokens", usage.input_tokens.into());
        note("output_tokens", usage.output_tokens.into());
        if let Some(price) = price {
            note("cost", price.of(usage).into());
        }
        let reason = serde_json::to_value(told.finish_reason).ok();
        self.finish_reason = reason.as_ref().and_then(Value::as_str).map(str::to_owned);
        true
    }

    /// Notes that it cannot be used.
    pub(super) fn fail(&mut self, error: &Error) {
        self.state = ReplyState::Failed;
        self.error = Some(error.to_string());
    }
}

/// What a reply took.
pub(super) fn usage_of(
    question: &Question,
    reply: &ModelReply,
    now: Timestamp,
    unusable: bool,
) -> ModelUsage {
    let tokens = |name| reply.usage.get(name).and_then(Value::as_u64);
    let number = |name| reply.usage.get(name).and_then(Value::as_f64);
    ModelUsage {
        day: now.to_civil().date(),
        profile: question.info.profile.to_string(),
        model: question.info.model.to_string(),
        step: question.info.step.to_string(),
        calls: 1,
        unusable: u64::from(unusable),
        input_tokens: tokens("input_tokens").unwrap_or_default(),
        output_tokens: tokens("output_tokens").unwrap_or_default(),
        cost: number("cost").unwrap_or_default(),
        seconds: number("latency").unwrap_or_default(),
    }
}
