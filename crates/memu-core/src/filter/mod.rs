//! The `where` language: which records are meant.
//!
//! A filter is a conjunction of conditions, written as a JSON object such as
//! `{"user_id": "alice", "memory_type__in": ["profile", "event"]}`. It fails
//! closed: an unknown field or operator, a `null`, an empty list or a value of the
//! wrong type is an error, never "everything".
//!
//! A field has a set of values on a record: one, none (null), or several (an item
//! has many categories; a segment has the types of the items that cite it). The
//! positive operators hold when *some* value satisfies them, `__ne` and `__nin`
//! when *none* is among those given (so they hold for null), and `__is_null` when
//! there is none.

mod moment;
mod parse;

pub use moment::Moment;

use std::fmt;
use std::sync::Arc;

use crate::scope::Scope;

/// What a condition is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// A scope field, by name.
    Scope(Arc<str>),
    /// The type of an item.
    MemoryType,
    /// The modality of a resource, or of the resource a record comes from.
    Modality,
    /// A category, by name or id.
    Category,
    /// The resource a record is or comes from.
    ResourceId,
    /// When the record was first stored.
    CreatedAt,
    /// When the record last changed.
    UpdatedAt,
    /// When what the record tells of happened.
    HappenedAt,
}

impl Field {
    /// The fields that are not scope fields.
    pub const RECORD: [Self; 7] = [
        Self::MemoryType,
        Self::Modality,
        Self::Category,
        Self::ResourceId,
        Self::CreatedAt,
        Self::UpdatedAt,
        Self::HappenedAt,
    ];

    /// The name, as written in a filter.
    pub fn name(&self) -> &str {
        match self {
            Self::Scope(name) => name,
            Self::MemoryType => "memory_type",
            Self::Modality => "modality",
            Self::Category => "category",
            Self::ResourceId => "resource_id",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::HappenedAt => "happened_at",
        }
    }

    /// Whether its values are times rather than text.
    pub fn is_time(&self) -> bool {
        matches!(self, Self::CreatedAt | Self::UpdatedAt | Self::HappenedAt)
    }
}

/// A value that a condition compares with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Text, compared byte by byte.
    Text(String),
    /// A span of time such as a day; see [`Moment`].
    Time(Moment),
}

/// How a condition compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// Some value equals the operand (for times: lies within it).
    Eq(Operand),
    /// No value equals the operand.
    Ne(Operand),
    /// Some value equals one of the operands.
    In(Vec<Operand>),
    /// No value equals any of the operands.
    NotIn(Vec<Operand>),
    /// Some value is greater (for times: at or after the operand's end).
    Gt(Operand),
    /// Some value is greater or equal (for times: at or after its start).
    Gte(Operand),
    /// Some value is less (for times: before its start).
    Lt(Operand),
    /// Some value is less or equal (for times: before its end).
    Lte(Operand),
    /// Some value contains this text, case-sensitively.
    Contains(String),
    /// There is no value (`true`), or there is one (`false`).
    IsNull(bool),
}

/// One condition of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What it is about.
    pub field: Field,
    /// How it compares.
    pub test: Test,
}

/// A conjunction of conditions. Empty, it holds for every record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    conditions: Vec<Condition>,
}

impl Filter {
    /// A filter of these conditions.
    pub fn new(conditions: Vec<Condition>) -> Self {
        Self { conditions }
    }

    /// The conditions, in the order in which they were written.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// The conditions on scope fields.
    #[must_use]
    pub fn scope_part(&self) -> Self {
        self.part(|field| matches!(field, Field::Scope(_)))
    }

    /// The conditions on anything but scope fields.
    #[must_use]
    pub fn record_part(&self) -> Self {
        self.part(|field| !matches!(field, Field::Scope(_)))
    }

    fn part(&self, keep: impl Fn(&Field) -> bool) -> Self {
        Self {
            conditions: self
                .conditions
                .iter()
                .filter(|condition| keep(&condition.field))
                .cloned()
                .collect(),
        }
    }

    /// Whether the filter holds for a record, whose values `facts` tells.
    pub fn matches(&self, facts: &dyn Facts) -> bool {
        let mut values = Vec::new();
        self.conditions.iter().all(|condition| {
            values.clear();
            facts.values(&condition.field, &mut values);
            condition.test.holds(&values)
        })
    }
}

/// A value of a record's field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Text.
    Text(&'a str),
    /// Microseconds since the epoch: UTC for stored instants, on the wall clock
    /// for events.
    Micros(i64),
}

/// Tells a filter the values of a record's fields.
pub trait Facts {
    /// Adds every value of `field` to `values`; none for null.
    fn values<'a>(&'a self, field: &Field, values: &mut Vec<Value<'a>>);
}

impl Facts for Scope {
    fn values<'a>(&'a self, field: &Field, values: &mut Vec<Value<'a>>) {
        if let Field::Scope(name) = field {
            values.extend(self.get(name).map(Value::Text));
        }
    }
}

impl Test {
    /// Whether the test holds for a field with these values.
    pub fn holds(&self, values: &[Value<'_>]) -> bool {
        let any = |test: &dyn Fn(&Value<'_>) -> bool| values.iter().any(test);
        match self {
            Self::Eq(operand) => any(&|value| operand.equals(value)),
            Self::Ne(operand) => !any(&|value| operand.equals(value)),
            Self::In(operands) => any(&|value| operands.iter().any(|o| o.equals(value))),
            Self::NotIn(operands) => !any(&|value| operands.iter().any(|o| o.equals(value))),
            Self::Gt(operand) => any(&|value| match (operand, value) {
                (Operand::Text(bound), Value::Text(text)) => *text > bound.as_str(),
                (Operand::Time(bound), Value::Micros(micros)) => *micros >= bound.end,
                _ => false,
            }),
            Self::Gte(operand) => any(&|value| match (operand, value) {
                (Operand::Text(bound), Value::Text(text)) => *text >= bound.as_str(),
                (Operand::Time(bound), Value::Micros(micros)) => *micros >= bound.start,
                _ => false,
            }),
            Self::Lt(operand) => any(&|value| match (operand, value) {
                (Operand::Text(bound), Value::Text(text)) => *text < bound.as_str(),
                (Operand::Time(bound), Value::Micros(micros)) => *micros < bound.start,
                _ => false,
            }),
            Self::Lte(operand) => any(&|value| match (operand, value) {
                (Operand::Text(bound), Value::Text(text)) => *text <= bound.as_str(),
                (Operand::Time(bound), Value::Micros(micros)) => *micros < bound.end,
                _ => false,
            }),
            Self::Contains(part) => {
                any(&|value| matches!(value, Value::Text(text) if text.contains(part.as_str())))
            }
            Self::IsNull(null) => values.is_empty() == *null,
        }
    }
}

impl Operand {
    fn equals(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Text(operand), Value::Text(text)) => operand == text,
            (Self::Time(moment), Value::Micros(micros)) => {
                (moment.start..moment.end).contains(micros)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Time(moment) => write!(f, "{moment}"),
        }
    }
}
