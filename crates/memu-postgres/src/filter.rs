//! Filters as SQL; what each kind of record shows is the table at
//! [`Query`](memu_core::store::Query).

use memu_core::filter::{Field, Filter, Operand, Test};

use crate::sql::Sql;
use crate::values::{Micros, OwnText};

/// Where a kind of record, in a table named `t`, has the values of a field.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In an expression of its own row; null for none.
    Own(&'static str),
    /// In these columns of other rows.
    Others {
        from: &'static str,
        columns: &'static [&'static str],
    },
    /// Nowhere.
    Nowhere,
}

const ITEMS_OF_RESOURCE: &str =
    "memory_items i WHERE i.scope_key = t.scope_key AND i.resource_id = t.id";
const CITING_ITEMS: &str = "memu_item_segments x JOIN memory_items i \
    ON i.scope_key = x.scope_key AND i.place = x.item_place \
    WHERE x.scope_key = t.scope_key AND x.segment_place = t.place";
const FILED_ITEMS: &str = "category_items r JOIN memory_items i \
    ON i.scope_key = r.scope_key AND i.id = r.item_id \
    WHERE r.scope_key = t.scope_key AND r.category_id = t.id";
const CATEGORIES_OF_RESOURCE: &str = "memory_items i JOIN category_items r \
    ON r.scope_key = i.scope_key AND r.item_id = i.id JOIN memory_categories c \
    ON c.scope_key = r.scope_key AND c.id = r.category_id \
    WHERE i.scope_key = t.scope_key AND i.resource_id = t.id";
const CATEGORIES_OF_CITING: &str = "memu_item_segments x JOIN memory_items i \
    ON i.scope_key = x.scope_key AND i.place = x.item_place JOIN category_items r \
    ON r.scope_key = i.scope_key AND r.item_id = i.id JOIN memory_categories c \
    ON c.scope_key = r.scope_key AND c.id = r.category_id \
    WHERE x.scope_key = t.scope_key AND x.segment_place = t.place";
const CATEGORIES_OF_ITEM: &str = "category_items r JOIN memory_categories c \
    ON c.scope_key = r.scope_key AND c.id = r.category_id \
    WHERE r.scope_key = t.scope_key AND r.item_id = t.id";
const RESOURCES_OF_FILED: &str = "category_items r JOIN memory_items i \
    ON i.scope_key = r.scope_key AND i.id = r.item_id JOIN resources m \
    ON m.scope_key = i.scope_key AND m.id = i.resource_id \
    WHERE r.scope_key = t.scope_key AND r.category_id = t.id";
const ITEM_OF_RELATION: &str =
    "memory_items i WHERE i.scope_key = t.scope_key AND i.id = t.item_id";
const RESOURCE_OF_RELATION: &str = "memory_items i JOIN resources m \
    ON m.scope_key = i.scope_key AND m.id = i.resource_id \
    WHERE i.scope_key = t.scope_key AND i.id = t.item_id";
const CATEGORY_OF_RELATION: &str =
    "memory_categories c WHERE c.scope_key = t.scope_key AND c.id = t.category_id";
const MODALITY: &str = "(SELECT m.modality FROM resources m \
    WHERE m.scope_key = t.scope_key AND m.id = t.resource_id)";

const CATEGORY: &[&str] = &["c.id", "c.name"];

/// Where a table has the values of a field.
fn place(table: &str, field: &Field) -> Place {
    let others = |from, columns| Place::Others { from, columns };
    match (table, field) {
        (_, Field::CreatedAt) => Place::Own("t.created_at"),
        (_, Field::UpdatedAt) => Place::Own("t.updated_at"),
        ("resources", Field::ResourceId) => Place::Own("t.id"),
        ("resources", Field::Modality) => Place::Own("t.modality"),
        ("resources", Field::MemoryType) => others(ITEMS_OF_RESOURCE, &["i.memory_type"]),
        ("resources", Field::Category) => others(CATEGORIES_OF_RESOURCE, CATEGORY),
        ("memu_segments" | "memory_items" | "memu_model_replies", Field::ResourceId) => {
            Place::Own("t.resource_id")
        }
        ("memu_segments" | "memory_items" | "memu_model_replies", Field::Modality) => {
            Place::Own(MODALITY)
        }
        ("memu_segments", Field::MemoryType) => others(CITING_ITEMS, &["i.memory_type"]),
        ("memu_segments", Field::Category) => others(CATEGORIES_OF_CITING, CATEGORY),
        ("memu_segments" | "memory_items", Field::HappenedAt) => Place::Own("t.happened_at"),
        ("memory_items", Field::MemoryType) => Place::Own("t.memory_type"),
        ("memory_items", Field::Category) => others(CATEGORIES_OF_ITEM, CATEGORY),
        ("memory_categories", Field::ResourceId) => others(FILED_ITEMS, &["i.resource_id"]),
        ("memory_categories", Field::Modality) => others(RESOURCES_OF_FILED, &["m.modality"]),
        ("memory_categories", Field::MemoryType) => others(FILED_ITEMS, &["i.memory_type"]),
        ("memory_categories", Field::Category) => {
            others("(SELECT t.id, t.name) c WHERE true", CATEGORY)
        }
        ("category_items", Field::HappenedAt) => others(ITEM_OF_RELATION, &["i.happened_at"]),
        ("category_items", Field::ResourceId) => others(ITEM_OF_RELATION, &["i.resource_id"]),
        ("category_items", Field::Modality) => others(RESOURCE_OF_RELATION, &["m.modality"]),
        ("category_items", Field::MemoryType) => others(ITEM_OF_RELATION, &["i.memory_type"]),
        ("category_items", Field::Category) => others(CATEGORY_OF_RELATION, CATEGORY),
        _ => Place::Nowhere,
    }
}

