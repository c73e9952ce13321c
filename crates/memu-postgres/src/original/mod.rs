//! Tables of memU 1.x in a database: recognising them, and turning them into ours.
//!
//! The upgrade is a part of the transaction that opens the store: a failure leaves
//! everything as it was, and other processes wait their turn. The original's tables are not
//! changed: they move to a schema of their own, where they stay until somebody drops them.
//! What their rows mean is the core's ([`memu_core::original`]).

mod aside;
mod rows;
mod tables;
mod write;

use deadpool_postgres::Transaction;
use memu_core::environment::{Clock, SystemClock};
use memu_core::original::{Converter, UpgradeReport};
use memu_core::scope::ScopeSchema;
use memu_core::{Error, ErrorKind, Result};

pub(crate) use self::tables::find;

use self::tables::{Originals, SIZE};
use self::write::Writer;
use crate::address::Address;
use crate::connect::{Connections, Reach};
use crate::error::storage;
use crate::open::{self, all_tables, number};
use crate::options::Options;
use crate::sets::Tables;

/// What the transaction is told. Sorting a large table takes its time, and times and numbers
/// are read as text.
const SETTINGS: &str = "SET LOCAL statement_timeout = 0; SET LOCAL timezone = 'UTC'; \
                        SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL extra_float_digits = 1";

/// Turns the original's tables into ours as a part of the transaction that is under way;
/// `None` when they are no longer there.
pub(crate) async fn upgrade(
    on: &Transaction<'_>,
    options: &Options,
    citus: bool,
) -> Result<Option<UpgradeReport>> {
    let upgraded = convert(on, options, citus).await;
    let mut upgraded = upgraded.map_err(with_needs)?;
    if let Some(report) = &mut upgraded {
        report.place = Address::parse(&options.dsn)?.place();
    }
    Ok(upgraded)
}

async fn convert(
    on: &Transaction<'_>,
    options: &Options,
    citus: bool,
) -> Result<Option<UpgradeReport>> {
    on.batch_execute(SETTINGS).await.map_err(storage)?;
    // Nobody writes to them from here on.
    aside::lock(on).await?;
    let Some(mut originals) = find(on).await? else {
        return Ok(None);
    };
    let schema = originals.schema(options)?;
    let bytes_before = number(on, SIZE).await?.unsigned_abs();
    let backup = aside::move_tables(on, &mut originals).await?;
    open::make(on, &schema, citus).await?;
    let tables = Tables {
        // It is turned on for all tables together, if it is wanted.
        row_security: false,
        cluster: citus,
        part_records: options.part_records,
    };
    let mut report = take_over(on, &originals, &schema, tables).await?;
    report.backup = Some(backup);
    report.bytes_before = bytes_before;
    report.bytes_after = size_of_ours(on, &schema).await?;
    Ok(Some(report))
}

/// Makes records of all rows.
async fn take_over(
    on: &Transaction<'_>,
    originals: &Originals,
    schema: &ScopeSchema,
    tables: Tables,
) -> Result<UpgradeReport> {
    let mut writer = Writer::new(on, &tables);
    let mut converter = Converter::new(schema.clone(), SystemClock.now());
    for table in originals.tables() {
        writer.begin_table().await?;
        let mut reading = rows::Reading::begin(on, originals, table).await?;
        while let Some(page) = reading.next().await? {
            for row in &page {
                writer.write(converter.convert(row)).await?;
            }
        }
    }
    let (rest, report) = converter.finish();
    writer.write(rest).await?;
    Ok(report)
}

async fn size_of_ours(on: &Transaction<'_>, schema: &ScopeSchema) -> Result<u64> {
    let mut bytes = 0;
    for table in all_tables(on, schema).await? {
        let size = format!("SELECT pg_total_relation_size('{}')", table.name);
        bytes += number(on, &size).await?.unsigned_abs();
    }
    Ok(bytes)
}

fn with_needs(error: Error) -> Error {
    if error.kind() == ErrorKind::Permission {
        return error.with(
            "needed",
            "tables of memU 1.x are upgraded when they are opened, for which the user must own \
             them and may make a schema in the database (GRANT CREATE ON DATABASE)",
        );
    }
    error
}

/// Whether a database holds tables of memU 1.x that are not upgraded yet. It is only looked at.
///
/// # Errors
/// Those of a server that cannot be reached.
pub async fn holds_original(options: &Options) -> Result<bool> {
    let connections = Connections::new(options)?;
    let held = look(&connections).await;
    connections.close();
    held
}

async fn look(connections: &Connections) -> Result<bool> {
    let mut client = connections.get().await?;
    let on = connections.snapshot(&mut client, Reach::Everything).await?;
    Ok(!open::has_tables(&on).await? && find(&on).await?.is_some())
}

/// What opening the store would do with the tables of memU 1.x that are in the database;
/// `None` when there are none. Everything is done, and undone at the end: others wait for
/// the tables meanwhile.
///
/// # Errors
/// Those of [`PostgresStore::open`](crate::PostgresStore::open).
pub async fn preview_upgrade(options: &Options) -> Result<Option<UpgradeReport>> {
    let connections = Connections::new(options)?;
    let previewed = preview(&connections, options).await;
    connections.close();
    previewed
}

async fn preview(connections: &Connections, options: &Options) -> Result<Option<UpgradeReport>> {
    let mut client = connections.get().await?;
    let on = connections
        .transaction(&mut client, Reach::Everything)
        .await?;
    let mut report = open::preview(&on, options).await?;
    on.rollback().await.map_err(storage)?;
    if let Some(report) = &mut report {
        report.bytes_after = 0;
    }
    Ok(report)
}
