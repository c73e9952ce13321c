//! Records from rows of the original.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::cells::Cells;
use super::portion::Portion;
use super::report::{UpgradeReport, VectorsOfUnknown};
use super::row::{Cell, OriginalRow};
use super::seen::Seen;
use super::table::Kind;
use crate::environment::{IdSource, RandomIds};
use crate::records::{
    CategoryItem, ContentHash, EmbedderIdentity, Id, MemoryCategory, MemoryItem, Meta, Modality,
    OwnedEmbedding, OwnerKind, Resource,
};
use crate::scope::{Scope, ScopeKey, ScopeSchema};
use crate::store::Write;
use crate::time::Timestamp;

/// Turns rows into records, portion by portion. Rows come kind by kind, in the order of
/// [`Kind::ALL`], those of one scope together.
#[derive(Debug)]
pub struct Converter {
    schema: ScopeSchema,
    now: Timestamp,
    report: UpgradeReport,
    portion: Portion,
    seen: Seen,
    /// The first category of a name in a scope.
    named: FxHashMap<(ScopeKey, String), Id>,
    /// What the categories are called, to file items under one of their own scope. Without
    /// their summaries.
    categories: FxHashMap<String, MemoryCategory>,
    vectors: BTreeMap<u32, u64>,
}

impl Converter {
    /// Begins an upgrade to a store with these scope fields. `now` is for rows without a
    /// time.
    pub fn new(schema: ScopeSchema, now: Timestamp) -> Self {
        Self {
            report: UpgradeReport {
                scope_fields: schema.fields().map(str::to_owned).collect(),
                ..UpgradeReport::default()
            },
            schema,
            now,
            portion: Portion::default(),
            seen: Seen::default(),
            named: FxHashMap::default(),
            categories: FxHashMap::default(),
            vectors: BTreeMap::new(),
        }
    }

    /// Takes one row over. What is returned is to be written before anything that comes
    /// later.
    pub fn convert(&mut self, row: &OriginalRow<'_>) -> Option<Portion> {
        let mut cells = Cells::new(row);
        let scope = self.scope(&mut cells);
        cells.belong_to(scope.as_ref());
        let writes = scope.and_then(|scope| self.convert_in(&mut cells, &scope));
        let before = writes.and_then(|(scope, writes)| {
            self.seen.scope(&scope);
            self.portion.write(&scope, writes)
        });
        cells.note_unknown_columns();
        let kept = cells.kept;
        let unread = kept.iter().map(|kept| kept.unread.clone());
        self.report.unread.extend(unread);
        // After a portion has gone, what is left is far from full.
        let full = self.portion.keep(kept);
        before.or(full)
    }

    /// The writes of a row, and of which scope they are.
    fn convert_in(&mut self, cells: &mut Cells<'_>, scope: &Scope) -> Option<(Scope, Vec<Write>)> {
        let (kind, id) = (cells.row.table.kind(), cells.row.id());
        if self.seen.owner(kind, &id).is_some() {
            cells.keep_row("another row has this id; this one was left out");
            return None;
        }
        let writes = match kind {
            Kind::Resources => {
                let resource = self.resource(cells, scope);
                self.report.resources += 1;
                self.with_vector(cells, OwnerKind::Resource, Write::Resource(resource))
            }
            Kind::Categories => {
                let category = self.category(cells, scope);
                self.remember(&category, scope);
                self.report.categories += 1;
                self.with_vector(cells, OwnerKind::Category, Write::Category(category))
            }
            Kind::Items => {
                let item = self.item(cells, scope);
                self.report.items += 1;
                self.with_vector(cells, OwnerKind::Item, Write::Item(item))
            }
            Kind::Relations => return self.file(cells, scope),
        };
        self.seen.record(kind, &id, scope);
        Some((scope.clone(), writes))
    }

    /// Whose the row is; `None` when it cannot be told, and then the row is kept aside.
    fn scope(&self, cells: &mut Cells<'_>) -> Option<Scope> {
        let mut values = Vec::new();
        for (field, column) in cells.row.table.scope_fields() {
            match cells.row.cell(column) {
                Cell::Null => {}
                // The original tells the empty text from NULL; a scope does not.
                Cell::Text(text) if text.is_empty() => {
                    cells.keep(column, "the empty text was taken as no value");
                }
                Cell::Text(text) | Cell::Number(text) => values.push((field, text.clone())),
                Cell::Bytes(_) => {
                    cells.keep_row(&format!("{column} is not text; the row was left out"));
                    return None;
                }
            }
        }
        let values = values.iter();
        let values = values.map(|(field, value)| (field.as_str(), value.as_str()));
        match self.schema.scope(values) {
            Ok(scope) => Some(scope),
            Err(error) => {
                cells.keep_row(&format!("{}; the row was left out", error.message()));
                None
            }
        }
    }

    fn meta(&self, cells: &mut Cells<'_>, scope: &Scope) -> Meta {
        let id = Id::from(cells.row.id());
        if !matches!(cells.row.cell("id"), Cell::Text(text) if !text.is_empty()) {
            cells.keep(
                "id",
                &format!("it is not a text; the row is called {id} now"),
            );
        }
        let (created, updated) = (cells.time("created_at"), cells.time("updated_at"));
        Meta {
            created_at: created.or(updated).unwrap_or(self.now),
            updated_at: updated.or(created).unwrap_or(self.now),
            ..Meta::new(id, scope.clone(), self.now)
        }
    }

