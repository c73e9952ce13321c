//! Storing memories in the caller's own words, one or many, without reading the scope
//! that they come to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use super::filing::{categories_named, check_categories, file};
use super::memorize::{note_details, until_committed};
use super::plan::{EMBED_MEMORIES, Plan, configured_categories, relation};
use super::requests::CreateItems;
use super::responses::ItemsResponse;
use super::{Context, CreateItem, MemoryService, NewItem};
use crate::error::{Error, Result};
use crate::provider::{Calls, Purpose};
use crate::records::{
    Embedding, Id, MemoryCategory, MemoryItem, Meta, OwnedEmbedding, OwnerKind, check_extra,
    set_extra,
};
use crate::scope::Scope;
use crate::store::{Write, WriteBatch};

/// The longest memory that a caller may write, in bytes.
const MAX_CONTENT_BYTES: usize = 1 << 20;
/// How many memories the first transaction of a call stores.
const FIRST_BATCH: usize = 1_000;
/// How long a transaction should take: others wait for it.
const TARGET: Duration = Duration::from_millis(120);

impl MemoryService {
    /// Stores memories in the caller's own words, as many as there are, in the order in
    /// which they come. Each of several transactions stores some of them and takes a
    /// fraction of a second, so that others get their turn; all of them are durable when
    /// the call returns. When it fails or is dropped, those before some place are stored
    /// and those after it are not.
    ///
    /// # Errors
    /// As [`MemoryService::create_memory_item`], before anything is stored.
    pub async fn create_memory_items(&self, request: CreateItems) -> Result<ItemsResponse> {
        let context = self.context();
        let scope = context.user_scope(&request.user)?;
        for (number, item) in request.items.iter().enumerate() {
            let checked = check(context, item);
            checked.map_err(|error| error.with("item", number))?;
        }
        check_categories(context, &scope, &request.items).await?;
        let mut stored = Stored::default();
        let mut rest = request.items.as_slice();
        let mut size = FIRST_BATCH;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(size.min(rest.len()));
            let started = Instant::now();
            let chunk = until_committed(&scope, || store(context, &scope, now)).await?;
            let share = TARGET.as_secs_f64() / started.elapsed().as_secs_f64().max(1e-6);
            size = (now.len() as f64 * share.clamp(0.25, 2.0)) as usize;
            size = size.clamp(FIRST_BATCH / 10, FIRST_BATCH * 10);
            stored.add(chunk);
            rest = later;
        }
        let category_updates = if request.propagate {
            follow(context, &scope, &stored.touched).await?
        } else {
            Vec::new()
        };
        Ok(ItemsResponse {
            memory_items: stored.items,
            category_updates,
        })
    }

    /// Stores a memory in the caller's own words.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) for an empty memory, an unknown
    /// type, an unknown category or a detail that is not as [`CreateItem::extra`] says.
    pub async fn create_memory_item(&self, request: CreateItem) -> Result<super::ItemResponse> {
        let CreateItem {
            memory_type,
            content,
            categories,
            extra,
            user,
            propagate,
        } = request;
        let item = NewItem {
            memory_type,
            content,
            categories,
            extra,
        };
        check(self.context(), &item)?;
        if propagate {
            return self.create_with_summaries(&item, &user).await;
        }
        let request = CreateItems {
            items: vec![item],
            user,
            propagate,
        };
        let mut response = self.create_memory_items(request).await?;
        let memory_item = response.memory_items.pop();
        Ok(super::ItemResponse {
            memory_item: memory_item
                .ok_or_else(|| Error::internal("a stored memory was not returned"))?,
            category_updates: Vec::new(),
        })
    }

    /// The memory and the summaries that tell of it, in one transaction.
    async fn create_with_summaries(
        &self,
        new: &NewItem,
        user: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<super::ItemResponse> {
        let context = self.context();
        let scope = context.user_scope(user)?;
        until_committed(&scope, || async {
            let view = context.view(&scope).await?;
            let mut plan = Plan::new(context, view, scope.clone());
            let item = item(context, &scope, plan.now, new);
            plan.relations = if new.categories.is_empty() {
                plan.categorize(context, std::slice::from_ref(&item))
                    .await?
            } else {
                let named = categories_named(&plan.categories, &new.categories)?;
                named
                    .iter()
                    .map(|category| plan.relation(context, &item.meta.id, category))
                    .collect()
            };
            plan.items.push(item.clone());
            super::edit::finish(context, plan, item, true).await
        })
        .await
    }
}

/// What was stored so far.
#[derive(Debug, Default)]
struct Stored {
    items: Vec<MemoryItem>,
    /// The categories that they were filed under.
    touched: Vec<Id>,
}

impl Stored {
    fn add(&mut self, mut chunk: Self) {
        if self.items.is_empty() {
            self.items = chunk.items;
        } else {
            self.items.append(&mut chunk.items);
        }
        for category in chunk.touched {
            if !self.touched.contains(&category) {
                self.touched.push(category);
            }
        }
    }
}

fn check(context: &Context, item: &NewItem) -> Result<()> {
    checked_content(&item.content)?;
    context.check_type(&item.memory_type)?;
    check_extra(&item.extra, &item.memory_type)
}

