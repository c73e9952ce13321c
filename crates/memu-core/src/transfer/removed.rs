//! What the source has removed since the target got it.

use super::kind::Kind;
use super::side::Side;
use crate::error::Result;
use crate::records::{CategoryItem, Id, MemoryCategory, MemoryItem, Operation, Resource, Table};
use crate::scope::Scope;
use crate::store::{LogPosition, Query, Select, Write, WriteBatch};

/// So many lines of a log are read at once.
const LINES: usize = 2_000;

/// Removes from a scope of the target what the log of the source tells was removed there and
/// the target still holds. Returns where the target's log is then.
pub(super) async fn remove_what_went(from: &Side, to: &Side, scope: &Scope) -> Result<LogPosition> {
    let mut position = to.store.log_position(scope).await?;
    if position == LogPosition::default() {
        return Ok(position);
    }
    let mut after = 0;
    loop {
        let lines = from.store.changes(scope, after, LINES).await?;
        let Some(last) = lines.last() else {
            return Ok(position);
        };
        after = last.seq;
        let went = |table: Table| -> Vec<Id> {
            let of_table = lines
                .iter()
                .filter(|line| line.operation == Operation::Delete && line.table == table);
            of_table.map(|line| line.id.clone()).collect()
        };
        // What hangs on others first: the rest would take it along.
        let pages = [
            still_there::<CategoryItem>(from, to, scope, went(Table::Relations), |one| {
                Write::DeleteRelation {
                    item_id: one.item_id,
                    category_id: one.category_id,
                }
            })
            .await?,
            still_there::<MemoryItem>(from, to, scope, went(Table::Items), |one| {
                Write::DeleteItem(one.meta.id)
            })
            .await?,
            still_there::<MemoryCategory>(from, to, scope, went(Table::Categories), |one| {
                Write::DeleteCategory(one.meta.id)
            })
            .await?,
            still_there::<Resource>(from, to, scope, went(Table::Resources), |one| {
                Write::DeleteResource(one.meta.id)
            })
            .await?,
        ];
        let mut batch = WriteBatch::new(scope.clone(), Some(position.seq));
        batch.expected_life = Some(position.life);
        batch.writes = pages.concat();
        if !batch.writes.is_empty() {
            let committed = to.store.commit(batch).await?;
            position = LogPosition {
                life: committed.life,
                seq: committed.seq,
            };
        }
    }
}

/// The removals of those records that the target holds and the source does not.
async fn still_there<T: Kind>(
    from: &Side,
    to: &Side,
    scope: &Scope,
    ids: Vec<Id>,
    remove: impl Fn(T) -> Write,
) -> Result<Vec<Write>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = Query::scope(scope).select(Select::Ids(ids));
    let held = T::page(&*to.store, &query).await?.records;
    // An id may have come back.
    let own = T::page(&*from.store, &query).await?.records;
    let went = held
        .into_iter()
        .filter(|one| own.iter().all(|own| own.meta().id != one.meta().id));
    Ok(went.map(remove).collect())
}
