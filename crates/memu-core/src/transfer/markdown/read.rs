//! Reading a folder: its pages, and to what of the export each belongs.

use rustc_hash::{FxHashMap, FxHashSet};

use super::manifest::{Manifest, NotedCategory, NotedScope, plain_lines};
use super::page::Page;
use super::{CATEGORIES, INDEX, RESOURCES, UNFILED, VERSION, kinds};
use crate::error::{Error, Result};

/// The files of a folder.
#[derive(Clone, Debug)]
pub struct Sources {
    /// What the export noted of itself.
    pub manifest: Manifest,
    /// The files that [`Manifest::is_page`] says are pages to read, with their texts.
    pub pages: Vec<(String, String)>,
    /// Files for reading only that were edited.
    pub edited: Vec<String>,
    /// Files that are none of an export.
    pub unread: Vec<String>,
}

/// A folder that was read.
#[derive(Clone, Debug)]
pub struct Folder {
    pub(super) scopes: Vec<ScopeFolder>,
    pub(super) scope_fields: Vec<String>,
    /// Files for reading only that were edited.
    pub(super) edited: Vec<String>,
    /// Files that are none of an export.
    pub(super) unread: Vec<String>,
}

/// The folder of a scope.
#[derive(Clone, Debug)]
pub(super) struct ScopeFolder {
    pub(super) noted: NotedScope,
    pub(super) categories: Vec<CategoryPage>,
    /// The items without a category.
    pub(super) unfiled: Option<Page>,
}

/// The page of a category.
#[derive(Clone, Debug)]
pub(super) struct CategoryPage {
    pub(super) page: Page,
    pub(super) name: String,
    pub(super) description: Option<String>,
    /// What was exported; `None` for a new category.
    pub(super) noted: Option<NotedCategory>,
}

impl Manifest {
    /// Whether a file, by its name in the folder, is one to import: the page of a category or
    /// of the items without one.
    pub fn is_page(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| {
            let inside = name.strip_prefix(&scope.folder);
            let inside = inside.and_then(|rest| rest.strip_prefix('/'));
            inside.is_some_and(|inside| inside == UNFILED || category_stem(inside).is_some())
        })
    }

    /// Whether a file is one for reading only.
    pub fn is_for_reading(&self, name: &str) -> bool {
        let resources = format!("/{RESOURCES}/");
        name == INDEX || (name.contains(&resources) && self.files.contains_key(name))
    }
}

/// The name of the file of a category without its ending.
fn category_stem(inside: &str) -> Option<&str> {
    let name = inside.strip_prefix(CATEGORIES)?.strip_prefix('/')?;
    let stem = name.strip_suffix(".md")?;
    (!stem.is_empty() && !stem.contains('/')).then_some(stem)
}

/// Reads the pages of a folder.
///
/// # Errors
/// [`ErrorKind::Input`](crate::ErrorKind::Input) for a page that is not understood, naming file
/// and line.
pub fn read_folder(sources: &Sources) -> Result<Folder> {
    if !sources.manifest.complete {
        return Err(Error::input(
            "the export into this folder was cut off; export again before you import",
        ));
    }
    let mut scopes = Vec::new();
    for noted in &sources.manifest.scopes {
        scopes.push(read_scope(noted, &sources.pages)?);
    }
    Ok(Folder {
        scopes,
        scope_fields: sources.manifest.scope_fields.clone(),
        edited: sources.edited.clone(),
        unread: sources.unread.clone(),
    })
}

impl Folder {
    /// The scope fields of the store that was exported.
    pub fn scope_fields(&self) -> &[String] {
        &self.scope_fields
    }
}

fn read_scope(noted: &NotedScope, pages: &[(String, String)]) -> Result<ScopeFolder> {
    let mut scope = ScopeFolder {
        noted: noted.clone(),
        categories: Vec::new(),
        unfiled: None,
    };
    let by_id: FxHashMap<&str, &NotedCategory> = noted
        .categories
        .iter()
        .map(|category| (category.id.as_str(), category))
        .collect();
    let references: FxHashSet<&str> = noted
        .items
        .iter()
        .map(|item| item.reference.as_str())
        .collect();
    let mut files: FxHashMap<String, String> = FxHashMap::default();
    for (file, text) in pages {
        let inside = file.strip_prefix(&noted.folder);
        let Some(inside) = inside.and_then(|rest| rest.strip_prefix('/')) else {
            continue;
        };
        let page = Page::parse(file, &plain_lines(text))?;
        check_references(&page, &references)?;
        check_scope(&page, noted)?;
        let Some(stem) = category_stem(inside) else {
            check_unfiled(&page)?;
            scope.unfiled = Some(page);
            continue;
        };
        check_kind(&page, kinds::CATEGORY)?;
        let page = category_page(page, stem, &by_id)?;
        let twice = page
            .noted
            .as_ref()
            .and_then(|noted| files.insert(noted.id.as_str().to_owned(), file.clone()));
        if let Some(other) = twice {
            return Err(Error::input(format!(
                "this page has the id of the category of {other}; take the id and the revision out \
                 of one of them to make a new category"
            ))
            .with("line", page.page.line_of("id"))
            .with("file", file));
        }
        scope.categories.push(page);
    }
    // In the order in which the categories are stored; new ones come last, by their names.
    let place = |page: &CategoryPage| {
        let id = page.noted.as_ref().map(|noted| &noted.id);
        id.and_then(|id| noted.categories.iter().position(|noted| noted.id == *id))
            .unwrap_or(usize::MAX)
    };
    scope
        .categories
        .sort_by(|one, other| (place(one), &one.page.file).cmp(&(place(other), &other.page.file)));
    Ok(scope)
}

