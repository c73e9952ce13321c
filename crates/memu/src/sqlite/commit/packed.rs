//! Inserting and changing segments, items and relations, of which there are many.

use memu_core::records::{CategoryItem, Id, MemoryItem, Meta, OwnerKind, Segment, Table};
use memu_core::store::rules::missing;
use memu_core::{Error, Result};
use rusqlite::params_from_iter;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

use super::Work;
use crate::sqlite::error::storage;
use crate::sqlite::rows::{civil_text, integer, packed_extra, packed_id};

/// A value that is bound.
type Bound<'v> = ToSqlOutput<'v>;

const INSERT_SEGMENT: &str = "INSERT INTO memu_segments (scope_id, key, created_us, updated_after,
    revision, valid_from, valid_to, superseded_by, resource_row, ordinal, session, topic, role,
    speaker, message_id, text, caption, topic_caption, span_start, span_end, happened_at,
    happened_at_text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
    ?16, ?17, ?18, ?19, ?20, ?21, ?22) ON CONFLICT DO NOTHING";

const INSERT_ITEM: &str = "INSERT INTO memu_items (scope_id, key, created_us, updated_after,
    revision, valid_from, valid_to, superseded_by, resource_row, memory_type, summary, happened_at,
    happened_end, happened_precision, extra) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
    ?12, ?13, ?14, ?15) ON CONFLICT DO NOTHING";

const UPDATE_ITEM: &str = "UPDATE memu_items SET scope_id = ?1, key = ?2, created_us = ?3,
    updated_after = ?4, revision = ?5, valid_from = ?6, valid_to = ?7, superseded_by = ?8,
    resource_row = ?9, memory_type = ?10, summary = ?11, happened_at = ?12, happened_end = ?13,
    happened_precision = ?14, extra = ?15 WHERE row = ?16";

const INSERT_RELATION: &str =
    "INSERT INTO memu_relations (scope_id, key, created_us, updated_after,
    revision, valid_from, valid_to, superseded_by, item_row, category_row)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING";

impl<'c> Work<'c> {
    pub(super) fn add_segment(&mut self, segment: &'c Segment) -> Result<()> {
        let table = "memu_segments";
        let resource = self.row_of("memu_resources", &segment.resource_id)?;
        let row = match resource {
            Some(resource) if self.is_new(&segment.meta) => {
                let revision = self.revision("segment", &segment.meta, None)?;
                let values = self.segment_values(segment, revision, resource)?;
                self.insert_new(INSERT_SEGMENT, &values)?
            }
            _ => None,
        };
        let Some(row) = row else {
            return Err(self.why_not_segment(segment, resource)?);
        };
        self.rows.insert((table, segment.meta.id.clone()), row);
        self.changed.segments.insert(row);
        if let (Some(fresh), Some(resource)) = (&mut self.fresh, resource) {
            fresh.segment(row, segment, resource)?;
        }
        self.log_part(Table::Resources, &segment.resource_id);
        Ok(())
    }

    /// Why a segment could not be inserted.
    fn why_not_segment(&self, segment: &Segment, resource: Option<i64>) -> Result<Error> {
        let id = &segment.meta.id;
        let known = self.known("memu_segments", id)?;
        self.revision("segment", &segment.meta, known.map(|(_, old)| old))?;
        Ok(if known.is_some() {
            Error::conflict("a stored segment cannot be changed").with("segment", id)
        } else if resource.is_none() {
            missing("resource", &segment.resource_id).with("segment", id)
        } else {
            Error::conflict("the resource already has a segment in this place")
                .with("resource", &segment.resource_id)
                .with("ordinal", segment.ordinal)
        })
    }

