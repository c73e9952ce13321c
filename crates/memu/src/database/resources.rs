use memu_core::Result;
use memu_core::records::{Blob, ContentHash, Id, Modality, OwnerKind, Resource};
use memu_core::store::{StoreExt, Write};

use super::{Access, Kept, Object};

/// A new resource.
#[derive(Clone, Debug)]
pub struct CreateResource {
    /// Its id; made when there is none.
    pub id: Option<Id>,
    /// Where it came from.
    pub url: String,
    /// What kind of thing it is.
    pub modality: Modality,
    /// Where the caller keeps its file, which MemU neither reads nor removes; may be empty.
    pub local_path: String,
    /// What it is about, in a sentence.
    pub caption: Option<String>,
    /// The vector of the caption.
    pub embedding: Option<Vec<f32>>,
    /// Its content, kept in the store; `local_path` then means nothing and is left out.
    pub content: Option<Vec<u8>>,
    /// Whose it is, such as `{"user_id": "alice"}`.
    pub user_data: Object,
}

impl CreateResource {
    /// A resource of which nothing else is known.
    pub fn new(url: impl Into<String>, modality: Modality, user_data: Object) -> Self {
        Self {
            id: None,
            url: url.into(),
            modality,
            local_path: String::new(),
            caption: None,
            embedding: None,
            content: None,
            user_data,
        }
    }
}

/// The resources of a store.
#[derive(Clone, Debug)]
pub struct ResourceRepo {
    access: Access,
}

impl ResourceRepo {
    pub(super) fn new(access: Access) -> Self {
        Self { access }
    }

    /// All resources of all scopes, in stored order.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn load_existing(&self) -> Result<Vec<Kept<Resource>>> {
        let query = self.access.everything().await?;
        let found = self.access.store.all_resources(&query).await?;
        self.with_vectors(found).await
    }

    /// The resources that match, in stored order. A store that holds several scopes must be
    /// told which.
    ///
    /// # Errors
    /// [`ErrorKind::Filter`](memu_core::ErrorKind::Filter) and
    /// [`ErrorKind::Scope`](memu_core::ErrorKind::Scope) when the filter is not understood or
    /// names no scope among several; those of the store.
    pub async fn list_resources(&self, filter: Object) -> Result<Vec<Kept<Resource>>> {
        let query = self.access.query(&filter, false).await?;
        let found = self.access.store.all_resources(&query).await?;
        self.with_vectors(found).await
    }

    /// Puts a resource.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](memu_core::ErrorKind::Conflict) when its id is taken or its
    /// content is there; [`ErrorKind::Input`](memu_core::ErrorKind::Input) for an unfit vector;
    /// those of the store.
    pub async fn create_resource(&self, new: CreateResource) -> Result<Kept<Resource>> {
        let meta = self.access.meta(new.id, &new.user_data)?;
        let (scope, id) = (meta.scope.clone(), meta.id.clone());
        let content = new.content.map(|bytes| Blob {
            hash: ContentHash::of(&bytes),
            bytes: bytes.into(),
        });
        let resource = Resource {
            // Without content it names the record, as in files that were upgraded.
            content_hash: content.as_ref().map_or_else(
                || ContentHash::of(format!("memU 1.x resource {id}").as_bytes()),
                |blob| blob.hash,
            ),
            meta,
            url: new.url,
            modality: new.modality,
            local_path: match content {
                Some(_) => String::new(),
                None => new.local_path,
            },
            caption: new.caption,
            external_id: None,
            segment_count: 0,
        };
        let mut writes: Vec<Write> = content.into_iter().map(Write::Blob).collect();
        writes.push(Write::Resource(resource.clone()));
        let vector = new
            .embedding
            .map(|values| (OwnerKind::Resource, id, values));
        let embedding = self.access.put(&scope, writes, vector).await?;
        let mut kept = Kept {
            record: resource,
            embedding,
        };
        kept.record.meta.revision = 1;
        Ok(kept)
    }

    /// Removes the resources that match with their segments, items and all that hangs on them,
    /// and returns them. Large files beside the store become strays, which
    /// `memu doctor --repair` removes.
    ///
    /// # Errors
    /// As [`Self::list_resources`].
    pub async fn clear_resources(&self, filter: Object) -> Result<Vec<Kept<Resource>>> {
        let found = self.list_resources(filter).await?;
        let remove = |one: &Kept<Resource>| Write::DeleteResource(one.meta.id.clone());
        self.access
            .remove(found, |one| &one.record.meta, remove)
            .await
    }

    async fn with_vectors(&self, found: Vec<Resource>) -> Result<Vec<Kept<Resource>>> {
        self.access
            .with_vectors(OwnerKind::Resource, found, |one| &one.meta)
            .await
    }
}
