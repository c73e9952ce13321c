use async_trait::async_trait;

use super::{Page, Query, Select, Store};
use crate::error::Result;
use crate::records::{CategoryItem, Id, MemoryCategory, MemoryItem, ModelReply, Resource, Segment};
use crate::scope::Scope;

/// Conveniences that every store has.
#[async_trait]
pub trait StoreExt: Store {
    /// The resource with this id; `None` when the scope does not hold it.
    async fn resource(&self, scope: &Scope, id: &Id) -> Result<Option<Resource>> {
        first(self.resources(&by_id(scope, id)).await)
    }

    /// The segment with this id; `None` when the scope does not hold it.
    async fn segment(&self, scope: &Scope, id: &Id) -> Result<Option<Segment>> {
        first(self.segments(&by_id(scope, id)).await)
    }

    /// The item with this id; `None` when the scope does not hold it.
    async fn item(&self, scope: &Scope, id: &Id) -> Result<Option<MemoryItem>> {
        first(self.items(&by_id(scope, id)).await)
    }

    /// The category with this id; `None` when the scope does not hold it.
    async fn category(&self, scope: &Scope, id: &Id) -> Result<Option<MemoryCategory>> {
        first(self.categories(&by_id(scope, id)).await)
    }

    /// The relation with this id; `None` when the scope does not hold it.
    async fn relation(&self, scope: &Scope, id: &Id) -> Result<Option<CategoryItem>> {
        first(self.relations(&by_id(scope, id)).await)
    }

    /// The model reply with this id; `None` when the scope does not hold it.
    async fn model_reply(&self, scope: &Scope, id: &Id) -> Result<Option<ModelReply>> {
        first(self.model_replies(&by_id(scope, id)).await)
    }

    /// Every resource of a query, page after page; `limit` is the size of a page.
    async fn all_resources(&self, query: &Query) -> Result<Vec<Resource>> {
        let mut pages = Pages::of(query);
        while pages.wants_more() {
            pages.take(self.resources(&pages.query).await?);
        }
        Ok(pages.records)
    }

    /// Every segment of a query, page after page; `limit` is the size of a page.
    async fn all_segments(&self, query: &Query) -> Result<Vec<Segment>> {
        let mut pages = Pages::of(query);
        while pages.wants_more() {
            pages.take(self.segments(&pages.query).await?);
        }
        Ok(pages.records)
    }

    /// Every item of a query, page after page; `limit` is the size of a page.
    async fn all_items(&self, query: &Query) -> Result<Vec<MemoryItem>> {
        let mut pages = Pages::of(query);
        while pages.wants_more() {
            pages.take(self.items(&pages.query).await?);
        }
        Ok(pages.records)
    }

    /// Every category of a query, page after page; `limit` is the size of a page.
    async fn all_categories(&self, query: &Query) -> Result<Vec<MemoryCategory>> {
        let mut pages = Pages::of(query);
        while pages.wants_more() {
            pages.take(self.categories(&pages.query).await?);
        }
        Ok(pages.records)
    }

    /// Every relation of a query, page after page; `limit` is the size of a page.
    async fn all_relations(&self, query: &Query) -> Result<Vec<CategoryItem>> {
        let mut pages = Pages::of(query);
        while pages.wants_more() {
            pages.take(self.relations(&pages.query).await?);
        }
        Ok(pages.records)
    }

    /// Every model reply of a query, page after page; `limit` is the size of a page.
    async fn all_model_replies(&self, query: &Query) -> Result<Vec<ModelReply>> {
        let mut pages = Pages::of(query);
        while pages.wants_more() {
            pages.take(self.model_replies(&pages.query).await?);
        }
        Ok(pages.records)
    }
}

impl<S: Store + ?Sized> StoreExt for S {}

fn by_id(scope: &Scope, id: &Id) -> Query {
    Query::scope(scope).select(Select::Ids(vec![id.clone()]))
}

fn first<T>(page: Result<Page<T>>) -> Result<Option<T>> {
    Ok(page?.records.into_iter().next())
}

/// Pages on their way to one list.
struct Pages<T> {
    query: Query,
    records: Vec<T>,
    done: bool,
}

impl<T> Pages<T> {
    fn of(query: &Query) -> Self {
        Self {
            query: query.clone(),
            records: Vec::new(),
            done: false,
        }
    }

    fn wants_more(&self) -> bool {
        !self.done
    }

    fn take(&mut self, page: Page<T>) {
        self.records.extend(page.records);
        self.done = page.next.is_none();
        self.query.after = page.next;
    }
}
