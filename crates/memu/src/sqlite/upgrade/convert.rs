//! Records from rows of the original.

use std::collections::BTreeMap;

use memu_core::Result;
use memu_core::environment::{IdSource, RandomIds};
use memu_core::records::{
    CategoryItem, ContentHash, EmbedderIdentity, Embedding, Id, MemoryCategory, MemoryItem, Meta,
    Modality, OwnedEmbedding, OwnerKind, Resource,
};
use memu_core::scope::{Scope, ScopeKey, ScopeSchema};
use memu_core::store::Write;
use memu_core::time::{Precision, Timestamp, When, parse_civil};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value};

use super::original::Kind;
use super::report::{Unread, UpgradeReport, VectorsOfUnknown};
use super::row::{Cell, OriginalRow};
use super::writer::{Kept, Writer};

/// Turns rows into records and writes them. Rows come kind by kind: resources,
/// categories, items, relations.
pub(super) struct Converter<'c> {
    writer: Writer<'c>,
    schema: ScopeSchema,
    now: Timestamp,
    report: UpgradeReport,
    scopes: FxHashSet<ScopeKey>,
    /// Whose each record is, by kind and id.
    owners: FxHashMap<(Kind, String), Scope>,
    /// The first category of a name in a scope.
    named: FxHashMap<(ScopeKey, String), Id>,
    /// What the categories are called, to file items under one of their own scope.
    categories: FxHashMap<String, MemoryCategory>,
    filed: FxHashSet<(String, String)>,
    vectors: BTreeMap<u32, u64>,
}

impl<'c> Converter<'c> {
    pub(super) fn new(writer: Writer<'c>, schema: ScopeSchema, now: Timestamp) -> Self {
        Self {
            writer,
            report: UpgradeReport {
                scope_fields: schema.fields().map(str::to_owned).collect(),
                ..UpgradeReport::default()
            },
            schema,
            now,
            scopes: FxHashSet::default(),
            owners: FxHashMap::default(),
            named: FxHashMap::default(),
            categories: FxHashMap::default(),
            filed: FxHashSet::default(),
            vectors: BTreeMap::new(),
        }
    }

    /// Takes one row over.
    pub(super) fn convert(&mut self, row: &OriginalRow<'_>) -> Result<()> {
        let mut cells = Cells::new(row);
        match self.scope(&mut cells) {
            None => {}
            Some(scope) => {
                cells.scope = Some(scope.clone());
                self.convert_in(&mut cells, &scope)?;
            }
        }
        cells.note_unknown_columns();
        for kept in cells.kept {
            self.writer.keep(kept);
        }
        Ok(())
    }

