//! Records from rows, and values for rows.

use half::f16;
use half::slice::HalfFloatSliceExt;
use memu_core::records::{
    CategoryItem, ContentHash, Id, MemoryCategory, MemoryItem, Meta, Modality, ModelReply,
    ReplyState, Resource, Role, Segment, Span,
};
use memu_core::scope::Scope;
use memu_core::time::{Precision, Timestamp, When, civil, parse_civil};
use memu_core::{Error, Result};
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use super::error::{corrupt, storage};
use crate::settings::EmbeddingFormat;

/// The columns of [`Meta`], for a table named `t`.
const META: &str =
    "t.id, t.created_at, t.updated_at, t.revision, t.valid_from, t.valid_to, t.superseded_by";

/// The same where records lie packed.
const PACKED_META: &str = "t.key, t.created_us, t.created_us + t.updated_after, t.revision, \
                           t.valid_from, t.valid_to, t.superseded_by";

/// A row whose columns are taken one after the other.
pub(super) struct Reader<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Reader<'r, 's> {
    pub(super) fn new(row: &'r Row<'s>, first: usize) -> Self {
        Self { row, next: first }
    }

    pub(super) fn take<T: rusqlite::types::FromSql>(&mut self) -> Result<T> {
        let value = self.row.get(self.next).map_err(storage);
        self.next += 1;
        value
    }

    /// An id as text, or packed.
    pub(super) fn id(&mut self) -> Result<Id> {
        self.id_or_none()?
            .ok_or_else(|| corrupt("a record without an id"))
    }

    pub(super) fn id_or_none(&mut self) -> Result<Option<Id>> {
        let value = self.row.get_ref(self.next).map_err(storage)?;
        self.next += 1;
        unpacked_id(value)
    }

    /// A time as text, or in microseconds since 1970.
    fn time(&mut self) -> Result<Timestamp> {
        match self.take()? {
            rusqlite::types::Value::Integer(micros) => Ok(Timestamp::from_micros(micros)),
            rusqlite::types::Value::Text(text) => {
                Timestamp::parse(&text).map_err(|_| corrupt("an unreadable time"))
            }
            _ => Err(corrupt("an unreadable time")),
        }
    }

    fn time_or_none(&mut self) -> Result<Option<Timestamp>> {
        let text: Option<String> = self.take()?;
        text.map(|text| Timestamp::parse(&text).map_err(|_| corrupt("an unreadable time")))
            .transpose()
    }

    fn civil(&mut self) -> Result<Option<civil::DateTime>> {
        let text: Option<String> = self.take()?;
        text.map(|text| parse_civil(&text).map_err(|_| corrupt("an unreadable time")))
            .transpose()
    }

    fn number<T: TryFrom<i64>>(&mut self) -> Result<T> {
        T::try_from(self.take::<i64>()?).map_err(|_| corrupt("a number out of range"))
    }

    fn meta(&mut self, scope: &Scope) -> Result<Meta> {
        let id = self.id()?;
        self.meta_of(id, scope)
    }

    /// What follows the id.
    fn meta_of(&mut self, id: Id, scope: &Scope) -> Result<Meta> {
        Ok(Meta {
            id,
            scope: scope.clone(),
            created_at: self.time()?,
            updated_at: self.time()?,
            revision: self.number()?,
            valid_from: self.time_or_none()?,
            valid_to: self.time_or_none()?,
            superseded_by: self.take::<Option<String>>()?.map(Id::from),
        })
    }
}

/// A kind of record in its table.
pub(super) trait Record: Sized {
    /// The table.
    const TABLE: &'static str;
    /// The columns of [`Meta`], for a table named `t`.
    const META: &'static str = META;
    /// Its columns after those, for a table named `t`.
    const COLUMNS: &'static str;

    /// Reads a record whose columns begin at the reader's place.
    fn read(reader: &mut Reader<'_, '_>, scope: &Scope) -> Result<Self>;
}

impl Record for Resource {
    const TABLE: &'static str = "memu_resources";
    const COLUMNS: &'static str = "t.url, t.modality, t.local_path, t.caption, t.content_hash, \
                                   t.external_id, t.segment_count";