fn check_references(page: &Page, references: &FxHashSet<&str>) -> Result<()> {
    for placed in &page.entries {
        let reference = placed.entry.reference.as_deref();
        if let Some(unknown) = reference.filter(|reference| !references.contains(reference)) {
            return Err(Error::input(format!(
                "no memory of this scope was exported with the reference ^{unknown}; take it away \
                 to add a new memory"
            ))
            .with("line", placed.line)
            .with("file", &page.file));
        }
    }
    Ok(())
}

/// An error about a key of the front matter.
fn about(page: &Page, key: &str, message: String) -> Error {
    Error::input(message)
        .with("line", page.line_of(key))
        .with("file", &page.file)
}

fn check_kind(page: &Page, expected: &str) -> Result<()> {
    if let Some(kind) = page.front.memu.as_deref().filter(|kind| *kind != expected) {
        let message = format!("a page here is of the kind {expected}, not {kind:?}");
        return Err(about(page, "memu", message));
    }
    if let Some(version) = page.front.version.filter(|version| *version != VERSION) {
        let message = format!("the page is of version {version}, and not of {VERSION}");
        return Err(about(page, "version", message));
    }
    Ok(())
}

fn check_scope(page: &Page, noted: &NotedScope) -> Result<()> {
    match &page.front.scope {
        Some(scope) if *scope != noted.scope => Err(about(
            page,
            "scope",
            format!(
                "the page is of another scope than its folder {:?}; memories do not move between \
                 scopes",
                noted.folder
            ),
        )),
        _ => Ok(()),
    }
}

fn check_unfiled(page: &Page) -> Result<()> {
    check_kind(page, kinds::UNFILED)?;
    let given = [
        ("id", page.front.id.is_some()),
        ("name", page.front.name.is_some()),
        ("description", page.front.description.is_some()),
        ("revision", page.front.revision.is_some()),
    ];
    if let Some((key, _)) = given.into_iter().find(|(_, given)| *given) {
        let message = format!("the page of memories without a category has no {key}");
        return Err(about(page, key, message));
    }
    if page.summary.is_some() {
        return Err(Error::input(
            "memories without a category have no summary; nothing stands above their list",
        )
        .with("file", &page.file));
    }
    Ok(())
}

fn category_page(
    page: Page,
    stem: &str,
    by_id: &FxHashMap<&str, &NotedCategory>,
) -> Result<CategoryPage> {
    let Some(id) = &page.front.id else {
        if page.front.revision.is_some() {
            let message = "the page has a revision and no id; give it back its id, or take both \
                           out to make a new category";
            return Err(about(&page, "revision", message.to_owned()));
        }
        let name = page.front.name.clone().unwrap_or_else(|| stem.to_owned());
        if name.trim().is_empty() {
            return Err(about(&page, "name", "a category needs a name".to_owned()));
        }
        return Ok(CategoryPage {
            name,
            description: page.front.description.clone(),
            noted: None,
            page,
        });
    };
    let Some(noted) = by_id.get(id.as_str()) else {
        let message = format!(
            "no category of this scope was exported with the id {id:?}; take it out to make a new \
             one"
        );
        return Err(about(&page, "id", message));
    };
    if page
        .front
        .revision
        .is_some_and(|revision| revision != noted.revision)
    {
        let message = format!("the revision is {} and not for editing", noted.revision);
        return Err(about(&page, "revision", message));
    }
    let missing = |key: &str| {
        let message = format!("{key} is missing; write {key}: \"\" for an empty one");
        Err(about(&page, key, message))
    };
    let Some(name) = page.front.name.clone() else {
        return missing("name");
    };
    let Some(description) = page.front.description.clone() else {
        return missing("description");
    };
    if name.is_empty() {
        return Err(about(&page, "name", "a category needs a name".to_owned()));
    }
    Ok(CategoryPage {
        name,
        description: Some(description),
        noted: Some((*noted).clone()),
        page,
    })
}
