//! Applying a batch: all of it, or nothing.

mod change;

use rustc_hash::FxHashSet;

use self::change::Work;
use super::ScopeData;
use super::ordered::Position;
use crate::error::{Error, Result};
use crate::records::{
    Blob, CategoryItem, EmbedderIdentity, Id, MemoryCategory, MemoryItem, Meta, Operation,
    OwnedEmbedding, OwnerKind, Resource, Segment, Table,
};
use crate::store::{Committed, Write, WriteBatch};

impl ScopeData {
    /// Applies every write of the batch, in order, or none. What a write means,
    /// and when it is refused, is said at [`Write`]. Whether an embedder is the
    /// store's is not known here; that check is the store's.
    ///
    /// # Errors
    /// As [`Store::commit`](crate::store::Store::commit); the data is then as it was.
    pub fn apply(&mut self, batch: &WriteBatch) -> Result<Committed> {
        if batch.scope != self.scope {
            return Err(Error::internal("a batch was applied to another scope")
                .with("batch", &batch.scope)
                .with("scope", &self.scope));
        }
        batch.check_expected(self.log_position())?;
        let mut work = Work::new(self);
        for write in &batch.writes {
            if let Err(error) = work.write(write) {
                work.undo();
                return Err(error);
            }
        }
        self.resources.compact();
        self.segments.compact();
        self.items.compact();
        self.categories.compact();
        self.relations.compact();
        Ok(Committed {
            life: self.life,
            seq: self.seq,
        })
    }
}

