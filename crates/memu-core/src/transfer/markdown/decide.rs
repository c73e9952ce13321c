//! What an import changes in a scope: what was exported, what the folder says and what the
//! memory holds, side by side.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use super::manifest::{NotedItem, memory_of, sum, sum_of_memory, sum_of_summary};
use super::page::Placed;
use super::read::{CategoryPage, ScopeFolder};
use super::text::Memory;
use crate::error::{Error, Result};
use crate::records::{Id, MemoryCategory, MemoryItem, Meta, content_hash};
use crate::service::amend::{Amended, Amendment};

/// The type of a new memory that does not say one.
const DEFAULT_TYPE: &str = "knowledge";

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

impl<'d> Deciding<'d> {
    fn categories(&mut self) -> Result<()> {
        let folder = self.folder;
        for page in &folder.categories {
            let id = match &page.noted {
                Some(noted) => self.exported_category(page, noted)?,
                None => Some(self.new_category(page)?),
            };
            if let Some(id) = id {
                self.pages
                    .push((Some(id), &page.page.entries, &page.page.file));
            }
        }
        if let Some(page) = &folder.unfiled {
            self.pages.push((None, &page.entries, &page.file));
        }
        let mut names: FxHashMap<&str, usize> = FxHashMap::default();
        for category in &self.categories {
            *names.entry(&category.name).or_default() += 1;
        }
        for page in &folder.categories {
            let said_anew = page
                .noted
                .as_ref()
                .is_some_and(|noted| noted.name != sum(&page.name));
            if said_anew
                && names
                    .get(page.name.as_str())
                    .is_some_and(|count| *count > 1)
            {
                return Err(Error::input(format!(
                    "there is another category of the name {:?}",
                    page.name
                ))
                .with("line", page.page.line_of("name"))
                .with("file", &page.page.file));
            }
        }
        for noted in &folder.noted.categories {
            let is_of = |page: &&CategoryPage| {
                page.noted
                    .as_ref()
                    .is_some_and(|other| other.id == noted.id)
            };
            if folder.categories.iter().any(|page| is_of(&page)) {
                continue;
            }
            if let Some(category) = self.now.data.category(&noted.id) {
                self.decision.left.push(Left {
                    why: Why::PageMissing,
                    file: noted.file.clone(),
                    id: noted.id.clone(),
                    text: category.name.clone(),
                });
            }
        }
        Ok(())
    }

    /// The category of a page that was exported.
    fn exported_category(
        &mut self,
        page: &CategoryPage,
        noted: &super::manifest::NotedCategory,
    ) -> Result<Option<Id>> {
        let description = page.description.clone().unwrap_or_default();
        let held = self
            .categories
            .iter_mut()
            .find(|held| held.meta.id == noted.id);
        let Some(held) = held else {
            if !self.is_empty {
                self.conflict(&page.page.file, 1, "the category was removed");
                return Ok(None);
            }
            let mut meta = Meta::new(noted.id.clone(), self.now.scope.clone(), self.now.now);
            meta.created_at = noted.created_at;
            self.add_category(
                page,
                MemoryCategory {
                    meta,
                    name: page.name.clone(),
                    description,
                    summary: page.page.summary.clone(),
                },
            );
            return Ok(Some(noted.id.clone()));
        };
        let summary = page.page.summary.as_deref();
        let fields = [
            compare(&noted.name, &sum(&page.name), &sum(&held.name)),
            compare(
                &noted.description,
                &sum(&description),
                &sum(&held.description),
            ),
            compare(
                &noted.summary,
                &sum_of_summary(summary),
                &sum_of_summary(held.summary.as_deref()),
            ),
        ];
        if fields.iter().any(|field| matches!(field, Field::Conflicts)) {
            self.conflict(&page.page.file, 1, &page.name);
            return Ok(Some(noted.id.clone()));
        }
        let [name, about, told] = fields.map(|field| matches!(field, Field::Changes));
        if name {
            held.name.clone_from(&page.name);
        }
        if about {
            held.description = description;
        }
        if told {
            held.summary = summary.map(str::to_owned);
        }
        if name || about || told {
            held.meta.updated_at = self.now.now;
            let held = held.clone();
            if told {
                self.decision
                    .amendment
                    .told_summaries
                    .push(noted.id.clone());
            }
            self.tell(
                What::CategoryChanged,
                &page.page.file,
                Some(1),
                &noted.id,
                &held.name,
            );
            self.decision.amendment.categories.push(held);
        }
        Ok(Some(noted.id.clone()))
    }

