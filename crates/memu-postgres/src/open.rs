//! Opening a store, or refusing what is not one.

use deadpool_postgres::Transaction;
use memu_core::original::UpgradeReport;
use memu_core::scope::ScopeSchema;
use memu_core::{Error, Result};

use crate::connect::{Connections, Reach, milliseconds};
use crate::error::{corrupt, storage};
use crate::options::Options;
use crate::read::embedding_sets;
use crate::rows::Reader;
use crate::schema::{
    FIELDS_KEY, SEQUENCES, Table, VERSION, VERSION_KEY, create, row_security, tables, validate,
    vectors,
};
use crate::sql::Sql;
use crate::values::OwnText;
use crate::{citus, ending, original};

/// What was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) schema: ScopeSchema,
    /// Whether the server keeps transactions to their scopes.
    pub(crate) row_security: bool,
    /// Whether the tables of scopes lie on the servers of a cluster.
    pub(crate) cluster: bool,
    /// What was done with tables of memU 1.x.
    pub(crate) upgraded: Option<UpgradeReport>,
}

/// The oldest server that is understood.
const OLDEST: i64 = 140_000;

/// Waits until nobody else makes or changes tables in this database.
const LOCK_TABLES: &str = "SELECT pg_advisory_xact_lock(hashtextextended('memu tables', 0))";

/// Opens the store in the current schema; makes it where there is none and that is allowed.
pub(crate) async fn open(connections: &Connections, options: &Options) -> Result<Opened> {
    let mut client = connections.get().await?;
    if !options.create {
        // Nothing is written, so that a replica will do.
        let on = connections.snapshot(&mut client, Reach::Everything).await?;
        begin(&on).await?;
        let opened = open_here(&on, options).await?;
        return on.commit().await.map(|()| opened).map_err(storage);
    }
    let on = connections
        .transaction(&mut client, Reach::Everything)
        .await?;
    begin(&on).await?;
    let opened = open_here(&on, options).await?;
    let unanswered = ending::commit(on, connections, Reach::Everything).await?;
    // Whoever asks needs a connection.
    drop(client);
    if let Some(unanswered) = unanswered {
        unanswered.settle(connections).await?;
    }
    Ok(opened)
}

/// What opening would do with tables of memU 1.x: it is done, for the caller to undo.
pub(crate) async fn preview(
    on: &Transaction<'_>,
    options: &Options,
) -> Result<Option<UpgradeReport>> {
    begin(on).await?;
    let citus = citus::is_there(on).await?;
    wait_for_turn(on, options).await?;
    if has_tables(on).await? || original::find(on).await?.is_none() {
        return Ok(None);
    }
    Box::pin(original::upgrade(on, options, citus)).await
}

/// Gets ready to look at the tables.
async fn begin(on: &Transaction<'_>) -> Result<()> {
    // Whether the server looks at scopes is not known yet.
    let everything = "SET LOCAL memu.scopes = '*'";
    on.batch_execute(everything).await.map_err(storage)?;
    let version: i64 = number(on, "SELECT current_setting('server_version_num')::bigint").await?;
    if version < OLDEST {
        return Err(Error::unsupported(format!(
            "PostgreSQL {} is too old; version 14 or later is needed",
            version / 10_000
        )));
    }
    Ok(())
}

async fn open_here(on: &Transaction<'_>, options: &Options) -> Result<Opened> {
    let citus = citus::is_there(on).await?;
    let mut upgraded = None;
    if !has_tables(on).await? {
        if !options.create {
            return Err(not_ours(on).await?);
        }
        wait_for_turn(on, options).await?;
        // Another process may have made them while this one waited for its turn.
        if !has_tables(on).await? {
            upgraded = make_or_upgrade(on, options, citus).await?;
        }
    }
    if !options.create {
        validate::validate_meta(on).await?;
    }
    let version = version(on).await?;
    if version < VERSION && !options.create {
        return Err(outdated(version));
    }
    let schema = as_wanted(stored_schema(on).await?, options)?;
    if !options.create {
        validate::validate(on, &schema).await?;
    }
    if version < VERSION {
        migrate(on, options, &schema).await?;
    }
    let row_security = settle_row_security(on, options, &schema).await?;
    Ok(Opened {
        schema,
        row_security,
        cluster: citus::is_spread(on).await?,
        upgraded,
    })
}

