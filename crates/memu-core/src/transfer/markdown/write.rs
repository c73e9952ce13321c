//! Writing scopes as pages.

use rustc_hash::{FxHashMap, FxHashSet};

use super::front::Writer;
use super::index::Index;
use super::manifest::{
    Manifest, NotedCategory, NotedItem, NotedScope, memory_of, sum_of_file, sum_of_memory,
};
use super::names::Names;
use super::page::{self, HEADING};
use super::resource::{self, Sources};
use super::{CATEGORIES, INDEX, RESOURCES, UNFILED, kinds, text};
use crate::error::{Error, Result};
use crate::records::{CategoryItem, Id, MemoryCategory, MemoryItem};
use crate::scope::Scope;
use crate::store::{Query, Select, Store, StoreExt};
use crate::transfer::Exported;

/// Where pages go.
pub trait Pages: Send {
    /// Keeps a page under a name such as `alice/categories/tea.md`.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) when it cannot be kept.
    fn put(&mut self, name: &str, text: &str) -> Result<()>;
}

/// Writes these scopes as pages, one after the other, and returns what is to be noted of them.
/// `tell` is told how many records are written.
///
/// # Errors
/// [`ErrorKind::Busy`](crate::ErrorKind::Busy) when a scope was written to meanwhile; those of
/// the store and of `pages`.
pub async fn export_folder(
    store: &dyn Store,
    scopes: &[Scope],
    pages: &mut dyn Pages,
    tell: &(dyn Fn(u64) + Send + Sync),
) -> Result<(Exported, Manifest)> {
    let fields = store.schema().fields().map(str::to_owned).collect();
    let mut export = Export {
        store,
        pages,
        tell,
        exported: Exported::default(),
        manifest: Manifest::new(fields),
    };
    let mut index = Index::default();
    let mut folders = Names::default();
    for scope in scopes {
        let position = store.log_position(scope).await?;
        export
            .scope(scope, &folders.of_scope(scope), &mut index)
            .await?;
        if store.log_position(scope).await? != position {
            let message = "the scope was written to while it was exported, so the export is not of \
                           one moment; export again, or export a copy that memu backup makes";
            return Err(Error::busy(message).with("scope", scope));
        }
        export.exported.scopes += 1;
    }
    export.put(INDEX, &index.text())?;
    Ok((export.exported, export.manifest))
}

struct Export<'e> {
    store: &'e dyn Store,
    pages: &'e mut dyn Pages,
    tell: &'e (dyn Fn(u64) + Send + Sync),
    exported: Exported,
    manifest: Manifest,
}

/// The items of a scope with all that their lines show.
struct Listed {
    all: Vec<MemoryItem>,
    references: FxHashMap<Id, String>,
    /// The categories of each, in stored order.
    filed: FxHashMap<Id, Vec<Id>>,
}

impl Listed {
    fn new(items: Vec<MemoryItem>, relations: Vec<CategoryItem>) -> Self {
        let mut names = Names::default();
        let reference = |item: &MemoryItem| (item.meta.id.clone(), names.of_item(&item.meta.id));
        let references = items.iter().map(reference).collect();
        let mut filed: FxHashMap<Id, Vec<Id>> = FxHashMap::default();
        for relation in relations {
            filed
                .entry(relation.item_id)
                .or_default()
                .push(relation.category_id);
        }
        Self {
            all: items,
            references,
            filed,
        }
    }

    fn categories_of(&self, item: &MemoryItem) -> &[Id] {
        self.filed.get(&item.meta.id).map_or(&[], Vec::as_slice)
    }

    /// The items of a category, or those without one, as the list of a page; and how many.
    fn list(&self, category: Option<&Id>, sources: &Sources) -> (String, usize) {
        let is_of = |item: &&MemoryItem| match category {
            Some(category) => self.categories_of(item).contains(category),
            None => self.categories_of(item).is_empty(),
        };
        let mut list = format!("{HEADING}\n");
        let mut count = 0;
        for item in self.all.iter().filter(is_of) {
            list.push('\n');
            let reference = self.references.get(&item.meta.id);
            let links = sources.links(item, if category.is_some() { "../" } else { "" });
            list.push_str(&text::write(
                &memory_of(item),
                &links,
                reference.map_or("", String::as_str),
            ));
            count += 1;
        }
        (list, count)
    }
}

