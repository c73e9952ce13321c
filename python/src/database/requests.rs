//! The arguments of the repositories.

use memu::core::time::When;
use memu::database::{CreateItem, Object};
use memu::{Id, Modality, Result};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Deserialize;

use crate::errors::exception;
use crate::value::{json, refused, request};
use crate::vectors::vector;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewResource {
    pub(crate) id: Option<String>,
    pub(crate) url: String,
    pub(crate) modality: Modality,
    #[serde(default)]
    pub(crate) local_path: String,
    pub(crate) caption: Option<String>,
    #[serde(default)]
    pub(crate) user_data: Object,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewItem {
    pub(crate) id: Option<String>,
    pub(crate) resource_id: Option<String>,
    pub(crate) memory_type: String,
    pub(crate) summary: String,
    pub(crate) happened_at: Option<String>,
    #[serde(default)]
    pub(crate) extra: Object,
    #[serde(default)]
    pub(crate) tool_record: Object,
    #[serde(default)]
    pub(crate) reinforce: bool,
    #[serde(default)]
    pub(crate) user_data: Object,
}

impl NewItem {
    pub(crate) fn made(self, embedding: Option<Vec<f32>>) -> Result<CreateItem> {
        Ok(CreateItem {
            id: id(self.id)?,
            resource_id: id(self.resource_id.filter(|id| !id.is_empty()))?,
            memory_type: self.memory_type,
            summary: self.summary,
            happened: self.happened_at.as_deref().map(When::minute).transpose()?,
            embedding,
            extra: self.extra,
            tool_record: self.tool_record,
            reinforce: self.reinforce,
            user_data: self.user_data,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedItem {
    pub(crate) item_id: String,
    pub(crate) memory_type: Option<String>,
    pub(crate) summary: Option<String>,
    #[serde(default)]
    pub(crate) extra: Object,
    #[serde(default)]
    pub(crate) tool_record: Object,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCategory {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) summary: Option<String>,
    #[serde(default)]
    pub(crate) user_data: Object,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedCategory {
    pub(crate) category_id: String,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) summary: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filed {
    pub(crate) item_id: String,
    pub(crate) cat_id: String,
    #[serde(default)]
    pub(crate) user_data: Object,
}

/// An id that may be left out.
pub(crate) fn id(text: Option<String>) -> Result<Option<Id>> {
    text.map(|text| Id::checked(&text)).transpose()
}

/// The vector among arguments, which is no JSON where it is an array.
pub(super) fn taken_vector(arguments: &Bound<'_, PyDict>) -> PyResult<Option<Vec<f32>>> {
    let Some(given) = arguments.get_item("embedding")? else {
        return Ok(None);
    };
    arguments.del_item("embedding")?;
    if given.is_none() {
        return Ok(None);
    }
    vector(&given).map(Some)
}

pub(super) fn conditions(filter: &Bound<'_, PyAny>) -> PyResult<Object> {
    if filter.is_none() {
        return Ok(Object::new());
    }
    match json(filter)? {
        serde_json::Value::Object(conditions) => Ok(conditions),
        _ => Err(refused(filter.py(), "where is a dictionary of conditions")),
    }
}

/// An item with its vector.
pub(super) fn new_item(arguments: &Bound<'_, PyAny>) -> PyResult<CreateItem> {
    let arguments = arguments.cast::<PyDict>()?;
    let embedding = taken_vector(arguments)?;
    let new: NewItem = request(arguments)?;
    let made = new.made(embedding);
    made.map_err(|error| exception(arguments.py(), &error))
}
