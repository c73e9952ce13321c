//! Looking for defects, and mending what can be derived.

mod derived;

use std::path::Path;
use std::time::Duration;

use memu_core::scope::ScopeSchema;
use memu_core::store::{Report, Severity};
use memu_core::{ErrorKind, Result};
use rusqlite::{Connection, OptionalExtension};

pub(super) use self::derived::rebuild;
use self::derived::{check_indexes, check_vectors};
use super::connection::write;
use super::error::storage;
use super::scopes::LISTED;

/// A kind of defect: how to count it, and how to mend it.
struct Defect {
    check: &'static str,
    fine: &'static str,
    wrong: &'static str,
    count: &'static str,
    mend: &'static str,
}

/// What can be told from other rows, and therefore mended.
const DEFECTS: [Defect; 5] = [
    Defect {
        check: "relations",
        fine: "every relation has its item and its category",
        wrong: "relations without their item or category",
        count: "SELECT count(*) FROM memu_relations r WHERE NOT EXISTS
                (SELECT 1 FROM memu_items i WHERE i.row = r.item_row
                AND i.scope_id = r.scope_id)
                OR NOT EXISTS (SELECT 1 FROM memu_memory_categories c
                WHERE c.row = r.category_row AND c.scope_id = r.scope_id)",
        mend:
            "DELETE FROM memu_relations WHERE row IN (SELECT r.row FROM memu_relations r
               WHERE NOT EXISTS (SELECT 1 FROM memu_items i WHERE i.row = r.item_row
               AND i.scope_id = r.scope_id)
               OR NOT EXISTS (SELECT 1 FROM memu_memory_categories c
               WHERE c.row = r.category_row AND c.scope_id = r.scope_id))",
    },
    Defect {
        check: "sources",
        fine: "every item that names its resource has it",
        wrong: "items name a resource that is not there",
        count: "SELECT count(*) FROM memu_items i WHERE i.resource_row IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM memu_resources m
                WHERE m.scope_id = i.scope_id AND m.row = i.resource_row)",
        mend: "UPDATE memu_scopes SET derived_seq = -1 WHERE scope_id IN
               (SELECT i.scope_id FROM memu_items i WHERE i.resource_row IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM memu_resources m
               WHERE m.scope_id = i.scope_id AND m.row = i.resource_row));
               UPDATE memu_items SET resource_row = NULL WHERE resource_row IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM memu_resources m
               WHERE m.scope_id = memu_items.scope_id
               AND m.row = memu_items.resource_row)",
    },
    Defect {
        check: "citations",
        fine: "every citation has its item and its segment",
        wrong: "citations without their item or segment",
        count: "SELECT count(*) FROM memu_item_segments x WHERE
                x.item_row NOT IN (SELECT row FROM memu_items)
                OR x.segment_row NOT IN (SELECT row FROM memu_segments)",
        mend: "DELETE FROM memu_item_segments WHERE
               item_row NOT IN (SELECT row FROM memu_items)
               OR segment_row NOT IN (SELECT row FROM memu_segments)",
    },
    Defect {
        check: "segments",
        fine: "every resource has as many segments as it counts",
        wrong: "resources that count their segments wrongly",
        count: "SELECT count(*) FROM memu_resources m WHERE m.segment_count <>
                (SELECT count(*) FROM memu_segments s
                WHERE s.scope_id = m.scope_id AND s.resource_row = m.row)",
        mend: "UPDATE memu_resources SET segment_count = (SELECT count(*) FROM memu_segments s
               WHERE s.scope_id = memu_resources.scope_id AND s.resource_row = memu_resources.row)",
    },
    Defect {
        check: "vectors",
        fine: "every vector has its owner and its set's dimension",
        wrong: "vectors without their owner, or of another length than their set's",
        count: "SELECT count(*) FROM memu_embeddings v JOIN memu_embedding_sets e USING (set_id)
                WHERE length(v.vector) NOT IN (4 * e.dimension, 2 * e.dimension + 1) OR CASE v.owner_kind
                WHEN 0 THEN v.owner_row NOT IN (SELECT row FROM memu_resources)
                WHEN 1 THEN v.owner_row NOT IN (SELECT row FROM memu_segments)
                WHEN 2 THEN v.owner_row NOT IN (SELECT row FROM memu_items)
                ELSE v.owner_row NOT IN (SELECT row FROM memu_memory_categories) END",
        mend: "DELETE FROM memu_embeddings WHERE row IN (SELECT v.row FROM memu_embeddings v
               JOIN memu_embedding_sets e USING (set_id)
               WHERE length(v.vector) NOT IN (4 * e.dimension, 2 * e.dimension + 1) OR CASE v.owner_kind
               WHEN 0 THEN v.owner_row NOT IN (SELECT row FROM memu_resources)
               WHEN 1 THEN v.owner_row NOT IN (SELECT row FROM memu_segments)
               WHEN 2 THEN v.owner_row NOT IN (SELECT row FROM memu_items)
               ELSE v.owner_row NOT IN (SELECT row FROM memu_memory_categories) END)",
    },
];

