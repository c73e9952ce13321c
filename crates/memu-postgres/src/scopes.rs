//! Reading scopes, their change logs and what their models took.

use deadpool_postgres::Transaction;
use memu_core::Result;
use memu_core::filter::Filter;
use memu_core::records::{Change, ModelUsage, Operation, Table};
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{LogPosition, ScopeState};
use memu_core::time::civil;
use tokio_postgres::Row;

use crate::error::corrupt;
use crate::filter::push_scope_conditions;
use crate::rows::Reader;
use crate::sql::Sql;
use crate::values::Key;

/// Whether a scope in `memu_scopes t` is named in lists: something was recorded in it.
const LISTED: &str = "(t.seq > 0 OR EXISTS (SELECT 1 FROM memu_model_replies y \
                      WHERE y.scope_key = t.scope_key) OR EXISTS (SELECT 1 \
                      FROM memu_model_usage y WHERE y.scope_key = t.scope_key))";

/// The scopes that match, in the order in which they came.
pub(crate) async fn scopes(
    on: &Transaction<'_>,
    schema: &ScopeSchema,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<ScopeState>> {
    let mut sql = Sql::new("SELECT t.seq");
    push_fields(&mut sql, schema);
    sql.push(" FROM memu_scopes t WHERE ");
    sql.push(LISTED);
    push_scope_conditions(&mut sql, filter);
    sql.push(" ORDER BY t.life LIMIT ");
    sql.bind(i64::try_from(limit).unwrap_or(i64::MAX));
    let rows = sql.rows(on).await?;
    let state = |row: &Row| {
        let mut reader = Reader::new(row);
        Ok(ScopeState {
            seq: reader.number()?,
            scope: read_scope(&mut reader, schema)?,
        })
    };
    rows.iter().map(state).collect()
}

/// Every scope with where its log stands, those that hold nothing included, in the order in
/// which they came.
pub(crate) async fn every_scope(
    on: &Transaction<'_>,
    schema: &ScopeSchema,
) -> Result<Vec<(Scope, Standing)>> {
    ordered(on, schema, "t.life").await
}

/// The same, in the order in which scopes are locked; nobody else writes to any of them before
/// the transaction ends.
pub(crate) async fn every_scope_locked(
    on: &Transaction<'_>,
    schema: &ScopeSchema,
    cluster: bool,
) -> Result<Vec<(Scope, Standing)>> {
    if !cluster {
        return ordered(on, schema, "t.scope_key FOR UPDATE").await;
    }
    // The rows lie on several servers, each of which locks its own.
    let mut locked = Vec::new();
    for (scope, _) in ordered(on, schema, "t.scope_key").await? {
        if let Some(found) = standing(on, &scope, true).await? {
            locked.push((scope, found));
        }
    }
    Ok(locked)
}

async fn ordered(
    on: &Transaction<'_>,
    schema: &ScopeSchema,
    order: &str,
) -> Result<Vec<(Scope, Standing)>> {
    let mut sql = Sql::new("SELECT t.life, t.seq, t.derived_seq");
    push_fields(&mut sql, schema);
    sql.push(&format!(" FROM memu_scopes t ORDER BY {order}"));
    let rows = sql.rows(on).await?;
    let scope = |row: &Row| {
        let mut reader = Reader::new(row);
        let standing = Standing::read(&mut reader)?;
        Ok((read_scope(&mut reader, schema)?, standing))
    };
    rows.iter().map(scope).collect()
}

fn push_fields(sql: &mut Sql<'_>, schema: &ScopeSchema) {
    for field in schema.fields() {
        sql.push(&format!(", t.\"{field}\""));
    }
}

/// Reads the values of the scope fields.
fn read_scope(reader: &mut Reader<'_>, schema: &ScopeSchema) -> Result<Scope> {
    let mut values: Vec<(&str, String)> = Vec::new();
    for field in schema.fields() {
        if let Some(value) = reader.text_or_none()? {
            values.push((field, value));
        }
    }
    schema
        .scope(values.iter().map(|(field, value)| (*field, value.as_str())))
        .map_err(|_| corrupt("an unusable scope"))
}

/// How far the change log of a scope has come, and what is derived from its records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) position: LogPosition,
    /// Of which line what is derived is.
    pub(crate) derived_seq: u64,
}

