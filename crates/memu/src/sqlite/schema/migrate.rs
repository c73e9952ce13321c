//! What leads from one schema to the next.

use memu_core::scope::ScopeSchema;

use super::{
    CHANGES, MODEL_USAGE, OUTLINES, UNREAD, VECTOR_CODES, packed_indexes, packed_tables, views,
};

/// From schema 1 to 2, and from 2 to 3.
pub(in crate::sqlite) const MIGRATIONS: [fn(&ScopeSchema) -> String; 2] = [to_2, to_3];

/// The first schema that this version reads as it is, with all that is derived.
pub(in crate::sqlite) const READABLE_SINCE: i32 = 3;

/// The first schema in which blocks of outlines do not lie in their index.
pub(in crate::sqlite) const OUTLINES_BESIDE_THEIR_INDEX: i32 = 4;

/// Packs segments, items, relations and the change log; does without the hashes of items,
/// which nothing looked for; and adds what an upgrade could not read.
fn to_2(schema: &ScopeSchema) -> String {
    let pairs = "FROM old_relations r
    JOIN old_items i ON i.scope_id = r.scope_id AND i.id = r.item_id
    JOIN memu_memory_categories c ON c.scope_id = r.scope_id AND c.id = r.category_id";
    format!(
        "{UNREAD}
DROP INDEX memu_segments_place;
DROP INDEX memu_item_segments_segment;
ALTER TABLE memu_segments RENAME TO old_segments;
ALTER TABLE memu_memory_items RENAME TO old_items;
ALTER TABLE memu_item_segments RENAME TO old_item_segments;
ALTER TABLE memu_category_items RENAME TO old_relations;
ALTER TABLE memu_changes RENAME TO old_changes;
{tables}
INSERT INTO memu_segments SELECT {meta}, r.resource_row, r.ordinal, r.session, r.topic, r.role,
    r.speaker, r.message_id, r.text, r.caption, r.topic_caption, r.span_start, r.span_end,
    r.happened_at, r.happened_at_text FROM old_segments r;
INSERT INTO memu_items SELECT {meta}, m.row, r.memory_type, r.summary, r.happened_at,
    r.happened_end, r.happened_precision, r.extra, r.embedding_json FROM old_items r
    LEFT JOIN memu_resources m ON m.scope_id = r.scope_id AND m.id = r.resource_id;
INSERT INTO memu_item_segments SELECT * FROM old_item_segments;
INSERT INTO memu_relations SELECT {meta}, i.row, c.row {pairs};
INSERT INTO memu_unread (scope_id, table_name, id, reason, content)
    SELECT scope_id, 'category_items', id, 'there is no such item or category',
    json_object('item_id', item_id, 'category_id', category_id) FROM old_relations r
    WHERE NOT EXISTS (SELECT 1 FROM memu_relations n WHERE n.row = r.row);
{CHANGES}
INSERT INTO memu_changes SELECT scope_id, seq,
    CASE operation WHEN 'insert' THEN 0 WHEN 'update' THEN 1 ELSE 2 END,
    CASE table_name WHEN 'resources' THEN 0 WHEN 'items' THEN 1 WHEN 'categories' THEN 2
        ELSE 3 END, {id} FROM old_changes r;
DROP TABLE old_changes;
DROP TABLE old_relations;
DROP TABLE old_item_segments;
DROP TABLE old_items;
DROP TABLE old_segments;
DROP TABLE memu_outlines;
{OUTLINES}
DROP TABLE memu_vector_bytes;
DROP TABLE memu_vector_signs;
{VECTOR_CODES}
{indexes}{views}",
        tables = packed_tables(),
        meta = meta(),
        id = key_of("r.id"),
        indexes = packed_indexes(),
        views = views::create(schema),
    )
}

/// Sums up what the replies that are there took: usage no longer goes with them.
fn to_3(_: &ScopeSchema) -> String {
    let usage = |name: &str| format!("coalesce(sum(usage_json ->> '{name}'), 0)");
    format!(
        "ALTER TABLE memu_model_replies ADD COLUMN source_json TEXT;
{MODEL_USAGE}
INSERT INTO memu_model_usage SELECT scope_id, substr(created_at, 1, 10), model_profile,
    model_provider || '/' || model_name, step_name, count(*), sum(reply_state = 'failed'),
    {}, {}, {}, {} FROM memu_model_replies GROUP BY 1, 2, 3, 4, 5;",
        usage("input_tokens"),
        usage("output_tokens"),
        usage("cost"),
        usage("latency"),
    )
}

/// From schema 3 to 4: moves the blocks of outlines out of their index, those of no scope left
/// out.
pub(in crate::sqlite) fn outlines_moved() -> String {
    format!(
        "ALTER TABLE memu_outlines RENAME TO old_outlines;
{OUTLINES}
INSERT INTO memu_outlines SELECT scope_id, owner_kind, first_row, seq, body FROM old_outlines
    WHERE scope_id IN (SELECT scope_id FROM memu_scopes);
DROP TABLE old_outlines;"
    )
}

/// The packed form of what every record `r` began with.
fn meta() -> String {
    let created = micros_of("r.created_at");
    format!(
        "r.row, r.scope_id, {}, {created}, {} - {created}, r.revision, r.valid_from, r.valid_to,
    r.superseded_by",
        key_of("r.id"),
        micros_of("r.updated_at"),
    )
}

/// An id that is a UUID as its 16 bytes.
fn key_of(id: &str) -> String {
    let bytes = format!("unhex(replace({id}, '-', ''))");
    format!(
        "CASE WHEN length({id}) = 36 AND {id} = lower({id}) AND length({bytes}) = 16
    AND {id} GLOB '????????-????-????-????-????????????' THEN {bytes} ELSE {id} END"
    )
}

fn micros_of(time: &str) -> String {
    format!("(unixepoch(substr({time}, 1, 19)) * 1000000 + CAST(substr({time}, 21, 6) AS INTEGER))")
}
