//! Looking for defects, and mending what can be derived.

use deadpool_postgres::Transaction;
use memu_core::Result;
use memu_core::ranking::outline::PASSAGE_WORDS;
use memu_core::records::EmbeddingSet;
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{Finding, Report, Severity};

use crate::commit::whole;
use crate::open::{all_tables, number};
use crate::owners::{KINDS, kind_number, table};
use crate::read::embedding_sets;
use crate::schema::{Table, validate};
use crate::scopes::{Standing, every_scope, every_scope_locked};
use crate::sql::{FromArrays, Sql};
use crate::values::{Key, integer};
use crate::vectors::table_of;
use crate::{citus, outlines, sealed};

/// What a check looks at beside the rows.
pub(crate) struct Look {
    pub(crate) schema: ScopeSchema,
    pub(crate) row_security: bool,
    /// About how many records of a scope are sealed together.
    pub(crate) part_records: usize,
}

/// How what is derived is written where it is mended.
#[derive(Clone, Copy)]
struct Mending {
    arrays: FromArrays,
    part_records: usize,
}

/// Looks at everything but the indexes of vectors; with `repair`, mends what can be derived.
pub(crate) async fn check(on: &Transaction<'_>, look: &Look, repair: bool) -> Result<Report> {
    let mut report = Report::default();
    let tables = all_tables(on, &look.schema).await?;
    // First of all: tables are not moved once a transaction has looked at many of their rows.
    let on_cluster = cluster(on, look, &tables, repair).await?;
    let is_spread = citus::is_spread(on).await?;
    // Nobody writes to what is mended.
    let scopes = if repair {
        every_scope_locked(on, &look.schema, is_spread).await?
    } else {
        every_scope(on, &look.schema).await?
    };
    check_tables(on, look, &mut report).await?;
    check_row_security(look, &mut report);
    check_segments(on, repair, &mut report).await?;
    check_vectors(on, repair, &mut report).await?;
    let mending = repair.then_some(Mending {
        arrays: FromArrays::new(is_spread),
        part_records: look.part_records,
    });
    check_outlines(on, scopes, mending, &mut report).await?;
    check_unread(on, &mut report).await?;
    report.findings.extend(on_cluster);
    count_rows(on, &tables, &mut report).await?;
    Ok(report)
}

fn finding(report: &mut Report, check: &'static str, message: String, repaired: bool) {
    report.findings.push(Finding {
        check,
        severity: Severity::Error,
        message,
        repaired,
    });
}

async fn check_tables(on: &Transaction<'_>, look: &Look, report: &mut Report) -> Result<()> {
    let differences = validate::differences(on, &look.schema).await?;
    if differences.is_empty() {
        report.push(
            "schema",
            Severity::Ok,
            "the tables are as this version makes them",
        );
    }
    for difference in differences {
        report.push("schema", Severity::Error, difference);
    }
    Ok(())
}

fn check_row_security(look: &Look, report: &mut Report) {
    let message = if look.row_security {
        "the server keeps every transaction to its scopes"
    } else {
        "row security is off: scopes are kept apart by MemU alone"
    };
    report.push("row_security", Severity::Ok, message);
}

/// A resource that counts its segments otherwise than they are. References keep the rest
/// together.
async fn check_segments(on: &Transaction<'_>, repair: bool, report: &mut Report) -> Result<()> {
    let counted = "(SELECT count(*) FROM memu_segments s \
                   WHERE s.scope_key = m.scope_key AND s.resource_id = m.id)";
    let wrong = format!("SELECT count(*) FROM resources m WHERE m.segment_count <> {counted}");
    let wrong = number(on, &wrong).await?;
    if wrong == 0 {
        let fine = "every resource has as many segments as it counts";
        report.push("segments", Severity::Ok, fine);
        return Ok(());
    }
    if repair {
        let mend = format!(
            "UPDATE resources m SET segment_count = {counted} WHERE m.segment_count <> {counted}"
        );
        Sql::new(&mend).run(on).await?;
    }
    let message = format!("{wrong} resources count their segments wrongly");
    finding(report, "segments", message, repair);
    Ok(())
}

async fn check_vectors(on: &Transaction<'_>, repair: bool, report: &mut Report) -> Result<()> {
    let mut orphans = 0;
    for set in embedding_sets(on).await? {
        orphans += without_owner(on, &set, repair).await?;
    }
    if orphans == 0 {
        report.push("vectors", Severity::Ok, "every vector has its owner");
    } else {
        let message = format!("{orphans} vectors without their owner");
        finding(report, "vectors", message, repair);
    }
    Ok(())
}

async fn without_owner(on: &Transaction<'_>, set: &EmbeddingSet, repair: bool) -> Result<i64> {
    let mut orphans = 0;
    for kind in KINDS {
        let of = format!(
            "FROM {} v WHERE v.owner_kind = {} AND NOT EXISTS (SELECT 1 FROM {} t \
             WHERE t.scope_key = v.scope_key AND t.place = v.owner_place)",
            table_of(set),
            kind_number(kind),
            table(kind)
        );
        let found = number(on, &format!("SELECT count(*) {of}")).await?;
        if found > 0 && repair {
            Sql::new(&format!("DELETE {of}")).run(on).await?;
        }
        orphans += found;
    }
    Ok(orphans)
}