    /// The category of a page that was not exported: one of its name, or a new one.
    fn new_category(&mut self, page: &CategoryPage) -> Result<Id> {
        let same = self
            .categories
            .iter()
            .position(|held| held.name == page.name);
        let stored = same
            .and_then(|place| self.categories.get(place))
            .filter(|held| self.now.data.category(&held.meta.id).is_some());
        if let Some(held) = stored {
            let (file, id) = (&page.page.file, held.meta.id.clone());
            let owned_by_another = self
                .folder
                .categories
                .iter()
                .any(|other| other.noted.as_ref().is_some_and(|noted| noted.id == id));
            if owned_by_another {
                return Err(Error::input(format!(
                    "there is another category of the name {:?}",
                    page.name
                ))
                .with("line", page.page.line_of("name"))
                .with("file", file));
            }
            let differs = page
                .description
                .as_ref()
                .is_some_and(|said| *said != held.description)
                || page
                    .page
                    .summary
                    .as_ref()
                    .is_some_and(|said| Some(said) != held.summary.as_ref());
            if differs {
                self.conflict(file, 1, &page.name);
            }
            return Ok(id);
        }
        let id = (self.now.new_id)();
        let configured = same.and_then(|place| self.categories.get(place));
        let description = page.description.clone();
        let description = description
            .or_else(|| configured.map(|configured| configured.description.clone()))
            .unwrap_or_default();
        self.add_category(
            page,
            MemoryCategory {
                meta: Meta::new(id.clone(), self.now.scope.clone(), self.now.now),
                name: page.name.clone(),
                description,
                summary: page.page.summary.clone(),
            },
        );
        Ok(id)
    }

    /// A category that is not stored yet; it takes the place of a configured one of its name.
    fn add_category(&mut self, page: &CategoryPage, category: MemoryCategory) {
        let id = category.meta.id.clone();
        self.tell(
            What::CategoryAdded,
            &page.page.file,
            Some(1),
            &id,
            &category.name,
        );
        // Those of an export have no summary where they had none.
        if category.summary.is_some() || page.noted.is_some() {
            self.decision.amendment.told_summaries.push(id);
        }
        let now = self.now;
        let is_configured = |id: &Id| {
            let mut known = now.categories.iter();
            known.any(|held| held.meta.id == *id) && now.data.category(id).is_none()
        };
        let same =
            |held: &&mut MemoryCategory| held.name == category.name && is_configured(&held.meta.id);
        self.decision.amendment.categories.push(category.clone());
        match self.categories.iter_mut().find(same) {
            Some(held) => *held = category,
            None => self.categories.push(category),
        }
    }

    fn exported_items(&mut self) -> Result<()> {
        let pages = std::mem::take(&mut self.pages);
        let mut places: FxHashMap<&str, Vec<(Option<&Id>, &Placed, &str)>> = FxHashMap::default();
        for (category, entries, file) in &pages {
            for placed in *entries {
                if let Some(reference) = &placed.entry.reference {
                    let place = (category.as_ref(), placed, *file);
                    places.entry(reference).or_default().push(place);
                }
            }
        }
        for noted in &self.folder.noted.items {
            match places.get(noted.reference.as_str()) {
                Some(places) => self.exported_item(noted, places)?,
                None => self.missing_item(noted),
            }
        }
        self.pages = pages;
        Ok(())
    }

    fn exported_item(
        &mut self,
        noted: &NotedItem,
        places: &[(Option<&Id>, &Placed, &str)],
    ) -> Result<()> {
        let Some(said @ (_, placed, file)) = said_of(noted, places)? else {
            return Ok(());
        };
        let memory = &placed.entry.memory;
        let sum_said = sum_of_memory(memory);
        let wanted: FxHashSet<&Id> = places
            .iter()
            .filter_map(|(category, ..)| *category)
            .collect();
        let Some(held) = self.now.data.item(&noted.id) else {
            if self.is_empty {
                let meta = Meta::new(noted.id.clone(), self.now.scope.clone(), self.now.now);
                self.restore(noted, meta, said, &wanted)?;
            } else if sum_said == noted.sum {
                self.decision.left.push(Left {
                    why: Why::RemovedSince,
                    file: file.to_owned(),
                    id: noted.id.clone(),
                    text: memory.text.clone(),
                });
            } else {
                self.conflict(file, placed.line, &noted.reference);
            }
            return Ok(());
        };
        match compare(&noted.sum, &sum_said, &sum_of_memory(&memory_of(held))) {
            Field::Stays => {}
            Field::Conflicts => {
                self.conflict(file, placed.line, &noted.reference);
                return Ok(());
            }
            Field::Changes => {
                let mut item = held.clone();
                self.say(&mut item, placed, file)?;
                item.meta.updated_at = self.now.now;
                self.tell(
                    What::MemoryChanged,
                    file,
                    Some(placed.line),
                    &noted.id,
                    &memory.text,
                );
                self.decision.amendment.items.push(item);
            }
        }
        self.refile(noted, &wanted, said);
        Ok(())
    }

