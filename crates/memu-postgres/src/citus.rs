//! A cluster: Citus spreads the tables of scopes over its servers by the scope's key, so that
//! whatever concerns one scope is done on one of them.

use deadpool_postgres::Transaction;
use memu_core::Result;
use tokio_postgres::Row;

use crate::error::storage;
use crate::rows::Reader;
use crate::schema::{Table, create, row_security};
use crate::sql::Sql;

/// Whether Citus is in this database.
pub(crate) async fn is_there(on: &Transaction<'_>) -> Result<bool> {
    let found = Sql::new("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
        .first(on)
        .await?;
    Ok(found.is_some())
}

/// Whether the tables of scopes lie on the servers of a cluster. Those of a store that was there
/// before Citus lie where they did.
pub(crate) async fn is_spread(on: &Transaction<'_>) -> Result<bool> {
    if !is_there(on).await? {
        return Ok(false);
    }
    let sql = "SELECT 1 FROM pg_dist_partition WHERE logicalrelid = to_regclass($1)";
    let found = Sql::new(sql).with(LEADING).first(on).await?;
    Ok(found.is_some())
}

/// Spreads the tables that are not yet, with their rows. What they refer to, and row security,
/// is taken from all of them and put back: a table that is spread refers to no other.
pub(crate) async fn spread(
    on: &Transaction<'_>,
    tables: &[Table],
    row_security: bool,
) -> Result<()> {
    if row_security {
        row_security::turn_off(on, tables).await?;
    }
    let rows = Sql::new(
        "SELECT c.relname::text, k.conname::text FROM pg_constraint k \
         JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = current_schema() AND k.contype = 'f' AND c.relname = ANY($1)",
    )
    .with(
        tables
            .iter()
            .map(|table| table.name.clone())
            .collect::<Vec<_>>(),
    )
    .rows(on)
    .await?;
    for row in &rows {
        let mut reader = Reader::new(row);
        let (table, name) = (reader.text()?, reader.text()?);
        let sql = format!("ALTER TABLE {table} DROP CONSTRAINT \"{name}\"");
        on.batch_execute(&sql).await.map_err(storage)?;
    }
    let known = known(on).await?;
    let alone = |table: &&Table| known.iter().all(|known| known.name != table.name);
    let alone: Vec<Table> = tables.iter().filter(alone).cloned().collect();
    distribute(on, &alone).await?;
    on.batch_execute(&create::references(tables))
        .await
        .map_err(storage)?;
    if row_security {
        row_security::turn_on(on, tables, true).await?;
    }
    Ok(())
}

/// Spreads tables that were just made. The first one of a scope leads: the others lie where
/// its rows do.
pub(crate) async fn distribute(on: &Transaction<'_>, tables: &[Table]) -> Result<()> {
    let sql: String = tables.iter().map(placing).collect();
    on.batch_execute(&sql).await.map_err(storage)
}

/// The table that leads.
const LEADING: &str = "memu_scopes";

fn placing(table: &Table) -> String {
    let name = &table.name;
    if !table.scoped {
        return format!("SELECT create_reference_table('{name}');\n");
    }
    let beside = if name == LEADING { "none" } else { LEADING };
    format!(
        "SELECT create_distributed_table('{name}', 'scope_key', colocate_with => '{beside}');\n"
    )
}

/// A table that a cluster knows.
struct Known {
    name: String,
    /// `distributed`, `reference` or another.
    kind: String,
    /// Tables of one group lie together.
    group: i64,
    shards: i64,
}

/// The tables in the current schema that a cluster knows.
async fn known(on: &Transaction<'_>) -> Result<Vec<Known>> {
    // The view `citus_tables` shows an ordinary user none, and measures all that it shows.
    let rows = Sql::new(
        "SELECT c.relname::text, CASE WHEN p.partmethod = 'h' THEN 'distributed' \
         WHEN p.partmethod = 'n' AND p.repmodel = 't' THEN 'reference' ELSE 'other' END, \
         p.colocationid::bigint, \
         (SELECT count(*) FROM pg_dist_shard s WHERE s.logicalrelid = p.logicalrelid) \
         FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema()",
    )
    .rows(on)
    .await?;
    let known = |row: &Row| {
        let mut reader = Reader::new(row);
        Ok(Known {
            name: reader.text()?,
            kind: reader.text()?,
            group: reader.take()?,
            shards: reader.take()?,
        })
    };
    rows.iter().map(known).collect()
}

/// How the tables lie.
pub(crate) async fn look(on: &Transaction<'_>, tables: &[Table]) -> Result<Look> {
    let found = known(on).await?;
    let workers = Sql::new("SELECT count(*) FROM citus_get_active_worker_nodes()")
        .first(on)
        .await?;
    let leading = found.iter().find(|known| known.name == LEADING);
    let group = leading.map(|known| known.group);
    let wrong = tables.iter().filter_map(|table| {
        let known = found.iter().find(|known| known.name == table.name);
        let what = match known {
            None => "is not distributed",
            Some(known) if !table.scoped && known.kind != "reference" => "is not a reference table",
            Some(known) if table.scoped && known.kind != "distributed" => "is not distributed",
            Some(known) if table.scoped && Some(known.group) != group => {
                "does not lie beside memu_scopes"
            }
            Some(_) => return None,
        };
        Some(Wrong {
            what: format!("{} {what}", table.name),
            is_mended: known.is_none(),
        })
    });
    Ok(Look {
        workers: workers.map_or(Ok(0), |row| Reader::new(&row).take())?,
        shards: leading.map_or(0, |known| known.shards),
        wrong: wrong.collect(),
    })
}

/// How the tables of a cluster lie.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) workers: i64,
    pub(crate) shards: i64,
    pub(crate) wrong: Vec<Wrong>,
}

/// A table that does not lie as it should.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// In words.
    pub(crate) what: String,
    /// Whether [`spread`] mends it.
    pub(crate) is_mended: bool,
}

#[cfg(test)]
mod tests {
    use memu_core::scope::ScopeSchema;

    use super::*;
    use crate::schema::tables;

    #[test]
    fn the_tables_of_scopes_are_distributed_by_the_scope_and_lie_together() {
        let tables = tables(&ScopeSchema::default());
        let first = tables.iter().find(|table| table.scoped).unwrap();
        assert_eq!(first.name, LEADING);
        for table in &tables {
            let placing = placing(table);
            if table.scoped {
                assert!(placing.contains("'scope_key'"), "{placing}");
                assert_eq!(
                    placing.contains("colocate_with => 'memu_scopes'"),
                    table.name != LEADING
                );
            } else {
                assert!(placing.contains("create_reference_table"), "{placing}");
            }
        }
    }
}
