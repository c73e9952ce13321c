use async_trait::async_trait;
use rustc_hash::FxHashMap;

use crate::error::Result;
use crate::records::{Id, MemoryCategory, MemoryItem, Resource, Segment};
use crate::scope::Scope;
use crate::service::searchable::Named;
use crate::store::{Page, Query, Select, Store};

/// A kind of record that an answer shows.
#[async_trait]
pub(super) trait Shown: Sized + Send {
    /// Its id.
    fn id(&self) -> &Id;

    /// A page of such records.
    async fn page(store: &dyn Store, query: &Query) -> Result<Page<Self>>;
}

/// Records by the number of their scope and their id.
#[derive(Debug)]
pub(super) struct Records<T>(FxHashMap<(usize, Id), T>);

impl<T: Shown> Records<T> {
    /// Reads these records. Those that are gone by now are left out.
    pub(super) async fn read<'n>(
        store: &dyn Store,
        scopes: &[Scope],
        names: impl IntoIterator<Item = &'n Named>,
    ) -> Result<Self> {
        let mut by_scope: FxHashMap<usize, Vec<Id>> = FxHashMap::default();
        for name in names {
            by_scope
                .entry(name.scope)
                .or_default()
                .push(name.id.clone());
        }
        let mut records = FxHashMap::default();
        for (number, ids) in by_scope {
            let Some(scope) = scopes.get(number) else {
                continue;
            };
            let query = Query::scope(scope).select(Select::Ids(ids));
            let page = T::page(store, &query).await?;
            let found = page.records.into_iter();
            records.extend(found.map(|record| ((number, record.id().clone()), record)));
        }
        Ok(Self(records))
    }

    /// The record of this name; `None` when it is gone.
    pub(super) fn get(&self, name: &Named) -> Option<&T> {
        self.0.get(&(name.scope, name.id.clone()))
    }
}

#[async_trait]
impl Shown for Resource {
    fn id(&self) -> &Id {
        &self.meta.id
    }

    async fn page(store: &dyn Store, query: &Query) -> Result<Page<Self>> {
        store.resources(query).await
    }
}

#[async_trait]
impl Shown for Segment {
    fn id(&self) -> &Id {
        &self.meta.id
    }

    async fn page(store: &dyn Store, query: &Query) -> Result<Page<Self>> {
        store.segments(query).await
    }
}

#[async_trait]
impl Shown for MemoryItem {
    fn id(&self) -> &Id {
        &self.meta.id
    }

    async fn page(store: &dyn Store, query: &Query) -> Result<Page<Self>> {
        store.items(query).await
    }
}

#[async_trait]
impl Shown for MemoryCategory {
    fn id(&self) -> &Id {
        &self.meta.id
    }

    async fn page(store: &dyn Store, query: &Query) -> Result<Page<Self>> {
        store.categories(query).await
    }
}
