//! Memories: their lines, what was exported and what is held.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::UNFILED;
use super::super::manifest::{NotedItem, memory_of, sum_of_memory};
use super::super::page::Placed;
use super::super::text::Memory;
use super::{Deciding, Field, Left, What, Why, compare};
use crate::error::{Error, Result};
use crate::records::{Id, MemoryItem, Meta, content_hash};

/// The type of a new memory that does not say one.
const DEFAULT_TYPE: &str = "knowledge";

/// Where a memory stands.
#[derive(Clone, Copy)]
struct Place<'p> {
    /// The category of the page; `None` for the page of items without one.
    category: Option<&'p Id>,
    placed: &'p Placed,
    file: &'p str,
}

impl<'d> Deciding<'d> {
    pub(super) fn exported_items(&mut self) -> Result<()> {
        let pages = std::mem::take(&mut self.pages);
        let mut places: FxHashMap<&str, Vec<Place<'_>>> = FxHashMap::default();
        for (category, entries, file) in &pages {
            for placed in *entries {
                if let Some(reference) = &placed.entry.reference {
                    let place = Place {
                        category: category.as_ref(),
                        placed,
                        file,
                    };
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

    fn exported_item(&mut self, noted: &NotedItem, places: &[Place<'_>]) -> Result<()> {
        let Some(said) = said_of(noted, places)? else {
            return Ok(());
        };
        let Place { placed, file, .. } = said;
        let memory = &placed.entry.memory;
        let sum_said = sum_of_memory(memory);
        let wanted: FxHashSet<&Id> = places.iter().filter_map(|place| place.category).collect();
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
            kind,
            text,
            happened,
        } = &placed.entry.memory;
        let memory_type = kind.as_deref().unwrap_or(DEFAULT_TYPE);
        let here = |error: Error| error.with("line", placed.line).with("file", file);
        if item.memory_type != memory_type {
            (self.now.check_type)(memory_type).map_err(here)?;
        }
        if item.summary != *text {
            (self.now.check_text)(text).map_err(here)?;
        }
        memory_type.clone_into(&mut item.memory_type);
        item.summary.clone_from(text);
        item.happened = *happened;
        Ok(())
    }

    /// Makes an item that an empty scope does not hold.
    fn restore(
        &mut self,
        noted: &NotedItem,
        mut meta: Meta,
        Place { placed, file, .. }: Place<'_>,
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
            item.memory_type = memory.kind.unwrap_or_default();
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
        Place { placed, file, .. }: Place<'_>,
    ) {
        let data = self.now.data;
        let text = placed.entry.memory.text.clone();
        for category in &noted.categories {
            if wanted.contains(category) || data.relation_between(&noted.id, category).is_none() {
                continue;
            }
            // A page that was removed says nothing of what it held.
            if let Some(file) = self.page_of(category) {
                self.tell(What::TakenOut, file, None, &noted.id, &text);
                let pair = (noted.id.clone(), category.clone());
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

    /// The page of a category that was exported, where it is still there.
    fn page_of(&self, id: &Id) -> Option<&'d str> {
        let mut pages = self.folder.categories.iter();
        let page = pages.find(|page| page.noted.as_ref().is_some_and(|noted| noted.id == *id));
        page.map(|page| page.page.file.as_str())
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
            || format!("{}/{}", self.folder.noted.folder, UNFILED),
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
    pub(super) fn new_items(&mut self) -> Result<()> {
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
        let memory_type = memory.kind.as_deref().unwrap_or(DEFAULT_TYPE);
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
}

/// The line that counts of those of one item: the one that was edited. Two that were edited in
/// different ways contradict each other.
fn said_of<'p>(noted: &NotedItem, places: &[Place<'p>]) -> Result<Option<Place<'p>>> {
    let mut said = places.first().copied();
    let is_edited = |placed: &Placed| sum_of_memory(&placed.entry.memory) != noted.sum;
    let mut edited = places.iter().filter(|place| is_edited(place.placed));
    if let Some(first) = edited.next() {
        said = Some(*first);
        for Place { placed, file, .. } in edited {
            if placed.entry.memory != first.placed.entry.memory {
                return Err(Error::input(format!(
                    "the memory ^{} was edited in two ways, here and at {}:{}",
                    noted.reference, first.file, first.placed.line
                ))
                .with("line", placed.line)
                .with("file", file));
            }
        }
    }
    Ok(said)
}
