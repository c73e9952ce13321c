//! Reading scopes from JSON Lines.

use std::io::BufRead;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::form::{
    CategoryForm, ItemForm, ModelReplyForm, RelationForm, ResourceForm, SegmentForm,
};
use super::kind::Kind;
use super::line::{End, Header, Line, LineKind, VERSION};
use super::side::{Side, without_place};
use crate::error::{Error, ErrorKind, Result};
use crate::records::{
    CategoryItem, ContentHash, Id, MemoryCategory, MemoryItem, ModelReply, ModelUsage,
    OwnedEmbedding, OwnerKind, Segment,
};
use crate::scope::Scope;
use crate::store::rules::check_embedder;
use crate::store::{Lease, LogPosition, Query, Select, Write, WriteBatch};
use crate::time::civil;

/// So many records make a batch.
const BATCH_RECORDS: usize = 1_000;

/// So many bytes of lines make a batch.
const BATCH_BYTES: usize = 8 << 20;

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// How many records were read.
    pub records: u64,
    /// How many of them were put; the store held the others as they are.
    pub put: u64,
}

/// Reads what [`export_lines`](super::export_lines) wrote, batch after batch: each takes effect
/// as a whole. A record that the store holds as it is stays; one that it holds with a lower
/// revision is replaced. `tell` is told how many records are read.
///
/// # Errors
/// [`ErrorKind::Input`] for a line that is no record, naming its number;
/// [`ErrorKind::Conflict`] when the store holds another record under the id;
/// [`ErrorKind::Scope`] when the file has other scope fields; [`ErrorKind::Config`] when its
/// vectors are another embedder's than the store's. Nothing of the batch of that line is put;
/// what came before stays, and is left alone when the mended file is read again.
pub async fn import_lines(
    side: &Side,
    header: &Header,
    lines: &mut (dyn BufRead + Send),
    tell: &(dyn Fn(u64) + Send + Sync),
) -> Result<Imported> {
    let mut import = Import {
        side,
        lines,
        number: 1,
        empty: None,
        batch: None,
        imported: Imported::default(),
    };
    import.check(header).await?;
    while let Some(text) = import.next()? {
        if let Ok(end) = serde_json::from_str::<End>(&text) {
            return import.end(end).await;
        }
        let line: Line = parsed(&text).map_err(|error| import.at(error))?;
        import.take(line, text.len()).await?;
        tell(import.imported.records);
    }
    import.commit().await?;
    Err(import.at(Error::input(
        "the file was cut off: its last line, which counts the records, is missing; what it holds \
         was put",
    )))
}

/// Reads the first line.
///
/// # Errors
/// [`ErrorKind::Input`] when it is none of an export; [`ErrorKind::TooNew`] when a newer version
/// wrote it.
pub fn read_header(lines: &mut (dyn BufRead + Send)) -> Result<Header> {
    let mut text = String::new();
    let read = lines.read_line(&mut text);
    let foreign = || Error::input("this is no memory that memu export wrote").with("line", 1);
    read.map_err(|cause| foreign().caused_by(cause))?;
    let header: Header = serde_json::from_str(&text).map_err(|cause| foreign().caused_by(cause))?;
    if header.memu != Header::MEMORY || header.version != VERSION {
        let message = format!(
            "this is {:?} of version {}; this program reads {:?} of version {VERSION}",
            header.memu,
            header.version,
            Header::MEMORY
        );
        return Err(Error::new(ErrorKind::TooNew, message).with("line", 1));
    }
    Ok(header)
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|cause| Error::input("this is no record").caused_by(cause))
}

/// Records of one scope that are put together.
struct Batch {
    scope: Scope,
    first_line: u64,
    bytes: usize,
    records: usize,
    writes: Vec<Write>,
    leases: Vec<Lease>,
}

struct Import<'i> {
    side: &'i Side,
    lines: &'i mut (dyn BufRead + Send),
    /// Of the line that was read last, from 1.
    number: u64,
    /// The scope of the last line, and whether it held nothing when its first line came.
    empty: Option<(Scope, bool)>,
    batch: Option<Batch>,
    imported: Imported,
}

