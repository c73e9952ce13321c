//! Steps of a pipeline that Python does.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use memu::core::pipeline::{Pipeline, Step};
use memu::core::service::{Context, MemorizeState, RetrieveState};
use memu::{Error, MemoryService, Result};
use pyo3::prelude::*;
use serde_json::{Map, Value, json};

use crate::answer::python;
use crate::ending::attached;
use crate::errors::raised;
use crate::hooks::{call, ending};
use crate::value::json as to_json;

/// A handler: it is given the state of the pipeline as a dictionary and a context, and gives back
/// the state, of which it may have changed what [`Shared::take`] says.
#[derive(Clone)]
struct Handler {
    name: Arc<str>,
    handler: Arc<Py<PyAny>>,
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handler({})", self.name)
    }
}

/// A state that Python can see a part of, and change a part of that.
trait Shared: Send {
    const PIPELINE: &'static str;

    fn show(&self) -> Value;

    fn take(&mut self, state: &Map<String, Value>, context: &Context) -> Result<()>;
}

#[async_trait]
impl<S: Shared> Step<S> for Handler {
    async fn run(&self, context: &Context, state: &mut S) -> Result<()> {
        let shown = state.show();
        let told = json!({"workflow_name": S::PIPELINE, "step_id": &*self.name});
        let handler = self.handler.clone();
        let returned = call(move |py, _| {
            handler
                .bind(py)
                .call1((python(py, &shown)?, python(py, &told)?))
        })
        .await?;
        let returned = attached(|py| to_json(returned.bind(py)))
            .ok_or_else(ending)?
            .map_err(|error| raised("what a step gave back cannot be used", error))?;
        match returned {
            Value::Object(returned) => state.take(&returned, context),
            _ => Err(Error::config(format!(
                "the step {:?} must give back the state, a dictionary",
                self.name
            ))),
        }
    }
}

/// Keeps those of `records` whose ids stand in `wanted`, in that order.
fn chosen<T>(records: Vec<T>, wanted: &Value, id: impl Fn(&T) -> &str) -> Result<Vec<T>> {
    let wanted = wanted.as_array().ok_or_else(|| {
        Error::config("a list of records in the state of a pipeline must stay a list")
    })?;
    let mut records: Vec<Option<T>> = records.into_iter().map(Some).collect();
    let mut kept = Vec::with_capacity(wanted.len());
    for one in wanted {
        let named = one.get("id").and_then(Value::as_str).unwrap_or_default();
        let place = records
            .iter_mut()
            .find(|record| record.as_ref().is_some_and(|record| id(record) == named));
        match place.and_then(Option::take) {
            Some(record) => kept.push(record),
            None => {
                return Err(Error::config(
                    "a step gave back a record that the pipeline does not have",
                )
                .with("id", named));
            }
        }
    }
    Ok(kept)
}

impl Shared for MemorizeState {
    const PIPELINE: &'static str = "memorize";

    fn show(&self) -> Value {
        let content = self.content.as_ref();
        let text = content.and_then(|content| std::str::from_utf8(&content.bytes).ok());
        let url = match &self.request.source {
            memu::Source::Url(url) | memu::Source::Content { url, .. } => url,
        };
        json!({
            "resource_url": url,
            "modality": self.request.modality,
            "user": self.request.user,
            "raw_text": text,
            "status": self.status,
            "resource": self.resource,
            "segments": &*self.segments,
            "items": self.items,
            "reinforced": self.reinforced,
            "relations": self.relations,
            "categories": self.categories,
            "response": self.response,
        })
    }

    /// Items may be left out, and have other words, another type and other details; before
    /// `persist_index` that is what is stored.
    fn take(&mut self, state: &Map<String, Value>, context: &Context) -> Result<()> {
        let Some(items) = state.get("items") else {
            return Ok(());
        };
        let before = std::mem::take(&mut self.items);
        self.items = chosen(before, items, |item| item.meta.id.as_str())?;
        for (item, given) in self
            .items
            .iter_mut()
            .zip(items.as_array().into_iter().flatten())
        {
            if let Some(summary) = given.get("summary").and_then(Value::as_str) {
                if summary.trim().is_empty() {
                    let id = &item.meta.id;
                    return Err(
                        Error::input("a memory that a step gave back is empty").with("id", id)
                    );
                }
                summary.clone_into(&mut item.summary);
            }
            if let Some(memory_type) = given.get("memory_type").and_then(Value::as_str) {
                context.check_type(memory_type)?;
                memory_type.clone_into(&mut item.memory_type);
            }
            if let Some(Value::Object(extra)) = given.get("extra") {
                item.extra.clone_from(extra);
            }
        }
        let kept: Vec<&str> = self
            .items
            .iter()
            .map(|item| item.meta.id.as_str())
            .collect();
        self.filed.retain(|(id, _)| kept.contains(&id.as_str()));
        let reinforced: Vec<&str> = self
            .reinforced
            .iter()
            .map(|item| item.meta.id.as_str())
            .collect();
        self.relations.retain(|relation| {
            let item = relation.item_id.as_str();
            kept.contains(&item) || reinforced.contains(&item)
        });
        Ok(())
    }
}

