//! Categories: their pages, what was exported and what is held.

use rustc_hash::FxHashMap;

use super::super::manifest::{NotedCategory, sum, sum_of_summary};
use super::super::read::CategoryPage;
use super::{Deciding, Field, Left, What, Why, compare};
use crate::error::{Error, Result};
use crate::records::{Id, MemoryCategory, Meta};

impl Deciding<'_> {
    pub(super) fn categories(&mut self) -> Result<()> {
        let folder = self.folder;
        for page in &folder.categories {
            let id = match &page.noted {
                Some(noted) => self.exported_category(page, noted),
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
    fn exported_category(&mut self, page: &CategoryPage, noted: &NotedCategory) -> Option<Id> {
        let description = page.description.clone().unwrap_or_default();
        let held = self
            .categories
            .iter_mut()
            .find(|held| held.meta.id == noted.id);
        let Some(held) = held else {
            if !self.is_empty {
                self.conflict(&page.page.file, 1, "the category was removed");
                return None;
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
            return Some(noted.id.clone());
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
            return Some(noted.id.clone());
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
        Some(noted.id.clone())
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
}