    fn resource(&self, cells: &mut Cells<'_>, scope: &Scope) -> Resource {
        let meta = self.meta(cells, scope);
        let named = cells.required("modality");
        let modality = named.parse().unwrap_or_else(|_| {
            cells.keep("modality", "it is unknown; document was taken");
            Modality::Document
        });
        Resource {
            // The content is not in the file, and one path names many resources.
            content_hash: ContentHash::of(format!("memU 1.x resource {}", meta.id).as_bytes()),
            meta,
            url: cells.required("url"),
            modality,
            local_path: cells.text("local_path").unwrap_or_default(),
            caption: cells.text("caption"),
            external_id: None,
            segment_count: 0,
        }
    }

    fn category(&self, cells: &mut Cells<'_>, scope: &Scope) -> MemoryCategory {
        MemoryCategory {
            meta: self.meta(cells, scope),
            name: cells.required("name"),
            description: cells.required("description"),
            summary: cells.text("summary"),
        }
    }

    fn item(&self, cells: &mut Cells<'_>, scope: &Scope) -> MemoryItem {
        let resource_id = cells.text("resource_id").filter(|resource| {
            match self.seen.owner(Kind::Resources, resource) {
                Some(owner) if owner == scope => true,
                Some(_) => {
                    cells.keep("resource_id", "the resource is of another scope");
                    false
                }
                None => {
                    cells.keep("resource_id", "there is no such resource");
                    false
                }
            }
        });
        MemoryItem {
            meta: self.meta(cells, scope),
            resource_id: resource_id.map(Id::from),
            memory_type: cells.required("memory_type"),
            summary: cells.required("summary"),
            happened: cells.happened(),
            extra: cells.extra(),
            segment_ids: Vec::new(),
        }
    }

    fn remember(&mut self, category: &MemoryCategory, scope: &Scope) {
        let id = category.meta.id.clone();
        let name = (scope.key(), category.name.clone());
        let first = self.named.entry(name).or_insert_with(|| id.clone());
        if *first != id {
            self.report.same_names += 1;
        }
        let without_summary = MemoryCategory {
            summary: None,
            ..category.clone()
        };
        self.categories.insert(id.to_string(), without_summary);
    }

    /// Files an item under a category of its own scope.
    fn file(&mut self, cells: &mut Cells<'_>, scope: &Scope) -> Option<(Scope, Vec<Write>)> {
        let (item, category) = (cells.required("item_id"), cells.required("category_id"));
        let Some(owner) = self.seen.owner(Kind::Items, &item).cloned() else {
            cells.keep_row("there is no such item; the relation was left out");
            return None;
        };
        let Some(known) = self.categories.get(&category).cloned() else {
            cells.keep_row("there is no such category; the relation was left out");
            return None;
        };
        cells.belong_to(Some(&owner));
        if *scope != owner {
            cells.keep_row("the item is of another scope; the relation is of the item's now");
        }
        let mut writes = Vec::new();
        let category = if known.meta.scope == owner {
            known.meta.id
        } else {
            cells.keep_row(
                "the category is of another scope; the item is filed under the one of this name \
                 of its own",
            );
            self.own_category(&known, &owner, &mut writes)
        };
        if self.seen.file(&item, category.as_str()) {
            let relation = CategoryItem {
                meta: self.meta(cells, &owner),
                item_id: Id::from(item),
                category_id: category,
            };
            self.seen.record(Kind::Relations, &cells.row.id(), &owner);
            self.report.relations += 1;
            writes.push(Write::Relation(relation));
        } else {
            cells.keep_row("the item is filed under this category already");
        }
        Some((owner, writes))
    }

    /// The category of the same name in another scope, made when there is none. Its
    /// summary stays where it is: it tells of somebody else.
    fn own_category(
        &mut self,
        other: &MemoryCategory,
        scope: &Scope,
        writes: &mut Vec<Write>,
    ) -> Id {
        let name = (scope.key(), other.name.clone());
        if let Some(own) = self.named.get(&name) {
            return own.clone();
        }
        let own = MemoryCategory {
            meta: Meta {
                id: RandomIds.next_id(),
                scope: scope.clone(),
                ..other.meta.clone()
            },
            ..other.clone()
        };
        let id = own.meta.id.clone();
        self.named.insert(name, id.clone());
        self.report.categories += 1;
        writes.push(Write::Category(own));
        id
    }

    /// The write of a record, and that of its vector.
    fn with_vector(&mut self, cells: &mut Cells<'_>, kind: OwnerKind, write: Write) -> Vec<Write> {
        let mut writes = vec![write];
        if let Some(vector) = cells.vector() {
            let dimension = vector.as_slice().len() as u32;
            *self.vectors.entry(dimension).or_default() += 1;
            let owned = OwnedEmbedding {
                kind,
                owner: Id::from(cells.row.id()),
                vector,
            };
            let identity = EmbedderIdentity::unknown(dimension);
            writes.push(Write::Embeddings(identity, vec![owned]));
        }
        writes
    }

    /// What is left to be written, and what was done.
    pub fn finish(mut self) -> (Option<Portion>, UpgradeReport) {
        self.report.scopes = self.seen.scopes();
        self.report.vectors = self
            .vectors
            .into_iter()
            .map(|(dimension, count)| VectorsOfUnknown { dimension, count })
            .collect();
        (self.portion.rest(), self.report)
    }
}
