//! Applying a batch in one transaction. What each write means is documented at
//! [`Write`](memu_core::store::Write).

mod delete;
mod log;
mod packed;
mod put;
mod replies;
mod vectors;

use std::thread;
use std::time::Duration;

use memu_core::records::{Id, Meta, Table};
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{Committed, LogPosition, Write, WriteBatch};
use memu_core::{Error, Result};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params};
use rustc_hash::{FxHashMap, FxHashSet};

use self::log::Log;
use self::put::{META, OWN_COLUMNS};
use super::ahead::{self, Ahead};
use super::codes::{self, ChangedVectors};
use super::connection::write;
use super::error::storage;
use super::outlines::{ChangedRows, FreshRows, Outlines};
use super::rows::integer;
use super::scopes::{log_position, scope_row};
use super::vectors::{identified_by, identifier};
use crate::settings::EmbeddingFormat;

/// How records lie in tables: the columns of the scope fields, the inserts that name them,
/// and the format of vectors.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// `"user_id", "agent_id", `
    names: String,
    /// By table: its insert.
    inserts: FxHashMap<&'static str, String>,
    format: EmbeddingFormat,
}

impl Layout {
    pub(super) fn new(schema: &ScopeSchema, format: EmbeddingFormat) -> Self {
        let count = schema.fields().len();
        let names = schema
            .fields()
            .fold(String::new(), |names, field| names + "\"" + field + "\", ");
        let insert = |table: &str, own: &str| {
            let columns = format!("{META}, {own}");
            let others = columns.split(',').count();
            let parameters: Vec<String> = (1..=others + count)
                .map(|number| format!("?{number}"))
                .collect();
            format!(
                "INSERT INTO {table} ({columns}, {}) VALUES ({})",
                names.trim_end_matches(", "),
                parameters.join(", ")
            )
        };
        let inserts = OWN_COLUMNS.iter();
        Self {
            inserts: inserts
                .map(|(table, own)| (*table, insert(table, own)))
                .collect(),
            names,
            format,
        }
    }

    /// How vectors are stored.
    pub(super) fn format(&self) -> EmbeddingFormat {
        self.format
    }

    /// An insert into a table with scope fields: their parameters follow the others.
    fn insert(&self, table: &str) -> &str {
        self.inserts.get(table).map_or("", String::as_str)
    }
}

/// Applies a batch, or nothing of it.
pub(super) fn commit(
    connection: &Connection,
    schema: &ScopeSchema,
    columns: &Layout,
    wait: Duration,
    cancelled: &dyn Fn() -> bool,
    batch: &WriteBatch,
) -> Result<Committed> {
    check_schema(schema, &batch.scope)?;
    write(connection, wait, cancelled, || {
        apply(connection, columns, batch)
    })
}

/// Applies a batch as a part of the transaction that is under way.
pub(super) fn apply(
    connection: &Connection,
    columns: &Layout,
    batch: &WriteBatch,
) -> Result<Committed> {
    let known = scope_row(connection, &batch.scope)?;
    let before = log_position(known);
    batch.check_expected(before)?;
    let scope_id = match known {
        Some((id, _)) => id,
        None => insert_scope(connection, columns, &batch.scope)?,
    };
    thread::scope(|threads| {
        let mut work = Work {
            connection,
            columns,
            scope: &batch.scope,
            scope_id,
            restoring: batch.restoring,
            log: Log::after(before.seq),
            logged: FxHashSet::default(),
            rows: FxHashMap::default(),
            changed: ChangedRows::default(),
            fresh: Some(FreshRows::default()),
            changed_vectors: ChangedVectors::default(),
            inserting: None,
            ahead: None,
        };
        if let Some(items) = ahead::worth_it(batch) {
            work.ahead = Ahead::start(threads, items, work.to_code(batch)?);
        }
        batch
            .writes
            .iter()
            .try_for_each(|write| work.write(write))?;
        let LogPosition { life, seq } = work.finish(before.seq)?;
        Ok(Committed { life, seq })
    })
}

fn check_schema(schema: &ScopeSchema, scope: &Scope) -> Result<()> {
    if scope.schema() == schema {
        return Ok(());
    }
    Err(Error::scope("the scope has other fields than the store")
        .with("scope", format!("{:?}", scope.schema()))
        .with("store", format!("{schema:?}")))
}

fn insert_scope(connection: &Connection, columns: &Layout, scope: &Scope) -> Result<i64> {
    let values: Vec<Option<&str>> = scope.iter().map(|(_, value)| value).collect();
    let parameters: Vec<String> = (2..values.len() + 2)
        .map(|number| format!("?{number}"))
        .collect();
    let text = format!(
        "INSERT INTO memu_scopes (scope_key, {}seq) VALUES (?1, {}, 0)",
        columns.names,
        parameters.join(", ")
    );
    let key = scope.key();
    let mut bound: Vec<&dyn rusqlite::ToSql> = vec![key.as_bytes()];
    bound.extend(values.iter().map(|value| value as &dyn rusqlite::ToSql));
    connection
        .execute(&text, bound.as_slice())
        .map_err(storage)?;
    Ok(connection.last_insert_rowid())
}

