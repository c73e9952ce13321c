//! Records from rows.

use memu_core::Result;
use memu_core::records::{
    CategoryItem, ContentHash, Id, MemoryCategory, MemoryItem, Meta, Modality, ModelReply,
    ReplyState, Resource, Role, Segment, Span,
};
use memu_core::scope::Scope;
use memu_core::time::{Precision, Timestamp, When, civil, civil_from_micros};
use postgres_types::FromSql;
use serde_json::{Map, Value};
use tokio_postgres::Row;

use crate::error::{corrupt, storage};
use crate::json;
use crate::values::{Json, Micros, OwnText};

/// The columns of [`Meta`], for a table named `t`.
const META: &str =
    "t.id, t.created_at, t.updated_at, t.revision, t.valid_from, t.valid_to, t.superseded_by";

/// A row whose columns are taken one after the other.
pub(crate) struct Reader<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Reader<'r> {
    pub(crate) fn new(row: &'r Row) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn take<T: FromSql<'r>>(&mut self) -> Result<T> {
        let value = self.row.try_get(self.next).map_err(storage);
        self.next += 1;
        value
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        self.take::<OwnText>().map(|text| text.0)
    }

    pub(crate) fn text_or_none(&mut self) -> Result<Option<String>> {
        Ok(self.take::<Option<OwnText>>()?.map(|text| text.0))
    }

    pub(crate) fn id(&mut self) -> Result<Id> {
        self.text().map(Id::from)
    }

    fn id_or_none(&mut self) -> Result<Option<Id>> {
        Ok(self.text_or_none()?.map(Id::from))
    }

    fn time(&mut self) -> Result<Timestamp> {
        Ok(Timestamp::from_micros(self.take::<Micros>()?.0))
    }

    fn time_or_none(&mut self) -> Result<Option<Timestamp>> {
        let micros: Option<Micros> = self.take()?;
        Ok(micros.map(|micros| Timestamp::from_micros(micros.0)))
    }

    fn civil(&mut self) -> Result<Option<civil::DateTime>> {
        let micros: Option<Micros> = self.take()?;
        let civil = |Micros(micros)| {
            civil_from_micros(micros).ok_or_else(|| corrupt("a time outside of all calendars"))
        };
        micros.map(civil).transpose()
    }

    pub(crate) fn number<T: TryFrom<i64>>(&mut self) -> Result<T> {
        T::try_from(self.take::<i64>()?).map_err(|_| corrupt("a number out of range"))
    }

    fn number_or_none<T: TryFrom<i64>>(&mut self) -> Result<Option<T>> {
        let number: Option<i64> = self.take()?;
        let number = number.map(T::try_from).transpose();
        number.map_err(|_| corrupt("a number out of range"))
    }

    pub(crate) fn hash(&mut self) -> Result<ContentHash> {
        self.hash_or_none()?
            .ok_or_else(|| corrupt("a record without the hash of its content"))
    }

    fn hash_or_none(&mut self) -> Result<Option<ContentHash>> {
        let bytes: Option<&[u8]> = self.take()?;
        let hash = bytes.map(TryInto::try_into).transpose();
        hash.map(|hash| hash.map(ContentHash::from_bytes))
            .map_err(|_| corrupt("an unusable hash"))
    }

    fn meta(&mut self, scope: &Scope) -> Result<Meta> {
        Ok(Meta {
            id: self.id()?,
            scope: scope.clone(),
            created_at: self.time()?,
            updated_at: self.time()?,
            revision: self.number()?,
            valid_from: self.time_or_none()?,
            valid_to: self.time_or_none()?,
            superseded_by: self.id_or_none()?,
        })
    }

    fn object_or_none(&mut self) -> Result<Option<Map<String, Value>>> {
        let Some(Json(text)) = self.take()? else {
            return Ok(None);
        };
        match serde_json::from_str(&text) {
            Ok(Value::Object(map)) => Ok(Some(json::told(map))),
            _ => Err(corrupt("details that are not a JSON object")),
        }
    }

    fn object(&mut self) -> Result<Map<String, Value>> {
        Ok(self.object_or_none()?.unwrap_or_default())
    }
}

/// A kind of record in its table.
pub(crate) trait Record: Sized + Send + Sync {
    /// The table.
    const TABLE: &'static str;
    /// Its columns after those of [`Meta`], for a table named `t`.
    const COLUMNS: &'static str;

    /// Reads a record whose columns begin at the reader's place.
    fn read(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self>;

    /// All columns of it.
    fn columns() -> String {
        format!("{META}, {}", Self::COLUMNS)
    }
}

impl Record for Resource {
    const TABLE: &'static str = "resources";
    const COLUMNS: &'static str = "t.url, t.modality, t.local_path, t.caption, t.content_hash, \
                                   t.external_id, t.segment_count";

