//! The verbs of a service, by name.

mod requests;

use memu::core::config::RetrieveConfig;
use memu::settings::Layers;
use memu::{
    CreateItem, CreateItems, Id, ListRequest, MemorizeRequest, MemoryService, Message, NewItem,
    Reembed, Replay, Result, RetrieveRequest, Source, UpdateItem,
};
use pyo3::prelude::*;
use pyo3::types::{PyAnyMethods, PyBytes};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, answer};
use crate::errors::exception;
use crate::value::{refused, request};

use requests::{
    Check, Create, CreateMany, List, Memorize, NewToolCall, OneItem, Query, ReembedRequest,
    ReplayRequest, Retrieve, Update, Which,
};

/// A call of a verb.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Memorize(MemorizeRequest),
    Retrieve(Box<RetrieveRequest>),
    ListItems(ListRequest),
    ListCategories(ListRequest),
    ListResources(ListRequest),
    CreateItem(CreateItem),
    CreateItems(CreateItems),
    UpdateItem(Update),
    DeleteItem(OneItem),
    NoteToolUse(NewToolCall),
    Clear(Which),
    Stats(Which),
    Check(Check),
    Replay(ReplayRequest),
    Reembed(ReembedRequest),
    Close,
}

impl Call {
    /// The call of this verb with these arguments.
    pub(crate) fn new(
        verb: &str,
        arguments: &Bound<'_, PyAny>,
        configured: &RetrieveConfig,
    ) -> PyResult<Self> {
        let list = || request::<List>(arguments).map(ListRequest::from);
        Ok(match verb {
            "memorize" => Self::Memorize(memorize(arguments)?),
            "retrieve" => {
                let retrieve: Retrieve = request(arguments)?;
                let queries = retrieve.queries.into_iter();
                Self::Retrieve(Box::new(RetrieveRequest {
                    queries: queries
                        .map(|Query { role, text }| Message { role, text })
                        .collect(),
                    filter: retrieve.filter,
                    all_scopes: retrieve.all_scopes,
                    explain: retrieve.explain,
                    top_k: retrieve.top_k,
                    config: overridden(arguments.py(), configured, &retrieve.config)?,
                }))
            }
            "list_memory_items" => Self::ListItems(list()?),
            "list_memory_categories" => Self::ListCategories(list()?),
            "list_resources" => Self::ListResources(list()?),
            "create_memory_item" => {
                let create: Create = request(arguments)?;
                Self::CreateItem(CreateItem {
                    memory_type: create.memory_type,
                    content: create.memory_content,
                    categories: create.memory_categories,
                    extra: create.extra,
                    user: create.user,
                    propagate: create.propagate,
                })
            }
            "create_memory_items" => {
                let create: CreateMany = request(arguments)?;
                let items = create.items.into_iter().map(|one| NewItem {
                    memory_type: one.memory_type,
                    content: one.memory_content,
                    categories: one.memory_categories,
                    extra: one.extra,
                });
                Self::CreateItems(CreateItems {
                    items: items.collect(),
                    user: create.user,
                    propagate: create.propagate,
                })
            }
            "update_memory_item" => Self::UpdateItem(request(arguments)?),
            "delete_memory_item" => Self::DeleteItem(request(arguments)?),
            "add_tool_call" => Self::NoteToolUse(request(arguments)?),
            "clear_memory" => Self::Clear(request(arguments)?),
            "stats" => Self::Stats(request(arguments)?),
            "check" => Self::Check(request(arguments)?),
            "replay" => Self::Replay(request(arguments)?),
            "reembed" => Self::Reembed(request(arguments)?),
            "close" => Self::Close,
            other => {
                return Err(pyo3::exceptions::PyValueError::new_err(format!(
                    "there is no verb {other:?}"
                )));
            }
        })
    }

