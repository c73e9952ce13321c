use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Context, MemoryService};
use crate::error::{Error, Result};
use crate::records::{
    Id, MemoryCategory, MemoryItem, RECENT_CALLS, Resource, Segment, ToolStatistics,
};
use crate::store::{Page, Query, RecordIds, Select, StoreExt};

/// The fewest characters of an id that stand for it.
const MIN_PREFIX: usize = 4;

/// One record with what hangs on it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Record {
    /// A memory.
    Item {
        /// The memory.
        item: MemoryItem,
        /// The categories it is filed under.
        categories: Vec<MemoryCategory>,
        /// The segments it was drawn from.
        evidence: Vec<Segment>,
        /// What the latest [`RECENT_CALLS`] uses of its tool have in common; `None` for memories
        /// with which none is noted.
        #[serde(skip_serializing_if = "Option::is_none")]
        tool_statistics: Option<ToolStatistics>,
    },
    /// A topic.
    Category {
        /// The topic.
        category: MemoryCategory,
        /// The items filed under it.
        items: Vec<MemoryItem>,
    },
    /// Something that was memorized.
    Resource {
        /// The resource.
        resource: Resource,
        /// The items drawn from it.
        items: Vec<MemoryItem>,
        /// What is wrong with its content; `None` when it is whole.
        #[serde(skip_serializing_if = "Option::is_none")]
        content_defect: Option<String>,
    },
    /// A message or passage.
    Segment {
        /// The segment.
        segment: Segment,
        /// The items that cite it.
        items: Vec<MemoryItem>,
    },
}

impl MemoryService {
    /// The record with this id, or the only one whose id begins with it (four
    /// characters or more), with what hangs on it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is none;
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) when there are several;
    /// [`ErrorKind::Scope`](crate::ErrorKind::Scope) and
    /// [`ErrorKind::Filter`](crate::ErrorKind::Filter) as for listing.
    pub async fn show(
        &self,
        id: &Id,
        filter: &Map<String, Value>,
        all_scopes: bool,
    ) -> Result<Record> {
        let context = self.context();
        let selection = context.select(filter, all_scopes).await?;
        let select = if id.as_str().len() >= MIN_PREFIX {
            Select::IdPrefixes(vec![id.to_string()])
        } else {
            Select::Ids(vec![id.clone()])
        };
        let query = Query {
            scopes: selection.scopes,
            filter: selection.filter,
            select,
            after: None,
            limit: 2,
        };
        let store = self.store();
        let mut found = Vec::new();
        found.extend(records(store.items(&query).await?, Found::Item));
        found.extend(records(store.categories(&query).await?, Found::Category));
        found.extend(records(store.resources(&query).await?, Found::Resource));
        found.extend(records(store.segments(&query).await?, Found::Segment));
        if let Some(exact) = found.iter().position(|record| record.id() == id) {
            return context.complete(found.swap_remove(exact)).await;
        }
        match (found.pop(), found.pop()) {
            (Some(record), None) => context.complete(record).await,
            (Some(_), Some(_)) => Err(Error::input(format!(
                "several records have an id that begins with {id}; give more of it"
            ))),
            (None, _) => Err(Error::not_found(format!("there is no record {id}"))),
        }
    }
}

impl MemoryService {
    /// The bytes of a resource, as they were memorized.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when the scope of `user`
    /// holds no such resource; [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when
    /// its content is missing or damaged, saying where it should be.
    pub async fn resource_content(&self, id: &Id, user: &Map<String, Value>) -> Result<Arc<[u8]>> {
        let scope = self.context().user_scope(user)?;
        let resource = self.store().resource(&scope, id).await?;
        let resource = resource
            .ok_or_else(|| Error::not_found(format!("the scope {scope} holds no resource {id}")))?;
        self.context().content(&resource).await
    }
}

enum Found {
    Item(MemoryItem),
    Category(MemoryCategory),
    Resource(Resource),
    Segment(Segment),
}

impl Found {
    fn id(&self) -> &Id {
        match self {
            Self::Item(item) => &item.meta.id,
            Self::Category(category) => &category.meta.id,
            Self::Resource(resource) => &resource.meta.id,
            Self::Segment(segment) => &segment.meta.id,
        }
    }
}

fn records<T>(page: Page<T>, wrap: fn(T) -> Found) -> impl Iterator<Item = Found> {
    page.records.into_iter().map(wrap)
}

impl Context {
    /// Reads what hangs on a record, and nothing else of its scope.
    async fn complete(&self, found: Found) -> Result<Record> {
        let store = self.store();
        Ok(match found {
            Found::Item(item) => {
                let scope = &item.meta.scope;
                let filed = Select::OfItems(vec![item.meta.id.clone()]);
                let filed = store.relations(&Query::scope(scope).select(filed)).await?;
                let filed = filed.records.into_iter();
                let ids = RecordIds {
                    segments: item.segment_ids.clone(),
                    categories: filed.map(|relation| relation.category_id).collect(),
                    ..RecordIds::default()
                };
                let known = store.records(scope, &ids).await?;
                Record::Item {
                    categories: in_order(&ids.categories, known.categories, |one| &one.meta.id),
                    evidence: in_order(&ids.segments, known.segments, |one| &one.meta.id),
                    tool_statistics: Some(item.tool_statistics(RECENT_CALLS))
                        .filter(|statistics| statistics.total_calls > 0),
                    item,
                }
            }
            Found::Category(category) => {
                let of_category = Select::OfCategories(vec![category.meta.id.clone()]);
                let query = Query::scope(&category.meta.scope).select(of_category);
                let filed = store.relations(&query).await?.records.into_iter();
                let filed: Vec<Id> = filed.map(|relation| relation.item_id).collect();
                let items = store.items(&query).await?.records;
                Record::Category {
                    items: in_order(&filed, items, |one| &one.meta.id),
                    category,
                }
            }
            Found::Resource(resource) => {
                let drawn = Select::OfResources(vec![resource.meta.id.clone()]);
                let query = Query::scope(&resource.meta.scope).select(drawn);
                Record::Resource {
                    content_defect: self.content_defect(&resource).await?,
                    items: store.items(&query).await?.records,
                    resource,
                }
            }
            Found::Segment(segment) => {
                let citing = Select::CitingSegments(vec![segment.meta.id.clone()]);
                let query = Query::scope(&segment.meta.scope).select(citing);
                Record::Segment {
                    items: store.items(&query).await?.records,
                    segment,
                }
            }
        })
    }
}

/// The records with these ids, in their order; those that are not there are left out.
fn in_order<T>(ids: &[Id], records: Vec<T>, id: impl Fn(&T) -> &Id) -> Vec<T> {
    let records = records.into_iter();
    let mut known: FxHashMap<Id, T> = records.map(|one| (id(&one).clone(), one)).collect();
    ids.iter().filter_map(|id| known.remove(id)).collect()
}
