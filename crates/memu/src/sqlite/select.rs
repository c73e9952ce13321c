//! What a query chooses, as SQL.

use memu_core::records::Id;
use memu_core::store::Select;
use memu_core::{Error, Result};
use rusqlite::types::Value;

use super::filter::Sql;
use super::schema::{id_text, relation_id};
use super::vectors::identified_by;

/// Appends what a choice demands of a table named `t`; `false` when the choice selects
/// nothing of it.
pub(super) fn push_select(sql: &mut Sql, table: &str, select: &Select) -> Result<bool> {
    if push_packed(sql, table, select)? {
        return Ok(true);
    }
    let (lead, list) = match (select, table) {
        (Select::All, _) => return Ok(true),
        (Select::Ids(ids), _) | (Select::OfResources(ids), "memu_resources") => {
            ("t.id IN", texts(ids))
        }
        (Select::IdPrefixes(prefixes), _) => {
            push_prefixes(sql, table, prefixes);
            return Ok(true);
        }
        (Select::OfResources(ids), "memu_segments" | "memu_items") => (
            "t.resource_row IN (SELECT m.row FROM memu_resources m WHERE m.scope_id = t.scope_id AND m.id IN",
            texts(ids),
        ),
        (Select::OfResources(ids), "memu_model_replies") => ("t.resource_id IN", texts(ids)),
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
        (Select::OfResources(ids), "memu_relations") => (
            "t.item_row IN (SELECT i.row FROM memu_resources m JOIN memu_items i \
             ON i.scope_id = m.scope_id AND i.resource_row = m.row \
             WHERE m.scope_id = t.scope_id AND m.id IN",
            texts(ids),
        ),
        (Select::OfCategories(ids), "memu_relations") => (
            "t.category_row IN (SELECT c.row FROM memu_memory_categories c WHERE c.scope_id = t.scope_id AND c.id IN",
            texts(ids),
        ),
        (Select::OfCategories(ids), "memu_items") => (
            "t.row IN (SELECT r.item_row FROM memu_relations r JOIN memu_memory_categories c \
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

/// The same for choices that go by the ids of packed records; `false` for any other.
fn push_packed(sql: &mut Sql, table: &str, select: &Select) -> Result<bool> {
    match (select, table) {
        (Select::Ids(ids), "memu_segments" | "memu_items") => {
            sql.push(" AND t.key IN ");
            push_keys(sql, ids)?;
        }
        (Select::Ids(ids), "memu_relations") => {
            let list = texts(ids)?;
            sql.push(&format!(
                " AND {} IN (SELECT value FROM json_each(",
                id_of_relation()
            ));
            sql.bind(list);
            sql.push("))");
        }
        (Select::CitingSegments(ids), "memu_items") => {
            sql.push(
                " AND t.row IN (SELECT x.item_row FROM memu_item_segments x \
                 JOIN memu_segments s ON s.row = x.segment_row \
                 WHERE x.scope_id = t.scope_id AND s.scope_id = t.scope_id AND s.key IN ",
            );
            push_keys(sql, ids)?;
            sql.push(")");
        }
        (Select::OfItems(ids), "memu_relations") => {
            sql.push(
                " AND t.item_row IN (SELECT i.row FROM memu_items i \
                 WHERE i.scope_id = t.scope_id AND i.key IN ",
            );
            push_keys(sql, ids)?;
            sql.push(")");
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Appends a list of keys, as one parameter whatever its length.
fn push_keys(sql: &mut Sql, ids: &[Id]) -> Result<()> {
    let keys: Vec<String> = ids
        .iter()
        .map(|id| match id.to_uuid_bytes() {
            Some(_) => format!("u{}", id.as_str().replace('-', "")),
            None => format!("t{id}"),
        })
        .collect();
    sql.push(
        "(SELECT iif(substr(value, 1, 1) = 'u', unhex(substr(value, 2)), substr(value, 2)) \
         FROM json_each(",
    );
    sql.bind(texts(&keys)?);
    sql.push("))");
    Ok(())
}

/// A list of texts as one parameter, whatever its length.
fn texts<T: AsRef<str>>(texts: &[T]) -> Result<String> {
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    serde_json::to_string(&texts)
        .map_err(|cause| Error::internal("a list cannot be written as JSON").caused_by(cause))
}

fn push_prefixes(sql: &mut Sql, table: &str, prefixes: &[String]) {
    let relations = table == "memu_relations";
    let packed = identified_by(table) == "t.key" && !relations;
    let id = if relations {
        id_of_relation()
    } else {
        identified_by(table).to_owned()
    };
    sql.push(" AND (0");
    for prefix in prefixes {
        // Where ids are packed, those that are still text come before all others.
        sql.push(&format!(" OR ({id} >= "));
        sql.bind(prefix.clone());
        if packed {
            sql.push(" AND t.key < x''");
        }
        sql.push(&format!(" AND substr({id}, 1, length("));
        sql.bind(prefix.clone());
        sql.push(")) = ");
        sql.bind(prefix.clone());
        sql.push(")");
        if packed && let Some((first, last)) = keys_with(prefix) {
            sql.push(" OR t.key BETWEEN ");
            sql.bind(first);
            sql.push(" AND ");
            sql.bind(last);
        }
    }
    sql.push(")");
}

/// The first and the last key of a UUID that starts with this text; `None` when none does.
fn keys_with(prefix: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let filled = |digit: &str| {
        let form = "00000000-0000-0000-0000-000000000000".replace('0', digit);
        let id = Id::from(prefix.to_owned() + form.get(prefix.len()..)?);
        id.to_uuid_bytes().map(Vec::from)
    };
    Some((filled("0")?, filled("f")?))
}

/// The id of a relation, which is not stored as such.
fn id_of_relation() -> String {
    let item = format!(
        "(SELECT {} FROM memu_items i WHERE i.row = t.item_row)",
        id_text("i.key")
    );
    let category = "(SELECT c.id FROM memu_memory_categories c WHERE c.row = t.category_row)";
    relation_id(&item, category)
}