fn item(
    context: &Context,
    scope: &Scope,
    now: crate::time::Timestamp,
    new: &NewItem,
) -> MemoryItem {
    let mut item = MemoryItem {
        meta: Meta::new(context.parts().ids.next_id(), scope.clone(), now),
        resource_id: None,
        memory_type: new.memory_type.clone(),
        summary: new.summary().to_owned(),
        happened: None,
        extra: serde_json::Map::new(),
        segment_ids: Vec::new(),
    };
    set_extra(&mut item.extra, &new.extra);
    note_details(
        &mut item,
        context.parts().memorize_config.enable_item_references,
    );
    item
}

/// Stores some memories in one transaction.
async fn store(context: &Context, scope: &Scope, new: &[NewItem]) -> Result<Stored> {
    let now = context.parts().clock.now();
    let mut known = context.categories_for(scope, new.len()).await?;
    let mut added = configured_categories(context, scope, &known.list, now);
    if !added.is_empty() && known.as_of.is_none() {
        // Another one may be adding them at this moment: nothing may have changed since
        // they were found to be missing.
        known = context.look_up_categories(scope).await?;
        added = configured_categories(context, scope, &known.list, now);
    }
    if !added.is_empty() {
        let all = known.list.iter().chain(&added);
        known.list = Arc::new(all.cloned().collect());
    }
    let mut batch = WriteBatch::new(scope.clone(), None);
    // Other threads file and embed the memories while this one makes items of them: one to be
    // stored, and one to be told.
    let make = async {
        let items: Vec<MemoryItem> = new
            .iter()
            .map(|new| item(context, scope, now, new))
            .collect();
        (items.clone(), items)
    };
    let calls = context.calls(scope, None);
    let (filed, vectors, (mut told, items)) = futures_util::try_join!(
        file(context, new, &known.list, &calls),
        embedded(context, new, &added, &calls),
        make.map(Ok),
    )?;
    let embeddings = owned(&items, &added, vectors);
    let mut stored = Stored::default();
    let adds = !added.is_empty();
    batch.writes.extend(added.into_iter().map(Write::Category));
    batch.writes.extend(items.into_iter().map(Write::Item));
    for (number, category) in filed {
        let Some(item) = told.get(number) else {
            continue;
        };
        let relation = relation(context, scope, now, &item.meta.id, &category);
        batch.writes.push(Write::Relation(relation));
        if !stored.touched.contains(&category) {
            stored.touched.push(category);
        }
    }
    if !embeddings.is_empty() {
        let identity = context.parts().embedder.identity().clone();
        batch.writes.push(Write::Embeddings(identity, embeddings));
    }
    batch.writes.extend(calls.writes());
    context.commit_filed(batch, known, adds).await?;
    for item in &mut told {
        item.meta.revision = 1;
    }
    stored.items = told;
    Ok(stored)
}

/// Vectors of the memories, and of categories behind them.
async fn embedded(
    context: &Context,
    new: &[NewItem],
    categories: &[MemoryCategory],
    calls: &Calls,
) -> Result<Vec<Option<Embedding>>> {
    let about: Vec<String> = categories.iter().map(Plan::embedded_category).collect();
    let texts: Vec<&str> = new
        .iter()
        .map(NewItem::summary)
        .chain(about.iter().map(String::as_str))
        .collect();
    let embedder = &*context.parts().embedder;
    calls
        .embed(EMBED_MEMORIES, embedder, &texts, Purpose::Memory)
        .await
}

/// Vectors with their owners.
fn owned(
    items: &[MemoryItem],
    categories: &[MemoryCategory],
    vectors: Vec<Option<Embedding>>,
) -> Vec<OwnedEmbedding> {
    let owners = items
        .iter()
        .map(|item| (OwnerKind::Item, &item.meta.id))
        .chain(
            categories
                .iter()
                .map(|category| (OwnerKind::Category, &category.meta.id)),
        );
    let owned = owners.zip(vectors).filter_map(|((kind, owner), vector)| {
        Some(OwnedEmbedding {
            kind,
            owner: owner.clone(),
            vector: vector?,
        })
    });
    owned.collect()
}

/// Lets the summaries of these categories follow their items.
async fn follow(
    context: &Context,
    scope: &Scope,
    categories: &[Id],
) -> Result<Vec<MemoryCategory>> {
    until_committed(scope, || async {
        let view = context.view(scope).await?;
        let mut plan = Plan::new(context, view, scope.clone());
        plan.also_touched = categories.to_vec();
        let updated = plan.summarize(context).await?;
        let stored = plan.commit(context).await?;
        let updated = updated.iter().filter_map(|id| stored.data.category(id));
        Ok(updated.cloned().collect())
    })
    .await
}

pub(super) fn checked_content(content: &str) -> Result<String> {
    let content = content.trim();
    if content.is_empty() {
        return Err(Error::input("the memory is empty"));
    }
    if content.len() > MAX_CONTENT_BYTES {
        return Err(Error::input(format!(
            "the memory has {} bytes; at most {MAX_CONTENT_BYTES} are allowed; memorize it as a document",
            content.len()
        )));
    }
    Ok(content.to_owned())
}
