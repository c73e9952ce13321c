//! Row security: the server itself keeps a transaction to the scopes it was begun for, so
//! that a mistake above it cannot show one scope to another.

use deadpool_postgres::Transaction;
use memu_core::{Error, Result};

use super::parts::Table;
use crate::error::storage;
use crate::rows::Reader;
use crate::sql::Sql;

/// The name of the rule, on every table.
pub(super) const POLICY: &str = "memu_scopes";

/// The rows that a transaction sees and writes. The list is taken apart once per statement.
const VISIBLE: &str = "(SELECT current_setting('memu.scopes', true)) = '*' \
    OR scope_key = ANY ((SELECT string_to_array(nullif(current_setting('memu.scopes', true), '*'), \
    ',')::uuid[])::uuid[])";

/// The same on a cluster, which takes no questions within a rule.
const VISIBLE_IN_CLUSTER: &str = "current_setting('memu.scopes', true) = '*' \
    OR scope_key = ANY (string_to_array(nullif(current_setting('memu.scopes', true), '*'), \
    ',')::uuid[])";

/// Whether the server looks at scopes.
pub(crate) async fn is_on(on: &Transaction<'_>) -> Result<bool> {
    let found = Sql::new(
        "SELECT c.relrowsecurity FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = current_schema() AND c.relname = 'memu_scopes'",
    )
    .first(on)
    .await?;
    Ok(found.is_some_and(|row| Reader::new(&row).take().unwrap_or(false)))
}

/// Refuses users whom the server lets see everything.
///
/// # Errors
/// [`ErrorKind::Config`](memu_core::ErrorKind::Config).
pub(crate) async fn check_user(on: &Transaction<'_>) -> Result<()> {
    let found = Sql::new(
        "SELECT rolname::text, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user",
    )
    .first(on)
    .await?;
    let Some(row) = found else { return Ok(()) };
    let mut reader = Reader::new(&row);
    let (user, sees_everything) = (reader.text()?, reader.take::<bool>()?);
    if !sees_everything {
        return Ok(());
    }
    Err(Error::config(format!(
        "row_security has no effect on the user {user}, who is a superuser or bypasses it; \
         connect as an ordinary user that owns the tables"
    )))
}

/// Has the server look at scopes.
pub(crate) async fn turn_on(on: &Transaction<'_>, tables: &[Table], cluster: bool) -> Result<()> {
    let visible = if cluster { VISIBLE_IN_CLUSTER } else { VISIBLE };
    each(on, tables, |table| {
        [
            // From its owner, too.
            format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"),
            format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"),
            format!("DROP POLICY IF EXISTS {POLICY} ON {table}"),
            format!("CREATE POLICY {POLICY} ON {table} USING ({visible}) WITH CHECK ({visible})"),
        ]
    })
    .await
}

/// Has the server look at scopes no more.
pub(crate) async fn turn_off(on: &Transaction<'_>, tables: &[Table]) -> Result<()> {
    each(on, tables, |table| {
        [
            format!("DROP POLICY IF EXISTS {POLICY} ON {table}"),
            format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"),
            format!("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"),
        ]
    })
    .await
}

/// Runs these for each table of scopes, one by one: a cluster sends its servers the whole text
/// of which a policy is a part.
async fn each<const N: usize>(
    on: &Transaction<'_>,
    tables: &[Table],
    statements: impl Fn(&str) -> [String; N] + Send,
) -> Result<()> {
    for table in tables.iter().filter(|table| table.scoped) {
        for sql in statements(&table.name) {
            on.batch_execute(&sql).await.map_err(storage)?;
        }
    }
    Ok(())
}
