//! Filters as SQL; what each kind of record shows is the table at
//! [`Query`](memu_core::store::Query).

use memu_core::filter::{Field, Filter, Operand, Test};
use memu_core::time::Timestamp;
use rusqlite::types::Value;

/// A piece of SQL with its parameters, which are numbered by their order.
#[derive(Debug, Default)]
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) parameters: Vec<Value>,
}

impl Sql {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Appends a parameter.
    pub(super) fn bind(&mut self, value: impl Into<Value>) {
        self.parameters.push(value.into());
        self.text.push('?');
        self.text.push_str(&self.parameters.len().to_string());
    }
}

/// Where a kind of record, in a table named `t`, has the values of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// In an expression of its own row; null for none.
    Own(&'static str),
    /// In an expression of its own row, as microseconds since 1970.
    Micros(&'static str),
    /// In these columns of other rows.
    Others {
        from: &'static str,
        columns: &'static [&'static str],
    },
    /// Nowhere.
    Nowhere,
}

const ITEMS_OF_RESOURCE: &str =
    "memu_items i WHERE i.scope_id = t.scope_id AND i.resource_row = t.row";
const CITING_ITEMS: &str = "memu_item_segments x JOIN memu_items i ON i.row = x.item_row \
                            WHERE x.scope_id = t.scope_id AND x.segment_row = t.row";
const FILED_ITEMS: &str = "memu_relations r JOIN memu_items i ON i.row = r.item_row \
                           WHERE r.scope_id = t.scope_id AND r.category_row = t.row";
const CATEGORIES_OF_RESOURCE: &str = "memu_items i JOIN memu_relations r \
     ON r.scope_id = i.scope_id AND r.item_row = i.row JOIN memu_memory_categories c \
     ON c.row = r.category_row \
     WHERE i.scope_id = t.scope_id AND i.resource_row = t.row";
const CATEGORIES_OF_CITING: &str = "memu_item_segments x JOIN memu_items i \
     ON i.row = x.item_row JOIN memu_relations r ON r.scope_id = i.scope_id \
     AND r.item_row = i.row JOIN memu_memory_categories c ON c.row = r.category_row \
     WHERE x.scope_id = t.scope_id AND x.segment_row = t.row";
const CATEGORIES_OF_ITEM: &str = "memu_relations r JOIN memu_memory_categories c \
     ON c.row = r.category_row WHERE r.scope_id = t.scope_id AND r.item_row = t.row";
const RESOURCES_OF_FILED: &str = "memu_relations r JOIN memu_items i \
     ON i.row = r.item_row JOIN memu_resources m \
     ON m.row = i.resource_row \
     WHERE r.scope_id = t.scope_id AND r.category_row = t.row";
const ITEM_OF_RELATION: &str = "memu_items i WHERE i.row = t.item_row";
const RESOURCE_OF_RELATION: &str = "memu_items i JOIN memu_resources m \
     ON m.row = i.resource_row \
     WHERE i.row = t.item_row";
const CATEGORY_OF_RELATION: &str = "memu_memory_categories c WHERE c.row = t.category_row";

const RESOURCE_OF_I: &str = "(SELECT m.id FROM memu_resources m WHERE m.row = i.resource_row)";

const CATEGORY: &[&str] = &["c.id", "c.name"];

/// Where a table has the values of a field.
pub(super) fn place(table: &str, field: &Field) -> Place {
    let others = |from, columns| Place::Others { from, columns };
    match (table, field) {
        ("memu_segments" | "memu_items" | "memu_relations", Field::CreatedAt) => {
            Place::Micros("t.created_us")
        }
        ("memu_segments" | "memu_items" | "memu_relations", Field::UpdatedAt) => {
            Place::Micros("(t.created_us + t.updated_after)")
        }
        (_, Field::CreatedAt) => Place::Own("t.created_at"),
        (_, Field::UpdatedAt) => Place::Own("t.updated_at"),
        ("memu_resources", Field::ResourceId) => Place::Own("t.id"),
        ("memu_resources", Field::Modality) => Place::Own("t.modality"),
        ("memu_resources", Field::MemoryType) => others(ITEMS_OF_RESOURCE, &["i.memory_type"]),
        ("memu_resources", Field::Category) => others(CATEGORIES_OF_RESOURCE, CATEGORY),
        ("memu_segments" | "memu_items", Field::ResourceId) => {
            Place::Own("(SELECT m.id FROM memu_resources m WHERE m.row = t.resource_row)")
        }
        ("memu_segments" | "memu_items", Field::Modality) => {
            Place::Own("(SELECT m.modality FROM memu_resources m WHERE m.row = t.resource_row)")
        }
        ("memu_segments", Field::MemoryType) => others(CITING_ITEMS, &["i.memory_type"]),
        ("memu_segments", Field::Category) => others(CATEGORIES_OF_CITING, CATEGORY),
        ("memu_segments" | "memu_items", Field::HappenedAt) => Place::Own("t.happened_at"),
        ("memu_model_replies", Field::ResourceId) => Place::Own("t.resource_id"),
        ("memu_model_replies", Field::Modality) => Place::Own(
            "(SELECT m.modality FROM memu_resources m WHERE m.scope_id = t.scope_id \
             AND m.id = t.resource_id)",
        ),
        ("memu_items", Field::MemoryType) => Place::Own("t.memory_type"),
        ("memu_items", Field::Category) => others(CATEGORIES_OF_ITEM, CATEGORY),
        ("memu_memory_categories", Field::ResourceId) => others(FILED_ITEMS, &[RESOURCE_OF_I]),
        ("memu_memory_categories", Field::Modality) => others(RESOURCES_OF_FILED, &["m.modality"]),
        ("memu_memory_categories", Field::MemoryType) => others(FILED_ITEMS, &["i.memory_type"]),
        ("memu_memory_categories", Field::Category) => {
            others("(SELECT t.id, t.name) c WHERE 1", CATEGORY)
        }
        ("memu_relations", Field::HappenedAt) => others(ITEM_OF_RELATION, &["i.happened_at"]),
        ("memu_relations", Field::ResourceId) => others(ITEM_OF_RELATION, &[RESOURCE_OF_I]),
        ("memu_relations", Field::Modality) => others(RESOURCE_OF_RELATION, &["m.modality"]),
        ("memu_relations", Field::MemoryType) => others(ITEM_OF_RELATION, &["i.memory_type"]),
        ("memu_relations", Field::Category) => others(CATEGORY_OF_RELATION, CATEGORY),
        _ => Place::Nowhere,
    }
}