/// Why a database without our tables is not opened where they may only be checked.
async fn not_ours(on: &Transaction<'_>) -> Result<Error> {
    Ok(Error::unsupported(if original::find(on).await?.is_some() {
        "the database holds tables of memU 1.x, and ddl_mode is \"validate\"; upgrade them \
             first: memu upgrade --db postgresql://… (--dry-run tells what that does)"
    } else {
        "the database has no tables of MemU, and ddl_mode is \"validate\"; open it with \
             \"create\""
    }))
}

/// Waits until nobody else makes tables. Where those of memU 1.x are, somebody may be at
/// upgrading them, which takes as long as there are rows.
async fn wait_for_turn(on: &Transaction<'_>, options: &Options) -> Result<()> {
    if original::find(on).await?.is_none() {
        return on
            .execute(LOCK_TABLES, &[])
            .await
            .map(drop)
            .map_err(storage);
    }
    let patient = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0";
    on.batch_execute(patient).await.map_err(storage)?;
    on.execute(LOCK_TABLES, &[]).await.map_err(storage)?;
    let wait = milliseconds(options.busy_timeout).max(1);
    let as_before = format!("SET LOCAL lock_timeout = {wait}");
    on.batch_execute(&as_before).await.map_err(storage)
}

/// Makes the tables, from those of memU 1.x where those are.
async fn make_or_upgrade(
    on: &Transaction<'_>,
    options: &Options,
    citus: bool,
) -> Result<Option<UpgradeReport>> {
    if original::find(on).await?.is_some() {
        // Boxed: it is seldom needed, and large.
        return Box::pin(original::upgrade(on, options, citus)).await;
    }
    let default = options.default_schema.clone().unwrap_or_default();
    let schema = options.schema.clone().unwrap_or(default);
    make(on, &schema, citus).await.map(|()| None)
}

pub(crate) async fn has_tables(on: &Transaction<'_>) -> Result<bool> {
    let found = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                 WHERE n.nspname = current_schema() AND c.relname = 'memu_meta'";
    Ok(number(on, found).await? > 0)
}

/// Makes the tables where nothing is in the way.
pub(crate) async fn make(on: &Transaction<'_>, schema: &ScopeSchema, citus: bool) -> Result<()> {
    let tables = tables(schema);
    let names = tables.iter().flat_map(|table| {
        let indexes = table.indexes.iter().map(|index| index.name);
        indexes.chain([table.name.as_str()])
    });
    let names: Vec<&str> = names.chain(SEQUENCES).collect();
    let taken = Sql::new(
        "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = current_schema() AND c.relname = ANY($1)",
    )
    .with(names)
    .first(on)
    .await?;
    if let Some(row) = taken {
        let name = Reader::new(&row).text()?;
        return Err(Error::unsupported(format!(
            "{name} is in the way, which belongs to another program; choose another database, or a schema \
             of its own: postgresql://…?options=-csearch_path%3Dmemu,public"
        )));
    }
    // Where it is there already, a cluster would not let anyone but its owner ask for it.
    let vector = "SELECT count(*) FROM pg_extension WHERE extname = 'vector'";
    if number(on, vector).await? == 0 {
        let make = "CREATE EXTENSION IF NOT EXISTS vector";
        on.batch_execute(make).await.map_err(storage)?;
    }
    let made = on.batch_execute(&create::statements(schema)).await;
    made.map_err(storage)?;
    if citus {
        citus::distribute(on, &tables).await?;
    }
    on.batch_execute(&create::references(&tables))
        .await
        .map_err(storage)
}

/// Why tables of an earlier version are not opened where they may only be checked.
fn outdated(version: u64) -> Error {
    Error::unsupported(format!(
        "the database was written by an earlier version of MemU: its schema is {version}, this \
         version needs {VERSION}, and ddl_mode is \"validate\"; open it once with \"create\""
    ))
}

