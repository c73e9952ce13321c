//! What an import changes in a scope: what was exported, what the folder says and what the
//! memory holds, side by side.

mod categories;
mod items;

use serde::Serialize;

use super::page::Placed;
use super::read::ScopeFolder;
use crate::error::Result;
use crate::records::{Id, MemoryCategory};
use crate::service::amend::{Amended, Amendment};

/// What is done to the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A category is made.
    CategoryAdded,
    /// A category's name, description or summary becomes what the page says.
    CategoryChanged,
    /// A memory is added.
    MemoryAdded,
    /// A memory's text, type or date becomes what the line says.
    MemoryChanged,
    /// A memory is removed.
    MemoryRemoved,
    /// A memory is filed under a category.
    Filed,
    /// A memory is taken out of a category.
    TakenOut,
}

/// One thing that an import does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// What it is.
    pub what: What,
    /// The page that says so, or that said it before.
    pub file: String,
    /// The line; `None` where nothing stands any more.
    pub line: Option<usize>,
    /// The memory or category.
    pub id: Id,
    /// The memory's text or the category's name.
    pub text: String,
}

/// Why something is left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Its line was removed, and removing was not asked for.
    LineMissing,
    /// Its page was removed; a category stays.
    PageMissing,
    /// It was removed from the memory since the export.
    RemovedSince,
}

/// Something that is left as it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Left {
    /// Why.
    pub why: Why,
    /// The page where it stands or stood.
    pub file: String,
    /// The memory or category.
    pub id: Id,
    /// The memory's text or the category's name.
    pub text: String,
}

/// What is decided about a scope.
#[derive(Debug, Default)]
pub(super) struct Decision {
    pub(super) amendment: Amendment,
    pub(super) changes: Vec<Change>,
    pub(super) left: Vec<Left>,
    /// Where folder and memory both changed something, each to something else.
    pub(super) conflicts: Vec<String>,
    /// How many memories are made without the resources that they came from.
    pub(super) without_sources: u64,
}

/// Decides about a scope.
///
/// # Errors
/// [`ErrorKind::Input`](crate::ErrorKind::Input) when the pages contradict each other, or say
/// what no memory may say, naming file and line.
pub(super) fn decide(
    folder: &ScopeFolder,
    now: &Amended<'_>,
    delete_missing: bool,
) -> Result<Decision> {
    let mut deciding = Deciding {
        folder,
        now,
        delete_missing,
        is_empty: now.data.item_count() == 0 && now.data.category_count() == 0,
        categories: now.categories.to_vec(),
        pages: Vec::new(),
        decision: Decision::default(),
    };
    deciding.categories()?;
    deciding.exported_items()?;
    deciding.new_items()?;
    Ok(deciding.decision)
}

struct Deciding<'d> {
    folder: &'d ScopeFolder,
    now: &'d Amended<'d>,
    delete_missing: bool,
    /// Whether the memory holds nothing of the scope: then all of the folder is made.
    is_empty: bool,
    /// As they will be.
    categories: Vec<MemoryCategory>,
    /// The category of each page; `None` for the page of items without one.
    pages: Vec<(Option<Id>, &'d [Placed], &'d str)>,
    decision: Decision,
}

/// A field that was exported, is said by the folder and held by the memory.
enum Field {
    /// The folder changes nothing.
    Stays,
    Changes,
    Conflicts,
}

fn compare(exported: &str, said: &str, held: &str) -> Field {
    if said == exported || said == held {
        Field::Stays
    } else if held == exported {
        Field::Changes
    } else {
        Field::Conflicts
    }
}

impl Deciding<'_> {
    fn conflict(&mut self, file: &str, line: usize, what: &str) {
        self.decision
            .conflicts
            .push(format!("{file}:{line} ({what})"));
    }

    fn tell(&mut self, what: What, file: &str, line: Option<usize>, id: &Id, text: &str) {
        self.decision.changes.push(Change {
            what,
            file: file.to_owned(),
            line,
            id: id.clone(),
            text: text.to_owned(),
        });
    }
}
