//! Reading pages of records.

use memu_core::records::{
    Blob, ContentHash, EmbedderIdentity, EmbeddingSet, Id, MemoryItem, OwnerKind, SetState,
};
use memu_core::scope::Scope;
use memu_core::store::{Cursor, Page, Query, RecordIds, RecordSet, Select};
use memu_core::{Error, Result};
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use rustc_hash::FxHashMap;

use super::error::{corrupt, storage};
use super::filter::{Sql, push_conditions};
use super::rows::{Reader, Record};
use super::scopes::{push_in_scopes, scope_row, scope_rows};
use super::select::push_select;
use super::vectors::{identified_by, table};

/// Begins a transaction in which everything is read as of one moment.
pub(super) fn snapshot<T>(connection: &Connection, read: impl FnOnce() -> Result<T>) -> Result<T> {
    let transaction = connection.unchecked_transaction().map_err(storage)?;
    let value = read();
    transaction.finish().map_err(storage)?;
    value
}

/// A page of one kind of record.
pub(super) fn page<T: Record>(connection: &Connection, query: &Query) -> Result<Page<T>> {
    Ok(numbered_page::<T>(connection, query)?.1)
}

/// A page of items, with their citations.
pub(super) fn item_page(connection: &Connection, query: &Query) -> Result<Page<MemoryItem>> {
    let (rows, mut page) = numbered_page::<MemoryItem>(connection, query)?;
    let mut cited = citations(connection, query, &rows)?;
    for (row, item) in rows.iter().zip(&mut page.records) {
        item.segment_ids = cited.remove(row).unwrap_or_default();
    }
    Ok(page)
}

/// The records of a scope with these ids.
pub(super) fn records(connection: &Connection, scope: &Scope, ids: RecordIds) -> Result<RecordSet> {
    let by_id = |ids| Query::scope(scope).select(Select::Ids(ids));
    let mut records = RecordSet::default();
    if !ids.resources.is_empty() {
        records.resources = page(connection, &by_id(ids.resources))?.records;
    }
    if !ids.segments.is_empty() {
        records.segments = page(connection, &by_id(ids.segments))?.records;
    }
    if !ids.items.is_empty() {
        records.items = item_page(connection, &by_id(ids.items))?.records;
    }
    if !ids.categories.is_empty() {
        records.categories = page(connection, &by_id(ids.categories))?.records;
    }
    Ok(records)
}

/// The ids of all records of a kind that a query selects.
pub(super) fn ids(connection: &Connection, kind: OwnerKind, query: &Query) -> Result<Vec<Id>> {
    let table = table(kind);
    let scopes = scope_rows(connection, &query.scopes)?;
    let mut sql = Sql::default();
    sql.push(&format!(
        "SELECT {} FROM {table} t WHERE ",
        identified_by(table)
    ));
    push_in_scopes(&mut sql, &scopes);
    if scopes.is_empty() || !push_select(&mut sql, table, &query.select)? {
        return Ok(Vec::new());
    }
    push_conditions(&mut sql, table, &query.filter);
    sql.push(&format!(" ORDER BY {}", row(&query.select)));
    let mut statement = connection.prepare_cached(&sql.text).map_err(storage)?;
    let mut rows = statement
        .query(params_from_iter(sql.parameters))
        .map_err(storage)?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next().map_err(storage)? {
        ids.push(Reader::new(row, 0).id()?);
    }
    Ok(ids)
}

/// The segments that items cite, by the items' rows, which come in order.
fn citations(
    connection: &Connection,
    query: &Query,
    rows: &[i64],
) -> Result<FxHashMap<i64, Vec<Id>>> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Ok(FxHashMap::default());
    };
    let scopes = scope_rows(connection, &query.scopes)?;
    let mut sql = Sql::default();
    sql.push(
        "SELECT t.item_row, s.key FROM memu_item_segments t JOIN memu_segments s \
         ON s.row = t.segment_row WHERE ",
    );
    push_in_scopes(&mut sql, &scopes);
    // A page of neighbours is read as a range; single items one by one.
    if matches!(query.select, Select::All) {
        sql.push(" AND t.item_row BETWEEN ");
        sql.bind(*first);
        sql.push(" AND ");
        sql.bind(*last);
    } else {
        let list = serde_json::to_string(rows)
            .map_err(|cause| Error::internal("rows cannot be written as JSON").caused_by(cause))?;
        sql.push(" AND t.item_row IN (SELECT value FROM json_each(");
        sql.bind(list);
        sql.push("))");
    }
    sql.push(" ORDER BY t.item_row, t.place");
    let mut statement = connection.prepare_cached(&sql.text).map_err(storage)?;
    let mut rows = statement
        .query(params_from_iter(sql.parameters))
        .map_err(storage)?;
    let mut cited: FxHashMap<i64, Vec<Id>> = FxHashMap::default();
    while let Some(row) = rows.next().map_err(storage)? {
        let mut reader = Reader::new(row, 0);
        let item = reader.take()?;
        cited.entry(item).or_default().push(reader.id()?);
    }
    Ok(cited)
}

