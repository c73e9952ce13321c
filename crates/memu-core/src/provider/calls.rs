//! Calls to models: every reply is kept before anybody tries to understand it, and a question
//! that was answered before is not asked again.

mod budget;
mod exchange;
mod keeping;
mod old;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;

use self::exchange::{Chat, Embedding, Exchange, Question};
use self::keeping::{Done, Kept, usage_of};
pub use self::keeping::{Keeping, KeptContent};
use super::{ChatModel, ChatReply, ChatRequest, Embedder, FinishReason, Purpose, RawReply};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::Interceptor;
use crate::records::{ContentHash, Embedding as Vector, ModelReply};
use crate::store::{Query, Select, Write};

/// How often a question is asked whose answers nobody understands.
pub const MAX_UNUSABLE: u32 = 3;

/// Calls to models for one piece of work in one scope.
#[derive(Clone)]
pub struct Calls(Arc<Inner>);

struct Inner {
    /// `None` where nothing is kept.
    keeping: Option<Keeping>,
    interceptors: Vec<Arc<dyn Interceptor>>,
    /// Whether models that chat are asked at all.
    chats: bool,
    /// How many questions were answered by kept replies.
    known: AtomicUsize,
    /// Replies that were read, of which the store does not know yet.
    done: Mutex<Vec<Done>>,
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

/// A reply that does not help.
enum Useless {
    /// The provider does not reply so, or reports an error.
    Unreadable(Error),
    /// A model said it, and nobody understands it; another answer may be better.
    Answer(Error),
}

impl Useless {
    fn into_error(self, attempts: u32) -> Error {
        match self {
            Self::Unreadable(error) => error.with("replies", attempts),
            Self::Answer(error) => error.with("answers", attempts),
        }
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
            chats: true,
            known: AtomicUsize::new(0),
            done: Mutex::default(),
        }))
    }

    /// The same, but what is not known from a kept reply is not asked: an error says so. Vectors
    /// are, as they are needed for what comes of known replies.
    #[must_use]
    pub fn without_chats(self) -> Self {
        Self(Arc::new(Inner {
            keeping: self.0.keeping.clone(),
            interceptors: self.0.interceptors.clone(),
            chats: false,
            known: AtomicUsize::new(0),
            done: Mutex::default(),
        }))
    }

    /// How many questions were answered by replies that were kept.
    pub fn known_count(&self) -> usize {
        self.0.known.load(Ordering::Relaxed)
    }

    /// Asks, and understands the answer by `read`.
    ///
    /// A reply to the same request that is kept from before and can be read is used instead of
    /// a new call: what failed is repeated without paying again for what succeeded. Where an
    /// answer cannot be read, the model is asked again, at most [`MAX_UNUSABLE`] times in all;
    /// each reply is kept and counted.
    ///
    /// # Errors
    /// The model's, or `read`'s for the last answer, with profile, model, step and the number of
    /// attempts; the store's when a reply cannot be kept. All replies are kept.
    pub async fn ask<T: Send>(
        &self,
        ask: Ask<'_>,
        read: impl Fn(&ChatReply) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let question = Question::of_chat(&ask)?;
        self.answer(&question, &Chat { ask: &ask, read }).await
    }

    /// One vector per text, in order, as [`Embedder::embed`] gives them; models that are asked
    /// over a network are asked through these calls, batch by batch at the same time.
    ///
    /// The replies about memories are kept until what they are for is stored, so that
    /// what failed is repeated without paying for them again. Of those about questions only
    /// what they took is noted, unless they cannot be used.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn embed(
        &self,
        step: &str,
        embedder: &dyn Embedder,
        texts: &[&str],
        purpose: Purpose,
    ) -> Result<Vec<Option<Vector>>> {
        let Some(model) = embedder.model() else {
            return embedder.embed(texts).await;
        };
        let is_sent = |text: &&&str| !text.trim().is_empty();
        let sent: Vec<&str> = texts.iter().filter(is_sent).copied().collect();
        let batches = model.batches(&sent);
        let calls = batches.iter().map(async |texts| {
            let batch = Embedding {
                model,
                texts,
                purpose,
            };
            let question = batch.question(step, embedder.identity())?;
            self.answer(&question, &batch).await
        });
        // All are waited for, also when one fails: what came need not be paid for again.
        let mut vectors = Vec::with_capacity(sent.len());
        for batch in join_all(calls).await {
            vectors.extend(batch?);
        }
        let mut vectors = vectors.into_iter();
        let placed = texts.iter().map(|text| {
            let vector = is_sent(&text).then(|| vectors.next());
            vector.map(|vector| vector.ok_or_else(|| Error::internal("a vector went missing")))
        });
        placed.map(Option::transpose).collect()
    }

    async fn answer<E: Exchange>(&self, question: &Question, exchange: &E) -> Result<E::Answer> {
        if let Some(known) = self.known(question, exchange).await? {
            self.0.known.fetch_add(1, Ordering::Relaxed);
            return Ok(known);
        }
        if !self.0.chats && exchange.is_chat() {
            return Err(question.named(Error::model("no kept reply that can be read answers this")));
        }
        let mut attempts = 0;
        loop {
            if let Some(keeping) = &self.0.keeping
                && let Err(error) = keeping.check_budget().await
            {
                return Err(self.failed(question, error).await);
            }
            for interceptor in &self.0.interceptors {
                let request = exchange.request();
                interceptor.before_call(&question.info, &request).await?;
            }
            attempts += 1;
            match self.once(question, exchange).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Useless::Unreadable(error)))
                    if error.is_retryable() && attempts < MAX_UNUSABLE =>
                {
                    exchange.rest(attempts).await;
                }
                Ok(Err(Useless::Answer(_))) if attempts < MAX_UNUSABLE => {}
                Ok(Err(useless)) => {
                    let error = useless.into_error(attempts);
                    return Err(self.failed(question, error).await);
                }
                Err(error) => return Err(self.failed(question, error).await),
            }
        }
    }

    /// Whether an error of [`Self::ask`] says that answers came, and that none could be used.
    pub fn were_unusable(error: &Error) -> bool {
        error.context().iter().any(|(key, _)| *key == "answers")
    }

    async fn failed(&self, question: &Question, error: Error) -> Error {
        let error = question.named(error);
        for interceptor in &self.0.interceptors {
            interceptor.on_call_error(&question.info, &error).await;
        }
        error
    }

    /// One call: an error when there is no reply, which whoever makes the call has asked for
    /// often enough; and one inside when it is of no use.
    async fn once<E: Exchange>(
        &self,
        question: &Question,
        exchange: &E,
    ) -> Result<Result<E::Answer, Useless>> {
        let raw = exchange.send().await?;
        let kept = match &self.0.keeping {
            Some(keeping) => keeping.keep(question, &raw).await?,
            None => None,
        };
        let (told, answer) = match exchange.read(&raw) {
            Ok(read) => read,
            Err(error) => {
                let told = ChatReply {
                    text: String::new(),
                    finish_reason: FinishReason::Other,
                    usage: exchange.usage(&raw),
                };
                self.judge(question, &raw, kept, &told, Some(&error))
                    .await?;
                return Ok(Err(Useless::Unreadable(error)));
            }
        };
        let error = answer.as_ref().err();
        self.judge(question, &raw, kept, &told, error).await?;
        for interceptor in &self.0.interceptors {
            interceptor.after_call(&question.info, &told).await?;
        }
        Ok(answer.map_err(Useless::Answer))
    }

    /// What a kept reply to the same request says, if it can be read.
    async fn known<E: Exchange>(
        &self,
        question: &Question,
        exchange: &E,
    ) -> Result<Option<E::Answer>> {
        let Some(keeping) = &self.0.keeping else {
            return Ok(None);
        };
        if question.kept == Kept::IfUnusable {
            return Ok(None);
        }
        let select = Select::Requests(vec![question.hash]);
        let query = Query::scope(&keeping.scope).select(select);
        let replies = keeping.store.model_replies(&query).await?.records;
        let kept = replies.into_iter().filter(|reply| !reply.text.is_empty());
        for mut reply in kept.rev() {
            let raw = RawReply {
                body: reply.text.as_str().into(),
                latency: std::time::Duration::ZERO,
                attempts: 1,
            };
            let Ok((told, Ok(answer))) = exchange.read(&raw) else {
                continue;
            };
            let uncounted =
                question.kept == Kept::AndMarked && reply.note_usage(&told, question.price);
            let usage = uncounted.then(|| usage_of(question, &reply, keeping.clock.now(), false));
            self.note_done(Done::new(reply, question.kept, usage));
            return Ok(Some(answer));
        }
        Ok(None)
    }

    /// Notes what a reply cost, and whether it can be used. That it was read is noted with what
    /// is made of it.
    async fn judge(
        &self,
        question: &Question,
        raw: &RawReply,
        kept: Option<ModelReply>,
        told: &ChatReply,
        error: Option<&Error>,
    ) -> Result<()> {
        let (Some(keeping), Some(mut reply)) = (&self.0.keeping, kept) else {
            return Ok(());
        };
        reply.note_usage(told, question.price);
        let usage = usage_of(question, &reply, keeping.clock.now(), error.is_some());
        let taken = Write::ModelUsage(usage);
        let mut writes = vec![taken.clone()];
        if let Some(error) = error {
            raw.body.as_ref().clone_into(&mut reply.text);
            reply.fail(error);
            writes.push(Write::from(reply));
            return keeping.write(writes).await;
        }
        match question.kept {
            Kept::AndMarked => {
                writes.push(Write::from(reply.clone()));
                match keeping.write(writes).await {
                    // Others have emptied or removed it meanwhile; what it says is known here.
                    Err(error) if error.kind() == ErrorKind::Conflict => {
                        return keeping.write(vec![taken]).await;
                    }
                    written => written?,
                }
                reply.meta.revision += 1;
                self.note_done(Done::new(reply, question.kept, None));
            }
            Kept::UntilStored => {
                keeping.write(writes).await?;
                self.note_done(Done::new(reply, question.kept, None));
            }
            // That a file cannot be written to is no reason not to answer from it.
            Kept::IfUnusable => drop(keeping.write(writes).await),
        }
        Ok(())
    }

    /// Notes that a reply, as it is kept now, was read.
    fn note_done(&self, done: Done) {
        let mut all = self.0.done.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| !known.is_about(&done));
        all.extend(done.needed());
    }

    /// Whether a model was asked, or a kept reply used.
    pub fn were_used(&self) -> bool {
        let done = self.0.done.lock().unwrap_or_else(PoisonError::into_inner);
        !done.is_empty() || self.known_count() > 0
    }

    /// Takes the text of replies about no content that nobody has read in 30 days.
    ///
    /// # Errors
    /// The store's.
    pub async fn empty_old(&self) -> Result<()> {
        match &self.0.keeping {
            Some(keeping) => keeping.empty_old().await,
            None => Ok(()),
        }
    }

    /// Marks the replies which were read as such, where nothing is stored that this could go
    /// with. Those that others have marked or removed meanwhile stay as they are. Replies about no
    /// content that nobody has read in 30 days lose their text.
    ///
    /// # Errors
    /// The store's.
    pub async fn mark_read(&self) -> Result<()> {
        let done = {
            let mut done = self.0.done.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *done)
        };
        let Some(keeping) = &self.0.keeping else {
            return Ok(());
        };
        for one in &done {
            match keeping.write(one.writes()).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                written => written?,
            }
        }
        keeping.empty_old().await
    }

    /// Writes that mark the replies which were read as such, to go with what was made of them.
    pub fn writes(&self) -> Vec<Write> {
        let done = self.0.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.iter().flat_map(Done::writes).collect()
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