    /// Does what is asked for.
    pub(crate) async fn run(self, service: &MemoryService) -> Result<Answer> {
        Ok(match self {
            Self::Memorize(request) => answer(service.memorize(request).await?),
            Self::Retrieve(request) => answer(service.retrieve(*request).await?),
            Self::ListItems(request) => {
                answer(service.list_memory_items(request).await?.to_json("items"))
            }
            Self::ListCategories(request) => {
                let page = service.list_memory_categories(request).await?;
                answer(page.to_json("categories"))
            }
            Self::ListResources(request) => {
                answer(service.list_resources(request).await?.to_json("resources"))
            }
            Self::CreateItem(request) => answer(service.create_memory_item(request).await?),
            Self::CreateItems(request) => answer(service.create_memory_items(request).await?),
            Self::UpdateItem(update) => {
                let request = UpdateItem {
                    id: Id::checked(&update.memory_id)?,
                    memory_type: update.memory_type,
                    content: update.memory_content,
                    categories: update.memory_categories,
                    extra: update.extra,
                    user: update.user,
                    propagate: update.propagate,
                };
                answer(service.update_memory_item(request).await?)
            }
            Self::DeleteItem(one) => {
                let id = Id::checked(&one.memory_id)?;
                let deleted = service.delete_memory_item(&id, &one.user, one.propagate);
                answer(deleted.await?)
            }
            Self::NoteToolUse(new) => {
                let id = Id::checked(&new.memory_id)?;
                let noted = service.add_tool_call(&id, new.tool_call, &new.user);
                answer(noted.await?)
            }
            Self::Clear(which) => answer(
                service
                    .clear_memory(&which.filter, which.all_scopes)
                    .await?,
            ),
            Self::Stats(which) => answer(service.stats(&which.filter, which.all_scopes).await?),
            Self::Check(check) => answer(service.check(check.repair).await?),
            Self::Replay(which) => {
                let request = Replay {
                    filter: which.filter,
                    all_scopes: which.all_scopes,
                    stored: which.stored,
                    dry_run: which.dry_run,
                };
                answer(service.replay(request).await?)
            }
            Self::Reembed(request) => {
                let request = Reembed {
                    dry_run: request.dry_run,
                };
                answer(service.reembed(request, &|_, _| {}).await?)
            }
            Self::Close => {
                service.close().await?;
                answer(())
            }
        })
    }
}

/// How to answer by what is configured, and what a call wants to be otherwise.
fn overridden(
    py: Python<'_>,
    configured: &RetrieveConfig,
    wanted: &Map<String, Value>,
) -> PyResult<Option<RetrieveConfig>> {
    if wanted.is_empty() {
        return Ok(None);
    }
    let layers = Layers::new()
        .value(json!({ "retrieve_config": configured }))
        .value(json!({ "retrieve_config": wanted }));
    let settings = layers.settings().map_err(|error| exception(py, &error))?;
    Ok(Some(settings.retrieve_config))
}

/// Content may be bytes, which are no JSON: it is taken out before.
fn memorize(arguments: &Bound<'_, PyAny>) -> PyResult<MemorizeRequest> {
    let arguments = arguments.call_method0("copy")?;
    let content = arguments.call_method1("pop", ("content", arguments.py().None()))?;
    let memorize: Memorize = request(&arguments)?;
    let source = match content_bytes(&content)? {
        Some(bytes) => Source::Content {
            bytes: bytes.into(),
            url: memorize.resource_url.unwrap_or_default(),
        },
        None => Source::Url(memorize.resource_url.ok_or_else(|| {
            let message = "nothing to memorize: pass resource_url or content";
            refused(arguments.py(), message)
        })?),
    };
    Ok(MemorizeRequest {
        source,
        modality: memorize.modality,
        user: memorize.user,
        caption: memorize.caption,
    })
}

fn content_bytes(content: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
    if content.is_none() {
        return Ok(None);
    }
    if let Ok(text) = content.extract::<String>() {
        return Ok(Some(text.into_bytes()));
    }
    if let Ok(bytes) = content.cast::<PyBytes>() {
        return Ok(Some(bytes.as_bytes().to_vec()));
    }
    // Messages and other structures, as a file of them would be.
    let value = crate::value::json(content)?;
    Ok(Some(value.to_string().into_bytes()))
}