    fn segment_values<'r>(
        &self,
        segment: &'r Segment,
        revision: i64,
        resource: i64,
    ) -> Result<Vec<Bound<'r>>> {
        let span = |value: Option<u64>| value.map(integer).transpose().map(optional_number);
        let mut values = self.packed_meta(&segment.meta, packed_id(&segment.meta.id), revision);
        values.extend([
            number(resource),
            number(segment.ordinal),
            number(segment.session),
            number(segment.topic),
            text_or_null(segment.role.map(memu_core::records::Role::as_str)),
            text_or_null(segment.speaker.as_deref()),
            text_or_null(segment.message_id.as_deref()),
            text(&segment.text),
            text_or_null(segment.caption.as_deref()),
            text_or_null(segment.topic_caption.as_deref()),
            span(segment.span.map(|span| span.start))?,
            span(segment.span.map(|span| span.end))?,
            civil(segment.happened_at),
            text_or_null(segment.happened_at_text.as_deref()),
        ]);
        Ok(values)
    }

    pub(super) fn put_item(&mut self, item: &'c MemoryItem) -> Result<()> {
        let (table, id) = ("memu_items", &item.meta.id);
        // One that was never read is new, unless the insert finds it there.
        let known = if self.is_new(&item.meta) {
            None
        } else {
            self.known(table, id)?
        };
        let revision = self.revision("item", &item.meta, known.map(|(_, old)| old))?;
        let resource = match &item.resource_id {
            Some(resource) => self.row_of("memu_resources", resource)?,
            None => None,
        };
        if let Some(resource) = item.resource_id.as_ref().filter(|_| resource.is_none()) {
            self.check_unknown("item", table, &item.meta)?;
            return Err(missing("resource", resource).with("item", id));
        }
        let mut values = self.item_values(item, revision, resource)?;
        let inserted = match known {
            None => self.insert_new(INSERT_ITEM, &values)?,
            Some(_) => None,
        };
        let row = if let Some(row) = inserted {
            if let Some(fresh) = &mut self.fresh {
                fresh.item(row, item, resource)?;
            }
            row
        } else {
            let known = match known {
                None => self.known(table, id)?,
                known => known,
            };
            self.revision("item", &item.meta, known.map(|(_, old)| old))?;
            let (row, _) = known
                .ok_or_else(|| Error::internal("an item could not be stored").with("item", id))?;
            values.push(number(row));
            self.change_item(row, values)?;
            row
        };
        self.rows.insert((table, id.clone()), row);
        self.cite(row, item)?;
        self.changed.items.insert(row);
        self.log_put(Table::Items, id, inserted.is_none());
        Ok(())
    }

    fn change_item(&mut self, row: i64, values: Vec<Bound<'_>>) -> Result<()> {
        self.execute(UPDATE_ITEM, params_from_iter(values))?;
        self.execute(
            "DELETE FROM memu_item_segments WHERE scope_id = ?1 AND item_row = ?2",
            (self.scope_id, row),
        )?;
        self.drop_outdated(OwnerKind::Item, row)?;
        if let Some(fresh) = &mut self.fresh {
            fresh.forget_item(row);
        }
        Ok(())
    }

    fn item_values<'r>(
        &self,
        item: &'r MemoryItem,
        revision: i64,
        resource: Option<i64>,
    ) -> Result<Vec<Bound<'r>>> {
        let happened = item.happened.as_ref();
        let mut values = self.packed_meta(&item.meta, packed_id(&item.meta.id), revision);
        values.extend([
            optional_number(resource),
            text(&item.memory_type),
            text(&item.summary),
            civil(happened.map(|when| when.start)),
            civil(happened.and_then(|when| when.end)),
            text_or_null(happened.map(|when| when.precision.as_str())),
            Bound::Owned(packed_extra(&item.extra)?),
        ]);
        Ok(values)
    }

    fn cite(&mut self, row: i64, item: &MemoryItem) -> Result<()> {
        for (place, segment) in item.segment_ids.iter().enumerate() {
            let segment_row = self
                .row_of("memu_segments", segment)?
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
            if let Some(fresh) = &mut self.fresh {
                fresh.cite(row, segment_row)?;
            }
        }
        Ok(())
    }

    pub(super) fn add_relation(&mut self, relation: &CategoryItem) -> Result<()> {
        let (meta, table) = (&relation.meta, "memu_relations");
        meta.check_scope("relation", self.scope)?;
        let (item, category) = (&relation.item_id, &relation.category_id);
        let item_row = self
            .row_of("memu_items", item)?
            .ok_or_else(|| missing("item", item).with("relation", &meta.id))?;
        let category_row = self
            .row_of("memu_memory_categories", category)?
            .ok_or_else(|| missing("category", category).with("relation", &meta.id))?;
        let made = CategoryItem::id_for(item, category);
        let key = match made {
            Some(made) if made == meta.id => Value::Null,
            _ => packed_id(&meta.id),
        };
        let row = if self.is_new(meta) {
            let mut values = self.packed_meta(meta, key, self.revision("relation", meta, None)?);
            values.extend([number(item_row), number(category_row)]);
            self.insert_new(INSERT_RELATION, &values)?
        } else {
            None
        };
        if row.is_none() {
            if self.relation_between(item_row, category_row)?.is_some() {
                return Ok(());
            }
            let known = self.known(table, &meta.id)?;
            self.revision("relation", meta, known.map(|(_, old)| old))?;
            return Err(
                Error::conflict("a stored relation cannot be changed").with("relation", &meta.id)
            );
        }
        self.changed.items.insert(item_row);
        if let Some(fresh) = &mut self.fresh {
            fresh.file(item_row, category_row)?;
        }
        self.log_put(Table::Relations, &meta.id, false);
        Ok(())
    }

    /// The row of the relation between these.
    pub(super) fn relation_between(&self, item: i64, category: i64) -> Result<Option<i64>> {
        self.find(
            "SELECT row FROM memu_relations
             WHERE scope_id = ?1 AND item_row = ?2 AND category_row = ?3",
            (self.scope_id, item, category),
            |row| row.get(0),
        )
    }

    /// Refuses a new record whose id is taken.
    fn check_unknown(&self, kind: &str, table: &str, meta: &Meta) -> Result<()> {
        let known = self.known(table, &meta.id)?;
        self.revision(kind, meta, known.map(|(_, old)| old))
            .map(drop)
    }

    /// The row under which a record was inserted; `None` when one like it is there.
    fn insert_new(&mut self, sql: &'static str, values: &[Bound<'_>]) -> Result<Option<i64>> {
        let last = self.inserting.take().filter(|(last, _)| *last == sql);
        let mut statement = match last {
            Some((_, statement)) => statement,
            None => self.connection.prepare_cached(sql).map_err(storage)?,
        };
        let inserted = statement.execute(params_from_iter(values));
        self.inserting = Some((sql, statement));
        let inserted = inserted.map_err(storage)?;
        Ok((inserted > 0).then(|| self.connection.last_insert_rowid()))
    }

    fn packed_meta<'r>(&self, meta: &'r Meta, key: Value, revision: i64) -> Vec<Bound<'r>> {
        let time = |time: Option<memu_core::time::Timestamp>| {
            Bound::Owned(time.map_or(Value::Null, |time| Value::Text(time.to_string())))
        };
        let created = meta.created_at.as_micros();
        let mut values = Vec::with_capacity(24);
        values.extend([
            number(self.scope_id),
            Bound::Owned(key),
            number(created),
            number(meta.updated_at.as_micros() - created),
            number(revision),
            time(meta.valid_from),
            time(meta.valid_to),
            text_or_null(meta.superseded_by.as_ref().map(Id::as_str)),
        ]);
        values
    }
}

fn number<'v>(value: impl Into<i64>) -> Bound<'v> {
    Bound::Owned(Value::Integer(value.into()))
}

fn optional_number<'v>(value: Option<i64>) -> Bound<'v> {
    value.map_or(Bound::Owned(Value::Null), number)
}

fn text(value: &str) -> Bound<'_> {
    Bound::Borrowed(ValueRef::Text(value.as_bytes()))
}

fn text_or_null(value: Option<&str>) -> Bound<'_> {
    value.map_or(Bound::Owned(Value::Null), text)
}

fn civil<'v>(time: Option<memu_core::time::civil::DateTime>) -> Bound<'v> {
    Bound::Owned(time.map_or(Value::Null, |time| Value::Text(civil_text(time))))
}
