//! What the server's catalog says of the tables in the current schema.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Transaction;
use memu_core::Result;

use crate::rows::Reader;
use crate::sql::Sql;

/// The tables as they are.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    /// By table.
    pub(super) columns: BTreeMap<String, BTreeMap<String, Column>>,
    /// By table: whether each index is unique, and its columns.
    pub(super) indexes: BTreeMap<String, Vec<(bool, Vec<String>)>>,
    /// By table: each foreign key's columns.
    pub(super) references: BTreeMap<String, Vec<Vec<String>>>,
    /// By table: what else is demanded of its rows.
    pub(super) rules: BTreeMap<String, Vec<String>>,
    pub(super) sequences: BTreeSet<String>,
    /// By table: whether the server looks at row security, in a word.
    pub(super) guards: BTreeMap<String, String>,
    /// By table: the names of its policies.
    pub(super) policies: BTreeMap<String, Vec<String>>,
}

/// A column as it is.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) sql_type: String,
    pub(super) optional: bool,
    /// Whether the server gives it a value that is not written.
    has_default: bool,
    /// By which texts are ordered.
    pub(super) collation: Option<String>,
}

impl Column {
    /// Whether rows cannot be written without a value of it.
    pub(super) fn is_demanded(&self) -> bool {
        !self.optional && !self.has_default
    }
}

impl Catalog {
    pub(super) async fn read(on: &Transaction<'_>) -> Result<Self> {
        let mut catalog = Self::default();
        catalog.read_columns(on).await?;
        catalog.read_indexes(on).await?;
        catalog.read_constraints(on).await?;
        catalog.read_others(on).await?;
        Ok(catalog)
    }

    async fn read_columns(&mut self, on: &Transaction<'_>) -> Result<()> {
        let rows = Sql::new(
            "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), \
             NOT a.attnotnull, a.atthasdef OR a.attidentity <> '', l.collname::text \
             FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
             JOIN pg_namespace n ON n.oid = c.relnamespace \
             LEFT JOIN pg_collation l ON l.oid = a.attcollation \
             WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND a.attnum > 0 \
             AND NOT a.attisdropped",
        )
        .rows(on)
        .await?;
        for row in &rows {
            let mut reader = Reader::new(row);
            let (table, column) = (reader.text()?, reader.text()?);
            let described = Column {
                sql_type: reader.text()?,
                optional: reader.take()?,
                has_default: reader.take()?,
                collation: reader.text_or_none()?,
            };
            let columns = self.columns.entry(table).or_default();
            columns.insert(column, described);
        }
        Ok(())
    }

    async fn read_indexes(&mut self, on: &Transaction<'_>) -> Result<()> {
        let rows = Sql::new(
            "SELECT c.relname::text, i.indisunique, ARRAY(\
             SELECT pg_get_indexdef(i.indexrelid, k, true) \
             FROM generate_series(1, i.indnkeyatts::int) k ORDER BY k) \
             FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
             JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = current_schema() AND i.indisvalid",
        )
        .rows(on)
        .await?;
        for row in &rows {
            let mut reader = Reader::new(row);
            let table = reader.text()?;
            let index = (reader.take()?, reader.take()?);
            self.indexes.entry(table).or_default().push(index);
        }
        Ok(())
    }

    async fn read_constraints(&mut self, on: &Transaction<'_>) -> Result<()> {
        let rows = Sql::new(
            "SELECT c.relname::text, k.contype = 'f', k.conname::text, ARRAY(\
             SELECT a.attname::text \
             FROM unnest(k.conkey) WITH ORDINALITY x (number, at) JOIN pg_attribute a \
             ON a.attrelid = k.conrelid AND a.attnum = x.number ORDER BY x.at) \
             FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
             JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = current_schema() AND k.contype IN ('f', 'c', 'x')",
        )
        .rows(on)
        .await?;
        for row in &rows {
            let mut reader = Reader::new(row);
            let table = reader.text()?;
            let is_reference: bool = reader.take()?;
            let name = reader.text()?;
            if is_reference {
                let columns = reader.take()?;
                self.references.entry(table).or_default().push(columns);
            } else {
                self.rules.entry(table).or_default().push(name);
            }
        }
        Ok(())
    }

    async fn read_others(&mut self, on: &Transaction<'_>) -> Result<()> {
        let rows = Sql::new(
            "SELECT c.relname::text, c.relkind = 'S', CASE WHEN NOT c.relrowsecurity THEN 'off' \
             WHEN c.relforcerowsecurity THEN 'on' ELSE 'off for its owner' END, \
             ARRAY(SELECT p.polname::text FROM pg_policy p WHERE p.polrelid = c.oid) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'S')",
        )
        .rows(on)
        .await?;
        for row in &rows {
            let mut reader = Reader::new(row);
            let name = reader.text()?;
            if reader.take()? {
                self.sequences.insert(name);
                continue;
            }
            self.guards.insert(name.clone(), reader.text()?);
            self.policies.insert(name, reader.take()?);
        }
        Ok(())
    }
}
