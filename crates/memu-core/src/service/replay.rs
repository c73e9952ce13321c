//! Going on with what was cut off, and reading replies again that are kept.

use rustc_hash::FxHashSet;
use serde::Serialize;
use serde_json::{Map, Value};

use super::memorize::read_again;
use super::requests::{MemorizeRequest, Source};
use super::responses::{MemorizeResponse, MemorizeStatus};
use super::{Context, MemoryService};
use crate::error::{Error, ErrorKind, Result};
use crate::records::{
    ContentHash, MemoryItem, Modality, ModelReply, ReplySource, ReplyState, Resource,
};
use crate::scope::Scope;
use crate::store::{Query, Select, StoreExt, Write, WriteBatch};
use crate::time::Timestamp;

/// Content that was handed over and is not memorized: a model failed on the way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unfinished {
    /// Whose it is.
    #[serde(flatten)]
    pub scope: Scope,
    /// The hash of the content.
    pub content_hash: ContentHash,
    /// Where it came from.
    pub source: ReplySource,
    /// When the last reply came.
    pub since: Timestamp,
    /// How many replies about it are kept.
    pub replies: usize,
    /// Why the last of them could not be used that could not.
    pub error: Option<String>,
}

/// Which kept replies are read again.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// Whose, and which.
    pub filter: Map<String, Value>,
    /// Those of every scope when no scope field is given.
    pub all_scopes: bool,
    /// Also those of resources that are memorized, for what was overlooked then. A memory of
    /// theirs that was deleted comes back.
    pub stored: bool,
    /// Tells what would come of it, and stores nothing.
    pub dry_run: bool,
}

/// What came of replies that were read again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Replayed {
    /// Whose they are.
    #[serde(flatten)]
    pub scope: Scope,
    /// Where the content came from that they are about.
    pub url: String,
    /// What became of it.
    pub status: ReplayStatus,
    /// The memories that are new.
    pub items: Vec<MemoryItem>,
    /// What stood in the way.
    pub error: Option<String>,
}

/// What became of content whose replies were read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayStatus {
    /// It was not memorized before, and is now; in a dry run, it would be.
    Memorized,
    /// It was memorized, and has more memories now.
    Extended,
    /// Nothing new came of it.
    Unchanged,
    /// It cannot be memorized by what is kept alone.
    Waiting,
}

impl MemoryService {
    /// What was to be memorized in the scopes that match, and was not, because a model
    /// failed after others had answered; the oldest first.
    ///
    /// # Errors
    /// As [`Self::stats`].
    pub async fn unfinished(
        &self,
        filter: &Map<String, Value>,
        all_scopes: bool,
    ) -> Result<Vec<Unfinished>> {
        let selection = self.context().select(filter, all_scopes).await?;
        let mut unfinished: Vec<Unfinished> = Vec::new();
        for scope in &selection.scopes {
            unfinished.extend(unfinished_in(self.context(), scope).await?);
        }
        unfinished.sort_by_key(|one| one.since);
        Ok(unfinished)
    }

    /// Reads kept replies again, as this version understands them, and stores what comes of
    /// it. No model is asked but the one that embeds. Summaries stay as they are until their
    /// categories change for another reason.
    ///
    /// # Errors
    /// As [`Self::stats`], and the store's and the embedder's. That replies do not suffice for a
    /// content is no error: it waits.
    pub async fn replay(&self, request: Replay) -> Result<Vec<Replayed>> {
        let mut replayed = Vec::new();
        for waiting in self.unfinished(&request.filter, request.all_scopes).await? {
            replayed.push(self.finish(waiting, request.dry_run).await?);
        }
        if request.stored {
            let selection = self.context().select(&request.filter, request.all_scopes);
            for scope in selection.await?.scopes {
                for resource in asked_about(self.context(), &scope).await? {
                    replayed.push(again(self.context(), &resource, request.dry_run).await?);
                }
            }
        }
        Ok(replayed)
    }

    /// Goes on with content that was cut off. What models answered is known; they are asked for
    /// the rest alone.
    ///
    /// # Errors
    /// As [`Self::memorize`]; [`ErrorKind::Input`] when the content was handed over as it was,
    /// or is another one now.
    pub async fn resume(&self, unfinished: &Unfinished) -> Result<MemorizeResponse> {
        let Some(location) = &unfinished.source.location else {
            let message = "this content was handed over as it was and is not kept; hand it over \
                           again to go on";
            return Err(Error::input(message).with_name("file", &unfinished.source.url));
        };
        let expected = (location.clone(), unfinished.content_hash);
        self.go_on(unfinished.request(), expected, true, false)
            .await
    }

    /// Removes what models answered about content that was cut off, so that it is not named as
    /// unfinished any more; returns how many replies went.
    ///
    /// # Errors
    /// The store's.
    pub async fn give_up(&self, unfinished: &Unfinished) -> Result<usize> {
        let replies = open_replies(self.context(), &unfinished.scope).await?;
        let about = replies
            .into_iter()
            .filter(|reply| reply.content_hash == Some(unfinished.content_hash));
        let mut batch = WriteBatch::new(unfinished.scope.clone(), None);
        let deletes = about.map(|reply| Write::DeleteModelReply(reply.meta.id));
        batch.writes = deletes.collect();
        let count = batch.writes.len();
        self.store().commit(batch).await?;
        Ok(count)
    }

