mod json;
mod properties;
mod xml;

use serde_json::Value;

use super::{Repair, salvage};

/// The values in a text, whole or not.
fn values(text: &str) -> Vec<Value> {
    salvage(text)
        .roots
        .into_iter()
        .map(|root| root.value)
        .collect()
}

/// The repairs that a text needs.
fn repairs(text: &str) -> Vec<Repair> {
    salvage(text).repairs.iter().map(|(one, _)| one).collect()
}
