//! Vectors that cannot be read, and indexes that have drifted from what they are derived
//! from.

use std::time::Duration;

use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{Report, Severity};
use memu_core::{Error, Result};
use rusqlite::{Connection, params_from_iter};

use crate::sqlite::codes;
use crate::sqlite::connection::write;
use crate::sqlite::error::storage;
use crate::sqlite::outlines::Outlines;
use crate::sqlite::rows::{integer, unpacked};
use crate::sqlite::scopes::every_scope;

/// How many vectors are removed by one statement.
const AT_ONCE: usize = 500;

/// Looks for vectors with a value that is no number, and for those that are all zeros:
/// nothing can be near to them. What they were made of is still there.
pub(super) fn check_vectors(
    connection: &Connection,
    wait: Duration,
    cancelled: &dyn Fn() -> bool,
    repair: bool,
    report: &mut Report,
) -> Result<()> {
    let bad = unusable(connection)?;
    if bad.is_empty() {
        report.push("numbers", Severity::Ok, "every vector can be compared");
        return Ok(());
    }
    let message = format!(
        "{} vectors hold a value that is no number, or nothing but zeros; memu reembed makes them \
         anew",
        bad.len()
    );
    report.push("numbers", Severity::Error, message);
    if repair {
        write(connection, wait, cancelled, || {
            for rows in bad.chunks(AT_ONCE) {
                let marks = vec!["?"; rows.len()].join(", ");
                let list = || params_from_iter(rows);
                let stale = format!(
                    "UPDATE memu_scopes SET derived_seq = -1 WHERE scope_id IN
                     (SELECT scope_id FROM memu_embeddings WHERE row IN ({marks}))"
                );
                let remove = format!("DELETE FROM memu_embeddings WHERE row IN ({marks})");
                connection.execute(&stale, list()).map_err(storage)?;
                connection.execute(&remove, list()).map_err(storage)?;
            }
            Ok(())
        })?;
        mended(report);
    }
    Ok(())
}

fn unusable(connection: &Connection) -> Result<Vec<i64>> {
    let mut statement = connection
        .prepare("SELECT row, vector FROM memu_embeddings")
        .map_err(storage)?;
    let mut rows = statement.query([]).map_err(storage)?;
    let mut bad = Vec::new();
    while let Some(row) = rows.next().map_err(storage)? {
        let vector = row.get_ref(1).map_err(storage)?;
        let vector = unpacked(vector.as_blob().unwrap_or_default());
        let fine = vector.iter().all(|x| x.is_finite()) && vector.iter().any(|x| *x != 0.0);
        if !fine {
            bad.push(row.get(0).map_err(storage)?);
        }
    }
    Ok(bad)
}

/// Compares outlines and codes with what they are derived from, scope by scope.
pub(super) fn check_indexes(
    connection: &Connection,
    schema: &ScopeSchema,
    wait: Duration,
    cancelled: &dyn Fn() -> bool,
    repair: bool,
    report: &mut Report,
) -> Result<()> {
    let scopes = every_scope(connection, schema)?;
    let mut drifted = Vec::new();
    for (scope_id, scope) in &scopes {
        if cancelled() {
            return Err(Error::cancelled("the check was given up"));
        }
        if !agree(connection, *scope_id, scope)? {
            drifted.push((*scope_id, scope));
        }
    }
    if drifted.is_empty() {
        let message = "words and vectors are indexed as they are stored";
        report.push("indexes", Severity::Ok, message);
        return Ok(());
    }
    let message = format!(
        "the indexes of {} of {} scopes are not what is stored",
        drifted.len(),
        scopes.len()
    );
    report.push("indexes", Severity::Error, message);
    if repair {
        for (scope_id, scope) in drifted {
            write(connection, wait, cancelled, || {
                rebuild(connection, scope_id, scope)
            })?;
        }
        mended(report);
    }
    Ok(())
}

fn outlines<'c>(connection: &'c Connection, scope_id: i64, scope: &'c Scope) -> Outlines<'c> {
    Outlines {
        connection,
        scope,
        scope_id,
    }
}

/// Compares as of one moment, whatever others write meanwhile.
fn agree(connection: &Connection, scope_id: i64, scope: &Scope) -> Result<bool> {
    crate::sqlite::read::snapshot(connection, || {
        let outlines = outlines(connection, scope_id, scope);
        Ok(match last_change(connection, scope_id)? {
            // It was forgotten in the meantime.
            None => true,
            Some(seq) => {
                outlines.are_of(seq)? && outlines.agree()? && codes::agree(connection, scope_id)?
            }
        })
    })
}

pub(in crate::sqlite) fn rebuild(
    connection: &Connection,
    scope_id: i64,
    scope: &Scope,
) -> Result<()> {
    let Some(seq) = last_change(connection, scope_id)? else {
        return Ok(());
    };
    outlines(connection, scope_id, scope).rebuild(seq)?;
    codes::rebuild(connection, scope_id, seq)?;
    connection
        .execute(
            "UPDATE memu_scopes SET derived_seq = ?2 WHERE scope_id = ?1",
            (scope_id, integer(seq)?),
        )
        .map(drop)
        .map_err(storage)
}

fn last_change(connection: &Connection, scope_id: i64) -> Result<Option<u64>> {
    let mut statement = connection
        .prepare_cached("SELECT seq FROM memu_scopes WHERE scope_id = ?1")
        .map_err(storage)?;
    let mut rows = statement.query([scope_id]).map_err(storage)?;
    let row = rows.next().map_err(storage)?;
    row.map(|row| row.get::<_, i64>(0).map(i64::unsigned_abs))
        .transpose()
        .map_err(storage)
}

fn mended(report: &mut Report) {
    if let Some(finding) = report.findings.last_mut() {
        finding.repaired = true;
    }
}
