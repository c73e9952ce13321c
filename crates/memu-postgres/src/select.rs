//! What a query chooses, as SQL.

use memu_core::records::Id;
use memu_core::store::Select;

use crate::sql::Sql;
use crate::values::OwnText;

/// The last character there is.
const LAST: char = char::MAX;

/// Appends what a choice demands of a table named `t`; `false` when the choice selects
/// nothing of it.
pub(crate) fn push_select(sql: &mut Sql<'_>, table: &str, select: &Select) -> bool {
    let (before, ids, after) = match (select, table) {
        (Select::All, _) => return true,
        (Select::Ids(ids), _) | (Select::OfResources(ids), "resources") => {
            ("t.id = ANY(", ids, ")")
        }
        (Select::OfResources(ids), "memu_segments" | "memory_items" | "memu_model_replies") => {
            ("t.resource_id = ANY(", ids, ")")
        }
        (Select::OfResources(ids), "category_items") => (
            "t.item_id IN (SELECT i.id FROM memory_items i \
             WHERE i.scope_key = t.scope_key AND i.resource_id = ANY(",
            ids,
            "))",
        ),
        (Select::OfCategories(ids), "category_items") => ("t.category_id = ANY(", ids, ")"),
        (Select::OfCategories(ids), "memory_items") => (
            "EXISTS (SELECT 1 FROM category_items r \
             WHERE r.scope_key = t.scope_key AND r.item_id = t.id AND r.category_id = ANY(",
            ids,
            "))",
        ),
        (Select::OfItems(ids), "category_items") => ("t.item_id = ANY(", ids, ")"),
        (Select::CitingSegments(ids), "memory_items") => (
            "t.place IN (SELECT x.item_place FROM memu_item_segments x \
             JOIN memu_segments s ON s.scope_key = x.scope_key AND s.place = x.segment_place \
             WHERE x.scope_key = t.scope_key AND s.id = ANY(",
            ids,
            "))",
        ),
        _ => return push_other(sql, table, select),
    };
    sql.push(" AND ");
    sql.push(before);
    sql.bind(texts(ids));
    sql.push(after);
    true
}

/// The choices that are not by ids.
fn push_other(sql: &mut Sql<'_>, table: &str, select: &Select) -> bool {
    match (select, table) {
        (Select::IdPrefixes(prefixes), _) => {
            sql.push(" AND (false");
            for prefix in prefixes {
                // The range is for the index.
                sql.push(" OR (starts_with(t.id, ");
                sql.bind(OwnText(prefix.clone()));
                sql.push(") AND t.id BETWEEN ");
                sql.bind(OwnText(prefix.clone()));
                sql.push(" AND ");
                sql.bind(OwnText(format!("{prefix}{LAST}{LAST}")));
                sql.push(")");
            }
            sql.push(")");
        }
        (Select::Names(names), "memory_categories") => {
            // The digest is what the index has.
            sql.push(" AND md5(t.name) IN (SELECT md5(x) FROM unnest(");
            sql.bind(own(names.iter()));
            sql.push("::text[]) x) AND t.name = ANY(");
            sql.bind(own(names.iter()));
            sql.push(")");
        }
        (Select::ReplyStates(states), "memu_model_replies") => {
            sql.push(" AND t.reply_state = ANY(");
            sql.bind(own(states.iter().map(|state| state.as_str())));
            sql.push(")");
        }
        (Select::Requests(hashes), "memu_model_replies") => {
            sql.push(" AND t.request_hash = ANY(");
            let hashes = hashes.iter().map(|hash| hash.as_bytes().to_vec());
            sql.bind(hashes.collect::<Vec<_>>());
            sql.push(")");
        }
        (Select::Content(hash, modality), "resources") => {
            sql.push(" AND t.content_hash = ");
            sql.bind(hash.as_bytes().to_vec());
            sql.push(" AND t.modality = ");
            sql.bind(modality.as_str());
        }
        (
            Select::Source {
                url,
                external_id,
                modality,
            },
            "resources",
        ) => {
            sql.push(" AND t.modality = ");
            sql.bind(modality.as_str());
            push_same(sql, " AND (", "url", Some(url));
            push_same(sql, " OR ", "external_id", external_id.as_ref());
            sql.push(")");
        }
        _ => return false,
    }
    true
}

/// A column that is this text, found by the digest that its index has.
fn push_same(sql: &mut Sql<'_>, lead: &str, column: &str, text: Option<&String>) {
    let text = || text.cloned().map(OwnText);
    sql.push(&format!("{lead}(md5(t.{column}) = md5("));
    sql.bind(text());
    sql.push(&format!(") AND t.{column} = "));
    sql.bind(text());
    sql.push(")");
}

/// Ids as one parameter, whatever their number.
pub(crate) fn texts<'i>(ids: impl IntoIterator<Item = &'i Id>) -> Vec<OwnText> {
    own(ids.into_iter().map(Id::as_str))
}

fn own(texts: impl Iterator<Item = impl AsRef<str>>) -> Vec<OwnText> {
    texts
        .map(|text| OwnText(text.as_ref().to_owned()))
        .collect()
}
