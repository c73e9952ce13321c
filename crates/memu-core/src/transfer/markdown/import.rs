//! Taking in the edits of a folder.

use serde::Serialize;

use super::decide::{Change, Decision, Left, decide};
use super::read::{Folder, ScopeFolder};
use crate::error::{Error, Result};
use crate::scope::Scope;
use crate::service::MemoryService;

/// How a folder is imported.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions {
    /// Whether memories of which no line is left are removed; otherwise they are named and kept.
    pub delete_missing: bool,
    /// Whether nothing is changed, and only told what would be.
    pub dry_run: bool,
    /// Whether the summaries of categories whose memories change follow, where the folder does
    /// not say them anew.
    pub propagate: bool,
}

/// What an import of a folder did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FolderImported {
    /// Whether nothing was changed, because it was only to be told.
    pub dry_run: bool,
    /// What was changed.
    pub changes: Vec<Change>,
    /// The categories whose summaries followed their memories, scope by scope.
    pub summaries: Vec<String>,
    /// What is left as it is although the folder says otherwise.
    pub left: Vec<Left>,
    /// Folders of scopes that are missing; their memories are kept.
    pub missing_scopes: Vec<String>,
    /// Files for reading only that were edited; that is not taken in.
    pub not_taken_in: Vec<String>,
    /// Files that are none of an export.
    pub unread: Vec<String>,
    /// How many memories were made without the conversations and documents that they came
    /// from, which a folder does not carry.
    pub without_sources: u64,
}

/// Takes in the edits of a folder, each scope's in one transaction. Conflicts are looked for in
/// all scopes before anything is changed. `tell` is told how many memories were compared, and of
/// how many; each is compared twice.
///
/// # Errors
/// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict), not retryable, when folder and memory
/// both changed something, naming it; [`ErrorKind::Input`](crate::ErrorKind::Input) when the
/// pages contradict each other or say what no memory may say;
/// [`ErrorKind::Scope`](crate::ErrorKind::Scope) when the store has other scope fields; those of
/// the store and of models.
pub async fn import_folder(
    service: &MemoryService,
    folder: &Folder,
    options: ImportOptions,
    tell: &(dyn Fn(u64, u64) + Send + Sync),
) -> Result<FolderImported> {
    let scopes = scopes_of(service, folder)?;
    let mut imported = FolderImported {
        dry_run: options.dry_run,
        not_taken_in: folder.edited.clone(),
        unread: folder.unread.clone(),
        ..FolderImported::default()
    };
    for (_, of_scope) in &scopes {
        if of_scope.is_missing() {
            imported.missing_scopes.push(of_scope.noted.folder.clone());
        }
    }
    let present = || scopes.iter().filter(|(_, of_scope)| !of_scope.is_missing());
    let items = |of_scope: &ScopeFolder| of_scope.noted.items.len() as u64;
    let rounds = if options.dry_run { 1 } else { 2 };
    let total = present().map(|(_, one)| items(one)).sum::<u64>() * rounds;
    let mut done = 0;
    let mut conflicts = Vec::new();
    for (scope, of_scope) in present() {
        let (_, decision) = service
            .amend(scope, false, |now| {
                Ok((None, decide(of_scope, now, options.delete_missing)?))
            })
            .await?;
        conflicts.extend(decision.conflicts.iter().cloned());
        done += items(of_scope);
        tell(done, total);
        if options.dry_run {
            imported.add(decision);
        }
    }
    refuse(&conflicts)?;
    if options.dry_run {
        return Ok(imported);
    }
    for (scope, of_scope) in present() {
        let (summaries, decision) = service
            .amend(scope, options.propagate, |now| {
                let decision = decide(of_scope, now, options.delete_missing)?;
                let is_clear = decision.conflicts.is_empty();
                Ok((is_clear.then(|| decision.amendment.clone()), decision))
            })
            .await?;
        // Somebody wrote to the scope since it was looked at.
        refuse(&decision.conflicts)?;
        done += items(of_scope);
        tell(done, total);
        imported.summaries.extend(summaries);
        imported.add(decision);
    }
    Ok(imported)
}

fn scopes_of<'f>(
    service: &MemoryService,
    folder: &'f Folder,
) -> Result<Vec<(Scope, &'f ScopeFolder)>> {
    let schema = service.store().schema();
    if !schema
        .fields()
        .eq(folder.scope_fields.iter().map(String::as_str))
    {
        return Err(Error::scope(format!(
            "the folder keeps memories by {:?} and the memory by {schema:?}; import it into one \
             with the same scope fields",
            folder.scope_fields
        )));
    }
    let scopes = folder.scopes.iter();
    scopes
        .map(|of_scope| Ok((schema.scope_from_json(&of_scope.noted.scope)?, of_scope)))
        .collect()
}

fn refuse(conflicts: &[String]) -> Result<()> {
    if conflicts.is_empty() {
        return Ok(());
    }
    Err(Error::conflict(
        "the folder and the memory were both changed since the export; nothing of the scope is \
         imported. Export into another folder to see what the memory says, and let the pages say \
         either that or what they said before",
    )
    .with("changed twice", conflicts.join(", "))
    .retryable(false))
}

impl ScopeFolder {
    /// Whether no page of it is left.
    fn is_missing(&self) -> bool {
        self.categories.is_empty() && self.unfiled.is_none()
    }
}

impl FolderImported {
    fn add(&mut self, decision: Decision) {
        self.without_sources += decision.without_sources;
        self.changes.extend(decision.changes);
        self.left.extend(decision.left);
    }

    /// Whether the memory stays as it is.
    pub fn changes_nothing(&self) -> bool {
        self.changes.is_empty()
    }
}