/// Looks at everything.
pub(super) fn check(
    connection: &Connection,
    schema: &ScopeSchema,
    path: Option<&Path>,
    wait: Duration,
    cancelled: &dyn Fn() -> bool,
    repair: bool,
) -> Result<Report> {
    let mut report = Report::default();
    check_integrity(connection, repair, &mut report)?;
    for defect in &DEFECTS {
        let found = check_defect(connection, defect, wait, cancelled, repair, &mut report);
        unless_damaged(found, defect.check, &mut report)?;
    }
    let found = check_vectors(connection, wait, cancelled, repair, &mut report);
    unless_damaged(found, "numbers", &mut report)?;
    let found = check_indexes(connection, schema, wait, cancelled, repair, &mut report);
    unless_damaged(found, "indexes", &mut report)?;
    unless_damaged(
        check_foreign_keys(connection, &mut report),
        "references",
        &mut report,
    )?;
    unless_damaged(check_unread(connection, &mut report), "unread", &mut report)?;
    unless_damaged(count_rows(connection, &mut report), "counts", &mut report)?;
    report.bytes = path
        .and_then(|path| std::fs::metadata(path).ok())
        .map(|metadata| metadata.len());
    Ok(report)
}

/// A check that comes upon a damaged page says so, and the others go on.
fn unless_damaged(found: Result<()>, check: &'static str, report: &mut Report) -> Result<()> {
    match found {
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            let message = "it cannot be looked at: it lies on a damaged page";
            report.push(check, Severity::Error, message);
            Ok(())
        }
        other => other,
    }
}

fn check_integrity(connection: &Connection, repair: bool, report: &mut Report) -> Result<()> {
    let found = problems(connection)?;
    if found.is_empty() {
        report.push("integrity", Severity::Ok, "the file is sound");
        return Ok(());
    }
    // Makes every index anew from its table. What is wrong elsewhere is not mended by that.
    let mended =
        repair && connection.execute_batch("REINDEX").is_ok() && problems(connection)?.is_empty();
    for problem in found {
        report.push("integrity", Severity::Error, problem);
        if let Some(finding) = report.findings.last_mut() {
            finding.repaired = mended;
        }
    }
    Ok(())
}

/// What SQLite finds wrong with the file, each with the table or index it concerns.
fn problems(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection
        .prepare("PRAGMA integrity_check(20)")
        .map_err(storage)?;
    let mut rows = statement.query([]).map_err(storage)?;
    let mut problems = Vec::new();
    loop {
        match rows.next() {
            Ok(Some(row)) => {
                let found: String = row.get(0).map_err(storage)?;
                for line in found.lines() {
                    if line != "ok" && !line.starts_with("*** in database") {
                        problems.push(named(connection, line)?);
                    }
                }
            }
            Ok(None) => return Ok(problems),
            // It ends at a damaged page when it compares tables with their indexes.
            Err(cause) => {
                let error = storage(cause);
                if error.kind() != ErrorKind::Corrupt {
                    return Err(error);
                }
                problems.push("tables cannot be compared with their indexes".to_owned());
                return Ok(problems);
            }
        }
    }
}

