//! A cluster: Citus spreads the tables of scopes over its servers by the scope's key, so that
//! whatever concerns one scope is done on one of them.

use deadpool_postgres::Transaction;
use memu_core::Result;

use crate::error::storage;
use crate::rows::Reader;
use crate::schema::Table;
use crate::sql::Sql;

/// Whether this server leads a cluster.
pub(crate) async fn is_there(on: &Transaction<'_>) -> Result<bool> {
    let found = Sql::new("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
        .first(on)
        .await?;
    Ok(found.is_some())
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

/// What is wrong with how the tables lie, in words; and how they do.
pub(crate) async fn look(on: &Transaction<'_>, tables: &[Table]) -> Result<Look> {
    let rows = Sql::new(
        "SELECT table_name::text, citus_table_type, colocation_id::bigint, shard_count::bigint \
         FROM citus_tables",
    )
    .rows(on)
    .await?;
    let mut found = Vec::new();
    for row in &rows {
        let mut reader = Reader::new(row);
        let (name, kind) = (reader.text()?, reader.text()?);
        let (group, shards): (i64, i64) = (reader.take()?, reader.take()?);
        found.push((name, kind, group, shards));
    }
    let workers = Sql::new("SELECT count(*) FROM citus_get_active_worker_nodes()")
        .first(on)
        .await?;
    let leading = found.iter().find(|(name, ..)| name == LEADING);
    let mut look = Look {
        workers: workers.map_or(Ok(0), |row| Reader::new(&row).take())?,
        shards: leading.map_or(0, |(.., shards)| *shards),
        wrong: Vec::new(),
    };
    let group = leading.map(|(_, _, group, _)| *group);
    for table in tables {
        let known = found.iter().find(|(name, ..)| *name == table.name);
        let wrong = match known {
            None => Some("is not distributed"),
            Some((_, kind, ..)) if !table.scoped && kind != "reference" => {
                Some("is not a reference table")
            }
            Some((_, kind, ..)) if table.scoped && kind != "distributed" => {
                Some("is not distributed")
            }
            Some((_, _, own, _)) if table.scoped && Some(*own) != group => {
                Some("does not lie beside memu_scopes")
            }
            Some(_) => None,
        };
        look.wrong
            .extend(wrong.map(|wrong| format!("{} {wrong}", table.name)));
    }
    Ok(look)
}

/// How the tables of a cluster lie.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) workers: i64,
    pub(crate) shards: i64,
    pub(crate) wrong: Vec<String>,
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