/// Makes the tables that an earlier version did not have. They are empty: what is in them is
/// derived, and comes with what is written.
async fn migrate(on: &Transaction<'_>, options: &Options, schema: &ScopeSchema) -> Result<()> {
    wait_for_turn(on, options).await?;
    // Another process may have made them while this one waited for its turn.
    if version(on).await? >= VERSION {
        return Ok(());
    }
    let mut missing = Vec::new();
    for table in tables(schema) {
        let there = "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                     WHERE n.nspname = current_schema() AND c.relname = $1";
        let there = Sql::new(there).with(OwnText(table.name.clone()));
        if there.first(on).await?.is_none() {
            missing.push(table);
        }
    }
    let made: String = missing.iter().map(create::table).collect();
    on.batch_execute(&made).await.map_err(storage)?;
    let cluster = citus::is_spread(on).await?;
    if cluster {
        citus::distribute(on, &missing).await?;
    }
    if row_security::is_on(on).await? {
        row_security::turn_on(on, &missing, cluster).await?;
    }
    Sql::new("UPDATE memu_meta SET value = $2 WHERE key = $1")
        .with(OwnText(VERSION_KEY.to_owned()))
        .with(OwnText(VERSION.to_string()))
        .run(on)
        .await
        .map(drop)
}

/// The version of the tables; refuses a newer one.
async fn version(on: &Transaction<'_>) -> Result<u64> {
    let version = meta(on, VERSION_KEY).await?;
    let version: u64 = version
        .and_then(|version| version.parse().ok())
        .ok_or_else(|| corrupt("no version of its tables"))?;
    if version > VERSION {
        return Err(Error::too_new(format!(
            "the database was written by a newer version of MemU: its schema is {version}, this \
             version knows {VERSION}"
        )));
    }
    Ok(version)
}

/// The scope fields of the tables.
async fn stored_schema(on: &Transaction<'_>) -> Result<ScopeSchema> {
    let fields = meta(on, FIELDS_KEY).await?.unwrap_or_default();
    ScopeSchema::new(fields.split(','))
        .map_err(|cause| Error::corrupt("the scope fields are unusable").caused_by(cause))
}

/// Refuses a store with other scope fields than the configured ones.
fn as_wanted(stored: ScopeSchema, options: &Options) -> Result<ScopeSchema> {
    let names = |schema: &ScopeSchema| schema.fields().collect::<Vec<_>>().join(", ");
    match &options.schema {
        Some(wanted) if *wanted != stored => Err(Error::config(format!(
            "the store has the scope fields {}, but {} are configured (user_config.model)",
            names(&stored),
            names(wanted)
        ))),
        _ => Ok(stored),
    }
}

/// Turns row security on or off as it is wanted, and says whether it is on.
async fn settle_row_security(
    on: &Transaction<'_>,
    options: &Options,
    schema: &ScopeSchema,
) -> Result<bool> {
    let is_on = row_security::is_on(on).await?;
    let wanted = options.row_security.unwrap_or(is_on);
    if wanted {
        row_security::check_user(on).await?;
    }
    if wanted == is_on {
        return Ok(wanted);
    }
    if !options.create {
        return Err(Error::config(
            "row_security is not as it is in the database, and ddl_mode is \"validate\"; open it \
             once with \"create\"",
        ));
    }
    on.execute(LOCK_TABLES, &[]).await.map_err(storage)?;
    let tables = all_tables(on, schema).await?;
    if wanted {
        row_security::turn_on(on, &tables, citus::is_spread(on).await?).await?;
    } else {
        row_security::turn_off(on, &tables).await?;
    }
    Ok(wanted)
}

/// Every table, those of vectors included.
pub(crate) async fn all_tables(on: &Transaction<'_>, schema: &ScopeSchema) -> Result<Vec<Table>> {
    let mut all = tables(schema);
    let sets = embedding_sets(on).await?;
    all.extend(
        sets.iter()
            .map(|set| vectors(set.id, set.identity.dimension)),
    );
    Ok(all)
}

async fn meta(on: &Transaction<'_>, key: &str) -> Result<Option<String>> {
    let found = Sql::new("SELECT value FROM memu_meta WHERE key = $1")
        .with(OwnText(key.to_owned()))
        .first(on)
        .await?;
    found.map(|row| Reader::new(&row).text()).transpose()
}

pub(crate) async fn number(on: &Transaction<'_>, sql: &str) -> Result<i64> {
    let found = Sql::new(sql).first(on).await?;
    found.map_or(Ok(0), |row| Reader::new(&row).take())
}