/// Whether the outline of every scope, and what is sealed of it, is what its rows say.
async fn check_outlines(
    on: &Transaction<'_>,
    scopes: Vec<(Scope, Standing)>,
    mending: Option<Mending>,
    report: &mut Report,
) -> Result<()> {
    let mut wrong = Vec::new();
    for (scope, found) in scopes {
        if found.position.seq > 0 && !agrees(on, &scope, &found, mending).await? {
            wrong.push(scope);
        }
    }
    if wrong.is_empty() {
        let fine = "what is derived from the records is as they are";
        report.push("indexes", Severity::Ok, fine);
        return Ok(());
    }
    let named: Vec<String> = wrong.iter().take(3).map(ToString::to_string).collect();
    let message = format!(
        "what is derived is not as the records are in {} scopes: {}",
        wrong.len(),
        named.join("; ")
    );
    finding(report, "indexes", message, mending.is_some());
    Ok(())
}

/// Whether what is derived is what the rows say; where it is to be mended it is afterwards.
async fn agrees(
    on: &Transaction<'_>,
    scope: &Scope,
    found: &Standing,
    mending: Option<Mending>,
) -> Result<bool> {
    if let Some(outline) = outlines::agreed(on, scope, found).await?
        && sealed::agree(on, scope, &outline).await?
    {
        return Ok(true);
    }
    let Some(Mending {
        arrays,
        part_records,
    }) = mending
    else {
        return Ok(false);
    };
    let seq = found.position.seq;
    let outline = whole(on, scope, found.position)
        .await?
        .outline(PASSAGE_WORDS);
    let changes = outlines::Changes {
        on,
        scope,
        // Who knows what was there before must not take it for this.
        seq: seq + 1,
        arrays,
        part_records,
    };
    outlines::rebuild(&changes, &outline).await?;
    sealed::rebuild(&changes).await?;
    Sql::new("UPDATE memu_scopes SET derived_seq = $2 WHERE scope_key = $1")
        .with(Key::of(scope))
        .with(integer(seq)?)
        .run(on)
        .await?;
    Ok(false)
}

async fn check_unread(on: &Transaction<'_>, report: &mut Report) -> Result<()> {
    let unread = number(on, "SELECT count(*) FROM memu_unread").await?;
    if unread == 0 {
        report.push(
            "unread",
            Severity::Ok,
            "nothing was left unread by an upgrade",
        );
    } else {
        let message = format!(
            "{unread} rows that an upgrade could not read are kept word for word in memu_unread"
        );
        report.push("unread", Severity::Warning, message);
    }
    Ok(())
}

/// Whether the tables lie on a cluster as they should; with `repair` they do afterwards, unless
/// they were spread otherwise.
async fn cluster(
    on: &Transaction<'_>,
    look: &Look,
    tables: &[Table],
    repair: bool,
) -> Result<Vec<Finding>> {
    let mut report = Report::default();
    if !citus::is_there(on).await? {
        let alone = "one server: there is no Citus in this database";
        report.push("cluster", Severity::Ok, alone);
        return Ok(report.findings);
    }
    let is_spread = citus::is_spread(on).await?;
    let found = citus::look(on, tables).await?;
    let repaired = repair && found.wrong.iter().any(|wrong| wrong.is_mended);
    if repaired {
        citus::spread(on, tables, look.row_security).await?;
    }
    if found.wrong.is_empty() {
        let message = format!(
            "Citus: {} workers, {} shards; the tables of scopes lie together",
            found.workers, found.shards
        );
        report.push("cluster", Severity::Ok, message);
    } else if !is_spread {
        let message = "there is Citus in this database, but the tables lie on this server alone: \
                       memu doctor --repair spreads them, which nobody can write during";
        report.push("cluster", Severity::Warning, message);
        if let Some(last) = report.findings.last_mut() {
            last.repaired = repaired;
        }
    } else {
        for wrong in found.wrong {
            let repaired = repaired && wrong.is_mended;
            finding(&mut report, "cluster", wrong.what, repaired);
        }
    }
    Ok(report.findings)
}

async fn count_rows(on: &Transaction<'_>, tables: &[Table], report: &mut Report) -> Result<()> {
    let count = async |table: &str| {
        let counted = number(on, &format!("SELECT count(*) FROM {table}")).await?;
        Ok::<_, memu_core::Error>(counted.unsigned_abs())
    };
    report.scopes = count("memu_scopes").await?;
    report.resources = count("resources").await?;
    report.segments = count("memu_segments").await?;
    report.items = count("memory_items").await?;
    report.categories = count("memory_categories").await?;
    report.relations = count("category_items").await?;
    report.model_replies = count("memu_model_replies").await?;
    for table in tables {
        if table.name.starts_with("memu_vectors_") {
            report.embeddings += count(&table.name).await?;
        }
    }
    Ok(())
}

/// How much room the tables take. A cluster does not tell in a transaction that has changed rows.
pub(crate) async fn size(on: &Transaction<'_>, schema: &ScopeSchema) -> Result<u64> {
    let is_spread = citus::is_spread(on).await?;
    let mut bytes = 0;
    for table in all_tables(on, schema).await? {
        let name = &table.name;
        let size = if is_spread {
            // Here lies nothing but the names of those that are spread.
            format!(
                "SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_dist_partition \
                 WHERE logicalrelid = '{name}'::regclass) \
                 THEN citus_total_relation_size('{name}') \
                 ELSE pg_total_relation_size('{name}') END"
            )
        } else {
            format!("SELECT pg_total_relation_size('{name}')")
        };
        bytes += number(on, &size).await?.unsigned_abs();
    }
    Ok(bytes)
}