    fn read(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self> {
        Ok(Self {
            meta: reader.meta(scope)?,
            url: reader.text()?,
            modality: reader
                .text()?
                .parse::<Modality>()
                .map_err(|_| corrupt("an unknown modality"))?,
            local_path: reader.text()?,
            caption: reader.text_or_none()?,
            content_hash: reader.hash()?,
            external_id: reader.text_or_none()?,
            segment_count: reader.number()?,
        })
    }
}

impl Record for Segment {
    const TABLE: &'static str = "memu_segments";
    const COLUMNS: &'static str = "t.resource_id, t.ordinal, t.session, t.topic, t.role, \
                                   t.speaker, t.message_id, t.text, t.caption, t.topic_caption, \
                                   t.span_start, t.span_end, t.happened_at, t.happened_at_text";

    fn read(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self> {
        Ok(Self {
            meta: reader.meta(scope)?,
            resource_id: reader.id()?,
            ordinal: reader.number()?,
            session: reader.number()?,
            topic: reader.number()?,
            role: reader
                .text_or_none()?
                .map(|name| Role::from_name(&name).ok_or_else(|| corrupt("an unknown role")))
                .transpose()?,
            speaker: reader.text_or_none()?,
            message_id: reader.text_or_none()?,
            text: reader.text()?,
            caption: reader.text_or_none()?,
            topic_caption: reader.text_or_none()?,
            span: span(reader.number_or_none()?, reader.number_or_none()?),
            happened_at: reader.civil()?,
            happened_at_text: reader.text_or_none()?,
        })
    }
}

fn span(start: Option<u64>, end: Option<u64>) -> Option<Span> {
    Some(Span {
        start: start?,
        end: end?,
    })
}

impl Record for MemoryItem {
    const TABLE: &'static str = "memory_items";
    const COLUMNS: &'static str = "t.resource_id, t.memory_type, t.summary, t.happened_at, \
        t.happened_end, t.happened_precision, t.extra, ARRAY(SELECT s.id \
        FROM memu_item_segments x JOIN memu_segments s ON s.scope_key = x.scope_key \
        AND s.place = x.segment_place WHERE x.scope_key = t.scope_key \
        AND x.item_place = t.place ORDER BY x.ordinal)";

    fn read(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self> {
        Ok(Self {
            meta: reader.meta(scope)?,
            resource_id: reader.id_or_none()?,
            memory_type: reader.text()?,
            summary: reader.text()?,
            happened: when(reader)?,
            extra: reader.object()?,
            segment_ids: reader
                .take::<Vec<OwnText>>()?
                .into_iter()
                .map(|id| Id::from(id.0))
                .collect(),
        })
    }
}

fn when(reader: &mut Reader<'_>) -> Result<Option<When>> {
    let (start, end) = (reader.civil()?, reader.civil()?);
    let precision = reader.text_or_none()?;
    Ok(start.map(|start| When {
        start,
        end,
        // A time that another program wrote has no precision of ours.
        precision: precision
            .and_then(|name| Precision::from_name(&name))
            .unwrap_or(Precision::Minute),
    }))
}

impl Record for MemoryCategory {
    const TABLE: &'static str = "memory_categories";
    const COLUMNS: &'static str = "t.name, t.description, t.summary";

    fn read(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self> {
        Ok(Self {
            meta: reader.meta(scope)?,
            name: reader.text()?,
            description: reader.text()?,
            summary: reader.text_or_none()?,
        })
    }
}

impl Record for CategoryItem {
    const TABLE: &'static str = "category_items";
    const COLUMNS: &'static str = "t.item_id, t.category_id";

    fn read(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self> {
        Ok(Self {
            meta: reader.meta(scope)?,
            item_id: reader.id()?,
            category_id: reader.id()?,
        })
    }
}

impl Record for ModelReply {
    const TABLE: &'static str = "memu_model_replies";
    const COLUMNS: &'static str = "t.resource_id, t.content_hash, t.step_name, t.model_profile, \
                                   t.model_provider, t.model_name, t.prompt_hash, t.request_hash, \
                                   t.reply_text, t.usage_json, t.finish_reason, t.reply_state, \
                                   t.error_text, t.source_json";

    fn read(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self> {
        Ok(Self {
            meta: reader.meta(scope)?,
            resource_id: reader.id_or_none()?,
            content_hash: reader.hash_or_none()?,
            step: reader.text()?,
            profile: reader.text()?,
            provider: reader.text()?,
            model: reader.text()?,
            prompt_hash: reader.hash()?,
            request_hash: reader.hash()?,
            text: reader.text()?,
            usage: reader.object()?,
            finish_reason: reader.text_or_none()?,
            state: reader
                .text()?
                .parse::<ReplyState>()
                .map_err(|_| corrupt("a model reply in an unknown state"))?,
            error: reader.text_or_none()?,
            source: reader
                .object_or_none()?
                .map(|source| serde_json::from_value(Value::Object(source)))
                .transpose()
                .map_err(|_| corrupt("a model reply from an unreadable source"))?,
        })
    }
}