impl Export<'_> {
    async fn scope(&mut self, scope: &Scope, folder: &str, index: &mut Index) -> Result<()> {
        let all = Query::scope(scope);
        let categories = self.store.all_categories(&all).await?;
        let items = self.store.all_items(&all).await?;
        let relations = self.store.all_relations(&all).await?;
        self.tell_of(categories.len() + items.len() + relations.len());
        let mut noted = NotedScope {
            folder: folder.to_owned(),
            scope: scope_fields(scope),
            categories: Vec::new(),
            items: Vec::new(),
        };
        index.begin(scope);
        let sources = self.resources(scope, folder, &items).await?;
        let items = Listed::new(items, relations);
        let mut names = Names::default();
        for category in &categories {
            let name = names.of_category(&category.name, &category.meta.id);
            let file = format!("{folder}/{CATEGORIES}/{name}.md");
            let (list, count) = items.list(Some(&category.meta.id), &sources);
            self.put(&file, &category_page(category, &list))?;
            index.category(category, &file, count);
            noted.categories.push(NotedCategory::new(category, file));
        }
        let (list, count) = items.list(None, &sources);
        let file = format!("{folder}/{UNFILED}");
        let front = Writer::new(kinds::UNFILED).scope(scope).end();
        self.put(&file, &format!("{front}\n{list}"))?;
        index.unfiled(&file, count);
        index.resources(&sources);
        for item in &items.all {
            noted.items.push(note(item, &items));
        }
        self.manifest.scopes.push(noted);
        Ok(())
    }

    /// Writes the pages of the resources, and returns where items find what they cite.
    async fn resources(
        &mut self,
        scope: &Scope,
        folder: &str,
        items: &[MemoryItem],
    ) -> Result<Sources> {
        let cited: FxHashSet<&Id> = items.iter().flat_map(|item| &item.segment_ids).collect();
        let mut sources = Sources::default();
        let mut names = Names::default();
        for resource in self.store.all_resources(&Query::scope(scope)).await? {
            let of_resource = Select::OfResources(vec![resource.meta.id.clone()]);
            let query = Query::scope(scope).select(of_resource);
            let segments = self.store.all_segments(&query).await?;
            let name = names.of_resource(&resource.url, &resource.meta.id);
            let file = format!("{folder}/{RESOURCES}/{name}.md");
            self.put(&file, &resource::page(&resource, &segments))?;
            self.tell_of(1 + segments.len());
            for segment in segments.iter().filter(|one| cited.contains(&one.meta.id)) {
                sources.add_segment(segment);
            }
            sources.add(&resource, file);
        }
        Ok(sources)
    }

    fn put(&mut self, name: &str, text: &str) -> Result<()> {
        self.pages.put(name, text)?;
        let sums = vec![sum_of_file(text.as_bytes())];
        self.manifest.files.insert(name.to_owned(), sums);
        Ok(())
    }

    fn tell_of(&mut self, records: usize) {
        self.exported.records += records as u64;
        (self.tell)(self.exported.records);
    }
}

fn category_page(category: &MemoryCategory, list: &str) -> String {
    let front = Writer::new(kinds::CATEGORY)
        .text("id", category.meta.id.as_str())
        .text("name", &category.name)
        .text("description", &category.description)
        .scope(&category.meta.scope)
        .number("revision", category.meta.revision)
        .end();
    let summary = page::write_summary(category.summary.as_deref());
    format!("{front}\n{summary}{list}")
}

fn note(item: &MemoryItem, items: &Listed) -> NotedItem {
    let mut extra = item.extra.clone();
    // These follow from what the line says, and from the id.
    extra.remove("content_hash");
    extra.remove("ref_id");
    let reference = items.references.get(&item.meta.id).cloned();
    NotedItem {
        reference: reference.unwrap_or_default(),
        id: item.meta.id.clone(),
        created_at: item.meta.created_at,
        sum: sum_of_memory(&memory_of(item)),
        categories: items.categories_of(item).to_vec(),
        sourced: item.resource_id.is_some(),
        extra,
    }
}

/// The fields of a scope that are not empty.
fn scope_fields(scope: &Scope) -> serde_json::Map<String, serde_json::Value> {
    let given = scope
        .iter()
        .filter_map(|(field, value)| Some((field, value?)));
    given
        .map(|(field, value)| (field.to_owned(), value.into()))
        .collect()
}
