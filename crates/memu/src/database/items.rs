use memu_core::records::{Id, MemoryItem, OwnerKind};
use memu_core::scope::Scope;
use memu_core::store::{Query, StoreExt, Write};
use memu_core::time::When;
use memu_core::{Error, Result};
use serde_json::Value;

use super::new_items::NewItems;
use super::search::{self, VectorSearch};
use super::{Access, Kept, Object, PAGE, missing, only};

/// What a tool record may say; it is kept among the details of an item.
const TOOL_RECORD: [&str; 3] = ["when_to_use", "metadata", "tool_calls"];

/// A new item.
#[derive(Clone, Debug, Default)]
pub struct CreateItem {
    /// Its id; made when there is none.
    pub id: Option<Id>,
    /// The resource that it was drawn from.
    pub resource_id: Option<Id>,
    /// `profile`, `event`, `knowledge`, `behavior`, `skill`, `tool`, or another.
    pub memory_type: String,
    /// The memory, in a sentence.
    pub summary: String,
    /// When it happened.
    pub happened: Option<When>,
    /// The vector of the summary.
    pub embedding: Option<Vec<f32>>,
    /// Open details.
    pub extra: Object,
    /// `when_to_use`, `metadata` and `tool_calls`, kept among the details.
    pub tool_record: Object,
    /// Whether an equal memory of the scope is counted once more instead; not for tools.
    pub reinforce: bool,
    /// Whose it is, such as `{"user_id": "alice"}`.
    pub user_data: Object,
}

/// What changes about an item; the rest stays.
#[derive(Clone, Debug, Default)]
pub struct UpdateItem {
    /// Its type.
    pub memory_type: Option<String>,
    /// The memory.
    pub summary: Option<String>,
    /// Its vector.
    pub embedding: Option<Vec<f32>>,
    /// Details that are set; the others stay.
    pub extra: Object,
    /// As of [`CreateItem`].
    pub tool_record: Object,
}

/// The items of a store.
#[derive(Clone, Debug)]
pub struct MemoryItemRepo {
    access: Access,
}

impl MemoryItemRepo {
    pub(super) fn new(access: Access) -> Self {
        Self { access }
    }