fn numbered_page<T: Record>(connection: &Connection, query: &Query) -> Result<(Vec<i64>, Page<T>)> {
    if query.limit == 0 {
        return Err(Error::input("a page must hold at least one record"));
    }
    let after = query
        .after
        .as_ref()
        .map(cursor_row)
        .transpose()?
        .unwrap_or(0);
    let scopes = scope_rows(connection, &query.scopes)?;
    let mut page = Page {
        records: Vec::new(),
        next: None,
    };
    let mut numbers = Vec::new();
    if scopes.is_empty() {
        return Ok((numbers, page));
    }
    let row = row(&query.select);
    let mut sql = Sql::default();
    sql.push(&format!(
        "SELECT t.row, t.scope_id, {}, {} FROM {} t WHERE ",
        T::META,
        T::COLUMNS,
        T::TABLE
    ));
    push_in_scopes(&mut sql, &scopes);
    sql.push(&format!(" AND {row} > "));
    sql.bind(after);
    if !push_select(&mut sql, T::TABLE, &query.select)? {
        return Ok((numbers, page));
    }
    push_conditions(&mut sql, T::TABLE, &query.filter);
    sql.push(&format!(" ORDER BY {row} LIMIT "));
    sql.bind(
        i64::try_from(query.limit)
            .unwrap_or(i64::MAX)
            .saturating_add(1),
    );
    let mut statement = connection.prepare_cached(&sql.text).map_err(storage)?;
    let mut rows = statement
        .query(params_from_iter(sql.parameters))
        .map_err(storage)?;
    while let Some(row) = rows.next().map_err(storage)? {
        if page.records.len() == query.limit {
            page.next = numbers.last().map(|row: &i64| Cursor(format!("r{row}")));
            break;
        }
        let mut reader = Reader::new(row, 0);
        numbers.push(reader.take()?);
        let scope: i64 = reader.take()?;
        let scope = scopes
            .get(&scope)
            .ok_or_else(|| corrupt("a record without a scope"))?;
        page.records.push(T::read(&mut reader, scope)?);
    }
    Ok((numbers, page))
}

/// What orders the rows of a choice. Everything is read in the order of an index. A choice is found
/// by an index of its own, and few enough to be sorted: the plus sign keeps SQLite from searching
/// all rows for it in order.
fn row(select: &Select) -> &'static str {
    match select {
        Select::All => "t.row",
        _ => "+t.row",
    }
}

fn cursor_row(cursor: &Cursor) -> Result<i64> {
    let row = cursor.0.strip_prefix('r').and_then(|row| row.parse().ok());
    row.filter(|row| *row >= 0)
        .ok_or_else(|| Error::input("this is no cursor of this store").with("cursor", &cursor.0))
}

/// The content behind a hash.
pub(super) fn blob(
    connection: &Connection,
    scope: &Scope,
    hash: &ContentHash,
) -> Result<Option<Blob>> {
    let Some((scope, _)) = scope_row(connection, scope)? else {
        return Ok(None);
    };
    let bytes: Option<Vec<u8>> = connection
        .prepare_cached("SELECT bytes FROM memu_blobs WHERE scope_id = ?1 AND hash = ?2")
        .and_then(|mut statement| {
            statement
                .query_row((scope, hash.as_bytes()), |row| row.get(0))
                .optional()
        })
        .map_err(storage)?;
    Ok(bytes.map(|bytes| Blob {
        hash: *hash,
        bytes: bytes.into(),
    }))
}

/// Every embedding set.
pub(super) fn embedding_sets(connection: &Connection) -> Result<Vec<EmbeddingSet>> {
    let mut statement = connection
        .prepare_cached(
            "SELECT set_id, provider, model, dimension, state FROM memu_embedding_sets ORDER BY set_id",
        )
        .map_err(storage)?;
    let mut rows = statement.query([]).map_err(storage)?;
    let mut sets = Vec::new();
    while let Some(row) = rows.next().map_err(storage)? {
        let mut reader = Reader::new(row, 0);
        sets.push(EmbeddingSet {
            id: reader.take()?,
            identity: EmbedderIdentity {
                provider: reader.take()?,
                model: reader.take()?,
                dimension: reader.take()?,
            },
            state: match reader.take::<String>()?.as_str() {
                "building" => SetState::Building,
                "active" => SetState::Active,
                "retired" => SetState::Retired,
                _ => return Err(corrupt("an embedding set in an unknown state")),
            },
        });
    }
    Ok(sets)
}
