//! Large files, which are kept beside the store and not in it.

use std::collections::BTreeSet;
use std::fmt;

use async_trait::async_trait;

use super::{Context, MemoryService};
use crate::error::Result;
use crate::filter::Filter;
use crate::records::{ContentHash, Modality, Resource};
use crate::scope::ScopeKey;
use crate::store::{Finding, Query, Report, Severity, StoreExt};

/// Larger files than this lie beside the store. Text never does: it is what memories
/// are drawn from, and the store alone must be complete.
const LARGE: usize = 1 << 20;

/// A folder for large files, by names that hold no more than letters, digits, `/` and
/// `.`.
#[async_trait]
pub trait ResourceFiles: fmt::Debug + Send + Sync {
    /// Keeps these bytes under `name`, durably, before it returns; the file is never
    /// seen half written. Does nothing when the name is taken: names tell the content.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) and
    /// [`ErrorKind::Permission`](crate::ErrorKind::Permission) when it cannot be
    /// written.
    async fn keep(&self, name: &str, bytes: std::sync::Arc<[u8]>) -> Result<()>;

    /// Removes a file; one that is not there is removed already.
    ///
    /// # Errors
    /// As [`Self::keep`].
    async fn remove(&self, name: &str) -> Result<()>;

    /// The hash of a file's bytes; `None` when it is not there.
    ///
    /// # Errors
    /// As [`Self::keep`].
    async fn hash(&self, name: &str) -> Result<Option<ContentHash>>;

    /// The names of all files.
    ///
    /// # Errors
    /// As [`Self::keep`].
    async fn names(&self) -> Result<Vec<String>>;
}

/// The name under which content lies beside the store; `None` for content that lies in
/// it. Scopes share no file, as they share no row.
pub(super) fn name(
    scope: &ScopeKey,
    hash: &ContentHash,
    modality: Modality,
    bytes: usize,
) -> Option<String> {
    (bytes > LARGE && !modality.is_text()).then(|| format!("{scope}/{hash}"))
}

impl Context {
    /// Removes the files of resources that are gone.
    pub(super) async fn remove_files(&self, resources: &[Resource]) -> Result<()> {
        let Some(files) = &self.parts().files else {
            return Ok(());
        };
        for resource in resources.iter().filter(|r| !r.local_path.is_empty()) {
            files.remove(&resource.local_path).await?;
        }
        Ok(())
    }
}

impl MemoryService {
    /// Checks the store and the files beside it, and with `repair` mends what can be
    /// derived: files that no resource refers to are removed.
    ///
    /// # Errors
    /// The store's when it cannot be read at all.
    pub async fn check(&self, repair: bool) -> Result<Report> {
        let mut report = self.store().check(repair).await?;
        if let Some(files) = self.context().parts().files.clone() {
            let finding = self.check_files(&*files, repair).await?;
            report.findings.push(finding);
        }
        Ok(report)
    }

    async fn check_files(&self, files: &dyn ResourceFiles, repair: bool) -> Result<Finding> {
        let mut expected = BTreeSet::new();
        let mut broken = Vec::new();
        for state in self.store().scopes(&Filter::default(), usize::MAX).await? {
            let query = Query::scope(&state.scope);
            for resource in self.store().all_resources(&query).await? {
                if resource.local_path.is_empty() {
                    continue;
                }
                if files.hash(&resource.local_path).await? != Some(resource.content_hash) {
                    broken.push(resource.local_path.clone());
                }
                expected.insert(resource.local_path);
            }
        }
        let names = files.names().await?;
        let orphans: Vec<&String> = names.iter().filter(|n| !expected.contains(*n)).collect();
        if repair {
            for orphan in &orphans {
                files.remove(orphan).await?;
            }
        }
        let mut problems = Vec::new();
        if let Some(first) = broken.first() {
            problems.push(format!(
                "{} missing or damaged, first {first}",
                broken.len()
            ));
        }
        if let Some(first) = orphans.first() {
            problems.push(format!(
                "{} belong to no resource, first {first}",
                orphans.len()
            ));
        }
        let severity = match (broken.is_empty(), orphans.is_empty()) {
            (false, _) => Severity::Error,
            (true, false) => Severity::Warning,
            (true, true) => Severity::Ok,
        };
        Ok(Finding {
            check: "files",
            severity,
            message: if problems.is_empty() {
                format!("{} large files are as they were stored", expected.len())
            } else {
                format!("of the large files, {}", problems.join("; "))
            },
            repaired: repair && broken.is_empty() && !orphans.is_empty(),
        })
    }
}
