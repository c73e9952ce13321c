//! Recognising the original's tables.

use deadpool_postgres::Transaction;
use memu_core::Result;
use memu_core::original::{Kind, Table, scope_schema, share_scope_columns};
use memu_core::scope::ScopeSchema;

use crate::options::Options;
use crate::rows::Reader;
use crate::sql::Sql;

/// The column with the vector.
const VECTOR: &str = "embedding";

/// The types that columns must have, where the table has them: others than these, and it is
/// another program's.
const TYPES: [(&str, &[&str]); 12] = [
    ("id", TEXTS),
    ("created_at", TIMES),
    ("updated_at", TIMES),
    ("url", TEXTS),
    ("modality", TEXTS),
    ("name", TEXTS),
    ("description", TEXTS),
    ("memory_type", TEXTS),
    ("summary", TEXTS),
    ("item_id", TEXTS),
    ("category_id", TEXTS),
    (VECTOR, &["vector"]),
];
const TEXTS: &[&str] = &["varchar", "text"];
const TIMES: &[&str] = &["timestamptz", "timestamp"];

/// Tells how many bytes the tables take that are called so in the current schema.
pub(super) const SIZE: &str = "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = current_schema() AND c.relname IN \
    ('resources', 'memory_categories', 'memory_items', 'category_items')";

/// All tables of the original, which are in one schema.
#[derive(Debug)]
pub(crate) struct Originals {
    /// The schema, quoted as SQL wants it.
    pub(super) schema: String,
    tables: Vec<Table>,
}

impl Originals {
    /// In an order in which each finds what it refers to.
    pub(super) fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The scope fields: the columns of the original's user model.
    pub(super) fn schema(&self, options: &Options) -> Result<ScopeSchema> {
        scope_schema(&self.tables, options.schema.as_ref())
    }
}

/// A column as the catalog names it.
struct Column {
    table: String,
    name: String,
    sql_type: String,
}

/// The tables of the original in the current schema; `None` unless all four are there, as it
/// makes them.
pub(crate) async fn find(on: &Transaction<'_>) -> Result<Option<Originals>> {
    let names: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
    let rows = Sql::new(
        "SELECT quote_ident(n.nspname), c.relname::text, a.attname::text, t.typname::text \
         FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
         JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid \
         WHERE n.nspname = current_schema() AND c.relname = ANY($1) AND c.relkind = 'r' \
         AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum",
    )
    .with(names)
    .rows(on)
    .await?;
    let (mut schema, mut columns) = (String::new(), Vec::new());
    for row in &rows {
        let mut reader = Reader::new(row);
        schema = reader.take()?;
        columns.push(Column {
            table: reader.take()?,
            name: reader.take()?,
            sql_type: reader.take()?,
        });
    }
    Ok(recognised(&columns).map(|tables| Originals { schema, tables }))
}

fn recognised(columns: &[Column]) -> Option<Vec<Table>> {
    let tables = Kind::ALL.into_iter().map(|kind| table(kind, columns));
    let mut tables: Vec<Table> = tables.collect::<Option<_>>()?;
    share_scope_columns(&mut tables.iter_mut().collect::<Vec<_>>());
    Some(tables)
}

/// The table of a kind; `None` when it is missing, or another program's.
fn table(kind: Kind, columns: &[Column]) -> Option<Table> {
    let own = columns.iter().filter(|one| one.table == kind.name());
    let has_type = |one: &Column| {
        let wanted = TYPES.iter().find(|(name, _)| *name == one.name);
        wanted.is_none_or(|(_, types)| types.contains(&one.sql_type.as_str()))
    };
    if !own.clone().all(has_type) {
        return None;
    }
    let names: Vec<String> = own.map(|one| one.name.clone()).collect();
    let has = |name: &str| names.iter().any(|own| own == name);
    let vector = !kind.has_vectors() || has(VECTOR);
    if !(vector && has("created_at") && has("updated_at")) {
        return None;
    }
    Table::new(kind, names, VECTOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGINAL: &str = "\
        resources id:varchar created_at:timestamptz updated_at:timestamptz url:varchar \
        modality:varchar local_path:varchar caption:text embedding:vector user_id:varchar\n\
        memory_categories id:varchar created_at:timestamptz updated_at:timestamptz name:varchar \
        description:text embedding:vector summary:text user_id:varchar\n\
        memory_items id:varchar created_at:timestamptz updated_at:timestamptz \
        resource_id:varchar memory_type:varchar summary:text embedding:vector \
        happened_at:timestamp extra:jsonb user_id:varchar\n\
        category_items id:varchar created_at:timestamptz updated_at:timestamptz \
        item_id:varchar category_id:varchar user_id:varchar";

    fn columns(described: &str) -> Vec<Column> {
        let of_table = |line: &str| {
            let (table, columns) = line.split_once(' ').unwrap();
            let column = |described: &str| {
                let (name, sql_type) = described.split_once(':').unwrap();
                Column {
                    table: table.to_owned(),
                    name: name.to_owned(),
                    sql_type: sql_type.to_owned(),
                }
            };
            columns.split_whitespace().map(column).collect::<Vec<_>>()
        };
        described.lines().flat_map(of_table).collect()
    }

    #[test]
    fn the_originals_tables_are_recognised_and_no_others() {
        let found = recognised(&columns(ORIGINAL)).unwrap();
        assert!(
            found
                .iter()
                .all(|table| table.scope_columns() == ["user_id"])
        );
        // Before 1.3 items had neither of these.
        let older = ORIGINAL.replace(" happened_at:timestamp extra:jsonb", "");
        assert!(recognised(&columns(&older)).is_some());
        for (from, to) in [
            ("embedding:vector ", "embedding:bytea "),
            ("embedding:vector ", ""),
            ("id:varchar", "id:int8"),
            ("url:varchar", "href:varchar"),
            ("memory_type:varchar", "memory_type:int4"),
            ("created_at:timestamptz ", ""),
            ("category_items", "category_entries"),
            ("extra:jsonb", "revision:int8"),
        ] {
            let other = columns(&ORIGINAL.replace(from, to));
            assert!(recognised(&other).is_none(), "{from} → {to}");
        }
        assert!(recognised(&[]).is_none());
    }
}
