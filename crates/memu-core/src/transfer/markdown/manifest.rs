//! What an export notes of itself in its folder, so that its own files are known again and
//! edits are told from what others changed in the memory meanwhile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::VERSION;
use super::text::Memory;
use crate::error::{Error, Result};
use crate::records::{Id, MemoryCategory, MemoryItem};
use crate::time::Timestamp;

/// Its name in the folder.
pub const MANIFEST: &str = "memu.json";

/// What `memu` says in it.
const FOLDER: &str = "folder";

/// What an export notes of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    memu: String,
    version: u32,
    /// Whether all of it was written.
    pub complete: bool,
    /// The scope fields of the store.
    pub scope_fields: Vec<String>,
    /// The files that the export made, each with the sums of what it may hold without having
    /// been edited since, or since its edits were imported.
    pub files: BTreeMap<String, Vec<String>>,
    pub(super) scopes: Vec<NotedScope>,
}

/// A scope as it was exported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotedScope {
    pub(super) folder: String,
    pub(super) scope: Map<String, Value>,
    /// In stored order.
    pub(super) categories: Vec<NotedCategory>,
    /// In stored order.
    pub(super) items: Vec<NotedItem>,
}

/// A category as it was exported: sums of what its page says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotedCategory {
    pub(super) id: Id,
    pub(super) file: String,
    pub(super) revision: u64,
    pub(super) created_at: Timestamp,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) summary: String,
}

/// An item as it was exported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotedItem {
    pub(super) reference: String,
    pub(super) id: Id,
    pub(super) created_at: Timestamp,
    /// A sum of what its line says.
    pub(super) sum: String,
    pub(super) categories: Vec<Id>,
    /// Whether it was drawn from a resource, which the folder does not carry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) sourced: bool,
    /// Its open details, which the pages do not show.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) extra: Map<String, Value>,
}

impl Manifest {
    /// That of an export that is about to begin.
    pub(super) fn new(scope_fields: Vec<String>) -> Self {
        Self {
            memu: FOLDER.to_owned(),
            version: VERSION,
            complete: true,
            scope_fields,
            files: BTreeMap::new(),
            scopes: Vec::new(),
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) when it is none;
    /// [`ErrorKind::TooNew`](crate::ErrorKind::TooNew) when a newer version wrote it.
    pub fn parse(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Beginning {
            memu: String,
            version: u32,
        }
        let foreign = || Error::input("this is no folder that memu export wrote");
        let beginning: Beginning =
            serde_json::from_str(text).map_err(|cause| foreign().caused_by(cause))?;
        if beginning.memu != FOLDER {
            return Err(foreign());
        }
        if beginning.version != VERSION {
            return Err(Error::too_new(format!(
                "the folder is of version {}, and this program knows version {VERSION}",
                beginning.version
            )));
        }
        let manifest: Self =
            serde_json::from_str(text).map_err(|cause| foreign().caused_by(cause))?;
        let names = manifest.files.keys();
        let folders = manifest.scopes.iter().map(|scope| &scope.folder);
        if let Some(name) = names.chain(folders).find(|name| !is_inside(name)) {
            return Err(
                Error::input("the folder's list of files names one outside of it")
                    .with("name", name),
            );
        }
        Ok(manifest)
    }

    /// Its text.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) when it cannot be written.
    pub fn text(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self).map_err(crate::transfer::line::no_json)?;
        Ok(text + "\n")
    }

    /// Whether a file holds what the export wrote, or what was imported since.
    pub fn knows(&self, name: &str, text: &[u8]) -> bool {
        let sums = self.files.get(name);
        sums.is_some_and(|sums| sums.contains(&sum_of_file(text)))
    }
}

/// Whether the name of a file stays in the folder.
fn is_inside(name: &str) -> bool {
    let stays = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0']);
    name.split('/').all(stays)
}

/// A sum of what a file holds, whatever its ends of lines are.
pub fn sum_of_file(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => sum(&plain_lines(text)),
        Err(_) => blake3::hash(bytes).to_hex().to_string(),
    }
}

/// A text without a mark of its encoding and with one kind of ends of lines.
pub(super) fn plain_lines(text: &str) -> String {
    text.trim_start_matches('\u{feff}').replace("\r\n", "\n")
}

/// A short sum of a text.
pub(super) fn sum(text: &str) -> String {
    blake3::hash(text.as_bytes())
        .to_hex()
        .chars()
        .take(32)
        .collect()
}

/// A sum of what the line of an item says.
pub(super) fn sum_of_memory(memory: &Memory) -> String {
    let said = (&memory.kind, &memory.text, &memory.happened);
    sum(&serde_json::json!(said).to_string())
}

/// What the line of an item says.
pub(super) fn memory_of(item: &MemoryItem) -> Memory {
    Memory {
        kind: Some(item.memory_type.clone()),
        text: item.summary.clone(),
        happened: item.happened,
    }
}

/// A sum of a summary, with the difference between an empty one and none.
pub(super) fn sum_of_summary(summary: Option<&str>) -> String {
    sum(&serde_json::json!(summary).to_string())
}

impl NotedCategory {
    pub(super) fn new(category: &MemoryCategory, file: String) -> Self {
        Self {
            id: category.meta.id.clone(),
            file,
            revision: category.meta.revision,
            created_at: category.meta.created_at,
            name: sum(&category.name),
            description: sum(&category.description),
            summary: sum_of_summary(category.summary.as_deref()),
        }
    }
}
