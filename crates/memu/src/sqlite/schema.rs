//! The tables.
//!
//! `memu_resources` and `memu_memory_categories` have the original's columns, so that
//! programs written for it can read them, and ours beside them. Of items and relations there
//! are many, so they lie packed in `memu_items` and `memu_relations`; `memu_memory_items` and
//! `memu_category_items` are views of them that have the original's columns. `scope_id` is
//! the compact form of a scope; it leads every index and every reference, so that what one
//! scope does costs nothing for the size of another. `row` is the order of storing, in which
//! pages are read.

mod migrate;
mod views;

use memu_core::scope::ScopeSchema;

pub(super) use migrate::{MIGRATIONS, OUTLINES_BESIDE_THEIR_INDEX, READABLE_SINCE, outlines_moved};
pub(super) use views::{id_text, relation_id};

/// Marks our files: "MemU" in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x4D65_6D55;

/// The schema that this version writes; [`MIGRATIONS`] and [`outlines_moved`] lead to it.
pub(super) const VERSION: i32 = 4;

/// The columns of the scope fields.
fn scope_fields(schema: &ScopeSchema) -> String {
    schema.fields().fold(String::new(), |fields, field| {
        fields
            + "    \""
            + field
            + "\" TEXT,
"
    })
}

/// Items; `extra` is JSON, or the content hash alone as its 8 bytes.
const ITEMS: &str = "    resource_row INTEGER,
    memory_type TEXT NOT NULL,
    summary TEXT NOT NULL,
    happened_at TEXT,
    happened_end TEXT,
    happened_precision TEXT,
    extra ANY NOT NULL,
    embedding_json TEXT,
    UNIQUE (scope_id, key),
    UNIQUE (scope_id, row),
    FOREIGN KEY (scope_id, resource_row) REFERENCES memu_resources (scope_id, row)
) STRICT;
";

const ITEM_INDEXES: &str = "CREATE INDEX memu_items_resource ON memu_items (scope_id, resource_row)
    WHERE resource_row IS NOT NULL;
";

const SEGMENTS: &str = "    resource_row INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    session INTEGER NOT NULL,
    topic INTEGER NOT NULL,
    role TEXT,
    speaker TEXT,
    message_id TEXT,
    text TEXT NOT NULL,
    caption TEXT,
    topic_caption TEXT,
    span_start INTEGER,
    span_end INTEGER,
    happened_at TEXT,
    happened_at_text TEXT,
    UNIQUE (scope_id, key),
    UNIQUE (scope_id, row),
    FOREIGN KEY (scope_id, resource_row) REFERENCES memu_resources (scope_id, row)
        ON DELETE CASCADE
) STRICT;
";

const SEGMENT_INDEXES: &str =
    "CREATE UNIQUE INDEX memu_segments_place ON memu_segments (scope_id, resource_row, ordinal);
";

/// What models took, summed up; tokens and calls count, costs are in the profiles' currency.
const MODEL_USAGE: &str = "CREATE TABLE memu_model_usage (
    scope_id INTEGER NOT NULL REFERENCES memu_scopes (scope_id) ON DELETE CASCADE,
    day TEXT NOT NULL,
    model_profile TEXT NOT NULL,
    model_name TEXT NOT NULL,
    step_name TEXT NOT NULL,
    calls INTEGER NOT NULL,
    unusable INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost REAL NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (scope_id, day, model_profile, model_name, step_name)
) STRICT, WITHOUT ROWID;
";

const ITEM_SEGMENTS: &str = "CREATE TABLE memu_item_segments (
    scope_id INTEGER NOT NULL,
    item_row INTEGER NOT NULL,
    place INTEGER NOT NULL,
    segment_row INTEGER NOT NULL,
    PRIMARY KEY (scope_id, item_row, place),
    FOREIGN KEY (scope_id, item_row) REFERENCES memu_items (scope_id, row)
        ON DELETE CASCADE,
    FOREIGN KEY (scope_id, segment_row) REFERENCES memu_segments (scope_id, row)
        ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
";

const ITEM_SEGMENT_INDEXES: &str = "CREATE INDEX memu_item_segments_segment
    ON memu_item_segments (scope_id, segment_row);
";

/// Relations; a `key` is kept only where it is not made of those of item and category.
const RELATIONS: &str = "    item_row INTEGER NOT NULL,
    category_row INTEGER NOT NULL,
    UNIQUE (scope_id, row),
    FOREIGN KEY (scope_id, item_row) REFERENCES memu_items (scope_id, row)
        ON DELETE CASCADE,
    FOREIGN KEY (scope_id, category_row) REFERENCES memu_memory_categories (scope_id, row)
        ON DELETE CASCADE
) STRICT;
";

