//! Calls to models: every reply is kept before anybody tries to understand it, and a question
//! that was answered before is not asked again.

mod budget;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::{ChatModel, ChatReply, ChatRequest, Price, RawReply};
use crate::config::BudgetConfig;
use crate::environment::{Clock, IdSource};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::{CallInfo, Interceptor};
use crate::records::{ContentHash, Meta, ModelReply, ReplyState};
use crate::scope::Scope;
use crate::store::{Query, Select, Store, Write, WriteBatch};

/// How often a question is asked whose answers nobody understands.
pub const MAX_UNUSABLE: u32 = 3;

/// Calls to models for one piece of work in one scope.
#[derive(Clone)]
pub struct Calls(Arc<Inner>);

struct Inner {
    /// `None` where nothing is kept.
    keeping: Option<Keeping>,
    interceptors: Vec<Arc<dyn Interceptor>>,
    /// Replies that were read, and are not marked so in the store yet.
    read: Mutex<Vec<ModelReply>>,
}

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
    /// which gets another id when it is memorized again after a failure.
    pub content_hash: Option<ContentHash>,
}

/// A question to a model.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The step of the pipeline that asks, such as `extract_items`.
    pub step: &'a str,
    /// The model profile that it uses, such as `default`.
    pub profile: &'a str,
    /// Who is asked.
    pub model: &'a dyn ChatModel,
    /// The hash of the prompt's template.
    pub prompt_hash: ContentHash,
    /// What is asked.
    pub request: ChatRequest,
}

impl Ask<'_> {
    /// Equal requests to the same model have equal hashes.
    fn hash(&self) -> Result<ContentHash> {
        let request = serde_json::to_vec(&(self.model.name(), &self.request));
        let request = request
            .map_err(|cause| Error::internal("a request has no JSON form").caused_by(cause))?;
        Ok(ContentHash::of(&request))
    }

    fn named(&self, error: Error) -> Error {
        error
            .with("profile", self.profile)
            .with("model", self.model.name())
            .with("step", self.step)
    }
}

impl Calls {
    /// Calls of which nothing is kept and that nobody watches: for trying a model out.
    pub fn unkept() -> Self {
        Self::new(None, Vec::new())
    }

    /// Calls whose replies are kept where `keeping` says, if anywhere.
    pub fn new(keeping: Option<Keeping>, interceptors: Vec<Arc<dyn Interceptor>>) -> Self {
        Self(Arc::new(Inner {
            keeping,
            interceptors,
            read: Mutex::default(),
        }))
    }

    /// Asks, and understands the answer by `read`.
    ///
    /// A reply to the same request that is kept from before and can be read is used instead of
    /// a new call: what failed is repeated without paying again for what succeeded. Where an
    /// answer cannot be read, the model is asked again, at most [`MAX_UNUSABLE`] times in all.
    ///
    /// # Errors
    /// The model's, or `read`'s for the last answer, with profile, model, step and the number of
    /// attempts; the store's when a reply cannot be kept. All replies are kept.
    pub async fn ask<T>(
        &self,
        ask: Ask<'_>,
        read: impl Fn(&ChatReply) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let hash = ask.hash()?;
        if let Some(known) = self.known(&ask, hash, &read).await? {
            return Ok(known);
        }
        let info = CallInfo {
            step: ask.step.into(),
            profile: ask.profile.into(),
            model: ask.model.name().into(),
        };
        let mut attempts = 0;
        loop {
            if let Some(keeping) = &self.0.keeping
                && let Err(error) = keeping.check_budget(&keeping.budget).await
            {
                return Err(self.failed(&ask, &info, error).await);
            }
            for interceptor in &self.0.interceptors {
                interceptor.before_call(&info, &ask.request).await?;
            }
            attempts += 1;
            match self.once(&ask, hash, &read, &info).await {
                Ok(Ok(answer)) => return Ok(answer),
                // Another answer may be better.
                Ok(Err(_)) if attempts < MAX_UNUSABLE => {}
                Ok(Err(error)) => {
                    let error = error.with("answers", attempts);
                    return Err(self.failed(&ask, &info, error).await);
                }
                Err(error) => return Err(self.failed(&ask, &info, error).await),
            }
        }
    }

    /// Whether an error of [`Self::ask`] says that answers came, and that none could be used.
    pub fn were_unusable(error: &Error) -> bool {
        error.context().iter().any(|(key, _)| *key == "answers")
    }

    async fn failed(&self, ask: &Ask<'_>, info: &CallInfo, error: Error) -> Error {
        let error = ask.named(error);
        for interceptor in &self.0.interceptors {
            interceptor.on_call_error(info, &error).await;
        }
        error
    }

    /// One call: an error when there is no answer of a model, which whoever makes the call has
    /// asked for often enough; and one inside when the answer cannot be used.
    async fn once<T>(
        &self,
        ask: &Ask<'_>,
        hash: ContentHash,
        read: &(impl Fn(&ChatReply) -> Result<T> + Send + Sync),
        info: &CallInfo,
    ) -> Result<Result<T>> {
        let raw = ask.model.chat(&ask.request).await?;
        let kept = self.keep(ask, hash, &raw).await?;
        let reply = match ask.model.read(&raw) {
            Ok(reply) => reply,
            Err(error) => {
                self.judge(kept, Some(&error)).await?;
                return Err(error);
            }
        };
        for interceptor in &self.0.interceptors {
            interceptor.after_call(info, &reply).await?;
        }
        let kept = kept.map(|mut kept| {
            note_usage(&mut kept, &reply, ask.model.price());
            kept
        });
        let answer = read(&reply);
        self.judge(kept, answer.as_ref().err()).await?;
        Ok(answer)
    }