    fn read(reader: &mut Reader<'_, '_>, scope: &Scope) -> Result<Self> {
        Ok(Self {
            meta: reader.meta(scope)?,
            url: reader.take()?,
            modality: reader
                .take::<String>()?
                .parse::<Modality>()
                .map_err(|_| corrupt("an unknown modality"))?,
            local_path: reader.take()?,
            caption: reader.take()?,
            content_hash: ContentHash::from_bytes(reader.take()?),
            external_id: reader.take()?,
            segment_count: reader.number()?,
        })
    }
}

impl Record for Segment {
    const TABLE: &'static str = "memu_segments";
    const META: &'static str = PACKED_META;
    const COLUMNS: &'static str = "(SELECT m.id FROM memu_resources m WHERE m.row = t.resource_row), \
                                   t.ordinal, t.session, t.topic, t.role, t.speaker, t.message_id, \
                                   t.text, t.caption, t.topic_caption, t.span_start, t.span_end, \
                                   t.happened_at, t.happened_at_text";

    fn read(reader: &mut Reader<'_, '_>, scope: &Scope) -> Result<Self> {
        Ok(Self {
            meta: reader.meta(scope)?,
            resource_id: reader.id()?,
            ordinal: reader.number()?,
            session: reader.number()?,
            topic: reader.number()?,
            role: reader
                .take::<Option<String>>()?
                .map(|name| Role::from_name(&name).ok_or_else(|| corrupt("an unknown role")))
                .transpose()?,
            speaker: reader.take()?,
            message_id: reader.take()?,
            text: reader.take()?,
            caption: reader.take()?,
            topic_caption: reader.take()?,
            span: span(reader.take()?, reader.take()?),
            happened_at: reader.civil()?,
            happened_at_text: reader.take()?,
        })
    }
}

fn span(start: Option<i64>, end: Option<i64>) -> Option<Span> {
    Some(Span {
        start: u64::try_from(start?).ok()?,
        end: u64::try_from(end?).ok()?,
    })
}

impl Record for MemoryItem {
    const TABLE: &'static str = "memu_items";
    const META: &'static str = PACKED_META;
    const COLUMNS: &'static str = "(SELECT m.id FROM memu_resources m WHERE m.row = t.resource_row), \
                                   t.memory_type, t.summary, t.happened_at, \
                                   t.happened_end, t.happened_precision, t.extra";

    /// Citations are read apart, for many items at once.
    fn read(reader: &mut Reader<'_, '_>, scope: &Scope) -> Result<Self> {
        Ok(Self {
            meta: reader.meta(scope)?,
            resource_id: reader.id_or_none()?,
            memory_type: reader.take()?,
            summary: reader.take()?,
            happened: when(reader)?,
            extra: unpacked_extra(reader.take()?)?,
            segment_ids: Vec::new(),
        })
    }
}

fn when(reader: &mut Reader<'_, '_>) -> Result<Option<When>> {
    let (start, end) = (reader.civil()?, reader.civil()?);
    let precision: Option<String> = reader.take()?;
    Ok(start.map(|start| When {
        start,
        end,
        // A time that another program wrote has no precision of ours.
        precision: precision
            .and_then(|name| Precision::from_name(&name))
            .unwrap_or(Precision::Minute),
    }))
}

fn json_object(text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text).map_err(|_| corrupt("details that are not a JSON object"))
}

impl Record for MemoryCategory {
    const TABLE: &'static str = "memu_memory_categories";
    const COLUMNS: &'static str = "t.name, t.description, t.summary";

    fn read(reader: &mut Reader<'_, '_>, scope: &Scope) -> Result<Self> {
        Ok(Self {
            meta: reader.meta(scope)?,
            name: reader.take()?,
            description: reader.take()?,
            summary: reader.take()?,
        })
    }
}

impl Record for CategoryItem {
    const TABLE: &'static str = "memu_relations";
    const META: &'static str = PACKED_META;
    const COLUMNS: &'static str = "(SELECT i.key FROM memu_items i WHERE i.row = t.item_row), \
                                   (SELECT c.id FROM memu_memory_categories c \
                                   WHERE c.row = t.category_row)";