    /// Lets an item say what a line says.
    fn say(&self, item: &mut MemoryItem, placed: &Placed, file: &str) -> Result<()> {
        let Memory {
            memory_type,
            text,
            happened,
        } = &placed.entry.memory;
        let memory_type = memory_type.as_deref().unwrap_or(DEFAULT_TYPE);
        let here = |error: Error| error.with("line", placed.line).with("file", file);
        if item.memory_type != memory_type {
            (self.now.check_type)(memory_type).map_err(here)?;
        }
        if item.summary != *text {
            (self.now.check_text)(text).map_err(here)?;
        }
        item.memory_type = memory_type.to_owned();
        item.summary.clone_from(text);
        item.happened = *happened;
        Ok(())
    }

    /// Makes an item that an empty scope does not hold.
    fn restore(
        &mut self,
        noted: &NotedItem,
        mut meta: Meta,
        (_, placed, file): (Option<&Id>, &Placed, &str),
        wanted: &FxHashSet<&Id>,
    ) -> Result<()> {
        meta.created_at = noted.created_at;
        let mut item = MemoryItem {
            meta,
            resource_id: None,
            memory_type: String::new(),
            summary: String::new(),
            happened: None,
            extra: noted.extra.clone(),
            segment_ids: Vec::new(),
        };
        if sum_of_memory(&placed.entry.memory) == noted.sum {
            // A store held it: what is configured here does not matter.
            let memory = placed.entry.memory.clone();
            item.memory_type = memory.memory_type.unwrap_or_default();
            item.summary = memory.text;
            item.happened = memory.happened;
        } else {
            self.say(&mut item, placed, file)?;
        }
        self.tell(
            What::MemoryAdded,
            file,
            Some(placed.line),
            &noted.id,
            &item.summary,
        );
        self.decision.amendment.items.push(item);
        self.decision.without_sources += u64::from(noted.sourced);
        // In the order in which the categories are stored.
        let categories = self.categories.iter().map(|category| &category.meta.id);
        let filed: Vec<Id> = categories
            .filter(|id| wanted.contains(id))
            .cloned()
            .collect();
        for category in filed {
            let pair = (noted.id.clone(), category);
            self.decision.amendment.relations.push(pair);
        }
        Ok(())
    }

    /// Files an item as the pages do, as far as they differ from the export.
    fn refile(
        &mut self,
        noted: &NotedItem,
        wanted: &FxHashSet<&Id>,
        (_, placed, file): (Option<&Id>, &Placed, &str),
    ) {
        let data = self.now.data;
        let text = placed.entry.memory.text.clone();
        for category in &self.folder.noted.categories {
            let id = &category.id;
            let has_page = self.pages_have(id);
            let was = noted.categories.contains(id);
            let is = wanted.contains(id);
            let held = data.relation_between(&noted.id, id).is_some();
            // A page that was removed says nothing of what it held.
            if was && !is && has_page && held {
                self.tell(What::TakenOut, &category.file, None, &noted.id, &text);
                let pair = (noted.id.clone(), id.clone());
                self.decision.amendment.removed_relations.push(pair);
            }
        }
        for category in wanted {
            let was = noted.categories.contains(category);
            if !was && data.relation_between(&noted.id, category).is_none() {
                self.tell(What::Filed, file, Some(placed.line), &noted.id, &text);
                let pair = (noted.id.clone(), (*category).clone());
                self.decision.amendment.relations.push(pair);
            }
        }
    }

    fn pages_have(&self, id: &Id) -> bool {
        let noted = self
            .folder
            .categories
            .iter()
            .filter_map(|page| page.noted.as_ref());
        noted.into_iter().any(|noted| noted.id == *id)
    }

