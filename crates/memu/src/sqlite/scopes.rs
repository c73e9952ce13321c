//! Reading scopes and their change logs.

use std::collections::BTreeMap;

use memu_core::Result;
use memu_core::filter::Filter;
use memu_core::records::{Change, Id, Operation, Table};
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{LogPosition, ScopeState};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::error::{corrupt, storage};
use super::filter::{Sql, push_scope_conditions};
use super::rows::{Reader, unpacked_id};

/// Whether a scope in `memu_scopes t` is named in lists: something was recorded in it.
pub(super) const LISTED: &str = "(t.seq > 0 OR EXISTS \
                                 (SELECT 1 FROM memu_model_replies y WHERE y.scope_id = t.scope_id)
                                 OR EXISTS \
                                 (SELECT 1 FROM memu_model_usage y WHERE y.scope_id = t.scope_id))";

/// The scopes that match, in the order in which they came.
pub(super) fn scopes(
    connection: &Connection,
    schema: &ScopeSchema,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<ScopeState>> {
    let mut sql = Sql::default();
    sql.push("SELECT t.seq");
    for field in schema.fields() {
        sql.push(&format!(", t.\"{field}\""));
    }
    sql.push(" FROM memu_scopes t WHERE ");
    sql.push(LISTED);
    push_scope_conditions(&mut sql, filter);
    sql.push(" ORDER BY t.scope_id LIMIT ");
    sql.bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let mut statement = connection.prepare_cached(&sql.text).map_err(storage)?;
    let mut rows = statement
        .query(params_from_iter(sql.parameters))
        .map_err(storage)?;
    let mut states = Vec::new();
    while let Some(row) = rows.next().map_err(storage)? {
        let mut reader = Reader::new(row, 0);
        let seq: i64 = reader.take()?;
        states.push(ScopeState {
            scope: read_scope(&mut reader, schema)?,
            seq: u64::try_from(seq).map_err(|_| corrupt("a negative change number"))?,
        });
    }
    Ok(states)
}

/// Every scope with its number, those that hold nothing included.
pub(super) fn every_scope(
    connection: &Connection,
    schema: &ScopeSchema,
) -> Result<Vec<(i64, Scope)>> {
    let fields = schema.fields().fold(String::new(), |fields, field| {
        fields + ", \"" + field + "\""
    });
    let sql = format!("SELECT scope_id{fields} FROM memu_scopes ORDER BY scope_id");
    let mut statement = connection.prepare(&sql).map_err(storage)?;
    let mut rows = statement.query([]).map_err(storage)?;
    let mut scopes = Vec::new();
    while let Some(row) = rows.next().map_err(storage)? {
        let mut reader = Reader::new(row, 0);
        let id = reader.take()?;
        scopes.push((id, read_scope(&mut reader, schema)?));
    }
    Ok(scopes)
}

/// Reads the values of the scope fields.
fn read_scope(reader: &mut Reader<'_, '_>, schema: &ScopeSchema) -> Result<Scope> {
    let mut values: Vec<(&str, String)> = Vec::new();
    for field in schema.fields() {
        if let Some(value) = reader.take::<Option<String>>()? {
            values.push((field, value));
        }
    }
    schema
        .scope(values.iter().map(|(field, value)| (*field, value.as_str())))
        .map_err(|_| corrupt("an unusable scope"))
}

/// The number of a scope and of the last line of its change log.
pub(super) fn scope_row(connection: &Connection, scope: &Scope) -> Result<Option<(i64, u64)>> {
    let found: Option<(i64, i64)> = connection
        .prepare_cached("SELECT scope_id, seq FROM memu_scopes WHERE scope_key = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([scope.key().as_bytes()], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()
        })
        .map_err(storage)?;
    found
        .map(|(id, seq)| {
            let seq = u64::try_from(seq).map_err(|_| corrupt("a negative change number"))?;
            Ok((id, seq))
        })
        .transpose()
}

/// How far the log of a scope has come. A number of a scope is never given again, so it
/// tells the lives of a scope apart.
pub(super) fn log_position(scope_row: Option<(i64, u64)>) -> LogPosition {
    scope_row.map_or_else(LogPosition::default, |(id, seq)| LogPosition {
        life: id.unsigned_abs(),
        seq,
    })
}

