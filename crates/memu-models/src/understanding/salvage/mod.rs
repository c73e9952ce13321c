//! Structured values out of what models write: tolerant of the ways in which they miss the
//! format, and telling what had to be repaired.
//!
//! Nothing is invented: a value that was cut off is left out, and a place that makes no sense
//! ends the value around it, whose complete part is kept. Work is linear in the text, and
//! nesting is bounded.

mod json;
mod repair;
mod scan;
mod string;
mod tag;
#[cfg(test)]
mod tests;
mod word;
mod xml;

pub use repair::{Repair, Repairs};
pub(crate) use scan::after_thoughts;
pub use scan::salvage;

use serde_json::Value;

/// The deepest nesting that is read, as in `serde_json`.
const MAX_DEPTH: usize = 128;

/// What a text holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Salvaged {
    /// The values, in the order of the text.
    pub roots: Vec<Root>,
    /// What was repaired on the way.
    pub repairs: Repairs,
}

/// One value that stands in a text by itself.
///
/// An XML element is an object with the element's name as its only key. Attributes and child
/// elements are members, repeated ones a list; text beside them is the member `#text`.
#[derive(Clone, Debug, PartialEq)]
pub struct Root {
    /// The value.
    pub value: Value,
    /// Where it was cut off: the steps from the value down to what was open at the end. What
    /// lies on this way is incomplete, everything else is complete. `None` for a whole value.
    pub cut: Option<Vec<Step>>,
}

/// A step from a value to one inside of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the member of an object.
    Key(String),
    /// To the element of a list.
    Index(usize),
}

/// The text beside child elements.
pub(crate) const TEXT_KEY: &str = "#text";

/// Puts a member into an object; members of one name make a list, so that none is lost.
/// Returns the steps to it.
fn insert(
    map: &mut serde_json::Map<String, Value>,
    key: String,
    value: Value,
    gather: bool,
) -> Vec<Step> {
    match map.get_mut(&key) {
        Some(Value::Array(list)) if gather => {
            match value {
                Value::Array(more) => list.extend(more),
                one => list.push(one),
            }
            let last = list.len().saturating_sub(1);
            vec![Step::Key(key), Step::Index(last)]
        }
        Some(first) if gather => {
            *first = Value::Array(vec![first.take(), value]);
            vec![Step::Key(key), Step::Index(1)]
        }
        _ => {
            map.insert(key.clone(), value);
            vec![Step::Key(key)]
        }
    }
}
