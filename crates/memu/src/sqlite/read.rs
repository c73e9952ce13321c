//! Reading pages of records.

use memu_core::records::{
    Blob, ContentHash, EmbedderIdentity, EmbeddingSet, Id, MemoryItem, OwnerKind, SetState,
};
use memu_core::scope::Scope;
use memu_core::store::{Cursor, Page, Query, RecordIds, RecordSet, Select};
use memu_core::{Error, Result};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use rustc_hash::FxHashMap;

use super::error::{corrupt, storage};
use super::filter::{Sql, push_conditions};
use super::rows::{META, Reader, Record};
use super::scopes::{in_scopes, scope_row, scope_rows};
use super::vectors::table;

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
        "SELECT t.id FROM {table} t WHERE {}",
        in_scopes(&scopes)
    ));
    if scopes.is_empty() || !push_select(&mut sql, table, &query.select)? {
        return Ok(Vec::new());
    }
    push_conditions(&mut sql, table, &query.filter);
    sql.push(" ORDER BY t.row");
    let mut statement = connection.prepare_cached(&sql.text).map_err(storage)?;
    let ids = statement.query_map(params_from_iter(sql.parameters), |row| {
        row.get::<_, String>(0).map(Id::from)
    });
    ids.and_then(Iterator::collect).map_err(storage)
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
    // A page of neighbours is read as a range; single items one by one.
    let (which, parameters) = if matches!(query.select, Select::All) {
        let range = "t.item_row BETWEEN ?1 AND ?2";
        (range, vec![Value::Integer(*first), Value::Integer(*last)])
    } else {
        let list = serde_json::to_string(rows)
            .map_err(|cause| Error::internal("rows cannot be written as JSON").caused_by(cause))?;
        let list = Value::Text(list);
        (
            "t.item_row IN (SELECT value FROM json_each(?1))",
            vec![list],
        )
    };
    let text = format!(
        "SELECT t.item_row, s.id FROM memu_item_segments t JOIN memu_segments s \
         ON s.row = t.segment_row WHERE {} AND {which} ORDER BY t.item_row, t.place",
        in_scopes(&scopes)
    );
    let mut statement = connection.prepare_cached(&text).map_err(storage)?;
    let mut rows = statement
        .query(params_from_iter(parameters))
        .map_err(storage)?;
    let mut cited: FxHashMap<i64, Vec<Id>> = FxHashMap::default();
    while let Some(row) = rows.next().map_err(storage)? {
        let mut reader = Reader::new(row, 0);
        let item = reader.take()?;
        cited
            .entry(item)
            .or_default()
            .push(Id::from(reader.take::<String>()?));
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
    // Everything is read in the order of an index. A choice is found by an index of its
    // own, and few enough to be sorted: the plus sign keeps SQLite from searching all rows
    // for it in order.
    let row = match query.select {
        Select::All => "t.row",
        _ => "+t.row",
    };
    let mut sql = Sql::default();
    sql.push(&format!(
        "SELECT t.row, t.scope_id, {META}, {} FROM {} t WHERE {} AND {row} > ",
        T::COLUMNS,
        T::TABLE,
        in_scopes(&scopes)
    ));
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

fn cursor_row(cursor: &Cursor) -> Result<i64> {
    let row = cursor.0.strip_prefix('r').and_then(|row| row.parse().ok());
    row.filter(|row| *row >= 0)
        .ok_or_else(|| Error::input("this is no cursor of this store").with("cursor", &cursor.0))
}

/// Appends what a choice demands of a table named `t`; `false` when the choice selects
/// nothing of it.
fn push_select(sql: &mut Sql, table: &str, select: &Select) -> Result<bool> {
    let (lead, list) = match (select, table) {
        (Select::All, _) => return Ok(true),
        (Select::Ids(ids), _) | (Select::OfResources(ids), "memu_resources") => {
            ("t.id IN", texts(ids))
        }
        (Select::IdPrefixes(prefixes), _) => {
            push_prefixes(sql, prefixes);
            return Ok(true);
        }
        (Select::OfResources(ids), "memu_segments") => (
            "t.resource_row IN (SELECT m.row FROM memu_resources m WHERE m.scope_id = t.scope_id AND m.id IN",
            texts(ids),
        ),
        (Select::OfResources(ids), "memu_memory_items" | "memu_model_replies") => {
            ("t.resource_id IN", texts(ids))
        }
        (Select::ReplyStates(states), "memu_model_replies") => {
            let names: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
            ("t.reply_state IN", texts(&names))
        }
        (Select::Requests(hashes), "memu_model_replies") => {
            let hashes: Vec<String> = hashes.iter().map(ToString::to_string).collect();
            (
                "t.request_hash IN (SELECT unhex(value) FROM",
                texts(&hashes),
            )
        }
        (Select::OfResources(ids), "memu_category_items") => (
            "t.item_row IN (SELECT i.row FROM memu_memory_items i WHERE i.scope_id = t.scope_id AND i.resource_id IN",
            texts(ids),
        ),
        (Select::CitingSegments(ids), "memu_memory_items") => (
            "t.row IN (SELECT x.item_row FROM memu_item_segments x JOIN memu_segments s \
             ON s.row = x.segment_row WHERE x.scope_id = t.scope_id AND s.scope_id = t.scope_id AND s.id IN",
            texts(ids),
        ),
        (Select::OfItems(ids), "memu_category_items") => (
            "t.item_row IN (SELECT i.row FROM memu_memory_items i WHERE i.scope_id = t.scope_id AND i.id IN",
            texts(ids),
        ),
        (Select::OfCategories(ids), "memu_category_items") => (
            "t.category_row IN (SELECT c.row FROM memu_memory_categories c WHERE c.scope_id = t.scope_id AND c.id IN",
            texts(ids),
        ),
        (Select::OfCategories(ids), "memu_memory_items") => (
            "t.row IN (SELECT r.item_row FROM memu_category_items r JOIN memu_memory_categories c \
             ON c.row = r.category_row WHERE r.scope_id = t.scope_id AND c.scope_id = t.scope_id AND c.id IN",
            texts(ids),
        ),
        (Select::Names(names), "memu_memory_categories") => ("t.name IN", texts(names)),
        (Select::Content(hash, modality), "memu_resources") => {
            sql.push(" AND t.content_hash = ");
            sql.bind(hash.as_bytes().to_vec());
            sql.push(" AND t.modality = ");
            sql.bind(modality.as_str().to_owned());
            return Ok(true);
        }
        (
            Select::Source {
                url,
                external_id,
                modality,
            },
            "memu_resources",
        ) => {
            sql.push(" AND t.modality = ");
            sql.bind(modality.as_str().to_owned());
            sql.push(" AND (t.url = ");
            sql.bind(url.clone());
            sql.push(" OR t.external_id = ");
            sql.bind(external_id.clone().map_or(Value::Null, Value::Text));
            sql.push(")");
            return Ok(true);
        }
        _ => return Ok(false),
    };
    let list = list?;
    sql.push(" AND ");
    sql.push(lead);
    sql.push(" (SELECT value FROM json_each(");
    sql.bind(list);
    sql.push("))");
    if lead.contains('(') {
        sql.push(")");
    }
    Ok(true)
}

/// A list of texts as one parameter, whatever its length.
fn texts<T: AsRef<str>>(texts: &[T]) -> Result<String> {
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    serde_json::to_string(&texts)
        .map_err(|cause| Error::internal("a list cannot be written as JSON").caused_by(cause))
}

fn push_prefixes(sql: &mut Sql, prefixes: &[String]) {
    sql.push(" AND (0");
    for prefix in prefixes {
        sql.push(" OR (t.id >= ");
        sql.bind(prefix.clone());
        sql.push(" AND substr(t.id, 1, length(");
        sql.bind(prefix.clone());
        sql.push(")) = ");
        sql.bind(prefix.clone());
        sql.push(")");
    }
    sql.push(")");
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
