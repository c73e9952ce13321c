//! Inserting and changing records.

use memu_core::records::{
    Blob, CategoryItem, MemoryCategory, MemoryItem, Meta, OwnerKind, Resource, Segment, Table,
};
use memu_core::store::rules::{self, missing};
use memu_core::{Error, Result};
use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::Work;
use crate::sqlite::error::storage;
use crate::sqlite::rows::{civil_text, integer};

/// The columns that every record begins with.
pub(super) const META: &str =
    "scope_id, id, created_at, updated_at, revision, valid_from, valid_to, superseded_by";

const RESOURCE: &str =
    "url, modality, local_path, caption, content_hash, external_id, segment_count";
const ITEM: &str = "resource_id, memory_type, summary, happened_at, happened_end, \
                    happened_precision, extra";
const CATEGORY: &str = "name, description, summary";
const RELATION: &str = "item_id, category_id, item_row, category_row";
pub(super) const REPLY: &str = "resource_id, content_hash, step_name, model_profile, model_provider, \
                     model_name, prompt_hash, request_hash, reply_text, usage_json, \
                     finish_reason, reply_state, error_text";

/// By table: its own columns.
pub(super) const OWN_COLUMNS: [(&str, &str); 5] = [
    ("memu_resources", RESOURCE),
    ("memu_memory_items", ITEM),
    ("memu_memory_categories", CATEGORY),
    ("memu_category_items", RELATION),
    ("memu_model_replies", REPLY),
];

