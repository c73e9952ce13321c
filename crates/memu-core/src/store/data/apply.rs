//! Applying a batch: all of it, or nothing.

mod change;
mod delete;

pub(super) use self::change::Step;
use self::change::Work;
use super::ScopeData;
use crate::error::{Error, Result};
use crate::records::{
    Blob, CategoryItem, EmbedderIdentity, MemoryCategory, MemoryItem, Meta, ModelReply,
    OwnedEmbedding, OwnerKind, Resource, Segment, Table,
};
use crate::store::rules::{self, missing};
use crate::store::{Committed, LogPosition, Write, WriteBatch};

impl ScopeData {
    /// Applies every write of the batch, in order, or none. What a write means,
    /// and when it is refused, is said at [`Write`]. Whether an embedder is the
    /// store's is not known here; that check is the store's.
    ///
    /// # Errors
    /// As [`Store::commit`](crate::store::Store::commit); the data is then as it was.
    pub fn apply(&mut self, batch: &WriteBatch) -> Result<Committed> {
        let (committed, _) = self.apply_in_steps(batch)?;
        self.resources.compact();
        self.segments.compact();
        self.items.compact();
        self.categories.compact();
        self.relations.compact();
        self.model_replies.compact();
        Ok(committed)
    }

    /// Applies a batch, and returns what it did step by step.
    pub(super) fn apply_in_steps(&mut self, batch: &WriteBatch) -> Result<(Committed, Vec<Step>)> {
        if batch.scope != self.scope {
            return Err(Error::internal("a batch was applied to another scope")
                .with("batch", &batch.scope)
                .with("scope", &self.scope));
        }
        batch.check_expected(self.log_position())?;
        let mut work = Work::new(self, batch.restoring);
        for write in &batch.writes {
            if let Err(error) = work.write(write) {
                work.undo();
                return Err(error);
            }
        }
        let steps = work.finish();
        let LogPosition { life, seq } = self.log_position();
        Ok((Committed { life, seq }, steps))
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
            Write::ModelReply(reply) => self.put_model_reply(reply),
            Write::ModelUsage(usage) => {
                self.add_usage(usage);
                Ok(())
            }
            Write::DeleteResource(id) => self.delete_resource(id),
            Write::DeleteItem(id) => self.delete_item(id),
            Write::DeleteCategory(id) => self.delete_category(id),
            Write::DeleteRelation {
                item_id,
                category_id,
            } => self.delete_relation(item_id, category_id),
            Write::DeleteModelReply(id) => self.delete_model_reply(id),
        }
    }

    fn put_blob(&mut self, blob: &Blob) -> Result<()> {
        rules::check_content(blob)?;
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
            if hash != resource.content_hash {
                self.keep_replies_about(&resource.meta.id, hash);
            }
        }
        self.log_put(Table::Resources, &resource.meta.id, old_hash.is_some());
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
        let (revision, known) = (self.revision("item", &item.meta, old)?, old.is_some());
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
        self.log_put(Table::Items, id, known);
        Ok(())
    }

    fn put_category(&mut self, category: &MemoryCategory) -> Result<()> {
        let id = &category.meta.id;
        let old = self.data.category(id).map(|old| &old.meta);
        let (mut stored, known) = (category.clone(), old.is_some());
        stored.meta.revision = self.revision("category", &category.meta, old)?;
        let position = self.place(self.data.categories.position(id));
        self.set_category(position, id, Some(stored));
        self.log_put(Table::Categories, id, known);
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
        self.log_put(Table::Relations, id, false);
        Ok(())
    }

    fn put_vector(&mut self, identity: &EmbedderIdentity, new: &OwnedEmbedding) -> Result<()> {
        rules::check_dimension(identity, new)?;
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

    fn put_model_reply(&mut self, reply: &ModelReply) -> Result<()> {
        let id = &reply.meta.id;
        let old = self.data.model_reply(id).map(|old| &old.meta);
        let mut stored = reply.clone();
        stored.meta.revision = self.revision("model reply", &reply.meta, old)?;
        let position = self.place(self.data.model_replies.position(id));
        self.set_model_reply(position, id, Some(stored));
        Ok(())
    }

    /// The revision under which a record is to be stored.
    fn revision(&self, kind: &'static str, new: &Meta, stored: Option<&Meta>) -> Result<u64> {
        let stored = stored.map(|stored| stored.revision);
        if self.restoring {
            return new.restored_revision(kind, &self.data.scope, stored);
        }
        new.next_revision(kind, &self.data.scope, stored)
    }
}
