//! Copying scopes: one part reads ahead, another writes what was read.

use std::future::poll_fn;

use futures_channel::mpsc::{Receiver, Sender, channel};
use futures_util::StreamExt;
use futures_util::future::join;

use super::kind::{Kind, Pages};
use super::removed::remove_what_went;
use super::side::{Side, without_place};
use super::sums::{Surveyed, Tell, vector_bytes};
use crate::error::{Error, Result};
use crate::records::{
    CategoryItem, EmbedderIdentity, Id, MemoryCategory, MemoryItem, ModelReply, Resource, Segment,
};
use crate::scope::Scope;
use crate::store::{Lease, LogPosition, Write, WriteBatch};
use crate::time::civil;

/// So many records make a batch.
const BATCH_RECORDS: usize = 2_000;

/// So many bytes make a batch, about: other writers of the target wait for no longer than
/// such a batch takes.
const BATCH_BYTES: usize = 8 << 20;

/// Writes of one scope on their way to the target.
struct Piece {
    batch: WriteBatch,
    /// With the first piece of a scope: where its log is in the target.
    begins: Option<LogPosition>,
    /// How many records of the source this settles.
    records: u64,
    /// Whether the scope is complete with it.
    ends: bool,
}

/// How far copying came.
pub(super) struct Copied {
    /// How many scopes are complete, of those named, in their order.
    pub(super) scopes: usize,
    /// How many records were put.
    pub(super) put: u64,
    /// What stopped it.
    pub(super) stopped: Option<Error>,
}

/// What is copied, and where.
pub(super) struct Copy<'t> {
    pub(super) from: &'t Side,
    pub(super) to: &'t Side,
    /// Whose vectors are copied.
    pub(super) embedders: &'t [EmbedderIdentity],
    pub(super) tell: Tell<'t>,
}

impl Copy<'_> {
    /// Copies these scopes, as far as the target does not hold them. What is read ahead is
    /// no more than a few batches.
    pub(super) async fn run(&self, scopes: &[Surveyed]) -> Copied {
        let (sender, receiver) = channel(0);
        let reading = async {
            // The sender goes with this, and the writer then ends.
            let mut reading = Reading {
                copy: self,
                sender,
                piece: None,
                bytes: 0,
                leases: Vec::new(),
            };
            for scope in scopes {
                reading.scope(&scope.scope).await?;
            }
            Ok(())
        };
        let (read, mut copied) = join(reading, self.write(receiver)).await;
        if copied.stopped.is_none() {
            copied.stopped = read.err();
        }
        copied
    }

    async fn write(&self, mut pieces: Receiver<Piece>) -> Copied {
        let mut copied = Copied {
            scopes: 0,
            put: 0,
            stopped: None,
        };
        let mut position = LogPosition::default();
        while let Some(piece) = pieces.next().await {
            position = piece.begins.unwrap_or(position);
            match self.commit(piece.batch, position).await {
                Ok((now, put)) => {
                    position = now;
                    copied.put += put;
                }
                Err(error) => {
                    copied.stopped = Some(error);
                    return copied;
                }
            }
            copied.scopes += usize::from(piece.ends);
            (self.tell)(piece.records);
        }
        copied
    }

    async fn commit(
        &self,
        mut batch: WriteBatch,
        position: LogPosition,
    ) -> Result<(LogPosition, u64)> {
        if batch.writes.is_empty() {
            return Ok((position, 0));
        }
        batch.expected_seq = Some(position.seq);
        batch.expected_life = Some(position.life);
        let put = batch.writes.iter().map(records_of).sum();
        let scope = batch.scope.clone();
        let committed = self.to.store.commit(batch).await;
        let committed = committed.map_err(|error| error.with("scope", scope))?;
        let position = LogPosition {
            life: committed.life,
            seq: committed.seq,
        };
        Ok((position, put))
    }
}

fn records_of(write: &Write) -> u64 {
    match write {
        Write::Segments(segments) => segments.len() as u64,
        Write::Blob(_) | Write::Embeddings(..) | Write::ModelUsage(_) => 0,
        _ => 1,
    }
}

