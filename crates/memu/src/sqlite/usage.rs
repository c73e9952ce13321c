//! Reading what models took.

use memu_core::Result;
use memu_core::records::ModelUsage;
use memu_core::scope::Scope;
use memu_core::time::civil;
use rusqlite::Connection;

use super::error::{corrupt, storage};
use super::rows::Reader;
use super::scopes::scope_row;

/// The sums of a scope from a day on.
pub(super) fn model_usage(
    connection: &Connection,
    scope: &Scope,
    since: civil::Date,
) -> Result<Vec<ModelUsage>> {
    let Some((scope, _)) = scope_row(connection, scope)? else {
        return Ok(Vec::new());
    };
    let mut statement = connection
        .prepare_cached(
            "SELECT day, model_profile, model_name, step_name, calls, unusable, input_tokens,
             output_tokens, cost, seconds FROM memu_model_usage
             WHERE scope_id = ?1 AND day >= ?2
             ORDER BY day, model_profile, model_name, step_name",
        )
        .map_err(storage)?;
    let mut rows = statement
        .query((scope, since.to_string()))
        .map_err(storage)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(storage)? {
        found.push(one(&mut Reader::new(row, 0))?);
    }
    Ok(found)
}

fn count(reader: &mut Reader<'_, '_>) -> Result<u64> {
    let count: i64 = reader.take()?;
    u64::try_from(count).map_err(|_| corrupt("a negative count of usage"))
}

fn one(reader: &mut Reader<'_, '_>) -> Result<ModelUsage> {
    let day: String = reader.take()?;
    Ok(ModelUsage {
        day: day
            .parse()
            .map_err(|_| corrupt("a day of usage that is no date"))?,
        profile: reader.take()?,
        model: reader.take()?,
        step: reader.take()?,
        calls: count(reader)?,
        unusable: count(reader)?,
        input_tokens: count(reader)?,
        output_tokens: count(reader)?,
        cost: reader.take()?,
        seconds: reader.take()?,
    })
}
