//! A store with the folder beside it, and where content is.

use std::sync::Arc;

use crate::error::Result;
use crate::records::{Blob, ContentHash, Resource};
use crate::service::ResourceFiles;
use crate::service::files::{is_beside, name};
use crate::store::{Lease, Store};

/// A store and the folder of its large files.
#[derive(Clone, Debug)]
pub struct Side {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The folder; `None` for a store that keeps large content in itself.
    pub files: Option<Arc<dyn ResourceFiles>>,
}

/// Content on its way to a place.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// The file beside the store; empty when it is in the store, or nowhere.
    pub(super) local_path: String,
    /// What the store is to keep.
    pub(super) blob: Option<Blob>,
    /// Keeps the file until the resource is committed.
    pub(super) lease: Option<Lease>,
}

impl Side {
    /// The content of a resource; `None` when it is not there as it was stored, or was never
    /// in this store.
    pub(super) async fn content(&self, resource: &Resource) -> Result<Option<Arc<[u8]>>> {
        let bytes = if resource.local_path.is_empty() {
            let scope = &resource.meta.scope;
            let blob = self.store.blob(scope, &resource.content_hash).await?;
            blob.map(|blob| blob.bytes)
        } else if let Some(files) = self.files_of(resource) {
            files.read(&resource.local_path).await?
        } else {
            None
        };
        Ok(bytes.filter(|bytes| ContentHash::of(bytes) == resource.content_hash))
    }

    /// Whether the content of a resource is there as it was stored.
    pub(super) async fn has_content(&self, resource: &Resource) -> Result<bool> {
        match self.files_of(resource) {
            // Read piece by piece.
            Some(files) => {
                let hash = files.hash(&resource.local_path).await?;
                Ok(hash == Some(resource.content_hash))
            }
            None => Ok(self.content(resource).await?.is_some()),
        }
    }

    fn files_of(&self, resource: &Resource) -> Option<&dyn ResourceFiles> {
        self.files.as_deref().filter(|_| is_beside(resource))
    }

    /// Puts the content of a resource where this side keeps such content.
    pub(super) async fn place(&self, resource: &Resource, bytes: Arc<[u8]>) -> Result<Placed> {
        let Resource {
            meta,
            content_hash,
            modality,
            ..
        } = resource;
        let name = name(&meta.scope.key(), content_hash, *modality, bytes.len());
        if let (Some(files), Some(name)) = (&self.files, name) {
            return Ok(Placed {
                lease: Some(files.keep(&name, bytes).await?),
                local_path: name,
                blob: None,
            });
        }
        Ok(Placed {
            blob: Some(Blob {
                hash: *content_hash,
                bytes,
            }),
            ..Placed::default()
        })
    }
}

/// A resource without the name of its file, which depends on where its store keeps files.
pub(super) fn without_place(mut resource: Resource) -> Resource {
    if is_beside(&resource) {
        resource.local_path.clear();
    }
    resource
}