    /// An item of which no line is left.
    fn missing_item(&mut self, noted: &NotedItem) {
        let Some(held) = self.now.data.item(&noted.id) else {
            return;
        };
        let of_category = |id: &Id| {
            let mut all = self.folder.noted.categories.iter();
            all.find(|category| category.id == *id)
        };
        let file = noted.categories.first().and_then(of_category).map_or_else(
            || format!("{}/{}", self.folder.noted.folder, super::UNFILED),
            |category| category.file.clone(),
        );
        if !self.delete_missing {
            self.decision.left.push(Left {
                why: Why::LineMissing,
                file,
                id: noted.id.clone(),
                text: held.summary.clone(),
            });
        } else if sum_of_memory(&memory_of(held)) == noted.sum {
            let text = held.summary.clone();
            self.tell(What::MemoryRemoved, &file, None, &noted.id, &text);
            self.decision.amendment.removed_items.push(noted.id.clone());
        } else {
            self.conflict(&file, 1, &noted.reference);
        }
    }

    /// Lines without a reference: new memories, unless the scope holds them already.
    fn new_items(&mut self) -> Result<()> {
        let pages = std::mem::take(&mut self.pages);
        let is_new = |placed: &&Placed| placed.entry.reference.is_none();
        if !pages
            .iter()
            .any(|(_, entries, _)| entries.iter().any(|one| is_new(&one)))
        {
            return Ok(());
        }
        let mut known: FxHashMap<String, Id> = FxHashMap::default();
        let amendment = &self.decision.amendment;
        let removed: FxHashSet<&Id> = amendment.removed_items.iter().collect();
        let changed: FxHashSet<&Id> = amendment.items.iter().map(|item| &item.meta.id).collect();
        let held = self.now.data.items();
        let held = held
            .filter(|item| !removed.contains(&item.meta.id) && !changed.contains(&item.meta.id));
        for item in held.chain(&amendment.items) {
            known.insert(item.content_hash(), item.meta.id.clone());
        }
        let mut filed: FxHashSet<(Id, Id)> = amendment.relations.iter().cloned().collect();
        for (category, entries, file) in &pages {
            for placed in entries.iter().filter(is_new) {
                let id = self.new_item(placed, file, &mut known)?;
                let Some(category) = category else { continue };
                let pair = (id, category.clone());
                let held = self.now.data.relation_between(&pair.0, &pair.1).is_some();
                if held || !filed.insert(pair.clone()) {
                    continue;
                }
                if self.now.data.item(&pair.0).is_some() {
                    let text = placed.entry.memory.text.clone();
                    self.tell(What::Filed, file, Some(placed.line), &pair.0, &text);
                }
                self.decision.amendment.relations.push(pair);
            }
        }
        Ok(())
    }

    fn new_item(
        &mut self,
        placed: &Placed,
        file: &str,
        known: &mut FxHashMap<String, Id>,
    ) -> Result<Id> {
        let memory = &placed.entry.memory;
        let memory_type = memory.memory_type.as_deref().unwrap_or(DEFAULT_TYPE);
        let hash = content_hash(memory_type, &memory.text);
        if let Some(id) = known.get(&hash) {
            return Ok(id.clone());
        }
        let id = (self.now.new_id)();
        let mut item = MemoryItem {
            meta: Meta::new(id.clone(), self.now.scope.clone(), self.now.now),
            resource_id: None,
            memory_type: String::new(),
            summary: String::new(),
            happened: None,
            extra: serde_json::Map::new(),
            segment_ids: Vec::new(),
        };
        let here = |error: Error| error.with("line", placed.line).with("file", file);
        (self.now.check_text)(&memory.text).map_err(here)?;
        self.say(&mut item, placed, file)?;
        self.tell(
            What::MemoryAdded,
            file,
            Some(placed.line),
            &id,
            &memory.text,
        );
        known.insert(hash, id.clone());
        self.decision.amendment.items.push(item);
        Ok(id)
    }

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

/// The line that counts of those of one item: the one that was edited. Two that were edited in
/// different ways contradict each other.
fn said_of<'p>(
    noted: &NotedItem,
    places: &[(Option<&'p Id>, &'p Placed, &'p str)],
) -> Result<Option<(Option<&'p Id>, &'p Placed, &'p str)>> {
    let mut said = places.first().copied();
    let is_edited = |placed: &Placed| sum_of_memory(&placed.entry.memory) != noted.sum;
    let mut edited = places.iter().filter(|(_, placed, _)| is_edited(placed));
    if let Some(first) = edited.next() {
        said = Some(*first);
        for (_, placed, file) in edited {
            if placed.entry.memory != first.1.entry.memory {
                return Err(Error::input(format!(
                    "the memory ^{} was edited in two ways, here and at {}:{}",
                    noted.reference, first.2, first.1.line
                ))
                .with("line", placed.line)
                .with("file", file));
            }
        }
    }
    Ok(said)
}