    fn read(reader: &mut Reader<'_, '_>, scope: &Scope) -> Result<Self> {
        let own = reader.id_or_none()?;
        let mut meta = reader.meta_of(own.clone().unwrap_or_else(|| Id::from("")), scope)?;
        let (item_id, category_id) = (reader.id()?, reader.id()?);
        if own.is_none() {
            meta.id = relation_id(None, &item_id, &category_id)?;
        }
        Ok(Self {
            meta,
            item_id,
            category_id,
        })
    }
}

impl Record for ModelReply {
    const TABLE: &'static str = "memu_model_replies";
    const COLUMNS: &'static str = "t.resource_id, t.content_hash, t.step_name, t.model_profile, \
                                   t.model_provider, t.model_name, t.prompt_hash, t.request_hash, \
                                   t.reply_text, t.usage_json, t.finish_reason, t.reply_state, \
                                   t.error_text, t.source_json";

    fn read(reader: &mut Reader<'_, '_>, scope: &Scope) -> Result<Self> {
        Ok(Self {
            meta: reader.meta(scope)?,
            resource_id: reader.take::<Option<String>>()?.map(Id::from),
            content_hash: reader.take::<Option<_>>()?.map(ContentHash::from_bytes),
            step: reader.take()?,
            profile: reader.take()?,
            provider: reader.take()?,
            model: reader.take()?,
            prompt_hash: ContentHash::from_bytes(reader.take()?),
            request_hash: ContentHash::from_bytes(reader.take()?),
            text: reader.take()?,
            usage: json_object(&reader.take::<String>()?)?,
            finish_reason: reader.take()?,
            state: reader
                .take::<String>()?
                .parse::<ReplyState>()
                .map_err(|_| corrupt("a model reply in an unknown state"))?,
            error: reader.take()?,
            source: reader
                .take::<Option<String>>()?
                .map(|source| serde_json::from_str(&source))
                .transpose()
                .map_err(|_| corrupt("a model reply from an unreadable source"))?,
        })
    }
}

/// The id of a relation: its own, or the one that item and category make.
pub(super) fn relation_id(own: Option<Id>, item: &Id, category: &Id) -> Result<Id> {
    own.or_else(|| CategoryItem::id_for(item, category))
        .ok_or_else(|| corrupt("a relation without an id"))
}

/// An id as packed records and the change log have it: a UUID as its bytes, any other as
/// text.
pub(super) fn packed_id(id: &Id) -> rusqlite::types::Value {
    match id.to_uuid_bytes() {
        Some(bytes) => rusqlite::types::Value::Blob(bytes.to_vec()),
        None => rusqlite::types::Value::Text(id.as_str().to_owned()),
    }
}

/// An id as text, or packed.
pub(super) fn unpacked_id(value: ValueRef<'_>) -> Result<Option<Id>> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Text(text) => std::str::from_utf8(text)
            .map(|text| Some(Id::from(text)))
            .map_err(|_| corrupt("an id that is not text")),
        ValueRef::Blob(bytes) => bytes
            .try_into()
            .map(|bytes| Some(Id::from_uuid_bytes(bytes)))
            .map_err(|_| corrupt("an unusable id")),
        _ => Err(corrupt("an unusable id")),
    }
}

/// What an item's extra is called when there is nothing else in it.
const CONTENT_HASH: &str = "content_hash";

/// An item's extra as it is stored: JSON, or the content hash alone as its 8 bytes.
pub(super) fn packed_extra(extra: &Map<String, Value>) -> Result<rusqlite::types::Value> {
    let alone = extra.get(CONTENT_HASH).filter(|_| extra.len() == 1);
    if let Some(hash) = alone.and_then(Value::as_str)
        && let Some(bytes) = hash_bytes(hash)
    {
        return Ok(rusqlite::types::Value::Blob(bytes.to_vec()));
    }
    serde_json::to_string(extra)
        .map(rusqlite::types::Value::Text)
        .map_err(|cause| Error::input("an item's extra is not JSON").caused_by(cause))
}

