//! Moving the original's tables out of the way.

use deadpool_postgres::Transaction;
use memu_core::original::Kind;
use memu_core::{Error, Result};

use super::tables::Originals;
use crate::error::storage;
use crate::open::number;
use crate::rows::Reader;
use crate::sql::Sql;

/// The schema that they move to, or this name and a number.
const ASIDE: &str = "memu_1x";

/// Where the original's migrations write down how far they are. It has none, so that the
/// table is empty; with a row in it, it is another program's.
const MIGRATIONS: &str = "alembic_version";

/// Keeps others from reading and writing the tables until the transaction ends.
pub(super) async fn lock(on: &Transaction<'_>) -> Result<()> {
    let names: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
    let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", names.join(", "));
    on.batch_execute(&lock).await.map_err(storage)
}

/// Moves the tables, with their indexes and whatever else belongs to them, to a schema of
/// their own, and says to which.
pub(super) async fn move_tables(on: &Transaction<'_>, originals: &mut Originals) -> Result<String> {
    let mut names: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
    if is_empty_table(on, MIGRATIONS).await? {
        names.push(MIGRATIONS);
    }
    let aside = free_schema(on, &names).await?;
    let from = std::mem::replace(&mut originals.schema, aside.clone());
    let moves: Vec<String> = names
        .iter()
        .map(|name| format!("ALTER TABLE {from}.{name} SET SCHEMA {aside};"))
        .collect();
    on.batch_execute(&moves.concat()).await.map_err(storage)?;
    Ok(aside)
}

async fn is_empty_table(on: &Transaction<'_>, name: &str) -> Result<bool> {
    let found = Sql::new(
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = current_schema() AND c.relname = $1 AND c.relkind = 'r'",
    )
    .with(name)
    .first(on)
    .await?;
    Ok(found.is_some() && number(on, &format!("SELECT count(*) FROM {name}")).await? == 0)
}

/// A schema without tables of these names, which is made if there is none.
async fn free_schema(on: &Transaction<'_>, names: &[&str]) -> Result<String> {
    let others = (2..100).map(|number| format!("{ASIDE}_{number}"));
    for name in std::iter::once(ASIDE.to_owned()).chain(others) {
        let found = Sql::new(
            "SELECT has_schema_privilege(n.oid, 'CREATE') AND NOT EXISTS (SELECT 1 \
             FROM pg_class c WHERE c.relnamespace = n.oid AND c.relname = ANY($2)) \
             FROM pg_namespace n WHERE n.nspname = $1",
        )
        .with(name.clone())
        .with(names.to_vec())
        .first(on)
        .await?;
        let free = found.map(|row| Reader::new(&row).take::<bool>());
        match free.transpose()? {
            Some(true) => return Ok(name),
            Some(false) => {}
            None => {
                let make = format!("CREATE SCHEMA {name}");
                on.batch_execute(&make).await.map_err(storage)?;
                return Ok(name);
            }
        }
    }
    Err(Error::conflict(format!(
        "a hundred schemas {ASIDE}… hold tables of memU 1.x already; drop those that nobody needs"
    )))
}