impl Shared for RetrieveState {
    const PIPELINE: &'static str = "retrieve";

    fn show(&self) -> Value {
        json!({
            "original_query": self.response.original_query,
            "rewritten_query": self.response.rewritten_query,
            "needs_retrieval": self.response.needs_retrieval,
            "where": self.request.filter,
            "method": self.config.method,
            "categories": self.response.categories,
            "items": self.response.items,
            "resources": self.response.resources,
            "segments": self.response.segments,
        })
    }

    /// What is searched for may change, and whether it is; what was found may be put into
    /// another order and left out.
    fn take(&mut self, state: &Map<String, Value>, _: &Context) -> Result<()> {
        let response = &mut self.response;
        if let Some(query) = state.get("rewritten_query").and_then(Value::as_str) {
            query.clone_into(&mut response.rewritten_query);
        }
        if let Some(needed) = state.get("needs_retrieval").and_then(Value::as_bool) {
            response.needs_retrieval = needed;
        }
        if let Some(wanted) = state.get("categories") {
            let hits = std::mem::take(&mut response.categories);
            response.categories = chosen(hits, wanted, |hit| hit.category.meta.id.as_str())?;
        }
        if let Some(wanted) = state.get("items") {
            let hits = std::mem::take(&mut response.items);
            response.items = chosen(hits, wanted, |hit| hit.item.meta.id.as_str())?;
        }
        if let Some(wanted) = state.get("resources") {
            let hits = std::mem::take(&mut response.resources);
            response.resources = chosen(hits, wanted, |hit| hit.resource.meta.id.as_str())?;
        }
        if let Some(wanted) = state.get("segments") {
            let hits = std::mem::take(&mut response.segments);
            response.segments = chosen(hits, wanted, |hit| hit.segment.meta.id.as_str())?;
        }
        Ok(())
    }
}

/// A change to a pipeline.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edit {
    InsertBefore,
    InsertAfter,
    Replace,
    Remove,
}

impl Edit {
    /// The change of this name.
    pub(crate) fn named(name: &str) -> Result<Self> {
        match name {
            "insert_before" => Ok(Self::InsertBefore),
            "insert_after" => Ok(Self::InsertAfter),
            "replace" => Ok(Self::Replace),
            "remove" => Ok(Self::Remove),
            _ => Err(Error::config(format!(
                "there is no change {name:?} to a pipeline"
            ))),
        }
    }

    fn apply<S: Shared + 'static>(
        self,
        pipeline: &mut Pipeline<S>,
        target: &str,
        name: &str,
        handler: Option<Py<PyAny>>,
    ) -> Result<()> {
        if let Self::Remove = self {
            return pipeline.remove(target);
        }
        let handler = handler.ok_or_else(|| Error::config("a step needs a handler"))?;
        let step = Arc::new(Handler {
            name: name.into(),
            handler: Arc::new(handler),
        });
        match self {
            Self::InsertBefore => pipeline.insert_before(target, name, step),
            Self::InsertAfter => pipeline.insert_after(target, name, step),
            Self::Replace | Self::Remove => pipeline.replace(target, step),
        }
    }
}

/// Changes the pipeline of this name for all later calls.
pub(crate) fn edit(
    service: &MemoryService,
    pipeline: &str,
    edit: Edit,
    target: &str,
    name: &str,
    handler: Option<Py<PyAny>>,
) -> Result<()> {
    match pipeline {
        "memorize" => {
            service.edit_memorize_pipeline(|pipeline| edit.apply(pipeline, target, name, handler))
        }
        "retrieve" => {
            service.edit_retrieve_pipeline(|pipeline| edit.apply(pipeline, target, name, handler))
        }
        _ => Err(unknown(pipeline)),
    }
}

/// The names of the steps of the pipeline of this name, in order.
pub(crate) fn names(service: &MemoryService, pipeline: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    match pipeline {
        "memorize" => service.edit_memorize_pipeline(|pipeline| {
            names.extend(pipeline.step_names().map(str::to_owned));
            Ok(())
        })?,
        "retrieve" => service.edit_retrieve_pipeline(|pipeline| {
            names.extend(pipeline.step_names().map(str::to_owned));
            Ok(())
        })?,
        _ => return Err(unknown(pipeline)),
    }
    Ok(names)
}

fn unknown(pipeline: &str) -> Error {
    Error::config(format!(
        "there is no pipeline {pipeline:?}; there are memorize and retrieve"
    ))
}
