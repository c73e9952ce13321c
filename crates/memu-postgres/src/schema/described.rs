//! What the tables are, as data: they are made from it, and compared with it.

use memu_core::scope::ScopeSchema;

use super::parts::{
    Column, Index, Reference, Table, columns, index, scoped_table, some, store_table, unique,
};

/// What numbers scopes and records in the order in which they come.
pub(crate) const SEQUENCES: [&str; 2] = ["memu_lives", "memu_places"];

/// The columns that records begin with.
const META: &str = "scope_key uuid, place bigint, id text, created_at timestamptz, \
                    updated_at timestamptz, revision bigint, valid_from timestamptz?, \
                    valid_to timestamptz?, superseded_by text?";

const BY_PLACE: &[&str] = &["scope_key", "place"];
const BY_ID: &[&str] = &["scope_key", "id"];

/// All tables but those of vectors, in an order in which they can be made.
pub(crate) fn tables(schema: &ScopeSchema) -> Vec<Table> {
    let fields: Vec<Column> = schema
        .fields()
        .map(|field| Column {
            name: field.to_owned(),
            sql_type: "text".to_owned(),
            optional: true,
        })
        .collect();
    let mut all = vec![meta(), sets(), scopes(&fields)];
    all.extend(records(&fields));
    all.extend(beside());
    all
}

/// The table of what is known of the store itself.
pub(super) fn meta() -> Table {
    store_table("memu_meta", "key text, value text", &["key"], &[])
}

/// The table of embedding sets.
pub(super) fn sets() -> Table {
    store_table(
        "memu_embedding_sets",
        "set_id bigint, provider text, model text, dimension bigint, set_state text",
        &["set_id"],
        const {
            &[
                unique(
                    "memu_embedding_sets_identity",
                    &["provider", "model", "dimension"],
                ),
                Index {
                    only: "set_state = 'active'",
                    ..unique("memu_embedding_sets_active", &["set_state"])
                },
            ]
        },
    )
}

fn scopes(fields: &[Column]) -> Table {
    let mut table = scoped_table(
        "memu_scopes",
        "scope_key uuid, life bigint",
        &["scope_key"],
        &[],
    );
    table.columns.extend_from_slice(fields);
    table
        .columns
        .extend(columns("seq bigint, derived_seq bigint"));
    table
}

/// The tables of records, which have the scope's fields.
// One table after another; there is nothing to take apart.
#[allow(clippy::too_many_lines)]
fn records(fields: &[Column]) -> Vec<Table> {
    let record = |name, own, indexes, references| {
        let mut table = scoped_table(name, META, BY_PLACE, indexes);
        table.columns.extend_from_slice(fields);
        table.columns.extend(columns(own));
        table.references = references;
        table
    };
    vec![
        record(
            "resources",
            "url text, modality text, local_path text, caption text?, content_hash bytea, \
             external_id text?, segment_count bigint",
            const {
                &[
                    unique("resources_id", BY_ID),
                    index("resources_content", &["scope_key", "content_hash"]),
                    index("resources_url", &["scope_key", "md5(url)"]),
                    some(
                        "resources_external",
                        &["scope_key", "md5(external_id)"],
                        "external_id IS NOT NULL",
                    ),
                ]
            },
            &[],
        ),
        record(
            "memu_segments",
            "resource_id text, ordinal bigint, session bigint, topic bigint, role text?, \
             speaker text?, message_id text?, text text, caption text?, topic_caption text?, \
             span_start bigint?, span_end bigint?, happened_at timestamp?, \
             happened_at_text text?",
            const {
                &[
                    unique("memu_segments_id", BY_ID),
                    unique(
                        "memu_segments_ordinal",
                        &["scope_key", "resource_id", "ordinal"],
                    ),
                ]
            },
            const { &[OF_RESOURCE] },
        ),
        record(
            "memory_items",
            "resource_id text?, memory_type text, summary text, happened_at timestamp?, \
             happened_end timestamp?, happened_precision text?, extra jsonb",
            const {
                &[
                    unique("memory_items_id", BY_ID),
                    some(
                        "memory_items_resource",
                        &["scope_key", "resource_id"],
                        "resource_id IS NOT NULL",
                    ),
                ]
            },
            const { &[OF_RESOURCE] },
        ),
        record(
            "memory_categories",
            "name text, description text, summary text?",
            const {
                &[
                    unique("memory_categories_id", BY_ID),
                    index("memory_categories_name", &["scope_key", "md5(name)"]),
                ]
            },
            &[],
        ),
        record(
            "category_items",
            "item_id text, category_id text",
            const {
                &[
                    unique("category_items_id", BY_ID),
                    unique(
                        "category_items_pair",
                        &["scope_key", "item_id", "category_id"],
                    ),
                    index("category_items_category", &["scope_key", "category_id"]),
                ]
            },
            const {
                &[
                    Reference {
                        columns: &["scope_key", "item_id"],
                        table: "memory_items",
                        of: BY_ID,
                    },
                    Reference {
                        columns: &["scope_key", "category_id"],
                        table: "memory_categories",
                        of: BY_ID,
                    },
                ]
            },
        ),
        record(
            "memu_model_replies",
            "resource_id text?, content_hash bytea?, step_name text, model_profile text, \
             model_provider text, model_name text, prompt_hash bytea, request_hash bytea, \
             reply_text text, usage_json jsonb, finish_reason text?, reply_state text, \
             error_text text?, source_json jsonb?",
            const {
                &[
                    unique("memu_model_replies_id", BY_ID),
                    index("memu_model_replies_request", &["scope_key", "request_hash"]),
                    index("memu_model_replies_state", &["scope_key", "reply_state"]),
                    some(
                        "memu_model_replies_resource",
                        &["scope_key", "resource_id"],
                        "resource_id IS NOT NULL",
                    ),
                    some(
                        "memu_model_replies_content",
                        &["scope_key", "content_hash"],
                        "content_hash IS NOT NULL",
                    ),
                ]
            },
            &[],
        ),
    ]
}