    /// All items of all scopes, in stored order.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn load_existing(&self) -> Result<Vec<Kept<MemoryItem>>> {
        let query = self.access.everything().await?;
        self.of(&query).await
    }

    /// The item with this id, in whatever scope.
    ///
    /// # Errors
    /// [`ErrorKind::Scope`](memu_core::ErrorKind::Scope) when several scopes hold one; those of
    /// the store.
    pub async fn get_item(&self, id: Id) -> Result<Option<Kept<MemoryItem>>> {
        let query = self.access.by_id(&id).await?;
        only(self.of(&query).await?, "item", &id)
    }

    /// The items that match, in stored order. A store that holds several scopes must be told
    /// which.
    ///
    /// # Errors
    /// [`ErrorKind::Filter`](memu_core::ErrorKind::Filter) and
    /// [`ErrorKind::Scope`](memu_core::ErrorKind::Scope) when the filter is not understood or
    /// names no scope among several; those of the store.
    pub async fn list_items(&self, filter: Object) -> Result<Vec<Kept<MemoryItem>>> {
        let query = self.access.query(&filter, false).await?;
        self.of(&query).await
    }

    /// The items that match and whose `extra.ref_id` is one of these, or whose id begins with
    /// one: that is how summaries cite.
    ///
    /// # Errors
    /// As [`Self::list_items`].
    pub async fn list_items_by_ref_ids(
        &self,
        ref_ids: Vec<String>,
        filter: Object,
    ) -> Result<Vec<Kept<MemoryItem>>> {
        if ref_ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = self.access.query(&filter, false).await?;
        let mut found = Vec::new();
        loop {
            let page = self.access.store.items(&query).await?;
            found.extend(page.records.into_iter().filter(|item| {
                let named = item.extra.get("ref_id").and_then(Value::as_str);
                ref_ids.iter().any(|wanted| match named {
                    Some(named) => named == wanted,
                    None => !wanted.is_empty() && item.meta.id.as_str().starts_with(wanted),
                })
            }));
            if page.next.is_none() {
                return self.with_vectors(found).await;
            }
            query.after = page.next;
        }
    }

    /// Puts an item; or counts an equal one of its scope once more, when that is asked for.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](memu_core::ErrorKind::Conflict) when its id is taken;
    /// [`ErrorKind::NotFound`](memu_core::ErrorKind::NotFound) when the scope does not hold its
    /// resource; [`ErrorKind::Input`](memu_core::ErrorKind::Input) for an unfit vector; those of
    /// the store.
    pub async fn create_item(&self, new: CreateItem) -> Result<Kept<MemoryItem>> {
        let (reinforce, embedding) = (new.reinforce, new.embedding.clone());
        let mut item = self.made(new)?;
        if reinforce && item.memory_type != "tool" {
            let hash = item.content_hash();
            if let Some(known) = self.equal(&item.meta.scope, &hash).await? {
                let met = known.reinforcement_count() + 1;
                return self.met(known, met, None).await;
            }
            item.extra.insert("content_hash".to_owned(), hash.into());
            return self.met(item, 1, embedding).await;
        }
        self.put(item, embedding).await
    }

    /// Puts items, a thousand of a scope in each transaction: some hundred times faster than one
    /// by one. What is put before one that the store refuses stays.
    ///
    /// # Errors
    /// As [`Self::create_item`]; [`ErrorKind::Input`](memu_core::ErrorKind::Input) for one that
    /// is to be counted once more instead.
    pub async fn create_items(&self, new: Vec<CreateItem>) -> Result<Vec<Kept<MemoryItem>>> {
        let new = self.new_items(new)?;
        let kept = new.kept();
        self.put_items(new).await?;
        Ok(kept)
    }

    /// The first half of [`Self::create_items`]: makes the items, and stores nothing yet.
    ///
    /// # Errors
    /// As [`Self::create_items`], but those of the store.
    pub fn new_items(&self, new: Vec<CreateItem>) -> Result<NewItems> {
        let mut items = NewItems::default();
        for mut new in new {
            if new.reinforce {
                return Err(Error::input(
                    "of many items at once none can be counted once more: leave reinforce out",
                ));
            }
            let embedding = new.embedding.take();
            let item = self.made(new)?;
            let vector = embedding.map(|values| {
                let owner = item.meta.id.clone();
                self.access.owned(OwnerKind::Item, owner, values)
            });
            items.add(item, vector.transpose()?);
        }
        Ok(items)
    }

    /// Puts items that were made.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](memu_core::ErrorKind::Conflict) when an id is taken;
    /// [`ErrorKind::NotFound`](memu_core::ErrorKind::NotFound) when the scope does not hold a
    /// resource; those of the store.
    pub async fn put_items(&self, new: NewItems) -> Result<()> {
        for (scope, writes) in new.into_writes() {
            self.access.commit(&scope, writes).await?;
        }
        Ok(())
    }

    fn made(&self, new: CreateItem) -> Result<MemoryItem> {
        let mut item = MemoryItem {
            meta: self.access.meta(new.id, &new.user_data)?,
            resource_id: new.resource_id,
            memory_type: new.memory_type,
            summary: new.summary,
            happened: new.happened,
            extra: new.extra,
            segment_ids: Vec::new(),
        };
        note(&mut item, new.tool_record);
        Ok(item)
    }

    /// The first item of a scope with this content hash.
    async fn equal(&self, scope: &Scope, hash: &str) -> Result<Option<MemoryItem>> {
        let mut query = Query::scope(scope);
        query.limit = PAGE;
        loop {
            let page = self.access.store.items(&query).await?;
            let mut items = page.records.into_iter();
            if let Some(found) = items.find(|item| item.content_hash() == hash) {
                return Ok(Some(found));
            }
            if page.next.is_none() {
                return Ok(None);
            }
            query.after = page.next;
        }
    }

    /// Puts an item that was met so often, for the last time now.
    async fn met(
        &self,
        mut item: MemoryItem,
        count: u64,
        embedding: Option<Vec<f32>>,
    ) -> Result<Kept<MemoryItem>> {
        let now = self.access.clock.now();
        item.meta.updated_at = now;
        item.extra
            .insert("reinforcement_count".to_owned(), count.into());
        item.extra
            .insert("last_reinforced_at".to_owned(), now.to_string().into());
        let id = item.meta.id.clone();
        let kept = self.put(item, embedding).await?;
        // One that was there has its vector.
        Ok(self.get_item(id).await?.unwrap_or(kept))
    }

    /// Changes an item.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](memu_core::ErrorKind::NotFound) when there is none with this id;
    /// [`ErrorKind::Scope`](memu_core::ErrorKind::Scope) when several scopes hold one;
    /// [`ErrorKind::Conflict`](memu_core::ErrorKind::Conflict) when somebody else changed it
    /// meanwhile; as [`Self::create_item`].
    pub async fn update_item(&self, id: Id, change: UpdateItem) -> Result<Kept<MemoryItem>> {
        let known = self.get_item(id.clone()).await?;
        let Kept {
            record: mut item,
            embedding: before,
        } = known.ok_or_else(|| missing("item", &id))?;
        if let Some(memory_type) = change.memory_type {
            item.memory_type = memory_type;
        }
        if let Some(summary) = change.summary {
            item.summary = summary;
        }
        item.extra.extend(change.extra);
        note(&mut item, change.tool_record);
        item.meta.updated_at = self.access.clock.now();
        let changed = self.put(item, change.embedding).await?;
        Ok(Kept {
            embedding: changed.embedding.or(before),
            ..changed
        })
    }

    /// Removes an item with its relations and vector; nothing happens where there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Scope`](memu_core::ErrorKind::Scope) when several scopes hold one; those of
    /// the store.
    pub async fn delete_item(&self, id: Id) -> Result<()> {
        let found: Vec<MemoryItem> = self
            .get_item(id)
            .await?
            .into_iter()
            .map(|one| one.record)
            .collect();
        let remove = |one: &MemoryItem| Write::DeleteItem(one.meta.id.clone());
        self.access.remove(found, |one| &one.meta, remove).await?;
        Ok(())
    }

    /// Removes the items that match with their relations and vectors, and returns them.
    ///
    /// # Errors
    /// As [`Self::list_items`].
    pub async fn clear_items(&self, filter: Object) -> Result<Vec<Kept<MemoryItem>>> {
        let found = self.list_items(filter).await?;
        let remove = |one: &Kept<MemoryItem>| Write::DeleteItem(one.meta.id.clone());
        self.access
            .remove(found, |one| &one.record.meta, remove)
            .await
    }

    /// The items that match and whose vectors are nearest to `query`, best first, with their
    /// scores: the cosine, or for salience the cosine weighted by how often and how recently
    /// the item was met.
    ///
    /// # Errors
    /// As [`Self::list_items`]; [`ErrorKind::Input`](memu_core::ErrorKind::Input) for a `top_k`
    /// of 0, and for a vector that is none, or of a length that no vector of the store has.
    pub async fn vector_search_items(&self, query: VectorSearch) -> Result<Vec<(Id, f32)>> {
        search::search(&self.access, query).await
    }

    async fn of(&self, query: &Query) -> Result<Vec<Kept<MemoryItem>>> {
        let found = self.access.store.all_items(query).await?;
        self.with_vectors(found).await
    }

    async fn with_vectors(&self, found: Vec<MemoryItem>) -> Result<Vec<Kept<MemoryItem>>> {
        self.access
            .with_vectors(OwnerKind::Item, found, |one| &one.meta)
            .await
    }

    async fn put(&self, item: MemoryItem, embedding: Option<Vec<f32>>) -> Result<Kept<MemoryItem>> {
        let (scope, id) = (item.meta.scope.clone(), item.meta.id.clone());
        let vector = embedding.map(|values| (OwnerKind::Item, id, values));
        let writes = vec![Write::Item(item.clone())];
        let embedding = self.access.put(&scope, writes, vector).await?;
        let mut kept = Kept {
            record: item,
            embedding,
        };
        kept.record.meta.revision += 1;
        Ok(kept)
    }
}

/// Keeps a tool record among the details of an item.
fn note(item: &mut MemoryItem, mut record: Object) {
    for name in TOOL_RECORD {
        if let Some(value) = record.remove(name).filter(|value| !value.is_null()) {
            item.extra.insert(name.to_owned(), value);
        }
    }
}