impl Import<'_> {
    /// The next line that is not empty.
    fn next(&mut self) -> Result<Option<String>> {
        loop {
            let mut text = String::new();
            self.number += 1;
            let read = self.lines.read_line(&mut text);
            let read = read.map_err(|cause| {
                self.at(Error::input("the file cannot be read as text").caused_by(cause))
            })?;
            if read == 0 {
                return Ok(None);
            }
            if !text.trim().is_empty() {
                return Ok(Some(text));
            }
        }
    }

    fn at(&self, error: Error) -> Error {
        error.with("line", self.number)
    }

    /// Refuses what does not fit the store.
    async fn check(&self, header: &Header) -> Result<()> {
        let schema = self.side.store.schema();
        if !schema
            .fields()
            .eq(header.scope_fields.iter().map(String::as_str))
        {
            return Err(self.at(Error::scope(format!(
                "the file keeps memories by {:?} and the store by {schema:?}",
                header.scope_fields
            ))));
        }
        if let Some(embedder) = &header.embedder {
            let sets = self.side.store.embedding_sets().await?;
            check_embedder(&sets, embedder).map_err(|error| self.at(error))?;
        }
        Ok(())
    }

    async fn end(&mut self, end: End) -> Result<Imported> {
        if end.records != self.imported.records {
            return Err(self.at(Error::input(format!(
                "the file tells of {} records and holds {}; nothing of the last batch was put",
                end.records, self.imported.records
            ))));
        }
        self.commit().await?;
        if self.next()?.is_some() {
            return Err(self.at(Error::input("something follows the last line; it was left")));
        }
        Ok(self.imported)
    }

    async fn take(&mut self, line: Line, bytes: usize) -> Result<()> {
        let schema = self.side.store.schema();
        let scope = schema.scope_from_json(&line.scope);
        let scope = scope.map_err(|error| self.at(error))?;
        let full = |batch: &Batch| {
            batch.scope != scope || batch.bytes > BATCH_BYTES || batch.records >= BATCH_RECORDS
        };
        if self.batch.as_ref().is_some_and(full) {
            self.commit().await?;
        }
        if self.empty.as_ref().is_none_or(|(known, _)| *known != scope) {
            let position = self.side.store.log_position(&scope).await?;
            self.empty = Some((scope.clone(), position == LogPosition::default()));
        }
        self.imported.records += 1;
        let (writes, lease) = match self.writes(line, &scope).await {
            Ok(Some(new)) => new,
            Ok(None) => return Ok(()),
            Err(error) => return Err(self.at(error)),
        };
        let first_line = self.number;
        let batch = self.batch.get_or_insert_with(|| Batch {
            scope,
            first_line,
            bytes: 0,
            records: 0,
            writes: Vec::new(),
            leases: Vec::new(),
        });
        batch.bytes += bytes;
        batch.records += 1;
        batch.writes.extend(writes);
        batch.leases.extend(lease);
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        let Some(full) = self.batch.take() else {
            return Ok(());
        };
        let mut batch = WriteBatch::new(full.scope, None);
        batch.restoring = true;
        batch.writes = full.writes;
        batch.lease = Some(Lease::new(full.leases));
        let committed = self.side.store.commit(batch).await;
        committed.map_err(|error| {
            let last = self.number;
            error.with(
                "lines",
                format!("from {} to before {last}", full.first_line),
            )
        })?;
        self.imported.put += full.records as u64;
        Ok(())
    }

    /// What a line puts; `None` when the store holds it.
    async fn writes(
        &self,
        line: Line,
        scope: &Scope,
    ) -> Result<Option<(Vec<Write>, Option<Lease>)>> {
        let Line {
            kind,
            record,
            vectors,
            content,
            ..
        } = line;
        let mut lease = None;
        let (mut writes, owner) = match kind {
            LineKind::Resource => {
                let resource = form::<ResourceForm>(record)?.into_record(scope)?;
                let Some(mut resource) = self.unknown(resource).await? else {
                    return Ok(None);
                };
                let owner = (OwnerKind::Resource, resource.meta.id.clone());
                let mut writes = Vec::new();
                if let Some(content) = content {
                    let bytes = content.into_bytes()?;
                    if ContentHash::of(&bytes) != resource.content_hash {
                        return Err(Error::input("the content does not have its hash"));
                    }
                    let placed = self.side.place(&resource, bytes.into()).await?;
                    writes.extend(placed.blob.map(Write::Blob));
                    lease = placed.lease;
                    resource = without_place(resource);
                    resource.local_path = placed.local_path;
                }
                writes.push(Write::Resource(resource));
                (writes, Some(owner))
            }
            LineKind::Segment => {
                let segment = form::<SegmentForm>(record)?.into_record(scope)?;
                self.owned::<Segment>(segment, OwnerKind::Segment).await?
            }
            LineKind::Item => {
                let item = form::<ItemForm>(record)?.into_record(scope)?;
                self.owned::<MemoryItem>(item, OwnerKind::Item).await?
            }
            LineKind::Category => {
                let category = form::<CategoryForm>(record)?.into_record(scope)?;
                self.owned::<MemoryCategory>(category, OwnerKind::Category)
                    .await?
            }
            LineKind::Relation => {
                let relation = form::<RelationForm>(record)?.into_record(scope)?;
                let new = self.unknown::<CategoryItem>(relation).await?;
                (CategoryItem::writes(new.into_iter().collect()), None)
            }
            LineKind::ModelReply => {
                let reply = form::<ModelReplyForm>(record)?.into_record(scope)?;
                let new = self.unknown::<ModelReply>(reply).await?;
                (ModelReply::writes(new.into_iter().collect()), None)
            }
            LineKind::ModelUsage => (self.usage(form(record)?, scope).await?, None),
        };
        if writes.is_empty() {
            return Ok(None);
        }
        for vector in vectors {
            let (kind, owner) = owner
                .clone()
                .ok_or_else(|| Error::input("this kind of record has no vectors"))?;
            let owned = OwnedEmbedding {
                kind,
                owner,
                vector: vector.embedding()?,
            };
            writes.push(Write::Embeddings(vector.embedder, vec![owned]));
        }
        Ok(Some((writes, lease)))
    }

    async fn owned<T: Kind>(
        &self,
        record: T,
        kind: OwnerKind,
    ) -> Result<(Vec<Write>, Option<(OwnerKind, Id)>)> {
        let id = record.meta().id.clone();
        Ok(match self.unknown(record).await? {
            Some(record) => (T::writes(vec![record]), Some((kind, id))),
            None => (Vec::new(), None),
        })
    }

    /// The record, unless the store holds it as it is.
    async fn unknown<T: Kind>(&self, record: T) -> Result<Option<T>> {
        if matches!(self.empty, Some((_, true))) {
            return Ok(Some(record));
        }
        let meta = record.meta();
        let query = Query::scope(&meta.scope).select(Select::Ids(vec![meta.id.clone()]));
        let known = T::page(&*self.side.store, &query).await?.records;
        match known.first() {
            Some(known) if record.is_same(known) => Ok(None),
            Some(known) if !record.is_later_than(known) => Err(Error::conflict(format!(
                "the store holds another {} under this id",
                T::NAME
            ))
            .with("id", &meta.id)
            .with("scope", &meta.scope)
            .retryable(false)),
            _ => Ok(Some(record)),
        }
    }

    async fn usage(&self, sum: ModelUsage, scope: &Scope) -> Result<Vec<Write>> {
        let held = self.side.store.model_usage(scope, civil::Date::MIN).await?;
        match held.iter().find(|held| held.key() == sum.key()) {
            Some(held) if *held == sum => Ok(Vec::new()),
            Some(held) if !sum.has_grown_from(held) => Err(Error::conflict(
                "the store has a sum of its own for this day, model and step",
            )
            .with("scope", scope)
            .retryable(false)),
            _ => Ok(vec![Write::ModelUsage(sum)]),
        }
    }
}

fn form<T: DeserializeOwned>(record: serde_json::Value) -> Result<T> {
    serde_json::from_value(record)
        .map_err(|cause| Error::input("this is no record").caused_by(cause))
}
