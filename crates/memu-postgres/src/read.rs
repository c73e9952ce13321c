//! Reading pages of records.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use memu_core::records::{
    Blob, ContentHash, EmbedderIdentity, EmbeddingSet, Id, OwnerKind, SetState,
};
use memu_core::scope::Scope;
use memu_core::store::{Cursor, Page, Query, RecordIds, RecordSet, Select};
use memu_core::{Error, Result};
use rustc_hash::FxBuildHasher;
use tokio_postgres::Row;

use crate::error::corrupt;
use crate::filter::push_conditions;
use crate::owners::table;
use crate::rows::{Reader, Record};
use crate::select::push_select;
use crate::sql::Sql;
use crate::values::Key;

/// A page of one kind of record.
pub(crate) async fn page<T: Record>(on: &Transaction<'_>, query: &Query) -> Result<Page<T>> {
    if query.limit == 0 {
        return Err(Error::input("a page must hold at least one record"));
    }
    let after = query.after.as_ref().map(cursor_place).transpose()?;
    let mut page = Page {
        records: Vec::new(),
        next: None,
    };
    let mut sql = Sql::new("SELECT t.place, t.scope_key, ");
    sql.push(&T::columns());
    sql.push(&format!(" FROM {} t WHERE ", T::TABLE));
    sql.bind_scopes("t", &query.scopes);
    if let Some(after) = after {
        sql.push(" AND t.place > ");
        sql.bind(after);
    }
    if query.scopes.is_empty() || !push_select(&mut sql, T::TABLE, &query.select) {
        return Ok(page);
    }
    push_conditions(&mut sql, T::TABLE, &query.filter);
    sql.name_only(&query.scopes);
    sql.push(" ORDER BY t.place");
    if let Ok(limit) = i64::try_from(query.limit) {
        sql.push(" LIMIT ");
        // One more than asked for tells whether anything follows.
        sql.bind(limit.saturating_add(1));
    }
    let rows = sql.rows(on).await?;
    let scopes = by_key(&query.scopes);
    let mut last = None;
    for row in &rows {
        if page.records.len() == query.limit {
            page.next = last.map(|place: i64| Cursor(format!("p{place}")));
            break;
        }
        let (place, record) = placed::<T>(row, &scopes)?;
        last = Some(place);
        page.records.push(record);
    }
    Ok(page)
}

/// The scopes of a query by their keys.
pub(crate) type Scopes<'s> = HashMap<Key, &'s Scope, FxBuildHasher>;

pub(crate) fn by_key(scopes: &[Scope]) -> Scopes<'_> {
    scopes.iter().map(|scope| (Key::of(scope), scope)).collect()
}

/// A record with its place, from a row that begins with the place and the scope.
pub(crate) fn placed<T: Record>(row: &Row, scopes: &Scopes<'_>) -> Result<(i64, T)> {
    let mut reader = Reader::new(row);
    let (place, key) = (reader.take()?, reader.take()?);
    let scope = scopes.get(&key);
    let scope = scope.ok_or_else(|| corrupt("a record without a scope"))?;
    Ok((place, T::read(&mut reader, scope)?))
}

fn cursor_place(cursor: &Cursor) -> Result<i64> {
    let place = cursor
        .0
        .strip_prefix('p')
        .and_then(|place| place.parse().ok());
    place
        .filter(|place| *place >= 0)
        .ok_or_else(|| Error::input("this is no cursor of this store").with("cursor", &cursor.0))
}

/// The records of a scope with these ids.
pub(crate) async fn records(
    on: &Transaction<'_>,
    scope: &Scope,
    ids: RecordIds,
) -> Result<RecordSet> {
    let (resources, segments, items, categories) = futures_util::try_join!(
        with_ids(on, scope, ids.resources),
        with_ids(on, scope, ids.segments),
        with_ids(on, scope, ids.items),
        with_ids(on, scope, ids.categories),
    )?;
    Ok(RecordSet {
        resources,
        segments,
        items,
        categories,
    })
}

async fn with_ids<T: Record>(on: &Transaction<'_>, scope: &Scope, ids: Vec<Id>) -> Result<Vec<T>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = Query::scope(scope).select(Select::Ids(ids));
    Ok(page(on, &query).await?.records)
}

/// The ids of all records of a kind that a query selects.
pub(crate) async fn ids(on: &Transaction<'_>, kind: OwnerKind, query: &Query) -> Result<Vec<Id>> {
    let table = table(kind);
    let mut sql = Sql::new(&format!("SELECT t.id FROM {table} t WHERE "));
    sql.bind_scopes("t", &query.scopes);
    if query.scopes.is_empty() || !push_select(&mut sql, table, &query.select) {
        return Ok(Vec::new());
    }
    push_conditions(&mut sql, table, &query.filter);
    sql.name_only(&query.scopes);
    sql.push(" ORDER BY t.place");
    let rows = sql.rows(on).await?;
    rows.iter().map(|row| Reader::new(row).id()).collect()
}

/// The content behind a hash.
pub(crate) async fn blob(
    on: &Transaction<'_>,
    scope: &Scope,
    hash: &ContentHash,
) -> Result<Option<Blob>> {
    let found = Sql::new("SELECT bytes FROM memu_blobs WHERE scope_key = $1 AND hash = $2")
        .with(Key::of(scope))
        .with(hash.as_bytes().as_slice())
        .first(on)
        .await?;
    let bytes = found.map(|row| Reader::new(&row).take::<Vec<u8>>());
    Ok(bytes.transpose()?.map(|bytes| Blob {
        hash: *hash,
        bytes: bytes.into(),
    }))
}

/// Every embedding set.
pub(crate) async fn embedding_sets(on: &Transaction<'_>) -> Result<Vec<EmbeddingSet>> {
    let rows = Sql::new(
        "SELECT set_id, provider, model, dimension, set_state FROM memu_embedding_sets \
         ORDER BY set_id",
    )
    .rows(on)
    .await?;
    let set = |row: &Row| {
        let mut reader = Reader::new(row);
        Ok(EmbeddingSet {
            id: reader.number()?,
            identity: EmbedderIdentity {
                provider: reader.text()?,
                model: reader.text()?,
                dimension: reader.number()?,
            },
            state: match reader.text()?.as_str() {
                "building" => SetState::Building,
                "active" => SetState::Active,
                "retired" => SetState::Retired,
                _ => return Err(corrupt("an embedding set in an unknown state")),
            },
        })
    };
    rows.iter().map(set).collect()
}