const RELATION_INDEXES: &str = "CREATE UNIQUE INDEX memu_relations_pair
    ON memu_relations (scope_id, item_row, category_row);
CREATE INDEX memu_relations_category ON memu_relations (scope_id, category_row);
CREATE UNIQUE INDEX memu_relations_key ON memu_relations (scope_id, key) WHERE key IS NOT NULL;
";

/// A table of packed records.
fn packed(table: &str, key: &str, own: &str) -> String {
    format!(
        "CREATE TABLE {table} (
    row INTEGER PRIMARY KEY,
    scope_id INTEGER NOT NULL REFERENCES memu_scopes (scope_id) ON DELETE CASCADE,
    {key},
    created_us INTEGER NOT NULL,
    updated_after INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    valid_from TEXT,
    valid_to TEXT,
    superseded_by TEXT,
{own}"
    )
}

/// The tables of packed records, without their indexes. Times are in microseconds since
/// 1970, the second one counted from the first; ids that are UUIDs are kept as 16 bytes.
fn packed_tables() -> String {
    let key = "key ANY NOT NULL";
    packed("memu_segments", key, SEGMENTS)
        + &packed("memu_items", key, ITEMS)
        + ITEM_SEGMENTS
        + &packed("memu_relations", "key ANY", RELATIONS)
}

/// The indexes of [`packed_tables`].
fn packed_indexes() -> String {
    [
        SEGMENT_INDEXES,
        ITEM_INDEXES,
        ITEM_SEGMENT_INDEXES,
        RELATION_INDEXES,
    ]
    .concat()
}

/// Changes of one kind that follow each other lie in one row, under the number of the
/// first: their ids are UUIDs of 16 bytes each. Any other id has a row of its own, as text.
const CHANGES: &str = "CREATE TABLE memu_changes (
    scope_id INTEGER NOT NULL REFERENCES memu_scopes (scope_id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    operation INTEGER NOT NULL,
    table_number INTEGER NOT NULL,
    ids ANY NOT NULL,
    PRIMARY KEY (scope_id, seq)
) STRICT, WITHOUT ROWID;";

/// Codes of vectors, and the bits of them that are needed for certainty only, in blocks.
const VECTOR_CODES: &str = "CREATE TABLE memu_vector_codes (
    row INTEGER PRIMARY KEY,
    scope_id INTEGER NOT NULL REFERENCES memu_scopes (scope_id) ON DELETE CASCADE,
    owner_kind INTEGER NOT NULL,
    set_id INTEGER NOT NULL REFERENCES memu_embedding_sets (set_id),
    first_row INTEGER NOT NULL,
    last_row INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (scope_id, owner_kind, set_id, first_row),
    UNIQUE (scope_id, row)
) STRICT;

CREATE TABLE memu_vector_low_bits (
    row INTEGER PRIMARY KEY,
    scope_id INTEGER NOT NULL REFERENCES memu_scopes (scope_id) ON DELETE CASCADE,
    codes_row INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (scope_id, codes_row),
    FOREIGN KEY (scope_id, codes_row) REFERENCES memu_vector_codes (scope_id, row)
        ON DELETE CASCADE
) STRICT;";

/// Blocks of outlines, under the row of their first record. They lie beside their index, not
/// in it: SQLite reads all of a row that it passes in an index on its way to another. The number
/// of their last change is in the index, for what has changed to be found without reading blocks.
const OUTLINES: &str = "CREATE TABLE memu_outlines (
    scope_id INTEGER NOT NULL REFERENCES memu_scopes (scope_id) ON DELETE CASCADE,
    owner_kind INTEGER NOT NULL,
    first_row INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (scope_id, owner_kind, first_row, seq)
) STRICT;";

/// What an upgrade could not take over, word for word. It goes with the scope where
/// that is known.
const UNREAD: &str = "CREATE TABLE memu_unread (
    row INTEGER PRIMARY KEY,
    scope_id INTEGER REFERENCES memu_scopes (scope_id) ON DELETE CASCADE,
    table_name TEXT NOT NULL,
    id TEXT NOT NULL,
    reason TEXT NOT NULL,
    content TEXT NOT NULL
) STRICT;
CREATE INDEX memu_unread_scope ON memu_unread (scope_id);
";

/// The tables of records that the original has, too.
pub(super) const RECORD_TABLES: [&str; 4] = [
    "memu_resources",
    "memu_items",
    "memu_memory_categories",
    "memu_relations",
];