/// SQLite names a table or index by the page of its root.
fn named(connection: &Connection, problem: &str) -> Result<String> {
    let root = problem
        .strip_prefix("Tree ")
        .and_then(|rest| rest.split(' ').next());
    let Some(root) = root.and_then(|root| root.parse::<i64>().ok()) else {
        return Ok(problem.to_owned());
    };
    let name: Option<String> = connection
        .query_row(
            "SELECT name FROM sqlite_schema WHERE rootpage = ?1",
            [root],
            |row| row.get(0),
        )
        .optional()
        .map_err(storage)?;
    Ok(name.map_or_else(|| problem.to_owned(), |name| format!("{name}: {problem}")))
}

fn check_defect(
    connection: &Connection,
    defect: &Defect,
    wait: Duration,
    cancelled: &dyn Fn() -> bool,
    repair: bool,
    report: &mut Report,
) -> Result<()> {
    let count = count(connection, defect.count)?;
    if count == 0 {
        report.push(defect.check, Severity::Ok, defect.fine);
        return Ok(());
    }
    report.push(
        defect.check,
        Severity::Error,
        format!("{count} {}", defect.wrong),
    );
    if repair {
        write(connection, wait, cancelled, || {
            connection.execute_batch(defect.mend).map_err(storage)
        })?;
        if let Some(finding) = report.findings.last_mut() {
            finding.repaired = true;
        }
    }
    Ok(())
}

fn check_foreign_keys(connection: &Connection, report: &mut Report) -> Result<()> {
    let mut statement = connection
        .prepare("PRAGMA foreign_key_check")
        .map_err(storage)?;
    let tables: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(storage)?;
    if tables.is_empty() {
        report.push(
            "references",
            Severity::Ok,
            "every reference leads somewhere",
        );
    } else {
        let message = format!(
            "{} references in {} lead nowhere",
            tables.len(),
            tables.join(", ")
        );
        report.push("references", Severity::Error, message);
    }
    Ok(())
}

/// Tells what an upgrade could not read; it is kept.
fn check_unread(connection: &Connection, report: &mut Report) -> Result<()> {
    let count = count(connection, "SELECT count(*) FROM memu_unread")?;
    if count > 0 {
        let message = format!(
            "{count} values or rows of memU 1.x could not be read; they are kept in memu_unread"
        );
        report.push("unread", Severity::Ok, message);
    }
    Ok(())
}

fn count_rows(connection: &Connection, report: &mut Report) -> Result<()> {
    let scopes = format!("SELECT count(*) FROM memu_scopes t WHERE {LISTED}");
    report.scopes = count(connection, &scopes)?;
    report.resources = count(connection, "SELECT count(*) FROM memu_resources")?;
    report.segments = count(connection, "SELECT count(*) FROM memu_segments")?;
    report.items = count(connection, "SELECT count(*) FROM memu_items")?;
    report.categories = count(connection, "SELECT count(*) FROM memu_memory_categories")?;
    report.relations = count(connection, "SELECT count(*) FROM memu_relations")?;
    report.embeddings = count(connection, "SELECT count(*) FROM memu_embeddings")?;
    report.model_replies = count(connection, "SELECT count(*) FROM memu_model_replies")?;
    Ok(())
}

fn count(connection: &Connection, sql: &str) -> Result<u64> {
    let count: i64 = connection
        .query_row(sql, [], |row| row.get(0))
        .map_err(storage)?;
    Ok(count.max(0).unsigned_abs())
}