/// What the source holds and the target does not, made into batches.
struct Reading<'c> {
    copy: &'c Copy<'c>,
    sender: Sender<Piece>,
    /// The batch that is being filled.
    piece: Option<Piece>,
    bytes: usize,
    /// What keeps the files of the batch.
    leases: Vec<Lease>,
}

impl Reading<'_> {
    async fn scope(&mut self, scope: &Scope) -> Result<()> {
        let position = remove_what_went(self.copy.from, self.copy.to, scope).await?;
        self.begin(scope, Some(position));
        let is_empty = position == LogPosition::default();
        self.resources(scope, is_empty).await?;
        self.kind::<Segment>(scope, is_empty).await?;
        self.kind::<MemoryItem>(scope, is_empty).await?;
        self.kind::<MemoryCategory>(scope, is_empty).await?;
        self.kind::<CategoryItem>(scope, is_empty).await?;
        self.kind::<ModelReply>(scope, is_empty).await?;
        self.usage(scope).await?;
        if let Some(piece) = &mut self.piece {
            piece.ends = true;
        }
        self.send().await
    }

    fn begin(&mut self, scope: &Scope, begins: Option<LogPosition>) {
        let mut batch = WriteBatch::new(scope.clone(), None);
        batch.restoring = true;
        self.bytes = 0;
        self.piece = Some(Piece {
            batch,
            begins,
            records: 0,
            ends: false,
        });
    }

    /// Hands over the batch, as soon as there is room for it.
    async fn send(&mut self) -> Result<()> {
        let Some(mut piece) = self.piece.take() else {
            return Ok(());
        };
        if !self.leases.is_empty() {
            piece.batch.lease = Some(Lease::new(std::mem::take(&mut self.leases)));
        }
        // Whoever does not listen any more has an error of its own, which counts.
        let gone = || Error::cancelled("nothing is written any more");
        poll_fn(|context| self.sender.poll_ready(context))
            .await
            .map_err(|_| gone())?;
        self.sender.start_send(piece).map_err(|_| gone())
    }

    /// Adds writes that settle so many records, and hands over a full batch.
    async fn add(&mut self, writes: Vec<Write>, records: usize, bytes: usize) -> Result<()> {
        self.bytes += bytes;
        let Some(piece) = &mut self.piece else {
            return Err(Error::internal("writes of no scope"));
        };
        piece.batch.writes.extend(writes);
        piece.records += records as u64;
        if self.bytes < BATCH_BYTES && piece.records < BATCH_RECORDS as u64 {
            return Ok(());
        }
        let scope = piece.batch.scope.clone();
        self.send().await?;
        self.begin(&scope, None);
        Ok(())
    }

    async fn kind<T: Kind>(&mut self, scope: &Scope, is_empty: bool) -> Result<()> {
        let copy = self.copy;
        let mut held = held::<T>(copy.to, scope, is_empty);
        let with_each = vector_bytes(copy.embedders);
        let mut pages = Pages::<T>::new(&*copy.from.store, scope, with_each);
        while let Some(page) = pages.page().await? {
            let count = page.len();
            let new = beyond(page, &mut held).await?;
            let bytes = new.iter().map(|one| one.bytes() + with_each).sum();
            let vectors = self.vectors(scope, &new).await?;
            let mut writes = T::writes(new);
            writes.extend(vectors);
            self.add(writes, count, bytes).await?;
        }
        nothing_else(&mut held).await
    }

    async fn resources(&mut self, scope: &Scope, is_empty: bool) -> Result<()> {
        let copy = self.copy;
        let mut held = held::<Resource>(copy.to, scope, is_empty);
        let with_each = vector_bytes(copy.embedders);
        let mut pages = Pages::<Resource>::new(&*copy.from.store, scope, with_each);
        while let Some(page) = pages.page().await? {
            let known = page.len();
            let new = beyond(page, &mut held).await?;
            self.add(Vec::new(), known - new.len(), 0).await?;
            for resource in new {
                self.resource(scope, resource, with_each).await?;
            }
        }
        nothing_else(&mut held).await
    }

    /// One resource with its content, which may be large.
    async fn resource(&mut self, scope: &Scope, resource: Resource, more: usize) -> Result<()> {
        let mut writes = Vec::new();
        let mut bytes = resource.bytes() + more;
        let vectors = self.vectors(scope, std::slice::from_ref(&resource)).await?;
        if let Some(content) = self.copy.from.content(&resource).await? {
            bytes += content.len();
            let placed = self.copy.to.place(&resource, content).await?;
            writes.extend(placed.blob.map(Write::Blob));
            self.leases.extend(placed.lease);
            writes.push(Write::Resource(Resource {
                local_path: placed.local_path,
                ..without_place(resource)
            }));
        } else {
            writes.push(Write::Resource(resource));
        }
        writes.extend(vectors);
        self.add(writes, 1, bytes).await
    }

    async fn vectors<T: Kind>(&self, scope: &Scope, owners: &[T]) -> Result<Vec<Write>> {
        let mut writes = Vec::new();
        let Some(kind) = T::OWNER.filter(|_| !owners.is_empty()) else {
            return Ok(writes);
        };
        let owners: Vec<Id> = owners.iter().map(|one| one.meta().id.clone()).collect();
        for identity in self.copy.embedders {
            let store = &self.copy.from.store;
            let vectors = store.embeddings(scope, identity, kind, &owners).await?;
            if !vectors.is_empty() {
                writes.push(Write::Embeddings(identity.clone(), vectors));
            }
        }
        Ok(writes)
    }

    /// Sums of usage grow: those of the source take the place of smaller ones.
    async fn usage(&mut self, scope: &Scope) -> Result<()> {
        let (from, to) = (&self.copy.from.store, &self.copy.to.store);
        let source = from.model_usage(scope, civil::Date::MIN).await?;
        let held = to.model_usage(scope, civil::Date::MIN).await?;
        for sum in &held {
            let own = source.iter().find(|own| own.key() == sum.key());
            if own.is_none_or(|own| !own.has_grown_from(sum)) {
                return Err(different("sum of model usage", &sum.step, scope));
            }
        }
        let new = source.into_iter().filter(|own| !held.contains(own));
        let writes: Vec<Write> = new.map(Write::ModelUsage).collect();
        let bytes = writes.len() * 200;
        self.add(writes, 0, bytes).await
    }
}

