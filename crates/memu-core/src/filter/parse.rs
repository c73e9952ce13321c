use serde_json::{Map, Value as Json};

use super::{Condition, Field, Filter, Moment, Operand, Test};
use crate::error::{Error, Result};
use crate::scope::{MAX_SCOPE_VALUE_BYTES, ScopeSchema, scalar_text};

/// The operators, as they follow a field's name.
const OPERATORS: [&str; 9] = [
    "__in",
    "__nin",
    "__ne",
    "__gt",
    "__gte",
    "__lt",
    "__lte",
    "__contains",
    "__is_null",
];

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// [`ErrorKind::Filter`](crate::ErrorKind::Filter) for an unknown field or
    /// operator (the message lists the valid ones), a `null`, an empty list, or a
    /// value that does not suit the field.
    pub fn parse(object: &Map<String, Json>, schema: &ScopeSchema) -> Result<Self> {
        object
            .iter()
            .map(|(key, value)| condition(key, value, schema))
            .collect::<Result<_>>()
            .map(Self::new)
    }
}

fn condition(key: &str, value: &Json, schema: &ScopeSchema) -> Result<Condition> {
    let (name, operator) = match key.split_once("__") {
        Some((name, operator)) => (name, Some(operator)),
        None => (key, None),
    };
    let field = field(name, schema)?;
    if value.is_null() {
        return Err(Error::filter(format!(
            "{key} is null; leave the field out, or use {name}__is_null"
        )));
    }
    let test = match operator {
        None => Test::Eq(operand(&field, key, value)?),
        Some("ne") => Test::Ne(operand(&field, key, value)?),
        Some("in") => Test::In(operands(&field, key, value)?),
        Some("nin") => Test::NotIn(operands(&field, key, value)?),
        Some("gt") => Test::Gt(operand(&field, key, value)?),
        Some("gte") => Test::Gte(operand(&field, key, value)?),
        Some("lt") => Test::Lt(operand(&field, key, value)?),
        Some("lte") => Test::Lte(operand(&field, key, value)?),
        Some("contains") => Test::Contains(contained(&field, key, value)?),
        Some("is_null") => Test::IsNull(
            value
                .as_bool()
                .ok_or_else(|| Error::filter(format!("{key} takes true or false, not {value}")))?,
        ),
        Some(unknown) => {
            return Err(Error::filter(format!(
                "unknown operator \"__{unknown}\" in {key:?}; use {}",
                OPERATORS.join(", ")
            )));
        }
    };
    Ok(Condition { field, test })
}

fn field(name: &str, schema: &ScopeSchema) -> Result<Field> {
    if schema.position(name).is_some() {
        return Ok(Field::Scope(name.into()));
    }
    Field::RECORD
        .into_iter()
        .find(|field| field.name() == name)
        .ok_or_else(|| {
            let valid: Vec<String> = schema
                .fields()
                .map(str::to_owned)
                .chain(Field::RECORD.iter().map(|field| field.name().to_owned()))
                .collect();
            Error::filter(format!(
                "unknown filter field {name:?}; use {}",
                valid.join(", ")
            ))
        })
}

fn operand(field: &Field, key: &str, value: &Json) -> Result<Operand> {
    let unsuitable =
        |found: &str| Error::filter(format!("{key} takes a single value, not {found}"));
    let text = scalar_text(value)
        .map_err(unsuitable)?
        .ok_or_else(|| unsuitable("null"))?;
    if field.is_time() {
        if !value.is_string() {
            return Err(Error::filter(format!(
                "{key} takes a time as text, such as \"2023-05-08\", not {value}"
            )));
        }
        return Moment::parse(&text)
            .map(Operand::Time)
            .map_err(|error| error.with("filter", key));
    }
    if matches!(field, Field::Scope(_)) && text.len() > MAX_SCOPE_VALUE_BYTES {
        return Err(Error::filter(format!(
            "{key} has {} bytes; at most {MAX_SCOPE_VALUE_BYTES} are allowed",
            text.len()
        )));
    }
    Ok(Operand::Text(text))
}

fn operands(field: &Field, key: &str, value: &Json) -> Result<Vec<Operand>> {
    let Json::Array(values) = value else {
        return Err(Error::filter(format!("{key} takes a list, not {value}")));
    };
    if values.is_empty() {
        return Err(Error::filter(format!("{key} is an empty list")));
    }
    values
        .iter()
        .map(|value| operand(field, key, value))
        .collect()
}