    fn convert_in(&mut self, cells: &mut Cells<'_>, scope: &Scope) -> Result<()> {
        let (kind, id) = (cells.row.table.kind, cells.row.id());
        if self.owners.contains_key(&(kind, id.clone())) {
            cells.keep_row("another row has this id; this one was left out");
            return Ok(());
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
        self.owners.insert((kind, id), scope.clone());
        self.write(scope, writes)
    }

    fn write(&mut self, scope: &Scope, writes: Vec<Write>) -> Result<()> {
        self.scopes.insert(scope.key());
        self.writer.write(scope, writes)
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
            let known = self.owners.get(&(Kind::Resources, resource.clone()));
            match known {
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
        self.named.entry(name).or_insert_with(|| id.clone());
        self.categories.insert(id.to_string(), category.clone());
    }

    /// Files an item under a category of its own scope.
    fn file(&mut self, cells: &mut Cells<'_>, scope: &Scope) -> Result<()> {
        let (item, category) = (cells.required("item_id"), cells.required("category_id"));
        let owner = self.owners.get(&(Kind::Items, item.clone())).cloned();
        let Some(owner) = owner else {
            cells.keep_row("there is no such item; the relation was left out");
            return Ok(());
        };
        let Some(known) = self.categories.get(&category).cloned() else {
            cells.keep_row("there is no such category; the relation was left out");
            return Ok(());
        };
        cells.scope = Some(owner.clone());
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
        let pair = (item, category.to_string());
        if self.filed.contains(&pair) {
            cells.keep_row("the item is filed under this category already");
        } else {
            let relation = CategoryItem {
                meta: self.meta(cells, &owner),
                item_id: Id::from(pair.0.as_str()),
                category_id: category,
            };
            self.owners
                .insert((Kind::Relations, cells.row.id()), owner.clone());
            self.filed.insert(pair);
            self.report.relations += 1;
            writes.push(Write::Relation(relation));
        }
        self.write(&owner, writes)
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
            summary: None,
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

    /// Writes what is left, and tells what was done.
    pub(super) fn finish(mut self) -> Result<UpgradeReport> {
        self.report.unread = self.writer.finish()?;
        self.report.scopes = self.scopes.len() as u64;
        self.report.vectors = self
            .vectors
            .into_iter()
            .map(|(dimension, count)| VectorsOfUnknown { dimension, count })
            .collect();
        Ok(self.report)
    }
}

/// The cells of a row, with what could not be read of them.
struct Cells<'r> {
    row: &'r OriginalRow<'r>,
    scope: Option<Scope>,
    kept: Vec<Kept>,
}

impl<'r> Cells<'r> {
    fn new(row: &'r OriginalRow<'r>) -> Self {
        Self {
            row,
            scope: None,
            kept: Vec::new(),
        }
    }

    /// Keeps the value of a column as it is.
    fn keep(&mut self, column: &str, reason: &str) {
        let value = self.row.cell(column).to_json();
        let content = Value::Object(Map::from_iter([(column.to_owned(), value)]));
        self.push(format!("{column}: {reason}"), &content);
    }

    /// Keeps the whole row as it is.
    fn keep_row(&mut self, reason: &str) {
        let content = self.row.to_json();
        self.push(reason.to_owned(), &content);
    }

    fn push(&mut self, reason: String, content: &Value) {
        self.kept.push(Kept {
            scope: self.scope.clone(),
            unread: Unread {
                table: self.row.table.kind.name(),
                id: self.row.id(),
                reason,
            },
            content: content.to_string(),
        });
    }

    fn note_unknown_columns(&mut self) {
        let row = self.row;
        for column in row.table.unknown_columns() {
            if *row.cell(column) != Cell::Null {
                self.keep(column, "memU 1.x has no such column");
            }
        }
    }

    /// The text of a column; `None` for NULL.
    fn text(&mut self, column: &str) -> Option<String> {
        match self.row.cell(column) {
            Cell::Null => None,
            Cell::Text(text) | Cell::Number(text) => Some(text.clone()),
            Cell::Bytes(bytes) => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                self.keep(column, "it is not UTF-8; what is not was replaced");
                Some(text)
            }
        }
    }

    /// The text of a column that must have one.
    fn required(&mut self, column: &str) -> String {
        self.text(column).unwrap_or_else(|| {
            self.keep(column, "it is missing; the empty text was taken");
            String::new()
        })
    }

    /// A time; `None` when it is missing or unreadable.
    fn time(&mut self, column: &str) -> Option<Timestamp> {
        let text = self.text(column);
        let time = text.as_deref().and_then(|text| Timestamp::parse(text).ok());
        if time.is_none() {
            self.keep(column, "it is not a time; another one of the row was taken");
        }
        time
    }

    fn happened(&mut self) -> Option<When> {
        let text = self.text("happened_at")?;
        let Ok(start) = parse_civil(&text) else {
            self.keep("happened_at", "it is not a time");
            return None;
        };
        Some(When {
            start,
            end: None,
            precision: Precision::Minute,
        })
    }

    fn extra(&mut self) -> Map<String, Value> {
        let Some(text) = self.text("extra") else {
            return Map::new();
        };
        match serde_json::from_str(&text) {
            Ok(Value::Object(extra)) => {
                if extra.values().any(loses_digits) {
                    self.keep(
                        "extra",
                        "it holds a number that is too long to be kept exactly",
                    );
                }
                extra
            }
            Ok(Value::Null) => Map::new(),
            _ => {
                self.keep("extra", "it is not a JSON object");
                Map::new()
            }
        }
    }

    fn vector(&mut self) -> Option<Embedding> {
        let text = self.text("embedding_json")?;
        let numbers: Vec<f32> = match serde_json::from_str(&text) {
            Ok(Some(numbers)) => numbers,
            Ok(None) => return None,
            Err(_) => {
                self.keep("embedding_json", "it is not a JSON array of numbers");
                return None;
            }
        };
        let dimension = numbers.len() as u32;
        if numbers.is_empty() {
            self.keep("embedding_json", "it is empty");
            return None;
        }
        match Embedding::checked(numbers, dimension) {
            Ok(vector) => Some(vector),
            Err(error) => {
                self.keep("embedding_json", error.message());
                None
            }
        }
    }
}

/// Whether a value holds a whole number that no number of ours can hold exactly.
fn loses_digits(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            number.is_f64() && float.fract() == 0.0 && float.abs() >= 2_f64.powi(64)
        }
        Value::Array(values) => values.iter().any(loses_digits),
        Value::Object(fields) => fields.values().any(loses_digits),
        _ => false,
    }
}