/// What the target holds of a kind, to be read along with what the source holds: it must be
/// the beginning of that.
fn held<'s, T: Kind>(to: &'s Side, scope: &Scope, is_empty: bool) -> Pages<'s, T> {
    if is_empty {
        Pages::none(&*to.store, scope)
    } else {
        Pages::new(&*to.store, scope, 0)
    }
}

/// The records of the source that have changed since the target got them, or that it does not
/// hold.
async fn beyond<T: Kind>(page: Vec<T>, held: &mut Pages<'_, T>) -> Result<Vec<T>> {
    let mut new = Vec::with_capacity(page.len());
    for record in page {
        match held.record().await? {
            Some(there) if record.is_same(&there) => {}
            Some(there) if record.is_later_than(&there) => new.push(record),
            Some(there) => return Err(differs(&there)),
            None => new.push(record),
        }
    }
    Ok(new)
}

/// Refuses what the target holds beyond the records of the source.
async fn nothing_else<T: Kind>(held: &mut Pages<'_, T>) -> Result<()> {
    match held.record().await? {
        Some(there) => Err(differs(&there)),
        None => Ok(()),
    }
}

fn differs<T: Kind>(there: &T) -> Error {
    different(T::NAME, &there.meta().id, &there.meta().scope)
}

fn different(kind: &str, id: impl std::fmt::Display, scope: &Scope) -> Error {
    Error::conflict(format!(
        "the target holds a {kind} that the source does not hold, or no longer holds, in this place \
         and form; nothing more was written. A scope is moved into one that is empty, or that a move which was cut \
         off has begun to fill: choose another target, or forget the scope there"
    ))
    .with("id", id)
    .with("scope", scope)
    .retryable(false)
}