/// Appends ` AND …` for every condition of the filter that is not about the scope.
pub(crate) fn push_conditions(sql: &mut Sql<'_>, table: &str, filter: &Filter) {
    for condition in filter.record_part().conditions() {
        sql.push(" AND ");
        let kind = Kind::of(&condition.field);
        push_test(sql, place(table, &condition.field), kind, &condition.test);
    }
}

/// Appends the conditions on scope fields, for `memu_scopes t`.
pub(crate) fn push_scope_conditions(sql: &mut Sql<'_>, filter: &Filter) {
    for condition in filter.conditions() {
        if let Field::Scope(name) = &condition.field {
            sql.push(" AND ");
            push_any(sql, &format!("t.\"{name}\""), Kind::Text, &condition.test);
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// An instant.
    Instant,
    /// A reading of the wall clock.
    Civil,
}

impl Kind {
    fn of(field: &Field) -> Self {
        match field {
            Field::CreatedAt | Field::UpdatedAt => Self::Instant,
            Field::HappenedAt => Self::Civil,
            _ => Self::Text,
        }
    }

    /// What a parameter that is compared with the column is said to be.
    fn cast(self) -> &'static str {
        match self {
            Self::Text => "::text",
            Self::Instant => "::timestamptz",
            Self::Civil => "::timestamp",
        }
    }
}

fn is_negative(test: &Test) -> bool {
    matches!(test, Test::Ne(_) | Test::NotIn(_) | Test::IsNull(true))
}

fn push_test(sql: &mut Sql<'_>, place: Place, kind: Kind, test: &Test) {
    match place {
        Place::Own(column) => push_any(sql, column, kind, test),
        Place::Others { from, columns } => {
            sql.push(if is_negative(test) {
                "NOT EXISTS (SELECT 1 FROM "
            } else {
                "EXISTS (SELECT 1 FROM "
            });
            sql.push(from);
            sql.push(" AND (");
            for (at, column) in columns.iter().enumerate() {
                if at > 0 {
                    sql.push(" OR ");
                }
                push_positive(sql, column, kind, test);
            }
            sql.push("))");
        }
        Place::Nowhere => sql.push(if is_negative(test) { "true" } else { "false" }),
    }
}

/// The test on a single value that may be null.
fn push_any(sql: &mut Sql<'_>, column: &str, kind: Kind, test: &Test) {
    sql.push(if is_negative(test) {
        "NOT coalesce("
    } else {
        "coalesce("
    });
    push_positive(sql, column, kind, test);
    sql.push(", false)");
}

/// What some value must satisfy; for negative tests, what none may.
fn push_positive(sql: &mut Sql<'_>, column: &str, kind: Kind, test: &Test) {
    match test {
        Test::Eq(operand) | Test::Ne(operand) => push_equal(sql, column, kind, operand),
        Test::In(operands) | Test::NotIn(operands) => {
            sql.push("(");
            for (at, operand) in operands.iter().enumerate() {
                if at > 0 {
                    sql.push(" OR ");
                }
                push_equal(sql, column, kind, operand);
            }
            sql.push(")");
        }
        Test::Gt(operand) => push_comparison(sql, (column, kind), operand, (">", ">="), true),
        Test::Gte(operand) => push_comparison(sql, (column, kind), operand, (">=", ">="), false),
        Test::Lt(operand) => push_comparison(sql, (column, kind), operand, ("<", "<"), false),
        Test::Lte(operand) => push_comparison(sql, (column, kind), operand, ("<=", "<"), true),
        Test::Contains(part) => {
            sql.push("strpos(");
            sql.push(column);
            sql.push(", ");
            sql.bind(OwnText(part.clone()));
            sql.push(") > 0");
        }
        Test::IsNull(_) => {
            sql.push("(");
            sql.push(column);
            sql.push(" IS NOT NULL)");
        }
    }
}

fn push_equal(sql: &mut Sql<'_>, column: &str, kind: Kind, operand: &Operand) {
    sql.push("(");
    sql.push(column);
    match operand {
        Operand::Text(text) => {
            sql.push(" = ");
            sql.bind(OwnText(text.clone()));
        }
        Operand::Time(moment) => {
            sql.push(" >= ");
            bind_time(sql, moment.start, kind);
            sql.push(" AND ");
            sql.push(column);
            sql.push(" < ");
            bind_time(sql, moment.end, kind);
        }
    }
    sql.push(")");
}

fn bind_time(sql: &mut Sql<'_>, micros: i64, kind: Kind) {
    sql.bind(Micros(micros));
    sql.push(kind.cast());
}

/// A comparison: with text by the first operator, with a span of time by the second,
/// against its end or its start.
fn push_comparison(
    sql: &mut Sql<'_>,
    (column, kind): (&str, Kind),
    operand: &Operand,
    (of_text, of_time): (&str, &str),
    against_end: bool,
) {
    sql.push("(");
    sql.push(column);
    sql.push(" ");
    match operand {
        Operand::Text(text) => {
            sql.push(of_text);
            sql.push(" ");
            sql.bind(OwnText(text.clone()));
        }
        Operand::Time(moment) => {
            sql.push(of_time);
            sql.push(" ");
            let bound = if against_end {
                moment.end
            } else {
                moment.start
            };
            bind_time(sql, bound, kind);
        }
    }
    sql.push(")");
}