fn contained(field: &Field, key: &str, value: &Json) -> Result<String> {
    if field.is_time() {
        return Err(Error::filter(format!(
            "{key} compares text; for times use __gte and __lt"
        )));
    }
    match value.as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(Error::filter(format!(
            "{key} takes a text that is not empty, not {value}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Facts, Value};
    use super::*;
    use serde_json::json;

    struct Record(Vec<(&'static str, Value<'static>)>);

    impl Facts for Record {
        fn values<'a>(&'a self, field: &Field, values: &mut Vec<Value<'a>>) {
            values.extend(
                self.0
                    .iter()
                    .filter(|(name, _)| *name == field.name())
                    .map(|(_, value)| *value),
            );
        }
    }

    fn parse(json: &Json) -> Result<Filter> {
        Filter::parse(json.as_object().unwrap(), &ScopeSchema::default())
    }

    #[test]
    fn every_operator_over_one_many_and_no_values() {
        let day = Moment::parse("2023-05-08").unwrap();
        let record = Record(vec![
            ("user_id", Value::Text("alice")),
            ("category", Value::Text("goals")),
            ("category", Value::Text("habits")),
            ("happened_at", Value::Micros(day.start + 5)),
        ]);
        for (filter, expected) in [
            (json!({}), true),
            (json!({"user_id": "alice"}), true),
            (json!({"user_id": "bob"}), false),
            (json!({"user_id__ne": "bob"}), true),
            (json!({"user_id__in": ["bob", "alice"]}), true),
            (json!({"user_id__nin": ["bob", "alice"]}), false),
            (json!({"user_id__gt": "al"}), true),
            (json!({"user_id__lte": "alice"}), true),
            (json!({"user_id__lt": "alice"}), false),
            (json!({"user_id__contains": "lic"}), true),
            (json!({"category": "habits"}), true),
            (json!({"category__ne": "habits"}), false),
            (json!({"category__nin": ["work_life"]}), true),
            (json!({"memory_type": "event"}), false),
            (json!({"memory_type__ne": "event"}), true),
            (json!({"memory_type__is_null": true}), true),
            (json!({"category__is_null": true}), false),
            (json!({"user_id__is_null": false}), true),
            (json!({"happened_at": "2023-05"}), true),
            (json!({"happened_at__gt": "2023-05-08"}), false),
            (json!({"happened_at__gte": "2023-05-08"}), true),
            (json!({"happened_at__lt": "2023-05-08"}), false),
            (json!({"happened_at__lte": "2023-05-08"}), true),
            (json!({"user_id": "alice", "category": "goals"}), true),
            (json!({"user_id": "alice", "category": "work_life"}), false),
        ] {
            assert_eq!(
                parse(&filter).unwrap().matches(&record),
                expected,
                "{filter}"
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error_that_helps() {
        for (filter, expected) in [
            (
                json!({"user": "alice"}),
                "unknown filter field \"user\"; use user_id, memory_type, modality, category, \
                 resource_id, created_at, updated_at, happened_at",
            ),
            (
                json!({"user_id__like": "a"}),
                "unknown operator \"__like\" in \"user_id__like\"; use __in, __nin, __ne, __gt, \
                 __gte, __lt, __lte, __contains, __is_null",
            ),
            (
                json!({"user_id": null}),
                "user_id is null; leave the field out, or use user_id__is_null",
            ),
            (json!({"user_id__in": []}), "user_id__in is an empty list"),
            (
                json!({"user_id__in": "a"}),
                "user_id__in takes a list, not \"a\"",
            ),
            (
                json!({"user_id__in": [null]}),
                "user_id__in takes a single value, not null",
            ),
            (
                json!({"user_id": ["a"]}),
                "user_id takes a single value, not an array",
            ),
            (
                json!({"user_id__is_null": "yes"}),
                "user_id__is_null takes true or false, not \"yes\"",
            ),
            (
                json!({"created_at__gt": 5}),
                "created_at__gt takes a time as text, such as \"2023-05-08\", not 5",
            ),
            (
                json!({"created_at__contains": "2023"}),
                "created_at__contains compares text; for times use __gte and __lt",
            ),
        ] {
            assert_eq!(parse(&filter).unwrap_err().message(), expected);
        }
    }
}