/// The bytes of 16 lower-case hexadecimal digits.
fn hash_bytes(text: &str) -> Option<[u8; 8]> {
    let lower = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let hash = (text.len() == 16 && text.as_bytes().iter().all(lower))
        .then(|| u64::from_str_radix(text, 16));
    hash?.ok().map(u64::to_be_bytes)
}

fn unpacked_extra(value: rusqlite::types::Value) -> Result<Map<String, Value>> {
    match value {
        rusqlite::types::Value::Text(text) => json_object(&text),
        rusqlite::types::Value::Blob(bytes) => {
            let bytes = bytes.try_into();
            let bytes = bytes.map_err(|_| corrupt("an unusable content hash"))?;
            let hash = format!("{:016x}", u64::from_be_bytes(bytes));
            Ok(Map::from_iter([(CONTENT_HASH.to_owned(), hash.into())]))
        }
        _ => Err(corrupt("details that are not a JSON object")),
    }
}

/// A wall clock reading in the form of the original's columns, which sorts as time.
pub(super) fn civil_text(time: civil::DateTime) -> String {
    format!(
        "{} {:02}:{:02}:{:02}.{:06}",
        time.date(),
        time.hour(),
        time.minute(),
        time.second(),
        time.subsec_nanosecond() / 1_000
    )
}

/// A count as SQLite stores it.
pub(super) fn integer(value: u64) -> Result<i64> {
    i64::try_from(value).map_err(|_| Error::input(format!("{value} is too large to be stored")))
}

/// What follows the numbers of a vector of two bytes each. It makes the length odd, so
/// that a vector tells by itself how it is stored.
const HALVES: u8 = 16;

/// A vector as it is stored: little-endian numbers, one after the other.
pub(super) fn packed(vector: &[f32], format: EmbeddingFormat) -> Vec<u8> {
    if format == EmbeddingFormat::F16 {
        let mut halves = vec![f16::ZERO; vector.len()];
        halves.convert_from_f32_slice(vector);
        let fits = halves.iter().all(|value| value.is_finite())
            && halves.iter().any(|value| *value != f16::ZERO);
        // Numbers beyond what two bytes can tell keep their four.
        if fits {
            let mut bytes = vec![HALVES; 2 * halves.len() + 1];
            for (bytes, half) in bytes.as_chunks_mut().0.iter_mut().zip(&halves) {
                *bytes = half.to_le_bytes();
            }
            return bytes;
        }
    }
    let mut bytes = vec![0; 4 * vector.len()];
    for (bytes, value) in bytes.as_chunks_mut().0.iter_mut().zip(vector) {
        *bytes = value.to_le_bytes();
    }
    bytes
}

/// A stored vector.
pub(super) fn unpacked(bytes: &[u8]) -> Vec<f32> {
    if let Some((&HALVES, halves)) = bytes.split_last()
        && bytes.len() % 2 == 1
    {
        let (numbers, _) = halves.as_chunks::<2>();
        let numbers = numbers.iter();
        let halves: Vec<f16> = numbers.map(|number| f16::from_le_bytes(*number)).collect();
        return halves.to_f32_vec();
    }
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers
        .iter()
        .map(|number| f32::from_le_bytes(*number))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_tells_by_itself_how_it_is_stored() {
        let vector = [0.5, -0.25, 1e-3];
        for (format, bytes) in [
            (EmbeddingFormat::F32, 12),
            (EmbeddingFormat::F16, 7),
            (EmbeddingFormat::Json, 12),
        ] {
            let stored = packed(&vector, format);
            assert_eq!(stored.len(), bytes);
            let read = unpacked(&stored);
            let error = vector.iter().zip(&read).map(|(a, b)| (a - b).abs());
            assert!(read.len() == 3 && error.fold(0.0, f32::max) < 1e-6);
        }
        for odd in [[1e6, 0.0], [1e-20, 0.0]] {
            assert_eq!(unpacked(&packed(&odd, EmbeddingFormat::F16)), odd);
        }
    }
}
