//! Inserting and changing records.

use memu_core::records::{Blob, MemoryCategory, Meta, OwnerKind, Resource, Table};
use memu_core::store::rules;
use memu_core::{Error, Result};
use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::Work;
use crate::sqlite::error::storage;

/// The columns that these records begin with.
pub(super) const META: &str =
    "scope_id, id, created_at, updated_at, revision, valid_from, valid_to, superseded_by";

const RESOURCE: &str =
    "url, modality, local_path, caption, content_hash, external_id, segment_count";
const CATEGORY: &str = "name, description, summary";
pub(super) const REPLY: &str = "resource_id, content_hash, step_name, model_profile, model_provider, \
                     model_name, prompt_hash, request_hash, reply_text, usage_json, \
                     finish_reason, reply_state, error_text, source_json";

/// By table: its own columns.
pub(super) const OWN_COLUMNS: [(&str, &str); 3] = [
    ("memu_resources", RESOURCE),
    ("memu_memory_categories", CATEGORY),
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
        let id = &resource.meta.id;
        let known = self.known("memu_resources", id)?;
        let revision = self.revision("resource", &resource.meta, known.map(|(_, old)| old))?;
        let same: Option<String> = self.find(
            "SELECT id FROM memu_resources
             WHERE scope_id = ?1 AND content_hash = ?2 AND modality = ?3 AND id <> ?4",
            (
                self.scope_id,
                resource.content_hash.as_bytes(),
                resource.modality.as_str(),
                id.as_str(),
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
                if old != resource.content_hash.as_bytes() {
                    self.keep_replies_about(id, &old)?;
                }
                self.drop_outdated(OwnerKind::Resource, row)?;
            }
        }
        self.log_put(Table::Resources, id, known.is_some());
        Ok(())
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

    pub(super) fn put_category(&mut self, category: &MemoryCategory) -> Result<()> {
        let known = self.known("memu_memory_categories", &category.meta.id)?;
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
        self.log_put(Table::Categories, &category.meta.id, known.is_some());
        Ok(())
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
