use serde_json::{Map, Value, json};

use super::responses::ListResponse;
use super::{Context, ListRequest, MemoryService};
use crate::config::check_top_k;
use crate::error::{Error, Result};
use crate::records::{MemoryCategory, MemoryItem, Resource};
use crate::store::{Cursor, Page, Query, Select};

impl MemoryService {
    /// The items that match, oldest first.
    ///
    /// # Errors
    /// [`ErrorKind::Filter`](crate::ErrorKind::Filter) or
    /// [`ErrorKind::Scope`](crate::ErrorKind::Scope) when the filter is not
    /// understood or names no scope among several;
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) for a limit of 0 or a foreign
    /// cursor.
    pub async fn list_memory_items(
        &self,
        request: ListRequest,
    ) -> Result<ListResponse<MemoryItem>> {
        let query = self.context().list_query(request).await?;
        self.store().items(&query).await.map(ListResponse::from)
    }

    /// The categories that match, oldest first.
    ///
    /// # Errors
    /// As [`MemoryService::list_memory_items`].
    pub async fn list_memory_categories(
        &self,
        request: ListRequest,
    ) -> Result<ListResponse<MemoryCategory>> {
        let query = self.context().list_query(request).await?;
        self.store()
            .categories(&query)
            .await
            .map(ListResponse::from)
    }

    /// The resources that match, oldest first.
    ///
    /// # Errors
    /// As [`MemoryService::list_memory_items`].
    pub async fn list_resources(&self, request: ListRequest) -> Result<ListResponse<Resource>> {
        let query = self.context().list_query(request).await?;
        self.store().resources(&query).await.map(ListResponse::from)
    }
}

impl Context {
    async fn list_query(&self, request: ListRequest) -> Result<Query> {
        if let Some(limit) = request.limit {
            check_top_k("limit", limit)
                .map_err(|error| Error::input(error.message().to_owned()))?;
        }
        let selection = self.select(&request.filter, request.all_scopes).await?;
        Ok(Query {
            scopes: selection.scopes,
            filter: selection.filter,
            select: Select::All,
            after: request.cursor.map(Cursor),
            limit: request.limit.unwrap_or(usize::MAX),
        })
    }
}

impl<T> From<Page<T>> for ListResponse<T> {
    fn from(page: Page<T>) -> Self {
        Self {
            records: page.records,
            next_cursor: page.next.map(|cursor| cursor.0),
        }
    }
}

impl<T: serde::Serialize> ListResponse<T> {
    /// The JSON form, with the records under `name`.
    pub fn to_json(&self, name: &str) -> Value {
        let mut object = Map::new();
        object.insert(name.to_owned(), json!(self.records));
        object.insert("next_cursor".to_owned(), json!(self.next_cursor));
        Value::Object(object)
    }
}