/// A batch that is being applied.
struct Work<'c> {
    connection: &'c Connection,
    columns: &'c Layout,
    scope: &'c Scope,
    scope_id: i64,
    /// Whether records are put as they are.
    restoring: bool,
    log: Log,
    /// The records that this batch has logged.
    logged: FxHashSet<(Table, Id)>,
    /// By table and id: rows of records that this batch has met; emptied when it deletes.
    rows: FxHashMap<(&'static str, Id), i64>,
    /// The rows whose outlines must follow.
    changed: ChangedRows,
    /// Records that are new in this batch; none once it has deleted something.
    fresh: Option<FreshRows<'c>>,
    /// The owners whose vectors' codes must follow.
    changed_vectors: ChangedVectors,
    /// The last insert of a packed record: many of a kind follow each other.
    inserting: Option<(&'static str, CachedStatement<'c>)>,
    /// What a second thread derives meanwhile.
    ahead: Option<Ahead>,
}

impl<'c> Work<'c> {
    fn write(&mut self, write: &'c Write) -> Result<()> {
        if write.is_delete() {
            self.rows.clear();
            self.fresh = None;
        }
        match write {
            Write::Blob(blob) => self.put_blob(blob),
            Write::Resource(resource) => self.put_resource(resource),
            Write::Segments(segments) => segments
                .iter()
                .try_for_each(|segment| self.add_segment(segment)),
            Write::Item(item) => self.put_item(item),
            Write::Category(category) => self.put_category(category),
            Write::Relation(relation) => self.add_relation(relation),
            Write::Embeddings(identity, vectors) => self.put_vectors(identity, vectors),
            Write::ModelReply(reply) => self.put_model_reply(reply),
            Write::ModelUsage(usage) => self.add_usage(usage),
            Write::DeleteResource(id) => self.delete_resource(id),
            Write::DeleteItem(id) => self.delete_item(id),
            Write::DeleteCategory(id) => self.delete_category(id),
            Write::DeleteRelation {
                item_id,
                category_id,
            } => self.delete_relation(item_id, category_id),
            Write::DeleteModelReply(id) => self.delete_model_reply(id),
        }
    }

    /// Writes the log, and says where it is then. A scope that holds nothing and in which
    /// nothing ever changed is not kept.
    fn finish(&mut self, before: u64) -> Result<LogPosition> {
        let seq = self.log.seq();
        if seq > before {
            self.write_log()?;
            let outlines = Outlines {
                connection: self.connection,
                scope: self.scope,
                scope_id: self.scope_id,
            };
            if outlines.are_of(before)? {
                let mut fresh = self.fresh.take().unwrap_or_default();
                fresh.outlined(self.ahead.as_ref().map_or_else(Vec::new, Ahead::outlines));
                outlines.renew(&self.changed, &mut fresh, seq)?;
                let (vectors, ahead) = (&self.changed_vectors, self.ahead.as_mut());
                codes::renew(self.connection, self.scope_id, vectors, seq, ahead)?;
            } else {
                outlines.rebuild(seq)?;
                codes::rebuild(self.connection, self.scope_id, seq)?;
            }
            self.execute(
                "UPDATE memu_scopes SET seq = ?2, derived_seq = ?2 WHERE scope_id = ?1",
                (self.scope_id, integer(seq)?),
            )?;
        } else if seq == 0 && self.forget_unused_scope()? {
            return Ok(LogPosition::default());
        }
        Ok(log_position(Some((self.scope_id, seq))))
    }

    fn forget_unused_scope(&self) -> Result<bool> {
        let removed = self.execute(
            "DELETE FROM memu_scopes WHERE scope_id = ?1
             AND NOT EXISTS (SELECT 1 FROM memu_blobs WHERE scope_id = ?1)
             AND NOT EXISTS (SELECT 1 FROM memu_model_replies WHERE scope_id = ?1)
             AND NOT EXISTS (SELECT 1 FROM memu_model_usage WHERE scope_id = ?1)",
            [self.scope_id],
        )?;
        Ok(removed > 0)
    }

    fn execute(&self, sql: &str, parameters: impl Params) -> Result<usize> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(parameters))
            .map_err(storage)
    }

    /// The first row of a query, read by `read`; `None` when there is none.
    fn find<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(parameters, read).optional())
            .map_err(storage)
    }

    /// All rows of a query, read by `read`.
    fn all<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_map(parameters, read)?.collect())
            .map_err(storage)
    }

    /// The revision under which a record is to be stored.
    fn revision(&self, kind: &str, new: &Meta, stored: Option<u64>) -> Result<i64> {
        integer(if self.restoring {
            new.restored_revision(kind, self.scope, stored)?
        } else {
            new.next_revision(kind, self.scope, stored)?
        })
    }

    /// Whether a record says of itself that the scope does not hold it yet.
    fn is_new(&self, record: &Meta) -> bool {
        (record.revision == 0) != self.restoring
    }

    /// The row of a record that another one refers to.
    fn row_of(&mut self, table: &'static str, id: &Id) -> Result<Option<i64>> {
        let key = (table, id.clone());
        if let Some(row) = self.rows.get(&key) {
            return Ok(Some(*row));
        }
        let row = self.known(table, id)?.map(|(row, _)| row);
        if let Some(row) = row {
            self.rows.insert(key, row);
        }
        Ok(row)
    }

    /// The row and revision of a record.
    fn known(&self, table: &str, id: &Id) -> Result<Option<(i64, u64)>> {
        let sql = format!(
            "SELECT t.row, t.revision FROM {table} t WHERE t.scope_id = ?1 AND {} = ?2",
            identified_by(table)
        );
        self.find(&sql, (self.scope_id, identifier(table, id)), |row| {
            let revision: i64 = row.get(1)?;
            Ok((row.get(0)?, revision.max(0).unsigned_abs()))
        })
    }
}