const OF_RESOURCE: Reference = Reference {
    columns: &["scope_key", "resource_id"],
    table: "resources",
    of: BY_ID,
};

/// What lies beside the records.
fn beside() -> Vec<Table> {
    let mut citations = scoped_table(
        "memu_item_segments",
        "scope_key uuid, item_place bigint, ordinal bigint, segment_place bigint",
        &["scope_key", "item_place", "ordinal"],
        const {
            &[index(
                "memu_item_segments_segment",
                &["scope_key", "segment_place"],
            )]
        },
    );
    citations.references = const {
        &[
            Reference {
                columns: &["scope_key", "item_place"],
                table: "memory_items",
                of: BY_PLACE,
            },
            Reference {
                columns: &["scope_key", "segment_place"],
                table: "memu_segments",
                of: BY_PLACE,
            },
        ]
    };
    vec![
        citations,
        scoped_table(
            "memu_model_usage",
            "scope_key uuid, day text, model_profile text, model_name text, step_name text, \
             calls bigint, unusable bigint, input_tokens bigint, output_tokens bigint, \
             cost float8, seconds float8",
            &[
                "scope_key",
                "day",
                "model_profile",
                "model_name",
                "step_name",
            ],
            &[],
        ),
        scoped_table(
            "memu_blobs",
            "scope_key uuid, hash bytea, bytes bytea",
            &["scope_key", "hash"],
            &[],
        ),
        scoped_table(
            "memu_outlines",
            "scope_key uuid, owner_kind smallint, first_place bigint, entries bigint, \
             seq bigint, body bytea",
            &["scope_key", "owner_kind", "first_place"],
            &[],
        ),
        scoped_table(
            "memu_parts",
            "scope_key uuid, owner_kind smallint, first_place bigint, last_place bigint, \
             records bigint, seq bigint, summary bytea",
            &["scope_key", "owner_kind", "first_place"],
            &[],
        ),
        scoped_table(
            "memu_postings",
            "scope_key uuid, owner_kind smallint, first_place bigint, bucket bigint, \
             words bytea, lists bytea",
            &["scope_key", "owner_kind", "first_place", "bucket"],
            &[],
        ),
        scoped_table(
            "memu_entries",
            "scope_key uuid, owner_kind smallint, place bigint, length bigint, bare bytea, \
             whole bytea",
            &["scope_key", "owner_kind", "place"],
            &[],
        ),
        scoped_table(
            "memu_changes",
            "scope_key uuid, seq bigint, operation smallint, table_number smallint, id text",
            &["scope_key", "seq"],
            &[],
        ),
        scoped_table(
            "memu_unread",
            "scope_key uuid, number bigint, table_name text, id text, reason text, content text",
            &["scope_key", "number"],
            &[],
        ),
    ]
}

/// The table of the vectors of a set.
pub(crate) fn vectors(set: u32, dimension: u32) -> Table {
    Table {
        name: format!("memu_vectors_{set}"),
        ..scoped_table(
            "",
            &format!(
                "scope_key uuid, owner_kind smallint, owner_place bigint, \
                 embedding vector({dimension})"
            ),
            &["scope_key", "owner_kind", "owner_place"],
            &[],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cluster distributes by the scope, so nothing may be found, kept unique or referred
    /// to without it.
    #[test]
    fn every_key_and_index_of_a_scope_leads_by_it() {
        let schema = ScopeSchema::new(["user_id", "agent_id"]).unwrap();
        let mut scoped = 0;
        for table in tables(&schema).into_iter().chain([vectors(7, 3)]) {
            let leads = |columns: &[&str]| columns.first() == Some(&"scope_key");
            assert!(!table.columns.is_empty(), "{table:?}");
            if !table.scoped {
                let has = table
                    .columns
                    .iter()
                    .any(|column| column.name == "scope_key");
                assert!(!has, "{table:?}");
                continue;
            }
            scoped += 1;
            assert_eq!(table.columns[0].name, "scope_key", "{table:?}");
            assert!(!table.columns[0].optional, "{table:?}");
            assert!(leads(table.primary), "{table:?}");
            for index in table.indexes {
                assert!(leads(index.columns), "{index:?}");
            }
            for reference in table.references {
                assert!(
                    leads(reference.columns) && leads(reference.of),
                    "{reference:?}"
                );
            }
        }
        assert_eq!(scoped, 17);
    }

    #[test]
    fn what_is_optional_says_so() {
        let resources = &records(&[])[0];
        let optional: Vec<&str> = resources
            .columns
            .iter()
            .filter(|column| column.optional)
            .map(|column| column.name.as_str())
            .collect();
        let expected = [
            "valid_from",
            "valid_to",
            "superseded_by",
            "caption",
            "external_id",
        ];
        assert_eq!(optional, expected);
    }
}
