//! Reading a scope of any store into memory.

use super::ScopeData;
use crate::error::{Error, Result};
use crate::records::{EmbedderIdentity, Id, OwnedEmbedding, OwnerKind};
use crate::scope::Scope;
use crate::store::{Query, Store, StoreExt};

/// How often a scope that is being written is read again before giving up.
const ATTEMPTS: usize = 20;

/// Records per page.
const PAGE: usize = 4_096;

impl ScopeData {
    /// Reads the records of a scope, all of one moment: when the scope changes
    /// while it is read, it is read again. Content, model replies, vectors and the
    /// lines of the change log stay in the store.
    ///
    /// # Errors
    /// The store's; [`ErrorKind::Busy`](crate::ErrorKind::Busy) when the scope
    /// changed during twenty readings.
    pub async fn load(store: &dyn Store, scope: &Scope) -> Result<Self> {
        Self::load_settled(store, scope, None).await
    }

    /// As [`ScopeData::load`], with the vectors of this embedder.
    ///
    /// # Errors
    /// As [`ScopeData::load`].
    pub async fn load_with_vectors(
        store: &dyn Store,
        scope: &Scope,
        identity: &EmbedderIdentity,
    ) -> Result<Self> {
        Self::load_settled(store, scope, Some(identity)).await
    }

    async fn load_settled(
        store: &dyn Store,
        scope: &Scope,
        identity: Option<&EmbedderIdentity>,
    ) -> Result<Self> {
        for _ in 0..ATTEMPTS {
            let position = store.log_position(scope).await?;
            let mut data = Self::read(store, scope).await?;
            if let Some(identity) = identity {
                data.read_vectors(store, identity).await?;
            }
            if store.log_position(scope).await? == position {
                data.life = position.life;
                data.seq = position.seq;
                return Ok(data);
            }
        }
        Err(
            Error::busy("the scope is written to faster than it can be read; try again")
                .with("scope", scope),
        )
    }

    async fn read(store: &dyn Store, scope: &Scope) -> Result<Self> {
        let query = Query {
            limit: PAGE,
            ..Query::scope(scope)
        };
        // A store with several connections answers these side by side.
        let (resources, segments, items, categories, relations) = futures_util::try_join!(
            store.all_resources(&query),
            store.all_segments(&query),
            store.all_items(&query),
            store.all_categories(&query),
            store.all_relations(&query),
        )?;
        let mut data = Self::new(scope.clone());
        for resource in resources {
            let id = resource.meta.id.clone();
            let position = data.next();
            data.set_resource(position, &id, Some(resource));
        }
        for segment in segments {
            let id = segment.meta.id.clone();
            let position = data.next();
            data.set_segment(position, &id, Some(segment));
        }
        for item in items {
            let id = item.meta.id.clone();
            let position = data.next();
            data.set_item(position, &id, Some(item));
        }
        for category in categories {
            let id = category.meta.id.clone();
            let position = data.next();
            data.set_category(position, &id, Some(category));
        }
        for relation in relations {
            let id = relation.meta.id.clone();
            let position = data.next();
            data.set_relation(position, &id, Some(relation));
        }
        Ok(data)
    }

    fn next(&mut self) -> u64 {
        self.next_position += 1;
        self.next_position - 1
    }

    async fn read_vectors(&mut self, store: &dyn Store, identity: &EmbedderIdentity) -> Result<()> {
        let owners: [(OwnerKind, Vec<Id>); 4] = [
            (
                OwnerKind::Resource,
                self.resources().map(|one| one.meta.id.clone()).collect(),
            ),
            (
                OwnerKind::Segment,
                self.segments().map(|one| one.meta.id.clone()).collect(),
            ),
            (
                OwnerKind::Item,
                self.items().map(|one| one.meta.id.clone()).collect(),
            ),
            (
                OwnerKind::Category,
                self.categories().map(|one| one.meta.id.clone()).collect(),
            ),
        ];
        for (kind, owners) in owners {
            for page in owners.chunks(PAGE) {
                let vectors = store.embeddings(&self.scope, identity, kind, page).await?;
                for OwnedEmbedding {
                    kind,
                    owner,
                    vector,
                } in vectors
                {
                    self.set_vector(identity, kind, &owner, Some(vector));
                }
            }
        }
        Ok(())
    }
}
