use memu_core::Result;
use memu_core::records::{CategoryItem, Id};
use memu_core::store::{Query, Select, StoreExt, Write};

use super::{Access, Object, PAGE};

/// Which items of a store are filed under which categories.
#[derive(Clone, Debug)]
pub struct CategoryItemRepo {
    access: Access,
}

impl CategoryItemRepo {
    pub(super) fn new(access: Access) -> Self {
        Self { access }
    }

    /// All relations of all scopes, in stored order.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn load_existing(&self) -> Result<Vec<CategoryItem>> {
        let query = self.access.everything().await?;
        self.access.store.all_relations(&query).await
    }

    /// The relations that match, in stored order. A store that holds several scopes must be
    /// told which.
    ///
    /// # Errors
    /// [`ErrorKind::Filter`](memu_core::ErrorKind::Filter) and
    /// [`ErrorKind::Scope`](memu_core::ErrorKind::Scope) when the filter is not understood or
    /// names no scope among several; those of the store.
    pub async fn list_relations(&self, filter: Object) -> Result<Vec<CategoryItem>> {
        let query = self.access.query(&filter, false).await?;
        self.access.store.all_relations(&query).await
    }

    /// Files an item under a category. One that is filed there already stays so.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](memu_core::ErrorKind::NotFound) when the scope holds no such
    /// item or category; those of the store.
    pub async fn link_item_category(
        &self,
        item_id: Id,
        category_id: Id,
        user_data: Object,
    ) -> Result<CategoryItem> {
        let id = CategoryItem::id_for(&item_id, &category_id);
        let relation = CategoryItem {
            meta: self.access.meta(id, &user_data)?,
            item_id,
            category_id,
        };
        let scope = relation.meta.scope.clone();
        let writes = vec![Write::Relation(relation.clone())];
        self.access.put(&scope, writes, None).await?;
        let mut query =
            Query::scope(&scope).select(Select::OfItems(vec![relation.item_id.clone()]));
        query.limit = PAGE;
        let of_item = self.access.store.all_relations(&query).await?;
        let found = of_item
            .into_iter()
            .find(|one| one.category_id == relation.category_id);
        // Somebody may have taken it away again.
        Ok(found.unwrap_or(relation))
    }

    /// Takes an item out of a category, in every scope that has the two; nothing happens where
    /// it is not filed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn unlink_item_category(&self, item_id: Id, category_id: Id) -> Result<()> {
        let mut of_item = self.get_item_categories(item_id).await?;
        of_item.retain(|one| one.category_id == category_id);
        let remove = |one: &CategoryItem| Write::DeleteRelation {
            item_id: one.item_id.clone(),
            category_id: one.category_id.clone(),
        };
        self.access.remove(of_item, |one| &one.meta, remove).await?;
        Ok(())
    }

    /// The relations of an item, in stored order.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn get_item_categories(&self, item_id: Id) -> Result<Vec<CategoryItem>> {
        let query = self.access.everything().await?;
        let query = query.select(Select::OfItems(vec![item_id]));
        self.access.store.all_relations(&query).await
    }
}
