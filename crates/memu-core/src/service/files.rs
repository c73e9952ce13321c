//! Large files, which are kept beside the store and not in it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::Context;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::records::{ContentHash, Modality, Resource};
use crate::scope::{Scope, ScopeKey};
use crate::store::{Lease, Query, StoreExt};

/// Larger files than this lie beside the store. Text never does: it is what memories
/// are drawn from, and the store alone must be complete.
const LARGE: usize = 1 << 20;

/// A folder for large files, by names of the form `scope/content`, both of letters and
/// digits. Several processes may share it.
#[async_trait]
pub trait ResourceFiles: fmt::Debug + Send + Sync {
    /// Keeps these bytes under `name`, durably, before it returns; the file is never
    /// seen half written. A file that is there and has the name's content stays.
    ///
    /// Hand the lease on to the batch that refers to the file: until it is dropped,
    /// nobody gets [`Self::exclusive`], and so nobody takes the file for a stray.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) and
    /// [`ErrorKind::Permission`](crate::ErrorKind::Permission) when it cannot be
    /// written; [`ErrorKind::Busy`](crate::ErrorKind::Busy) when others remove files
    /// for longer than the configured wait.
    async fn keep(&self, name: &str, bytes: Arc<[u8]>) -> Result<Lease>;

    /// Waits until no process has a lease of [`Self::keep`]; none gets one while this
    /// lease lives. What no resource refers to then is a stray.
    ///
    /// # Errors
    /// As [`Self::keep`].
    async fn exclusive(&self) -> Result<Lease>;

    /// Removes a file; one that is not there is removed already.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) and
    /// [`ErrorKind::Permission`](crate::ErrorKind::Permission).
    async fn remove(&self, name: &str) -> Result<()>;

    /// All bytes of a file; `None` when it is not there.
    ///
    /// # Errors
    /// As [`Self::remove`].
    async fn read(&self, name: &str) -> Result<Option<Arc<[u8]>>>;

    /// The hash of a file's bytes, read piece by piece; `None` when it is not there.
    ///
    /// # Errors
    /// As [`Self::remove`].
    async fn hash(&self, name: &str) -> Result<Option<ContentHash>>;

    /// The names of all files, or of those of one scope, sorted; unfinished ones
    /// included.
    ///
    /// # Errors
    /// As [`Self::remove`].
    async fn names(&self, scope: Option<&ScopeKey>) -> Result<Vec<String>>;

    /// Where a file lies, for people.
    fn place(&self, name: &str) -> String;
}

/// The name under which content lies beside the store; `None` for content that lies in
/// it. Scopes share no file, as they share no row.
pub(crate) fn name(
    scope: &ScopeKey,
    hash: &ContentHash,
    modality: Modality,
    bytes: usize,
) -> Option<String> {
    (bytes > LARGE && !modality.is_text()).then(|| format!("{scope}/{hash}"))
}

/// Where the content of a resource is.
enum Place<'f> {
    /// In the store.
    Store,
    /// In a file beside it.
    Beside(&'f dyn ResourceFiles),
    /// Where another program put it: memU 1.x keeps copies under a path that is not
    /// ours to read or remove.
    Elsewhere,
}

/// Whether the content of a resource is in a file of ours: the only names we give.
pub(crate) fn is_beside(resource: &Resource) -> bool {
    let Resource {
        meta,
        content_hash,
        local_path,
        ..
    } = resource;
    *local_path == format!("{}/{content_hash}", meta.scope.key())
}

/// What a look at the files beside the store found.
#[derive(Debug, Default)]
pub(super) struct Inspection {
    /// How many are as they were stored.
    pub(super) sound: usize,
    /// What is wrong with the others, a sentence each.
    pub(super) broken: Vec<String>,
    /// How many belong to no resource.
    pub(super) strays: usize,
}

impl Context {
    fn files(&self) -> Option<&dyn ResourceFiles> {
        self.parts().files.as_deref()
    }

    /// The bytes of a resource, checked.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when they are missing or
    /// damaged, and says which and where.
    pub(super) async fn content(&self, resource: &Resource) -> Result<Arc<[u8]>> {
        let bytes = match self.place(resource)? {
            Place::Beside(files) => files.read(&resource.local_path).await?,
            Place::Store => self
                .store()
                .blob(&resource.meta.scope, &resource.content_hash)
                .await?
                .map(|blob| blob.bytes),
            Place::Elsewhere => {
                return Err(Error::not_found(format!(
                    "the content was never in this store: memU 1.x kept it in {}; memorize that \
                     file to take it in",
                    resource.local_path
                ))
                .with("resource", &resource.meta.id)
                .with("url", &resource.url));
            }
        };
        let hash = bytes.as_deref().map(ContentHash::of);
        match (bytes, self.defect(resource, hash)) {
            (Some(bytes), None) => Ok(bytes),
            (_, defect) => Err(Error::corrupt(defect.unwrap_or_default())
                .with("resource", &resource.meta.id)
                .with("url", &resource.url)),
        }
    }