    async fn finish(&self, waiting: Unfinished, dry_run: bool) -> Result<Replayed> {
        let mut replayed = Replayed {
            url: waiting.source.url.clone(),
            scope: waiting.scope.clone(),
            status: ReplayStatus::Waiting,
            items: Vec::new(),
            error: waiting.error.clone(),
        };
        let Some(location) = &waiting.source.location else {
            return Ok(replayed);
        };
        let expected = (location.clone(), waiting.content_hash);
        match self
            .go_on(waiting.request(), expected, false, dry_run)
            .await
        {
            Ok(response) => {
                replayed.status = match response.status {
                    MemorizeStatus::Created => ReplayStatus::Memorized,
                    MemorizeStatus::Extended => ReplayStatus::Extended,
                    MemorizeStatus::Unchanged => ReplayStatus::Unchanged,
                };
                replayed.items = response.items;
                replayed.error = None;
            }
            Err(error) if matters_to_one(&error) => replayed.error = Some(error.to_string()),
            Err(error) => return Err(error),
        }
        Ok(replayed)
    }
}

/// Whether an error is about one content, and others may fare better.
fn matters_to_one(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Model | ErrorKind::Input | ErrorKind::Permission | ErrorKind::Unsupported
    )
}

impl Unfinished {
    fn request(&self) -> MemorizeRequest {
        let user = self.scope.iter();
        let user = user.filter_map(|(field, value)| Some((field.to_owned(), value?.into())));
        MemorizeRequest {
            source: Source::Url(self.source.url.clone()),
            modality: self.source.modality,
            user: user.collect(),
            caption: self.source.caption.clone(),
        }
    }
}

/// Replies of which nothing is stored.
async fn open_replies(context: &Context, scope: &Scope) -> Result<Vec<ModelReply>> {
    let open = vec![ReplyState::Received, ReplyState::Failed];
    let query = Query::scope(scope).select(Select::ReplyStates(open));
    context.store().all_model_replies(&query).await
}

/// Content of which no reply was ever marked as read, so that nothing of it is stored.
pub(super) async fn unfinished_in(context: &Context, scope: &Scope) -> Result<Vec<Unfinished>> {
    let mut found: Vec<Unfinished> = Vec::new();
    for reply in open_replies(context, scope).await? {
        let (Some(content_hash), Some(source)) = (reply.content_hash, reply.source) else {
            continue;
        };
        let known = found
            .iter()
            .position(|one| one.content_hash == content_hash);
        if let Some(one) = known.and_then(|known| found.get_mut(known)) {
            one.replies += 1;
            one.since = one.since.max(reply.meta.created_at);
            one.error = reply.error.or(one.error.take());
        } else {
            found.push(Unfinished {
                scope: scope.clone(),
                content_hash,
                source,
                since: reply.meta.created_at,
                replies: 1,
                error: reply.error,
            });
        }
    }
    let mut unfinished = Vec::new();
    for one in found {
        if !is_memorized(context, &one).await? {
            unfinished.push(one);
        }
    }
    Ok(unfinished)
}

/// Whether the scope has this content, or what came later from the same place: replies that
/// could not be used stay beside those that could.
async fn is_memorized(context: &Context, one: &Unfinished) -> Result<bool> {
    let store = context.store();
    let modality = one.source.modality;
    let content = Select::Content(one.content_hash, modality);
    let query = Query::scope(&one.scope).select(content);
    if !store.resources(&query).await?.records.is_empty() {
        return Ok(true);
    }
    let source = Select::Source {
        url: one.source.url.clone(),
        external_id: None,
        modality,
    };
    let query = Query::scope(&one.scope).select(source);
    let later = store.resources(&query).await?.records;
    Ok(later
        .iter()
        .any(|resource| resource.meta.updated_at >= one.since))
}

/// The resources about which models were asked for memories.
async fn asked_about(context: &Context, scope: &Scope) -> Result<Vec<Resource>> {
    let store = context.store();
    let replies = store.all_model_replies(&Query::scope(scope)).await?;
    let sources = replies.into_iter().filter_map(|reply| reply.source);
    let asked: FxHashSet<(String, Modality)> = sources
        .map(|source| (source.url, source.modality))
        .collect();
    let mut resources = store.all_resources(&Query::scope(scope)).await?;
    resources.retain(|one| asked.contains(&(one.url.clone(), one.modality)));
    Ok(resources)
}

async fn again(context: &Context, resource: &Resource, dry_run: bool) -> Result<Replayed> {
    let scope = &resource.meta.scope;
    let mut replayed = Replayed {
        scope: scope.clone(),
        url: resource.url.clone(),
        status: ReplayStatus::Unchanged,
        items: Vec::new(),
        error: None,
    };
    match read_again(context, scope, resource, dry_run).await {
        Ok(items) if items.is_empty() => {}
        Ok(items) => {
            replayed.status = ReplayStatus::Extended;
            replayed.items = items;
        }
        Err(error) if matters_to_one(&error) => replayed.error = Some(error.to_string()),
        Err(error) => return Err(error),
    }
    Ok(replayed)
}