impl Work<'_> {
    fn write(&mut self, write: &Write) -> Result<()> {
        match write {
            Write::Blob(blob) => self.put_blob(blob),
            Write::Resource(resource) => self.put_resource(resource),
            Write::Segments(segments) => segments
                .iter()
                .try_for_each(|segment| self.add_segment(segment)),
            Write::Item(item) => self.put_item(item),
            Write::Category(category) => self.put_category(category),
            Write::Relation(relation) => self.add_relation(relation),
            Write::Embeddings(identity, vectors) => vectors
                .iter()
                .try_for_each(|vector| self.put_vector(identity, vector)),
            Write::DeleteResource(id) => self.delete_resource(id),
            Write::DeleteItem(id) => self.delete_item(id),
            Write::DeleteCategory(id) => self.delete_category(id),
            Write::DeleteRelation {
                item_id,
                category_id,
            } => self.delete_relation(item_id, category_id),
        }
    }

    fn put_blob(&mut self, blob: &Blob) -> Result<()> {
        let found = crate::records::ContentHash::of(&blob.bytes);
        if found != blob.hash {
            return Err(
                Error::input("content does not have the hash it is stored under")
                    .with("hash", blob.hash)
                    .with("hash of the bytes", found),
            );
        }
        if self.data.blob(&blob.hash).is_none() {
            self.set_blob(blob.hash, Some(blob.clone()));
        }
        Ok(())
    }

    fn put_resource(&mut self, resource: &Resource) -> Result<()> {
        let old = self.data.resource(&resource.meta.id);
        let revision = self.revision("resource", &resource.meta, old.map(|old| &old.meta))?;
        let old_hash = old.map(|old| old.content_hash);
        let same = self
            .data
            .resource_with_content(resource.content_hash, resource.modality)
            .filter(|same| same.meta.id != resource.meta.id);
        if let Some(same) = same {
            return Err(
                Error::conflict("the scope already has a resource with this content")
                    .with("resource", &same.meta.id)
                    .with("modality", same.modality),
            );
        }
        let mut stored = resource.clone();
        stored.meta.revision = revision;
        let position = self.place(self.data.resources.position(&resource.meta.id));
        self.set_resource(position, &resource.meta.id, Some(stored));
        if let Some(hash) = old_hash {
            self.release_blob(hash);
        }
        self.log_put(Table::Resources, &resource.meta);
        Ok(())
    }

    fn add_segment(&mut self, segment: &Segment) -> Result<()> {
        let id = &segment.meta.id;
        let known = self.data.segment(id).map(|known| &known.meta);
        let revision = self.revision("segment", &segment.meta, known)?;
        if known.is_some() {
            return Err(Error::conflict("a stored segment cannot be changed").with("segment", id));
        }
        if self.data.resource(&segment.resource_id).is_none() {
            return Err(missing("resource", &segment.resource_id).with("segment", id));
        }
        let taken = self.data.segments_of_resource.get(&segment.resource_id);
        if taken.is_some_and(|ordinals| ordinals.contains_key(&segment.ordinal)) {
            return Err(
                Error::conflict("the resource already has a segment in this place")
                    .with("resource", &segment.resource_id)
                    .with("ordinal", segment.ordinal),
            );
        }
        let mut stored = segment.clone();
        stored.meta.revision = revision;
        let position = self.place(None);
        self.set_segment(position, id, Some(stored));
        self.log_part(Table::Resources, &segment.resource_id);
        Ok(())
    }

    fn put_item(&mut self, item: &MemoryItem) -> Result<()> {
        let id = &item.meta.id;
        let old = self.data.item(id).map(|old| &old.meta);
        let revision = self.revision("item", &item.meta, old)?;
        if let Some(resource) = &item.resource_id
            && self.data.resource(resource).is_none()
        {
            return Err(missing("resource", resource).with("item", id));
        }
        for (index, segment) in item.segment_ids.iter().enumerate() {
            if self.data.segment(segment).is_none() {
                return Err(missing("segment", segment).with("item", id));
            }
            if item.segment_ids.iter().take(index).any(|id| id == segment) {
                return Err(Error::input("an item cites a segment twice")
                    .with("item", id)
                    .with("segment", segment));
            }
        }
        let mut stored = item.clone();
        stored.meta.revision = revision;
        let position = self.place(self.data.items.position(id));
        self.set_item(position, id, Some(stored));
        self.log_put(Table::Items, &item.meta);
        Ok(())
    }

    fn put_category(&mut self, category: &MemoryCategory) -> Result<()> {
        let id = &category.meta.id;
        let old = self.data.category(id).map(|old| &old.meta);
        let mut stored = category.clone();
        stored.meta.revision = self.revision("category", &category.meta, old)?;
        let position = self.place(self.data.categories.position(id));
        self.set_category(position, id, Some(stored));
        self.log_put(Table::Categories, &category.meta);
        Ok(())
    }

    fn add_relation(&mut self, relation: &CategoryItem) -> Result<()> {
        relation.meta.check_scope("relation", &self.data.scope)?;
        let (item, category) = (&relation.item_id, &relation.category_id);
        if self.data.relation_between(item, category).is_some() {
            return Ok(());
        }
        if self.data.item(item).is_none() {
            return Err(missing("item", item).with("relation", &relation.meta.id));
        }
        if self.data.category(category).is_none() {
            return Err(missing("category", category).with("relation", &relation.meta.id));
        }
        let id = &relation.meta.id;
        let known = self.data.relation(id).map(|known| &known.meta);
        let revision = self.revision("relation", &relation.meta, known)?;
        if known.is_some() {
            return Err(Error::conflict("a stored relation cannot be changed").with("relation", id));
        }
        let mut stored = relation.clone();
        stored.meta.revision = revision;
        let position = self.place(None);
        self.set_relation(position, id, Some(stored));
        self.log_put(Table::Relations, &relation.meta);
        Ok(())
    }

    fn put_vector(&mut self, identity: &EmbedderIdentity, new: &OwnedEmbedding) -> Result<()> {
        let dimension = identity.dimension as usize;
        let length = new.vector.as_slice().len();
        if length != dimension {
            return Err(Error::model(format!(
                "an embedding has {length} dimensions where {dimension} are expected"
            ))
            .with("owner", &new.owner));
        }
        let data = &self.data;
        let id = &new.owner;
        let (known, part_of) = match new.kind {
            OwnerKind::Resource => (data.resource(id).is_some(), (Table::Resources, id)),
            OwnerKind::Item => (data.item(id).is_some(), (Table::Items, id)),
            OwnerKind::Category => (data.category(id).is_some(), (Table::Categories, id)),
            OwnerKind::Segment => match data.segment(id) {
                Some(segment) => (true, (Table::Resources, &segment.resource_id)),
                None => (false, (Table::Resources, id)),
            },
        };
        if !known {
            return Err(missing("owner of a vector", id).with("kind", format!("{:?}", new.kind)));
        }
        let (table, part_of) = (part_of.0, part_of.1.clone());
        self.set_vector(identity, new.kind, id, Some(new.vector.clone()));
        self.log_part(table, &part_of);
        Ok(())
    }

    fn delete_resource(&mut self, id: &Id) -> Result<()> {
        let resource = self.data.resource(id);
        let hash = resource
            .ok_or_else(|| missing("resource", id))?
            .content_hash;
        let items = ids(self.data.items_of_resource(id).map(|item| &item.meta));
        let mut relations: Vec<(Option<Position>, Id)> = items
            .iter()
            .flat_map(|item| self.data.relations_of_item(item))
            .map(|relation| &relation.meta.id)
            .map(|id| (self.data.relations.position(id), id.clone()))
            .collect();
        relations.sort_unstable();
        for (_, relation) in &relations {
            self.remove_relation(relation);
        }
        for item in &items {
            self.remove_item(item);
        }
        let segments = ids(self
            .data
            .segments_of_resource(id)
            .map(|segment| &segment.meta));
        self.remove_citations(&segments);
        for segment in &segments {
            self.drop_vectors(OwnerKind::Segment, segment);
            let position = self.place(self.data.segments.position(segment));
            self.set_segment(position, segment, None);
        }
        self.drop_vectors(OwnerKind::Resource, id);
        let position = self.place(self.data.resources.position(id));
        self.set_resource(position, id, None);
        self.release_blob(hash);
        self.log(Operation::Delete, Table::Resources, id);
        Ok(())
    }

    /// Takes segments that are about to go out of the citations of the items that
    /// stay.
    fn remove_citations(&mut self, segments: &[Id]) {
        let mut citing: Vec<Position> = segments
            .iter()
            .flat_map(|segment| self.data.items_citing.of(segment))
            .collect();
        citing.sort_unstable();
        citing.dedup();
        let going: FxHashSet<&Id> = segments.iter().collect();
        for position in citing {
            let Some(mut item) = self.data.items.at(position).cloned() else {
                continue;
            };
            let id = item.meta.id.clone();
            item.segment_ids.retain(|segment| !going.contains(segment));
            item.meta.revision += 1;
            self.set_item(position, &id, Some(item));
            self.log(Operation::Update, Table::Items, &id);
        }
    }

    fn delete_item(&mut self, id: &Id) -> Result<()> {
        self.data.item(id).ok_or_else(|| missing("item", id))?;
        let relations = self.data.relations_of_item(id);
        let relations = ids(relations.map(|relation| &relation.meta));
        for relation in &relations {
            self.remove_relation(relation);
        }
        self.remove_item(id);
        Ok(())
    }

    fn delete_category(&mut self, id: &Id) -> Result<()> {
        let category = self.data.category(id);
        category.ok_or_else(|| missing("category", id))?;
        let relations = self.data.relations_of_category(id);
        let relations = ids(relations.map(|relation| &relation.meta));
        for relation in &relations {
            self.remove_relation(relation);
        }
        self.drop_vectors(OwnerKind::Category, id);
        let position = self.place(self.data.categories.position(id));
        self.set_category(position, id, None);
        self.log(Operation::Delete, Table::Categories, id);
        Ok(())
    }

    fn delete_relation(&mut self, item: &Id, category: &Id) -> Result<()> {
        let relation = self.data.relation_between(item, category).ok_or_else(|| {
            Error::not_found("the item is not filed under the category")
                .with("item", item)
                .with("category", category)
        })?;
        let id = relation.meta.id.clone();
        self.remove_relation(&id);
        Ok(())
    }

    fn remove_item(&mut self, id: &Id) {
        self.drop_vectors(OwnerKind::Item, id);
        let position = self.place(self.data.items.position(id));
        self.set_item(position, id, None);
        self.log(Operation::Delete, Table::Items, id);
    }

    fn remove_relation(&mut self, id: &Id) {
        let position = self.place(self.data.relations.position(id));
        self.set_relation(position, id, None);
        self.log(Operation::Delete, Table::Relations, id);
    }

    /// The revision under which a record is to be stored.
    fn revision(&self, kind: &'static str, new: &Meta, stored: Option<&Meta>) -> Result<u64> {
        let stored = stored.map(|stored| stored.revision);
        new.next_revision(kind, &self.data.scope, stored)
    }
}

fn ids<'m>(records: impl Iterator<Item = &'m Meta>) -> Vec<Id> {
    records.map(|meta| meta.id.clone()).collect()
}

fn missing(kind: &'static str, id: &Id) -> Error {
    Error::not_found(format!("the scope has no such {kind}")).with("id", id)
}