impl Standing {
    /// Reads `life, seq, derived_seq`.
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            position: LogPosition {
                life: reader.number()?,
                seq: reader.number()?,
            },
            derived_seq: reader.number()?,
        })
    }

    /// Whether what is derived is of the last line.
    pub(crate) fn is_derived(&self) -> bool {
        self.derived_seq == self.position.seq
    }
}

/// Where the log of a scope stands; `None` for a scope that holds nothing. With `lock`,
/// nobody else writes to the scope before the transaction ends.
pub(crate) async fn standing(
    on: &Transaction<'_>,
    scope: &Scope,
    lock: bool,
) -> Result<Option<Standing>> {
    let sql = if lock {
        "SELECT life, seq, derived_seq FROM memu_scopes WHERE scope_key = $1 FOR UPDATE"
    } else {
        "SELECT life, seq, derived_seq FROM memu_scopes WHERE scope_key = $1"
    };
    let found = Sql::new(sql).with(Key::of(scope)).first(on).await?;
    let standing = found.map(|row| Standing::read(&mut Reader::new(&row)));
    standing.transpose()
}

/// The lines of a change log after `after`.
pub(crate) async fn changes(
    on: &Transaction<'_>,
    scope: &Scope,
    after: u64,
    limit: usize,
) -> Result<Vec<Change>> {
    let rows = Sql::new(
        "SELECT seq, operation, table_number, id FROM memu_changes \
         WHERE scope_key = $1 AND seq > $2 ORDER BY seq LIMIT $3",
    )
    .with(Key::of(scope))
    .with(i64::try_from(after).unwrap_or(i64::MAX))
    .with(i64::try_from(limit).unwrap_or(i64::MAX))
    .rows(on)
    .await?;
    let change = |row: &Row| {
        let mut reader = Reader::new(row);
        Ok(Change {
            seq: reader.number()?,
            operation: numbered(&OPERATIONS, reader.take()?)?,
            table: numbered(&TABLES, reader.take()?)?,
            id: reader.id()?,
        })
    };
    rows.iter().map(change).collect()
}

const OPERATIONS: [Operation; 3] = [Operation::Insert, Operation::Update, Operation::Delete];
const TABLES: [Table; 4] = [
    Table::Resources,
    Table::Items,
    Table::Categories,
    Table::Relations,
];

/// How an operation is written in the log.
pub(crate) fn operation_number(operation: Operation) -> i16 {
    number_in(&OPERATIONS, &operation)
}

/// How a table is written in the log.
pub(crate) fn table_number(table: Table) -> i16 {
    number_in(&TABLES, &table)
}

fn number_in<T: PartialEq>(all: &[T], one: &T) -> i16 {
    let numbered = (0..).zip(all);
    let mut found = numbered.filter(|(_, known)| *known == one);
    found.next().map_or(-1, |(number, _)| number)
}

fn numbered<T: Copy>(all: &[T], number: i16) -> Result<T> {
    let known = usize::try_from(number).ok().and_then(|at| all.get(at));
    known.copied().ok_or_else(|| corrupt("an unknown change"))
}

/// What the models of a scope took from a day on.
pub(crate) async fn model_usage(
    on: &Transaction<'_>,
    scope: &Scope,
    since: civil::Date,
) -> Result<Vec<ModelUsage>> {
    let rows = Sql::new(
        "SELECT day, model_profile, model_name, step_name, calls, unusable, input_tokens, \
         output_tokens, cost, seconds FROM memu_model_usage \
         WHERE scope_key = $1 AND day >= $2 \
         ORDER BY day, model_profile, model_name, step_name",
    )
    .with(Key::of(scope))
    .with(since.to_string())
    .rows(on)
    .await?;
    let usage = |row: &Row| {
        let mut reader = Reader::new(row);
        let day = reader.text()?.parse();
        Ok(ModelUsage {
            day: day.map_err(|_| corrupt("a day of usage that is no date"))?,
            profile: reader.text()?,
            model: reader.text()?,
            step: reader.text()?,
            calls: reader.number()?,
            unusable: reader.number()?,
            input_tokens: reader.number()?,
            output_tokens: reader.number()?,
            cost: reader.take()?,
            seconds: reader.take()?,
        })
    };
    rows.iter().map(usage).collect()
}
