//! Records as columns of values, so that any number of them is written by one statement.

use memu_core::Result;
use memu_core::records::Meta;
use memu_core::scope::Scope;

use crate::sql::{FromArrays, Sql};
use crate::values::{Json, Key, Micros, Text, integer};
use crate::written::{Value, Written};

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
    pub(crate) fn insert(self, scope: &'r Scope, arrays: FromArrays) -> Sql<'r> {
        let mut sql = Sql::new("INSERT INTO ");
        sql.push(self.table);
        sql.push(" (scope_key, ");
        for (field, _) in scope.iter() {
            sql.push(&format!("\"{field}\", "));
        }
        sql.push(&self.names.join(", "));
        let FromArrays { key, from, only } = arrays;
        sql.push(&format!(") SELECT {key}, "));
        let mut sql = sql.with(Key::of(scope));
        for (_, value) in scope.iter() {
            sql.bind(value.map(Text));
            sql.push("::text, ");
        }
        sql.push(&format!("u.* FROM {from}unnest("));
        bind_all(&mut sql, self.values);
        sql.push(&format!(") u{only}"));
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