/// The scopes of a query that exist, by number.
pub(super) fn scope_rows(
    connection: &Connection,
    scopes: &[Scope],
) -> Result<BTreeMap<i64, Scope>> {
    let mut rows = BTreeMap::new();
    for scope in scopes {
        if let Some((id, _)) = scope_row(connection, scope)? {
            rows.insert(id, scope.clone());
        }
    }
    Ok(rows)
}

/// Appends a condition for a table named `t` to be in one of these scopes. The number of a
/// single one is a parameter, so that the statement is planned once and not for every scope.
pub(super) fn push_in_scopes(sql: &mut Sql, scopes: &BTreeMap<i64, Scope>) {
    let mut ids = scopes.keys();
    if let (Some(only), None) = (ids.next(), ids.next()) {
        sql.push("t.scope_id = ");
        sql.bind(*only);
        return;
    }
    let ids: Vec<String> = scopes.keys().map(ToString::to_string).collect();
    sql.push(&format!("t.scope_id IN ({})", ids.join(", ")));
}

/// The lines of a change log after `after`.
pub(super) fn changes(
    connection: &Connection,
    scope: &Scope,
    after: u64,
    limit: usize,
) -> Result<Vec<Change>> {
    let Some((scope, _)) = scope_row(connection, scope)? else {
        return Ok(Vec::new());
    };
    let mut statement = connection
        .prepare_cached(
            "SELECT seq, operation, table_number, ids FROM memu_changes
             WHERE scope_id = ?1 AND seq >= (SELECT coalesce(max(seq), 0) FROM memu_changes
             WHERE scope_id = ?1 AND seq <= ?2) ORDER BY seq",
        )
        .map_err(storage)?;
    let first = i64::try_from(after).unwrap_or(i64::MAX).saturating_add(1);
    let mut rows = statement.query((scope, first)).map_err(storage)?;
    let mut changes = Vec::new();
    while changes.len() < limit
        && let Some(row) = rows.next().map_err(storage)?
    {
        let mut reader = Reader::new(row, 0);
        let seq = u64::try_from(reader.take::<i64>()?)
            .map_err(|_| corrupt("a negative change number"))?;
        let (operation, table) = (operation(reader.take()?)?, table(reader.take()?)?);
        let ids = logged_ids(row.get_ref(3).map_err(storage)?)?;
        let numbered = (seq..).zip(ids).filter(|(seq, _)| *seq > after);
        changes.extend(
            numbered
                .take(limit - changes.len())
                .map(|(seq, id)| Change {
                    seq,
                    operation,
                    table,
                    id,
                }),
        );
    }
    Ok(changes)
}

/// The ids of a line of the log: any number of UUIDs, or one that is none.
fn logged_ids(value: ValueRef<'_>) -> Result<Vec<Id>> {
    let ids = match value {
        ValueRef::Blob(bytes) if bytes.len() % ID_BYTES == 0 => bytes
            .chunks(ID_BYTES)
            .map(|id| unpacked_id(ValueRef::Blob(id)))
            .collect(),
        other => unpacked_id(other).map(|id| vec![id]),
    };
    ids?.into_iter()
        .map(|id| id.ok_or_else(|| corrupt("a change without an id")))
        .collect()
}

/// How long a UUID is.
const ID_BYTES: usize = 16;

const OPERATIONS: [Operation; 3] = [Operation::Insert, Operation::Update, Operation::Delete];
const TABLES: [Table; 4] = [
    Table::Resources,
    Table::Items,
    Table::Categories,
    Table::Relations,
];

/// How an operation is written in the log.
pub(super) fn operation_number(operation: Operation) -> i64 {
    number_in(&OPERATIONS, &operation)
}

/// How a table is written in the log.
pub(super) fn table_number(table: Table) -> i64 {
    number_in(&TABLES, &table)
}

fn number_in<T: PartialEq>(all: &[T], one: &T) -> i64 {
    let numbered = (0..).zip(all);
    let mut found = numbered.filter(|(_, known)| *known == one);
    found.next().map_or(-1, |(number, _)| number)
}

fn operation(number: i64) -> Result<Operation> {
    let known = usize::try_from(number)
        .ok()
        .and_then(|at| OPERATIONS.get(at));
    known.copied().ok_or_else(|| corrupt("an unknown change"))
}

fn table(number: i64) -> Result<Table> {
    let known = usize::try_from(number).ok().and_then(|at| TABLES.get(at));
    known
        .copied()
        .ok_or_else(|| corrupt("a change of an unknown table"))
}
