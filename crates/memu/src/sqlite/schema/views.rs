//! The original's tables of items and relations, as views of ours.

use memu_core::scope::ScopeSchema;

/// A key as the id that it stands for.
pub(in crate::sqlite) fn id_text(key: &str) -> String {
    format!(
        "CASE typeof({key}) WHEN 'blob' THEN lower(substr(hex({key}), 1, 8) || '-' || \
         substr(hex({key}), 9, 4) || '-' || substr(hex({key}), 13, 4) || '-' || \
         substr(hex({key}), 17, 4) || '-' || substr(hex({key}), 21)) ELSE {key} END"
    )
}

/// Microseconds since 1970 as text in the original's form, which sorts as time.
pub(in crate::sqlite) fn time_text(micros: &str) -> String {
    let fraction = format!("(({micros}) % 1000000 + 1000000) % 1000000");
    format!(
        "strftime('%Y-%m-%d %H:%M:%S', (({micros}) - {fraction}) / 1000000, 'unixepoch') \
         || printf('.%06d', {fraction})"
    )
}

/// The id of a relation in `memu_relations t` whose item and category have these ids.
pub(in crate::sqlite) fn relation_id(item: &str, category: &str) -> String {
    format!(
        "coalesce({}, substr({item}, 1, 18) || substr({category}, 19))",
        id_text("t.key")
    )
}

/// The views; whoever wrote for the original reads them as its tables.
pub(super) fn create(schema: &ScopeSchema) -> String {
    let fields = schema.fields().fold(String::new(), |fields, field| {
        fields + "    s.\"" + field + "\",\n"
    });
    let meta = |id: &str| {
        format!(
            "    t.row,
    t.scope_id,
    {id} AS id,
    {created} AS created_at,
    {updated} AS updated_at,
    t.revision,
    t.valid_from,
    t.valid_to,
    t.superseded_by,
{fields}",
            created = time_text("t.created_us"),
            updated = time_text("t.created_us + t.updated_after"),
        )
    };
    let item = id_text("i.key");
    format!(
        "CREATE VIEW memu_memory_items AS SELECT
{items}    (SELECT m.id FROM memu_resources m WHERE m.row = t.resource_row) AS resource_id,
    t.memory_type,
    t.summary,
    t.happened_at,
    t.happened_end,
    t.happened_precision,
    CASE typeof(t.extra) WHEN 'blob' THEN '{{\"content_hash\":\"' || lower(hex(t.extra)) || '\"}}'
        ELSE t.extra END AS extra,
    t.embedding_json
FROM memu_items t JOIN memu_scopes s ON s.scope_id = t.scope_id;

CREATE VIEW memu_category_items AS SELECT
{relations}    {item} AS item_id,
    c.id AS category_id,
    t.item_row,
    t.category_row
FROM memu_relations t JOIN memu_scopes s ON s.scope_id = t.scope_id
JOIN memu_items i ON i.row = t.item_row JOIN memu_memory_categories c ON c.row = t.category_row;
",
        items = meta(&id_text("t.key")),
        relations = meta(&relation_id(&item, "c.id")),
    )
}