    /// What a kept reply to the same request says, if it can be read.
    async fn known<T>(
        &self,
        ask: &Ask<'_>,
        hash: ContentHash,
        read: &(impl Fn(&ChatReply) -> Result<T> + Send + Sync),
    ) -> Result<Option<T>> {
        let Some(keeping) = &self.0.keeping else {
            return Ok(None);
        };
        let query = Query::scope(&keeping.scope).select(Select::Requests(vec![hash]));
        let replies = keeping.store.model_replies(&query).await?.records;
        for mut reply in replies.into_iter().rev() {
            let raw = RawReply {
                body: reply.text.as_str().into(),
                latency: std::time::Duration::ZERO,
                attempts: 1,
            };
            let Ok(told) = ask.model.read(&raw) else {
                continue;
            };
            if let Ok(answer) = read(&told) {
                if !reply.usage.contains_key("input_tokens") {
                    note_usage(&mut reply, &told, ask.model.price());
                }
                self.note_read(reply);
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    /// Keeps a reply as it came.
    async fn keep(
        &self,
        ask: &Ask<'_>,
        hash: ContentHash,
        raw: &RawReply,
    ) -> Result<Option<ModelReply>> {
        let Some(keeping) = &self.0.keeping else {
            return Ok(None);
        };
        let meta = Meta::new(
            keeping.ids.next_id(),
            keeping.scope.clone(),
            keeping.clock.now(),
        );
        let name = ask.model.name();
        let (provider, model) = name.split_once('/').unwrap_or(("", name));
        let mut reply = ModelReply {
            meta,
            resource_id: None,
            content_hash: keeping.content_hash,
            step: ask.step.to_owned(),
            profile: ask.profile.to_owned(),
            provider: provider.to_owned(),
            model: model.to_owned(),
            prompt_hash: ask.prompt_hash,
            request_hash: hash,
            text: raw.body.to_string(),
            usage: Map::from_iter([
                ("latency".to_owned(), raw.latency.as_secs_f64().into()),
                ("attempts".to_owned(), raw.attempts.into()),
            ]),
            finish_reason: None,
            state: ReplyState::Received,
            error: None,
        };
        keeping.write(&reply).await?;
        reply.meta.revision += 1;
        Ok(Some(reply))
    }

    /// Notes what a reply cost, and whether it can be used. That it was read is noted with what
    /// is made of it.
    async fn judge(&self, kept: Option<ModelReply>, error: Option<&Error>) -> Result<()> {
        let (Some(keeping), Some(mut kept)) = (&self.0.keeping, kept) else {
            return Ok(());
        };
        if let Some(error) = error {
            kept.state = ReplyState::Failed;
            kept.error = Some(error.to_string());
            return keeping.write(&kept).await;
        }
        keeping.write(&kept).await?;
        kept.meta.revision += 1;
        self.note_read(kept);
        Ok(())
    }

    /// Notes that a reply, as it is kept now, was read.
    fn note_read(&self, mut reply: ModelReply) {
        let mut read = self.0.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.retain(|known| known.meta.id != reply.meta.id);
        if reply.state != ReplyState::Parsed {
            reply.state = ReplyState::Parsed;
            reply.error = None;
            read.push(reply);
        }
    }

    /// Marks the replies which were read as such, where nothing is stored that this could go
    /// with. Those that others have marked or removed meanwhile stay as they are.
    ///
    /// # Errors
    /// The store's.
    pub async fn mark_read(&self) -> Result<()> {
        let read = {
            let mut read = self.0.read.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *read)
        };
        let Some(keeping) = &self.0.keeping else {
            return Ok(());
        };
        for reply in &read {
            match keeping.write(reply).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                written => written?,
            }
        }
        Ok(())
    }

    /// Writes that mark the replies which were read as such, to go with what was made of them.
    pub fn writes(&self) -> Vec<Write> {
        let read = self.0.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.iter().cloned().map(Write::ModelReply).collect()
    }
}

/// Notes what a reply cost, and why it ended.
fn note_usage(kept: &mut ModelReply, reply: &ChatReply, price: Option<Price>) {
    let usage = &reply.usage;
    let mut note = |name: &str, value: Value| kept.usage.insert(name.to_owned(), value);
    note("input_tokens", usage.input_tokens.into());
    note("output_tokens", usage.output_tokens.into());
    if let Some(price) = price {
        note("cost", price.of(usage).into());
    }
    let reason = serde_json::to_value(reply.finish_reason).ok();
    kept.finish_reason = reason.as_ref().and_then(Value::as_str).map(str::to_owned);
}

impl Keeping {
    async fn write(&self, reply: &ModelReply) -> Result<()> {
        let mut batch = WriteBatch::new(self.scope.clone(), None);
        batch.writes.push(Write::ModelReply(reply.clone()));
        self.store.commit(batch).await?;
        Ok(())
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls")
            .field("keeping", &self.0.keeping)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
