//! Whether the tables are as they should be.

use std::collections::BTreeMap;

use deadpool_postgres::Transaction;
use memu_core::scope::ScopeSchema;
use memu_core::{Error, Result};

use super::described::{Table, tables, vectors};
use crate::read::embedding_sets;
use crate::rows::Reader;
use crate::sql::Sql;

/// Refuses tables that differ, and says all the places where they do.
///
/// # Errors
/// [`ErrorKind::Corrupt`](memu_core::ErrorKind::Corrupt).
pub(crate) async fn validate(on: &Transaction<'_>, schema: &ScopeSchema) -> Result<()> {
    let differences = differences(on, schema).await?;
    if differences.is_empty() {
        return Ok(());
    }
    Err(Error::corrupt(format!(
        "the tables are not as this version makes them: {}",
        differences.join("; ")
    )))
}

/// Where the tables differ, in words.
pub(crate) async fn differences(on: &Transaction<'_>, schema: &ScopeSchema) -> Result<Vec<String>> {
    let mut expected = tables(schema);
    let found = Catalog::read(on).await?;
    if found.columns.contains_key("memu_embedding_sets") {
        let sets = embedding_sets(on).await?;
        expected.extend(
            sets.iter()
                .map(|set| vectors(set.id, set.identity.dimension)),
        );
    }
    let mut differences = Vec::new();
    for table in &expected {
        found.compare(table, &mut differences);
    }
    Ok(differences)
}

/// What the server says of the tables in the current schema.
struct Catalog {
    /// By table: each column's type and whether it may be null.
    columns: BTreeMap<String, BTreeMap<String, (String, bool)>>,
    /// By table: whether each index is unique, and its columns.
    indexes: BTreeMap<String, Vec<(bool, Vec<String>)>>,
    /// By table: each foreign key's columns.
    references: BTreeMap<String, Vec<Vec<String>>>,
}

impl Catalog {
    async fn read(on: &Transaction<'_>) -> Result<Self> {
        let mut catalog = Self {
            columns: BTreeMap::new(),
            indexes: BTreeMap::new(),
            references: BTreeMap::new(),
        };
        let rows = Sql::new(
            "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), \
             NOT a.attnotnull FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
             JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND a.attnum > 0 \
             AND NOT a.attisdropped",
        )
        .rows(on)
        .await?;
        for row in &rows {
            let mut reader = Reader::new(row);
            let (table, column) = (reader.text()?, reader.text()?);
            let described = (reader.text()?, reader.take()?);
            catalog
                .columns
                .entry(table)
                .or_default()
                .insert(column, described);
        }
        let rows = Sql::new(
            "SELECT c.relname::text, i.indisunique, ARRAY(\
             SELECT pg_get_indexdef(i.indexrelid, k, true) \
             FROM generate_series(1, i.indnkeyatts::int) k ORDER BY k) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
             JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = current_schema() AND i.indisvalid",
        )
        .rows(on)
        .await?;
        for row in &rows {
            let mut reader = Reader::new(row);
            let table = reader.text()?;
            let index = (reader.take()?, reader.take()?);
            catalog.indexes.entry(table).or_default().push(index);
        }
        let rows = Sql::new(
            "SELECT c.relname::text, ARRAY(SELECT a.attname::text \
             FROM unnest(k.conkey) WITH ORDINALITY x (number, at) JOIN pg_attribute a \
             ON a.attrelid = k.conrelid AND a.attnum = x.number ORDER BY x.at) \
             FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
             JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = current_schema() AND k.contype = 'f'",
        )
        .rows(on)
        .await?;
        for row in &rows {
            let mut reader = Reader::new(row);
            let table = reader.text()?;
            let columns = reader.take()?;
            catalog.references.entry(table).or_default().push(columns);
        }
        Ok(catalog)
    }

    fn compare(&self, table: &Table, differences: &mut Vec<String>) {
        let name = &table.name;
        let Some(columns) = self.columns.get(name) else {
            differences.push(format!("the table {name} is missing"));
            return;
        };
        for column in &table.columns {
            let expected = catalog_type(&column.sql_type);
            match columns.get(&column.name) {
                None => differences.push(format!("{name} lacks the column {}", column.name)),
                Some((found, _)) if found != expected => differences.push(format!(
                    "{name}.{} is {found} where {expected} is expected",
                    column.name
                )),
                Some((_, optional)) if *optional && !column.optional => {
                    differences.push(format!("{name}.{} may be null", column.name));
                }
                Some((_, optional)) if !*optional && column.optional => {
                    differences.push(format!("{name}.{} may not be null", column.name));
                }
                Some(_) => {}
            }
        }
        // A column that we do not write must not be one that has to be written.
        for (column, (_, optional)) in columns {
            let ours = table.columns.iter().any(|known| known.name == *column);
            if !ours && !optional {
                differences.push(format!(
                    "{name} demands a column {column} that is not MemU's"
                ));
            }
        }
        self.compare_keys(table, differences);
    }

    fn compare_keys(&self, table: &Table, differences: &mut Vec<String>) {
        let name = &table.name;
        let none = Vec::new();
        let indexes = self.indexes.get(name).unwrap_or(&none);
        let has = |unique: bool, columns: &[&str]| {
            indexes
                .iter()
                .any(|(is_unique, found)| *found == columns && (*is_unique || !unique))
        };
        if !has(true, table.primary) {
            differences.push(format!(
                "{name} lacks the primary key ({})",
                table.primary.join(", ")
            ));
        }
        for index in table.indexes {
            if !has(index.unique, index.columns) {
                let kind = if index.unique {
                    "unique index"
                } else {
                    "index"
                };
                let columns = index.columns.join(", ");
                differences.push(format!(
                    "{name} lacks the {kind} {} ({columns})",
                    index.name
                ));
            }
        }
        let none = Vec::new();
        let references = self.references.get(name).unwrap_or(&none);
        for reference in table.references {
            if !references.iter().any(|found| *found == reference.columns) {
                differences.push(format!(
                    "{name} lacks the reference of ({}) to {}",
                    reference.columns.join(", "),
                    reference.table
                ));
            }
        }
    }
}

/// A type as the catalog writes it.
fn catalog_type(sql_type: &str) -> &str {
    match sql_type {
        "timestamptz" => "timestamp with time zone",
        "timestamp" => "timestamp without time zone",
        "float8" => "double precision",
        other => other,
    }
}
