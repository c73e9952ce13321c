use memu_core::Result;
use memu_core::records::{Id, MemoryCategory, OwnerKind};
use memu_core::store::{Query, Select, StoreExt, Write};

use super::{Access, Kept, Object, PAGE, missing, only};

/// A new category.
#[derive(Clone, Debug, Default)]
pub struct CreateCategory {
    /// Its id; made when there is none.
    pub id: Option<Id>,
    /// Its name.
    pub name: String,
    /// What belongs into it.
    pub description: String,
    /// What its items say.
    pub summary: Option<String>,
    /// Its vector.
    pub embedding: Option<Vec<f32>>,
    /// Whose it is, such as `{"user_id": "alice"}`.
    pub user_data: Object,
}

/// What changes about a category; the rest stays.
#[derive(Clone, Debug, Default)]
pub struct UpdateCategory {
    /// Its name.
    pub name: Option<String>,
    /// What belongs into it.
    pub description: Option<String>,
    /// What its items say.
    pub summary: Option<String>,
    /// Its vector.
    pub embedding: Option<Vec<f32>>,
}

/// The categories of a store.
#[derive(Clone, Debug)]
pub struct MemoryCategoryRepo {
    access: Access,
}

impl MemoryCategoryRepo {
    pub(super) fn new(access: Access) -> Self {
        Self { access }
    }

    /// All categories of all scopes, in stored order.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn load_existing(&self) -> Result<Vec<Kept<MemoryCategory>>> {
        let query = self.access.everything().await?;
        self.of(&query).await
    }

    /// The categories that match, in stored order. A store that holds several scopes must be
    /// told which.
    ///
    /// # Errors
    /// [`ErrorKind::Filter`](memu_core::ErrorKind::Filter) and
    /// [`ErrorKind::Scope`](memu_core::ErrorKind::Scope) when the filter is not understood or
    /// names no scope among several; those of the store.
    pub async fn list_categories(&self, filter: Object) -> Result<Vec<Kept<MemoryCategory>>> {
        let query = self.access.query(&filter, false).await?;
        self.of(&query).await
    }

    /// The first category of this name in its scope; put when there is none.
    ///
    /// # Errors
    /// As [`Self::create_category`].
    pub async fn get_or_create_category(
        &self,
        new: CreateCategory,
    ) -> Result<Kept<MemoryCategory>> {
        let scope = self.access.scope(&new.user_data)?;
        let mut query = Query::scope(&scope).select(Select::Names(vec![new.name.clone()]));
        query.limit = PAGE;
        match self.of(&query).await?.into_iter().next() {
            Some(known) => Ok(known),
            None => self.create_category(new).await,
        }
    }

    /// Puts a category, whatever others are called.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](memu_core::ErrorKind::Conflict) when its id is taken;
    /// [`ErrorKind::Input`](memu_core::ErrorKind::Input) for an unfit vector; those of the
    /// store.
    pub async fn create_category(&self, new: CreateCategory) -> Result<Kept<MemoryCategory>> {
        let category = MemoryCategory {
            meta: self.access.meta(new.id, &new.user_data)?,
            name: new.name,
            description: new.description,
            summary: new.summary,
        };
        self.put(category, new.embedding).await
    }

    /// Changes a category.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](memu_core::ErrorKind::NotFound) when there is none with this id;
    /// [`ErrorKind::Scope`](memu_core::ErrorKind::Scope) when several scopes hold one; as
    /// [`Self::create_category`].
    pub async fn update_category(
        &self,
        id: Id,
        change: UpdateCategory,
    ) -> Result<Kept<MemoryCategory>> {
        let query = self.access.by_id(&id).await?;
        let known = only(self.of(&query).await?, "category", &id)?;
        let mut known = known.ok_or_else(|| missing("category", &id))?;
        let category = &mut known.record;
        category.name = change.name.unwrap_or(std::mem::take(&mut category.name));
        if let Some(description) = change.description {
            category.description = description;
        }
        if change.summary.is_some() {
            category.summary = change.summary;
        }
        category.meta.updated_at = self.access.clock.now();
        let changed = self.put(known.record, change.embedding).await?;
        Ok(Kept {
            embedding: changed.embedding.or(known.embedding),
            ..changed
        })
    }

    /// Removes the categories that match with their relations, and returns them.
    ///
    /// # Errors
    /// As [`Self::list_categories`].
    pub async fn clear_categories(&self, filter: Object) -> Result<Vec<Kept<MemoryCategory>>> {
        let found = self.list_categories(filter).await?;
        let remove = |one: &Kept<MemoryCategory>| Write::DeleteCategory(one.meta.id.clone());
        self.access
            .remove(found, |one| &one.record.meta, remove)
            .await
    }

    async fn of(&self, query: &Query) -> Result<Vec<Kept<MemoryCategory>>> {
        let found = self.access.store.all_categories(query).await?;
        self.access
            .with_vectors(OwnerKind::Category, found, |one| &one.meta)
            .await
    }

    async fn put(
        &self,
        category: MemoryCategory,
        embedding: Option<Vec<f32>>,
    ) -> Result<Kept<MemoryCategory>> {
        let (scope, id) = (category.meta.scope.clone(), category.meta.id.clone());
        let vector = embedding.map(|values| (OwnerKind::Category, id, values));
        let writes = vec![Write::Category(category.clone())];
        let embedding = self.access.put(&scope, writes, vector).await?;
        let mut kept = Kept {
            record: category,
            embedding,
        };
        kept.record.meta.revision += 1;
        Ok(kept)
    }
}