/// Appends ` AND …` for every condition of the filter that is not about the scope.
pub(super) fn push_conditions(sql: &mut Sql, table: &str, filter: &Filter) {
    for condition in filter.record_part().conditions() {
        sql.push(" AND ");
        push_test(sql, place(table, &condition.field), &condition.test);
    }
}

/// Appends the conditions on scope fields, for `memu_scopes`.
pub(super) fn push_scope_conditions(sql: &mut Sql, filter: &Filter) {
    for condition in filter.conditions() {
        if let Field::Scope(name) = &condition.field {
            sql.push(" AND ");
            let column = format!("t.\"{name}\"");
            push_any(sql, Column::text(&column), &condition.test);
        }
    }
}

/// A value in SQL, and how times are given to be compared with it.
#[derive(Clone, Copy)]
struct Column<'c> {
    sql: &'c str,
    time: fn(i64) -> Value,
}

impl<'c> Column<'c> {
    /// With times as text.
    fn text(sql: &'c str) -> Self {
        Self { sql, time }
    }
}

fn is_negative(test: &Test) -> bool {
    matches!(test, Test::Ne(_) | Test::NotIn(_) | Test::IsNull(true))
}

fn push_test(sql: &mut Sql, place: Place, test: &Test) {
    match place {
        Place::Own(column) => push_any(sql, Column::text(column), test),
        Place::Micros(column) => {
            let micros = Column {
                sql: column,
                time: |micros| Value::Integer(micros),
            };
            push_any(sql, micros, test);
        }
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
                push_positive(sql, Column::text(column), test);
            }
            sql.push("))");
        }
        Place::Nowhere => sql.push(if is_negative(test) { "1" } else { "0" }),
    }
}

/// The test on a single value that may be null.
fn push_any(sql: &mut Sql, column: Column<'_>, test: &Test) {
    sql.push(if is_negative(test) {
        "NOT coalesce("
    } else {
        "coalesce("
    });
    push_positive(sql, column, test);
    sql.push(", 0)");
}

/// What some value must satisfy; for negative tests, what none may.
fn push_positive(sql: &mut Sql, column: Column<'_>, test: &Test) {
    match test {
        Test::Eq(operand) | Test::Ne(operand) => push_equal(sql, column, operand),
        Test::In(operands) | Test::NotIn(operands) => {
            sql.push("(");
            for (at, operand) in operands.iter().enumerate() {
                if at > 0 {
                    sql.push(" OR ");
                }
                push_equal(sql, column, operand);
            }
            sql.push(")");
        }
        Test::Gt(operand) => push_comparison(sql, column, operand, (">", ">="), true),
        Test::Gte(operand) => push_comparison(sql, column, operand, (">=", ">="), false),
        Test::Lt(operand) => push_comparison(sql, column, operand, ("<", "<"), false),
        Test::Lte(operand) => push_comparison(sql, column, operand, ("<=", "<"), true),
        Test::Contains(part) => {
            sql.push("instr(");
            sql.push(column.sql);
            sql.push(", ");
            sql.bind(part.clone());
            sql.push(") > 0");
        }
        Test::IsNull(_) => {
            sql.push("(");
            sql.push(column.sql);
            sql.push(" IS NOT NULL)");
        }
    }
}

fn push_equal(sql: &mut Sql, column: Column<'_>, operand: &Operand) {
    sql.push("(");
    sql.push(column.sql);
    match operand {
        Operand::Text(text) => {
            sql.push(" = ");
            sql.bind(text.clone());
        }
        Operand::Time(moment) => {
            sql.push(" >= ");
            sql.bind((column.time)(moment.start));
            sql.push(" AND ");
            sql.push(column.sql);
            sql.push(" < ");
            sql.bind((column.time)(moment.end));
        }
    }
    sql.push(")");
}

/// A comparison: with text by the first operator, with a span of time by the second,
/// against its end or its start.
fn push_comparison(
    sql: &mut Sql,
    column: Column<'_>,
    operand: &Operand,
    (of_text, of_time): (&str, &str),
    against_end: bool,
) {
    sql.push("(");
    sql.push(column.sql);
    sql.push(" ");
    match operand {
        Operand::Text(text) => {
            sql.push(of_text);
            sql.push(" ");
            sql.bind(text.clone());
        }
        Operand::Time(moment) => {
            sql.push(of_time);
            sql.push(" ");
            sql.bind((column.time)(if against_end {
                moment.end
            } else {
                moment.start
            }));
        }
    }
    sql.push(")");
}

/// A time as its columns hold it; the form sorts as time.
fn time(micros: i64) -> Value {
    Value::Text(Timestamp::from_micros(micros).to_string())
}