/// What the other record tables begin with.
const META: &str = "row INTEGER PRIMARY KEY,
    scope_id INTEGER NOT NULL REFERENCES memu_scopes (scope_id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    revision INTEGER NOT NULL,
    valid_from TEXT,
    valid_to TEXT,
    superseded_by TEXT";

/// Their keys: by id, and by order.
const KEYS: &str = "UNIQUE (scope_id, id),
    UNIQUE (scope_id, row)";

/// The statements that make an empty database.
// One statement after another; there is nothing to take apart.
#[allow(clippy::too_many_lines)]
pub(super) fn create(schema: &ScopeSchema) -> String {
    let fields = scope_fields(schema);
    format!(
        "CREATE TABLE memu_scopes (
    scope_id INTEGER PRIMARY KEY AUTOINCREMENT,
    scope_key BLOB NOT NULL UNIQUE,
{fields}    seq INTEGER NOT NULL,
    derived_seq INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE memu_resources (
    {META},
{fields}    url TEXT NOT NULL,
    modality TEXT NOT NULL,
    local_path TEXT NOT NULL,
    caption TEXT,
    embedding_json TEXT,
    content_hash BLOB NOT NULL,
    external_id TEXT,
    segment_count INTEGER NOT NULL,
    {KEYS}
) STRICT;
CREATE UNIQUE INDEX memu_resources_content ON memu_resources (scope_id, content_hash, modality);
CREATE INDEX memu_resources_url ON memu_resources (scope_id, url);
CREATE INDEX memu_resources_external ON memu_resources (scope_id, external_id)
    WHERE external_id IS NOT NULL;

CREATE TABLE memu_memory_categories (
    {META},
{fields}    name TEXT NOT NULL,
    description TEXT NOT NULL,
    summary TEXT,
    embedding_json TEXT,
    {KEYS}
) STRICT;
CREATE INDEX memu_memory_categories_name ON memu_memory_categories (scope_id, name);

{packed}{indexes}
CREATE TABLE memu_model_replies (
    {META},
{fields}    resource_id TEXT,
    content_hash BLOB,
    step_name TEXT NOT NULL,
    model_profile TEXT NOT NULL,
    model_provider TEXT NOT NULL,
    model_name TEXT NOT NULL,
    prompt_hash BLOB NOT NULL,
    request_hash BLOB NOT NULL,
    reply_text TEXT NOT NULL,
    usage_json TEXT NOT NULL,
    finish_reason TEXT,
    reply_state TEXT NOT NULL CHECK (reply_state IN ('received', 'parsed', 'failed')),
    error_text TEXT, source_json TEXT,
    {KEYS}
) STRICT;
CREATE INDEX memu_model_replies_request ON memu_model_replies (scope_id, request_hash);
CREATE INDEX memu_model_replies_state ON memu_model_replies (scope_id, reply_state);
CREATE INDEX memu_model_replies_resource ON memu_model_replies (scope_id, resource_id)
    WHERE resource_id IS NOT NULL;
CREATE INDEX memu_model_replies_content ON memu_model_replies (scope_id, content_hash)
    WHERE content_hash IS NOT NULL;
{MODEL_USAGE}
CREATE TABLE memu_blobs (
    row INTEGER PRIMARY KEY,
    scope_id INTEGER NOT NULL REFERENCES memu_scopes (scope_id) ON DELETE CASCADE,
    hash BLOB NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (scope_id, hash)
) STRICT;

CREATE TABLE memu_embedding_sets (
    set_id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    dimension INTEGER NOT NULL CHECK (dimension > 0),
    format TEXT NOT NULL CHECK (format IN ('f32', 'f16')),
    state TEXT NOT NULL CHECK (state IN ('building', 'active', 'retired')),
    UNIQUE (provider, model, dimension)
) STRICT;
CREATE UNIQUE INDEX memu_embedding_sets_active ON memu_embedding_sets (state)
    WHERE state = 'active';

CREATE TABLE memu_embeddings (
    row INTEGER PRIMARY KEY,
    scope_id INTEGER NOT NULL REFERENCES memu_scopes (scope_id) ON DELETE CASCADE,
    set_id INTEGER NOT NULL REFERENCES memu_embedding_sets (set_id),
    owner_kind INTEGER NOT NULL,
    owner_row INTEGER NOT NULL,
    vector BLOB NOT NULL,
    UNIQUE (scope_id, owner_kind, owner_row, set_id)
) STRICT;

{OUTLINES}

{VECTOR_CODES}

{CHANGES}

{UNREAD}
{views}
CREATE TABLE memu_meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO memu_meta VALUES ('created_by', 'memu {version}');

PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
",
        packed = packed_tables(),
        indexes = packed_indexes(),
        views = views::create(schema),
        version = env!("CARGO_PKG_VERSION"),
    )
}

#[cfg(test)]
mod tests;