    /// What is wrong with the content of a resource; `None` when it is whole.
    pub(super) async fn content_defect(&self, resource: &Resource) -> Result<Option<String>> {
        let hash = match self.place(resource) {
            Ok(Place::Beside(files)) => files.hash(&resource.local_path).await?,
            Ok(Place::Store) => {
                let scope = &resource.meta.scope;
                let blob = self.store().blob(scope, &resource.content_hash).await?;
                blob.map(|blob| ContentHash::of(&blob.bytes))
            }
            Ok(Place::Elsewhere) => return Ok(None),
            Err(error) => return Ok(Some(error.message().to_owned())),
        };
        Ok(self.defect(resource, hash))
    }

    fn place(&self, resource: &Resource) -> Result<Place<'_>> {
        match (resource.local_path.as_str(), self.files()) {
            ("", _) => Ok(Place::Store),
            _ if !is_beside(resource) => Ok(Place::Elsewhere),
            (_, Some(files)) => Ok(Place::Beside(files)),
            (path, None) => Err(Error::config(format!(
                "the content is in the file {path}, but this service has no folder for large files"
            ))),
        }
    }

    fn defect(&self, resource: &Resource, found: Option<ContentHash>) -> Option<String> {
        let path = resource.local_path.as_str();
        let place = match (path, self.files()) {
            ("", _) => "the content in the store".to_owned(),
            (_, Some(files)) => format!("the file {}", files.place(path)),
            (_, None) => format!("the file {path}"),
        };
        match found {
            Some(hash) if hash == resource.content_hash => None,
            Some(_) => Some(format!(
                "{place} is damaged: its bytes are not those stored"
            )),
            None => Some(format!("{place} is missing")),
        }
    }

    /// Removes the files of these scopes that no resource refers to.
    ///
    /// # Errors
    /// Those of the store and of the files.
    pub(super) async fn remove_strays(&self, scopes: &[Scope]) -> Result<()> {
        let Some(files) = self.files() else {
            return Ok(());
        };
        let mut present = false;
        for scope in scopes {
            present = present || !files.names(Some(&scope.key())).await?.is_empty();
        }
        if !present {
            return Ok(());
        }
        let alone = files.exclusive().await?;
        for scope in scopes {
            let referred = self.referred(scope).await?;
            for name in files.names(Some(&scope.key())).await? {
                if !referred.contains(&name) {
                    files.remove(&name).await?;
                }
            }
        }
        drop(alone);
        Ok(())
    }

    /// The names of the files that resources of a scope refer to.
    async fn referred(&self, scope: &Scope) -> Result<BTreeSet<String>> {
        let resources = self.store().all_resources(&Query::scope(scope)).await?;
        let beside = resources.into_iter().filter(is_beside);
        Ok(beside.map(|resource| resource.local_path).collect())
    }

    /// Looks at every file, and with `repair` removes the strays.
    pub(super) async fn inspect_files(&self, repair: bool) -> Result<Option<Inspection>> {
        let Some(files) = self.files() else {
            return Ok(None);
        };
        let mut inspection = Inspection::default();
        for state in self.store().scopes(&Filter::default(), usize::MAX).await? {
            let query = Query::scope(&state.scope);
            for resource in self.store().all_resources(&query).await? {
                if !is_beside(&resource) {
                    continue;
                }
                match self.lasting_defect(&resource).await? {
                    None => inspection.sound += 1,
                    Some(defect) => inspection.broken.push(format!(
                        "{defect} (resource {}, {})",
                        resource.meta.id, resource.url
                    )),
                }
            }
        }
        inspection.strays = self.strays(files, repair).await?;
        Ok(Some(inspection))
    }

    /// What is wrong with the content of a resource that is still there.
    async fn lasting_defect(&self, resource: &Resource) -> Result<Option<String>> {
        let Some(defect) = self.content_defect(resource).await? else {
            return Ok(None);
        };
        let (scope, id) = (&resource.meta.scope, &resource.meta.id);
        // Others may have forgotten it, file and all, while it was being read.
        let now = self.store().resource(scope, id).await?;
        let same = now.is_some_and(|now| now.local_path == resource.local_path);
        Ok(same.then_some(defect))
    }

    /// Counts the files that no resource refers to, and with `repair` removes them.
    async fn strays(&self, files: &dyn ResourceFiles, repair: bool) -> Result<usize> {
        if self.unreferred(files).await?.is_empty() {
            return Ok(0);
        }
        // Some of them may be waiting for their transaction; alone, none does.
        let alone = files.exclusive().await?;
        let strays = self.unreferred(files).await?;
        if repair {
            for name in &strays {
                files.remove(name).await?;
            }
        }
        drop(alone);
        Ok(strays.len())
    }

    async fn unreferred(&self, files: &dyn ResourceFiles) -> Result<Vec<String>> {
        let mut names = files.names(None).await?;
        if names.is_empty() {
            return Ok(names);
        }
        let mut referred = BTreeSet::new();
        for state in self.store().scopes(&Filter::default(), usize::MAX).await? {
            referred.append(&mut self.referred(&state.scope).await?);
        }
        names.retain(|name| !referred.contains(name));
        Ok(names)
    }
}
