use jiff::civil;

use crate::error::{Error, Result};
use crate::records::{
    Blob, CategoryItem, Change, EmbedderIdentity, Id, MemoryCategory, MemoryItem, ModelReply,
    ModelUsage, OwnedEmbedding, OwnerKind, Resource, Segment,
};
use crate::scope::Scope;
use crate::store::{Query, ScopeData, Store};

/// Everything that a store's reads tell about one scope.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The end of the change log.
    pub seq: u64,
    /// The change log.
    pub changes: Vec<Change>,
    /// The resources.
    pub resources: Vec<Resource>,
    /// The segments.
    pub segments: Vec<Segment>,
    /// The items.
    pub items: Vec<MemoryItem>,
    /// The categories.
    pub categories: Vec<MemoryCategory>,
    /// The relations.
    pub relations: Vec<CategoryItem>,
    /// The replies of models.
    pub model_replies: Vec<ModelReply>,
    /// What models took.
    pub model_usage: Vec<ModelUsage>,
    /// The content of each resource.
    pub blobs: Vec<Option<Blob>>,
    /// The vectors of all records.
    pub vectors: Vec<OwnedEmbedding>,
}

impl Snapshot {
    /// Reads a scope; anew when it changed meanwhile.
    ///
    /// # Errors
    /// The store's.
    pub async fn of(store: &dyn Store, scope: &Scope, identity: &EmbedderIdentity) -> Result<Self> {
        for _ in 0..100 {
            let snapshot = Self::read(store, scope, identity).await?;
            if store.last_seq(scope).await? == snapshot.seq {
                return Ok(snapshot);
            }
        }
        Err(Error::busy("the scope does not come to rest"))
    }

    async fn read(store: &dyn Store, scope: &Scope, identity: &EmbedderIdentity) -> Result<Self> {
        let query = Query::scope(scope);
        let mut snapshot = Self {
            seq: store.last_seq(scope).await?,
            changes: store.changes(scope, 0, usize::MAX).await?,
            resources: store.resources(&query).await?.records,
            segments: store.segments(&query).await?.records,
            items: store.items(&query).await?.records,
            categories: store.categories(&query).await?.records,
            relations: store.relations(&query).await?.records,
            model_replies: store.model_replies(&query).await?.records,
            model_usage: store.model_usage(scope, civil::Date::MIN).await?,
            ..Self::default()
        };
        for resource in &snapshot.resources {
            let blob = store.blob(scope, &resource.content_hash).await?;
            snapshot.blobs.push(blob);
        }
        for (kind, owners) in snapshot.owners() {
            let vectors = store.embeddings(scope, identity, kind, &owners).await?;
            snapshot.vectors.extend(vectors);
        }
        Ok(snapshot)
    }

    /// The same of the model.
    pub fn of_data(data: &ScopeData, identity: &EmbedderIdentity) -> Self {
        let mut snapshot = Self {
            seq: data.seq(),
            changes: data.changes(0).to_vec(),
            resources: data.resources().cloned().collect(),
            segments: data.segments().cloned().collect(),
            items: data.items().cloned().collect(),
            categories: data.categories().cloned().collect(),
            relations: data.relations().cloned().collect(),
            model_replies: data.model_replies().cloned().collect(),
            model_usage: data.model_usage(civil::Date::MIN).cloned().collect(),
            ..Self::default()
        };
        snapshot.blobs = data
            .resources()
            .map(|resource| data.blob(&resource.content_hash).cloned())
            .collect();
        for (kind, owners) in snapshot.owners() {
            snapshot
                .vectors
                .extend(owners.into_iter().filter_map(|owner| {
                    let vector = data.vector(identity, kind, &owner)?.clone();
                    Some(OwnedEmbedding {
                        kind,
                        owner,
                        vector,
                    })
                }));
        }
        snapshot
    }

    fn owners(&self) -> [(OwnerKind, Vec<Id>); 4] {
        let resources = self.resources.iter().map(|one| one.meta.id.clone());
        let segments = self.segments.iter().map(|one| one.meta.id.clone());
        let items = self.items.iter().map(|one| one.meta.id.clone());
        let categories = self.categories.iter().map(|one| one.meta.id.clone());
        [
            (OwnerKind::Resource, resources.collect()),
            (OwnerKind::Segment, segments.collect()),
            (OwnerKind::Item, items.collect()),
            (OwnerKind::Category, categories.collect()),
        ]
    }
}
