//! Records as values, in the order of their columns.

use memu_core::records::{
    CategoryItem, ContentHash, Id, MemoryCategory, MemoryItem, Meta, ModelReply, Resource, Role,
    Segment,
};
use memu_core::time::civil;
use memu_core::{Error, Result};
use serde_json::{Map, Value as Plain};

use crate::json;
use crate::rows::Record;
use crate::values::{Json, Micros, integer};

/// A value of a record.
pub(crate) enum Value<'r> {
    Text(Option<&'r str>),
    Number(Option<i64>),
    Time(Option<Micros>),
    Civil(Option<Micros>),
    Bytes(Option<&'r [u8]>),
    Json(Option<Json>),
}

impl<'r> Value<'r> {
    pub(crate) fn text(text: &'r str) -> Self {
        Self::Text(Some(text))
    }

    pub(crate) fn id(id: Option<&'r Id>) -> Self {
        Self::Text(id.map(Id::as_str))
    }

    pub(crate) fn number(number: impl Into<i64>) -> Self {
        Self::Number(Some(number.into()))
    }

    fn civil(time: Option<civil::DateTime>) -> Self {
        Self::Civil(time.map(Micros::from))
    }

    fn hash(hash: Option<&'r ContentHash>) -> Self {
        Self::Bytes(hash.map(|hash| hash.as_bytes().as_slice()))
    }

    fn object(map: &Map<String, Plain>) -> Result<Self> {
        let text = serde_json::to_string(&json::held(map));
        let text = text.map_err(|cause| Error::input("details are not JSON").caused_by(cause))?;
        Ok(Self::Json(Some(Json(text))))
    }
}

/// A kind of record that is written.
pub(crate) trait Written: Record {
    /// The names of its own columns, as [`Self::values`] gives their values.
    const NAMES: &'static [&'static str];

    /// What every record carries.
    fn meta(&self) -> &Meta;

    /// The values of its own columns.
    fn values(&self) -> Result<Vec<Value<'_>>>;
}

impl Written for Resource {
    const NAMES: &'static [&'static str] = &[
        "url",
        "modality",
        "local_path",
        "caption",
        "content_hash",
        "external_id",
        "segment_count",
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn values(&self) -> Result<Vec<Value<'_>>> {
        Ok(vec![
            Value::text(&self.url),
            Value::text(self.modality.as_str()),
            Value::text(&self.local_path),
            Value::Text(self.caption.as_deref()),
            Value::hash(Some(&self.content_hash)),
            Value::Text(self.external_id.as_deref()),
            Value::number(self.segment_count),
        ])
    }
}

impl Written for Segment {
    const NAMES: &'static [&'static str] = &[
        "resource_id",
        "ordinal",
        "session",
        "topic",
        "role",
        "speaker",
        "message_id",
        "text",
        "caption",
        "topic_caption",
        "span_start",
        "span_end",
        "happened_at",
        "happened_at_text",
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn values(&self) -> Result<Vec<Value<'_>>> {
        let edge = |edge: Option<u64>| edge.map(integer).transpose().map(Value::Number);
        Ok(vec![
            Value::text(self.resource_id.as_str()),
            Value::number(self.ordinal),
            Value::number(self.session),
            Value::number(self.topic),
            Value::Text(self.role.map(Role::as_str)),
            Value::Text(self.speaker.as_deref()),
            Value::Text(self.message_id.as_deref()),
            Value::text(&self.text),
            Value::Text(self.caption.as_deref()),
            Value::Text(self.topic_caption.as_deref()),
            edge(self.span.map(|span| span.start))?,
            edge(self.span.map(|span| span.end))?,
            Value::civil(self.happened_at),
            Value::Text(self.happened_at_text.as_deref()),
        ])
    }
}

impl Written for MemoryItem {
    const NAMES: &'static [&'static str] = &[
        "resource_id",
        "memory_type",
        "summary",
        "happened_at",
        "happened_end",
        "happened_precision",
        "extra",
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn values(&self) -> Result<Vec<Value<'_>>> {
        let happened = self.happened.as_ref();
        Ok(vec![
            Value::id(self.resource_id.as_ref()),
            Value::text(&self.memory_type),
            Value::text(&self.summary),
            Value::civil(happened.map(|when| when.start)),
            Value::civil(happened.and_then(|when| when.end)),
            Value::Text(happened.map(|when| when.precision.as_str())),
            Value::object(&self.extra)?,
        ])
    }
}

impl Written for MemoryCategory {
    const NAMES: &'static [&'static str] = &["name", "description", "summary"];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn values(&self) -> Result<Vec<Value<'_>>> {
        Ok(vec![
            Value::text(&self.name),
            Value::text(&self.description),
            Value::Text(self.summary.as_deref()),
        ])
    }
}

impl Written for CategoryItem {
    const NAMES: &'static [&'static str] = &["item_id", "category_id"];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn values(&self) -> Result<Vec<Value<'_>>> {
        Ok(vec![
            Value::text(self.item_id.as_str()),
            Value::text(self.category_id.as_str()),
        ])
    }
}

impl Written for ModelReply {
    const NAMES: &'static [&'static str] = &[
        "resource_id",
        "content_hash",
        "step_name",
        "model_profile",
        "model_provider",
        "model_name",
        "prompt_hash",
        "request_hash",
        "reply_text",
        "usage_json",
        "finish_reason",
        "reply_state",
        "error_text",
        "source_json",
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn values(&self) -> Result<Vec<Value<'_>>> {
        Ok(vec![
            Value::id(self.resource_id.as_ref()),
            Value::hash(self.content_hash.as_ref()),
            Value::text(&self.step),
            Value::text(&self.profile),
            Value::text(&self.provider),
            Value::text(&self.model),
            Value::hash(Some(&self.prompt_hash)),
            Value::hash(Some(&self.request_hash)),
            Value::text(&self.text),
            Value::object(&self.usage)?,
            Value::Text(self.finish_reason.as_deref()),
            Value::text(self.state.as_str()),
            Value::Text(self.error.as_deref()),
            match &self.source {
                Some(source) => match serde_json::to_value(source) {
                    Ok(Plain::Object(map)) => Value::object(&map)?,
                    _ => return Err(Error::input("the source of a reply is not JSON")),
                },
                None => Value::Json(None),
            },
        ])
    }
}
