//! Records as columns of values, so that any number of them is written by one statement.

use memu_core::records::{
    CategoryItem, ContentHash, Id, MemoryCategory, MemoryItem, Meta, ModelReply, Resource, Role,
    Segment,
};
use memu_core::scope::Scope;
use memu_core::time::civil;
use memu_core::{Error, Result};
use serde_json::{Map, Value as Plain};

use crate::json;
use crate::rows::Record;
use crate::sql::Sql;
use crate::values::{Json, Key, Micros, Text, integer};

/// The values of one column.
enum Column<'r> {
    Text(Vec<Option<Text<'r>>>),
    Number(Vec<Option<i64>>),
    Time(Vec<Option<Micros>>),
    Civil(Vec<Option<Micros>>),
    Bytes(Vec<Option<&'r [u8]>>),
    Json(Vec<Option<Json>>),
}

impl<'r> Column<'r> {
    /// Adds a value of the kind that all in a column are of.
    fn push(&mut self, value: Value<'r>) {
        match (self, value) {
            (Self::Text(values), Value::Text(value)) => values.push(value.map(Text)),
            (Self::Number(values), Value::Number(value)) => values.push(value),
            (Self::Time(values), Value::Time(value))
            | (Self::Civil(values), Value::Civil(value)) => values.push(value),
            (Self::Bytes(values), Value::Bytes(value)) => values.push(value),
            (Self::Json(values), Value::Json(value)) => values.push(value),
            _ => {}
        }
    }

    fn of(value: &Value<'r>) -> Self {
        match value {
            Value::Text(_) => Self::Text(Vec::new()),
            Value::Number(_) => Self::Number(Vec::new()),
            Value::Time(_) => Self::Time(Vec::new()),
            Value::Civil(_) => Self::Civil(Vec::new()),
            Value::Bytes(_) => Self::Bytes(Vec::new()),
            Value::Json(_) => Self::Json(Vec::new()),
        }
    }

    fn sql_type(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(_) => "bigint",
            Self::Time(_) => "timestamptz",
            Self::Civil(_) => "timestamp",
            Self::Bytes(_) => "bytea",
            Self::Json(_) => "jsonb",
        }
    }

    fn bind(self, sql: &mut Sql<'r>) {
        let sql_type = self.sql_type();
        match self {
            Self::Text(values) => sql.bind(values),
            Self::Number(values) => sql.bind(values),
            Self::Time(values) | Self::Civil(values) => sql.bind(values),
            Self::Bytes(values) => sql.bind(values),
            Self::Json(values) => sql.bind(values),
        }
        sql.push("::");
        sql.push(sql_type);
        sql.push("[]");
    }
}

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
    fn text(text: &'r str) -> Self {
        Self::Text(Some(text))
    }

    fn id(id: Option<&'r Id>) -> Self {
        Self::Text(id.map(Id::as_str))
    }

    fn number(number: impl Into<i64>) -> Self {
        Self::Number(Some(number.into()))
    }

    fn civil(time: Option<civil::DateTime>) -> Self {
        Self::Civil(time.map(Micros::from))
    }

    fn hash(hash: Option<&'r ContentHash>) -> Self {
        Self::Bytes(hash.map(|hash| hash.as_bytes().as_slice()))
    }

    fn object(map: &Map<String, Plain>) -> Result<Self> {
        json::written(map).map(|json| Self::Json(Some(json)))
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

const META: [&str; 8] = [
    "place",
    "id",
    "created_at",
    "updated_at",
    "revision",
    "valid_from",
    "valid_to",
    "superseded_by",
];

fn meta_values(place: u64, meta: &Meta) -> Result<[Value<'_>; 8]> {
    Ok([
        Value::number(integer(place)?),
        Value::text(meta.id.as_str()),
        Value::Time(Some(meta.created_at.into())),
        Value::Time(Some(meta.updated_at.into())),
        Value::number(integer(meta.revision)?),
        Value::Time(meta.valid_from.map(Into::into)),
        Value::Time(meta.valid_to.map(Into::into)),
        Value::id(meta.superseded_by.as_ref()),
    ])
}

/// Any number of records of a kind, column by column.
pub(crate) struct Columns<'r> {
    table: &'static str,
    names: Vec<&'static str>,
    values: Vec<Column<'r>>,
}

impl<'r> Columns<'r> {
    /// These records with their places; `None` when there are none.
    pub(crate) fn of<T: Written + 'r>(
        records: impl IntoIterator<Item = (u64, &'r T)>,
    ) -> Result<Option<Self>> {
        let names = META.iter().chain(T::NAMES).copied().collect();
        let mut columns: Vec<Column<'r>> = Vec::new();
        for (place, record) in records {
            let meta = meta_values(place, record.meta())?.into_iter();
            let values: Vec<Value<'r>> = meta.chain(record.values()?).collect();
            if columns.is_empty() {
                columns = values.iter().map(Column::of).collect();
            }
            for (column, value) in columns.iter_mut().zip(values) {
                column.push(value);
            }
        }
        Ok((!columns.is_empty()).then_some(Self {
            table: T::TABLE,
            names,
            values: columns,
        }))
    }

    /// The statement that inserts them into a scope.
    pub(crate) fn insert(self, scope: &'r Scope) -> Sql<'r> {
        let mut sql = Sql::new("INSERT INTO ");
        sql.push(self.table);
        sql.push(" (scope_key, ");
        for (field, _) in scope.iter() {
            sql.push(&format!("\"{field}\", "));
        }
        sql.push(&self.names.join(", "));
        sql.push(") SELECT ");
        sql.bind(Key::of(scope));
        sql.push("::uuid, ");
        for (_, value) in scope.iter() {
            sql.bind(value.map(Text));
            sql.push("::text, ");
        }
        sql.push("u.* FROM unnest(");
        bind_all(&mut sql, self.values);
        sql.push(") u");
        sql
    }

    /// The statement that changes them, in a scope, to what they are now.
    pub(crate) fn update(self, scope: &Scope) -> Sql<'r> {
        let mut sql = Sql::new("UPDATE ");
        sql.push(self.table);
        let changed: Vec<&str> = self.names.iter().skip(1).copied().collect();
        let news: Vec<String> = changed.iter().map(|name| format!("u.\"{name}\"")).collect();
        sql.push(&format!(
            " t SET ({}) = ROW ({}) FROM unnest(",
            changed.join(", "),
            news.join(", ")
        ));
        bind_all(&mut sql, self.values);
        let names: Vec<String> = self
            .names
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect();
        sql.push(&format!(
            ") u ({}) WHERE t.place = u.place AND t.scope_key = ",
            names.join(", ")
        ));
        sql.bind(Key::of(scope));
        sql
    }
}

fn bind_all<'r>(sql: &mut Sql<'r>, columns: Vec<Column<'r>>) {
    for (at, column) in columns.into_iter().enumerate() {
        if at > 0 {
            sql.push(", ");
        }
        column.bind(sql);
    }
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
