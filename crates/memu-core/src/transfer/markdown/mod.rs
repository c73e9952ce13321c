//! A memory as a folder of Markdown that people read and edit, and their edits back.
//!
//! A scope is a folder: a page for each category with its summary and a list of its items, a
//! page for the items without one, and a page for each resource, for reading only. `index.md`
//! leads to all of them, and [`MANIFEST`] notes what was written, so that edits are told from
//! what others changed in the memory meanwhile.
//!
//! Import compares three sides: what was exported, what the folder says and what the memory
//! holds. What only the folder changed is taken in, by the service and in one transaction a
//! scope; what both changed is a conflict that names it, and then nothing is.

mod dates;
mod decide;
mod front;
mod import;
mod index;
mod manifest;
mod names;
mod page;
mod read;
mod resource;
mod text;
mod write;

pub use decide::{Change, Left, What, Why};
pub use import::{FolderImported, ImportOptions, import_folder};
pub use manifest::{MANIFEST, Manifest, sum_of_file};
pub use read::{Folder, Sources, read_folder};
pub use write::{Pages, export_folder};

/// The version of the form; see docs/formats.md.
const VERSION: u32 = 1;

/// The folder of a scope's categories, below the scope's.
const CATEGORIES: &str = "categories";
/// The folder of its resources.
const RESOURCES: &str = "resources";
/// The page of its items without a category.
const UNFILED: &str = "without-category.md";
/// The page that leads to all others.
const INDEX: &str = "index.md";

/// What front matter says of the kind of a page.
mod kinds {
    pub(super) const INDEX: &str = "index";
    pub(super) const CATEGORY: &str = "category";
    pub(super) const UNFILED: &str = "without-category";
    pub(super) const RESOURCE: &str = "resource";
}
