//! Whether the tables are as they should be.

use deadpool_postgres::Transaction;
use memu_core::scope::ScopeSchema;
use memu_core::{Error, Result};

use super::catalog::{Catalog, Column};
use super::described::{self, SEQUENCES, tables, vectors};
use super::parts::{self, Table};
use super::row_security::POLICY;
use crate::read::embedding_sets;

/// Refuses tables that differ, and says all the places where they do.
///
/// # Errors
/// [`ErrorKind::Corrupt`](memu_core::ErrorKind::Corrupt).
pub(crate) async fn validate(on: &Transaction<'_>, schema: &ScopeSchema) -> Result<()> {
    refuse(&differences(on, schema).await?)
}

/// Refuses a table of settings that cannot be read.
///
/// # Errors
/// As [`validate`].
pub(crate) async fn validate_meta(on: &Transaction<'_>) -> Result<()> {
    let mut differences = Vec::new();
    Catalog::read(on)
        .await?
        .compare(&described::meta(), &mut differences);
    refuse(&differences)
}

fn refuse(differences: &[String]) -> Result<()> {
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
    let mut of_sets = Vec::new();
    found.compare(&described::sets(), &mut of_sets);
    // Otherwise they cannot be read.
    if of_sets.is_empty() {
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
    for sequence in SEQUENCES {
        if !found.sequences.contains(sequence) {
            differences.push(format!("the sequence {sequence} is missing"));
        }
    }
    Ok(differences)
}

impl Catalog {
    fn compare(&self, table: &Table, differences: &mut Vec<String>) {
        let name = &table.name;
        let Some(columns) = self.columns.get(name) else {
            differences.push(format!("the table {name} is missing"));
            return;
        };
        for column in &table.columns {
            let place = format!("{name}.{}", column.name);
            let difference = columns.get(&column.name).map_or_else(
                || Some(format!("{name} lacks the column {}", column.name)),
                |found| differs(&place, column, found),
            );
            differences.extend(difference);
        }
        // A column that we do not write must not be one that has to be written.
        for (column, found) in columns {
            let ours = table.columns.iter().any(|known| known.name == *column);
            if !ours && found.is_demanded() {
                differences.push(format!(
                    "{name} demands a column {column} that is not MemU's"
                ));
            }
        }
        for rule in self.rules.get(name).into_iter().flatten() {
            differences.push(format!("{name} has a rule {rule} that is not MemU's"));
        }
        self.compare_keys(table, differences);
        self.compare_guards(table, differences);
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

    /// Row security is on for all tables of scopes, or for none.
    fn compare_guards(&self, table: &Table, differences: &mut Vec<String>) {
        let name = &table.name;
        let guard = |name: &str| self.guards.get(name).map_or("off", String::as_str);
        let is_on = table.scoped && guard("memu_scopes") != "off";
        let expected = if is_on { "on" } else { "off" };
        let found = guard(name);
        if found != expected {
            differences.push(format!(
                "row security of {name} is {found} where {expected} is expected"
            ));
        }
        for policy in self.policies.get(name).into_iter().flatten() {
            if policy != POLICY {
                differences.push(format!("{name} has a policy {policy} that is not MemU's"));
            }
        }
    }
}

/// How a column differs.
fn differs(place: &str, expected: &parts::Column, found: &Column) -> Option<String> {
    let sql_type = catalog_type(&expected.sql_type);
    if found.sql_type != sql_type {
        let found = &found.sql_type;
        return Some(format!("{place} is {found} where {sql_type} is expected"));
    }
    if let Some(other) = found.collation.as_ref().filter(|name| *name != "C") {
        return Some(format!(
            "{place} is in the order {other} where C is expected"
        ));
    }
    match (found.optional, expected.optional) {
        (true, false) => Some(format!("{place} may be null")),
        (false, true) => Some(format!("{place} may not be null")),
        _ => None,
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