impl Work<'_> {
    pub(super) fn put_blob(&mut self, blob: &Blob) -> Result<()> {
        rules::check_content(blob)?;
        self.execute(
            "INSERT INTO memu_blobs (scope_id, hash, bytes) VALUES (?1, ?2, ?3)
             ON CONFLICT DO NOTHING",
            (self.scope_id, blob.hash.as_bytes(), &*blob.bytes),
        )
        .map(drop)
    }

    pub(super) fn put_resource(&mut self, resource: &Resource) -> Result<()> {
        let id = resource.meta.id.as_str();
        let known = self.known("memu_resources", id)?;
        let revision = self.revision("resource", &resource.meta, known.map(|(_, old)| old))?;
        let same: Option<String> = self.find(
            "SELECT id FROM memu_resources
             WHERE scope_id = ?1 AND content_hash = ?2 AND modality = ?3 AND id <> ?4",
            (
                self.scope_id,
                resource.content_hash.as_bytes(),
                resource.modality.as_str(),
                id,
            ),
            |row| row.get(0),
        )?;
        if let Some(same) = same {
            return Err(
                Error::conflict("the scope already has a resource with this content")
                    .with("resource", same)
                    .with("modality", resource.modality),
            );
        }
        let values = vec![
            text(&resource.url),
            text(resource.modality.as_str()),
            text(&resource.local_path),
            optional(resource.caption.as_deref()),
            Value::Blob(resource.content_hash.as_bytes().to_vec()),
            optional(resource.external_id.as_deref()),
            Value::Integer(i64::from(resource.segment_count)),
        ];
        let table = "memu_resources";
        match known {
            None => self.insert(table, &resource.meta, revision, values)?,
            Some((row, _)) => {
                let old = self.content_of(row)?;
                self.update(table, RESOURCE, row, &resource.meta, revision, values)?;
                self.release_blob(&old)?;
                self.drop_outdated(OwnerKind::Resource, row)?;
            }
        }
        self.log_put(Table::Resources, &resource.meta)
    }

    pub(super) fn content_of(&self, resource_row: i64) -> Result<Vec<u8>> {
        let hash = self.find(
            "SELECT content_hash FROM memu_resources WHERE row = ?1",
            [resource_row],
            |row| row.get(0),
        )?;
        Ok(hash.unwrap_or_default())
    }

    /// Removes content that nothing refers to any more.
    pub(super) fn release_blob(&self, hash: &[u8]) -> Result<()> {
        self.execute(
            "DELETE FROM memu_blobs WHERE scope_id = ?1 AND hash = ?2 AND NOT EXISTS
             (SELECT 1 FROM memu_resources WHERE scope_id = ?1 AND content_hash = ?2)",
            (self.scope_id, hash),
        )
        .map(drop)
    }

    pub(super) fn add_segment(&mut self, segment: &Segment) -> Result<()> {
        let id = segment.meta.id.as_str();
        let known = self.known("memu_segments", id)?;
        let revision = self.revision("segment", &segment.meta, known.map(|(_, old)| old))?;
        if known.is_some() {
            return Err(Error::conflict("a stored segment cannot be changed").with("segment", id));
        }
        let resource = self
            .row_of("memu_resources", segment.resource_id.as_str())?
            .ok_or_else(|| missing("resource", &segment.resource_id).with("segment", id))?;
        let taken = self.find(
            "SELECT 1 FROM memu_segments WHERE scope_id = ?1 AND resource_row = ?2 AND ordinal = ?3",
            (self.scope_id, resource, segment.ordinal),
            |_| Ok(()),
        )?;
        if taken.is_some() {
            return Err(
                Error::conflict("the resource already has a segment in this place")
                    .with("resource", &segment.resource_id)
                    .with("ordinal", segment.ordinal),
            );
        }
        let span = |value: Option<u64>| value.map(integer).transpose().map(integer_or_null);
        let mut values = self.meta_values(&segment.meta, revision);
        values.extend([
            Value::Integer(resource),
            Value::Integer(i64::from(segment.ordinal)),
            Value::Integer(i64::from(segment.session)),
            Value::Integer(i64::from(segment.topic)),
            optional(segment.role.map(memu_core::records::Role::as_str)),
            optional(segment.speaker.as_deref()),
            optional(segment.message_id.as_deref()),
            text(&segment.text),
            optional(segment.caption.as_deref()),
            optional(segment.topic_caption.as_deref()),
            span(segment.span.map(|span| span.start))?,
            span(segment.span.map(|span| span.end))?,
            segment
                .happened_at
                .map_or(Value::Null, |time| Value::Text(civil_text(time))),
            optional(segment.happened_at_text.as_deref()),
        ]);
        self.connection
            .prepare_cached(
                "INSERT INTO memu_segments (scope_id, id, created_at, updated_at, revision,
                 valid_from, valid_to, superseded_by, resource_row, ordinal, session, topic, role,
                 speaker, message_id, text, caption, topic_caption, span_start, span_end,
                 happened_at, happened_at_text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
                 ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
            )
            .and_then(|mut statement| statement.execute(params_from_iter(values)))
            .map_err(storage)?;
        let row = self.connection.last_insert_rowid();
        self.rows.insert(("memu_segments", id.to_owned()), row);
        self.changed.segments.insert(row);
        self.log_part(Table::Resources, segment.resource_id.as_str())
    }

    pub(super) fn put_item(&mut self, item: &MemoryItem) -> Result<()> {
        let id = item.meta.id.as_str();
        let known = self.known("memu_memory_items", id)?;
        let revision = self.revision("item", &item.meta, known.map(|(_, old)| old))?;
        if let Some(resource) = &item.resource_id
            && self.row_of("memu_resources", resource.as_str())?.is_none()
        {
            return Err(missing("resource", resource).with("item", id));
        }
        let extra = serde_json::to_string(&item.extra)
            .map_err(|cause| Error::input("an item's extra is not JSON").caused_by(cause))?;
        let happened = item.happened.as_ref();
        let values = vec![
            optional(item.resource_id.as_ref().map(AsRef::as_ref)),
            text(&item.memory_type),
            text(&item.summary),
            happened.map_or(Value::Null, |when| Value::Text(civil_text(when.start))),
            happened
                .and_then(|when| when.end)
                .map_or(Value::Null, |end| Value::Text(civil_text(end))),
            optional(happened.map(|when| when.precision.as_str())),
            Value::Text(extra),
        ];
        let table = "memu_memory_items";
        let row = match known {
            None => {
                self.insert(table, &item.meta, revision, values)?;
                self.connection.last_insert_rowid()
            }
            Some((row, _)) => {
                self.update(table, ITEM, row, &item.meta, revision, values)?;
                self.execute(
                    "DELETE FROM memu_item_segments WHERE scope_id = ?1 AND item_row = ?2",
                    (self.scope_id, row),
                )?;
                self.drop_outdated(OwnerKind::Item, row)?;
                row
            }
        };
        self.rows.insert((table, id.to_owned()), row);
        self.cite(row, item)?;
        self.changed.items.insert(row);
        self.log_put(Table::Items, &item.meta)
    }

    fn cite(&mut self, row: i64, item: &MemoryItem) -> Result<()> {
        for (place, segment) in item.segment_ids.iter().enumerate() {
            let segment_row = self
                .row_of("memu_segments", segment.as_str())?
                .ok_or_else(|| missing("segment", segment).with("item", &item.meta.id))?;
            if item
                .segment_ids
                .iter()
                .take(place)
                .any(|cited| cited == segment)
            {
                return Err(Error::input("an item cites a segment twice")
                    .with("item", &item.meta.id)
                    .with("segment", segment));
            }
            self.execute(
                "INSERT INTO memu_item_segments VALUES (?1, ?2, ?3, ?4)",
                (self.scope_id, row, integer(place as u64)?, segment_row),
            )?;
        }
        Ok(())
    }

    pub(super) fn put_category(&mut self, category: &MemoryCategory) -> Result<()> {
        let known = self.known("memu_memory_categories", category.meta.id.as_str())?;
        let revision = self.revision("category", &category.meta, known.map(|(_, old)| old))?;
        let values = vec![
            text(&category.name),
            text(&category.description),
            optional(category.summary.as_deref()),
        ];
        let table = "memu_memory_categories";
        match known {
            None => self.insert(table, &category.meta, revision, values)?,
            Some((row, _)) => {
                self.update(table, CATEGORY, row, &category.meta, revision, values)?;
                self.drop_outdated(OwnerKind::Category, row)?;
            }
        }
        self.log_put(Table::Categories, &category.meta)
    }

    pub(super) fn add_relation(&mut self, relation: &CategoryItem) -> Result<()> {
        relation.meta.check_scope("relation", self.scope)?;
        let (item, category) = (relation.item_id.as_str(), relation.category_id.as_str());
        let id = &relation.meta.id;
        let item_row = self
            .row_of("memu_memory_items", item)?
            .ok_or_else(|| missing("item", item).with("relation", id))?;
        let category_row = self
            .row_of("memu_memory_categories", category)?
            .ok_or_else(|| missing("category", category).with("relation", id))?;
        if self.relation_between(item_row, category_row)?.is_some() {
            return Ok(());
        }
        let known = self.known("memu_category_items", id.as_str())?;
        let revision = self.revision("relation", &relation.meta, known.map(|(_, old)| old))?;
        if known.is_some() {
            return Err(Error::conflict("a stored relation cannot be changed").with("relation", id));
        }
        let values = vec![
            text(item),
            text(category),
            Value::Integer(item_row),
            Value::Integer(category_row),
        ];
        self.insert("memu_category_items", &relation.meta, revision, values)?;
        self.changed.items.insert(item_row);
        self.log_put(Table::Relations, &relation.meta)
    }

    pub(super) fn relation_between(&self, item: i64, category: i64) -> Result<Option<String>> {
        self.find(
            "SELECT id FROM memu_category_items
             WHERE scope_id = ?1 AND item_row = ?2 AND category_row = ?3",
            (self.scope_id, item, category),
            |row| row.get(0),
        )
    }

    fn meta_values(&self, meta: &Meta, revision: i64) -> Vec<Value> {
        let time = |time: Option<memu_core::time::Timestamp>| {
            time.map_or(Value::Null, |time| Value::Text(time.to_string()))
        };
        vec![
            Value::Integer(self.scope_id),
            text(meta.id.as_str()),
            Value::Text(meta.created_at.to_string()),
            Value::Text(meta.updated_at.to_string()),
            Value::Integer(revision),
            time(meta.valid_from),
            time(meta.valid_to),
            optional(meta.superseded_by.as_ref().map(AsRef::as_ref)),
        ]
    }

    pub(super) fn insert(
        &self,
        table: &str,
        meta: &Meta,
        revision: i64,
        own: Vec<Value>,
    ) -> Result<()> {
        let sql = self.columns.insert(table);
        let mut values = self.meta_values(meta, revision);
        values.extend(own);
        values.extend(self.scope.iter().map(|(_, value)| optional(value)));
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params_from_iter(values)))
            .map(drop)
            .map_err(storage)
    }

    pub(super) fn update(
        &self,
        table: &str,
        columns: &str,
        row: i64,
        meta: &Meta,
        revision: i64,
        own: Vec<Value>,
    ) -> Result<()> {
        let names = META.split(", ").chain(columns.split(',').map(str::trim));
        let assignments: Vec<String> = names
            .enumerate()
            .map(|(at, name)| format!("{name} = ?{}", at + 2))
            .collect();
        let sql = format!(
            "UPDATE {table} SET {} WHERE row = ?1",
            assignments.join(", ")
        );
        let mut values = vec![Value::Integer(row)];
        values.extend(self.meta_values(meta, revision));
        values.extend(own);
        self.connection
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.execute(params_from_iter(values)))
            .map(drop)
            .map_err(storage)
    }
}

pub(super) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

pub(super) fn optional(value: Option<&str>) -> Value {
    value.map_or(Value::Null, text)
}

fn integer_or_null(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::Integer)
}
