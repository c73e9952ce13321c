//! Removing records with all that hangs on them.

use rustc_hash::FxHashSet;

use super::change::Work;
use crate::error::{Error, Result};
use crate::records::{ContentHash, Id, Meta, Modality, ModelReply, Operation, OwnerKind, Table};
use crate::store::data::ordered::Position;
use crate::store::rules::missing;

impl Work<'_> {
    pub(super) fn delete_resource(&mut self, id: &Id) -> Result<()> {
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
        self.remove_replies_about(id, hash);
        self.empty_replies_about_nothing();
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

    pub(super) fn delete_item(&mut self, id: &Id) -> Result<()> {
        self.data.item(id).ok_or_else(|| missing("item", id))?;
        let relations = self.data.relations_of_item(id);
        let relations = ids(relations.map(|relation| &relation.meta));
        for relation in &relations {
            self.remove_relation(relation);
        }
        self.remove_item(id);
        self.empty_replies_about_nothing();
        Ok(())
    }

    pub(super) fn delete_category(&mut self, id: &Id) -> Result<()> {
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

    pub(super) fn delete_relation(&mut self, item: &Id, category: &Id) -> Result<()> {
        let relation = self.data.relation_between(item, category).ok_or_else(|| {
            Error::not_found("the item is not filed under the category")
                .with("item", item)
                .with("category", category)
        })?;
        let id = relation.meta.id.clone();
        self.remove_relation(&id);
        Ok(())
    }

    pub(super) fn delete_model_reply(&mut self, id: &Id) -> Result<()> {
        self.data
            .model_reply(id)
            .ok_or_else(|| missing("model reply", id))?;
        self.remove_model_reply(id);
        Ok(())
    }

    /// Removes the replies about a resource that is gone, and those about its content
    /// when no other resource has it.
    fn remove_replies_about(&mut self, resource: &Id, content: ContentHash) {
        let kept = self.has_content(content);
        let about = |reply: &&ModelReply| match &reply.resource_id {
            Some(id) => id == resource,
            None => !kept && reply.content_hash == Some(content),
        };
        let going = ids(self.data.model_replies().filter(about).map(|one| &one.meta));
        for id in &going {
            self.remove_model_reply(id);
        }
    }

    fn has_content(&self, content: ContentHash) -> bool {
        let of = |modality: &Modality| self.data.resource_with_content(content, *modality);
        Modality::ALL.iter().any(|modality| of(modality).is_some())
    }

    /// Has the replies about content that a resource had until now name it, unless another
    /// resource has that content.
    pub(super) fn keep_replies_about(&mut self, resource: &Id, content: ContentHash) {
        if self.has_content(content) {
            return;
        }
        let about = |reply: &&ModelReply| {
            reply.resource_id.is_none() && reply.content_hash == Some(content)
        };
        let kept = ids(self.data.model_replies().filter(about).map(|one| &one.meta));
        for id in &kept {
            self.change_model_reply(id, |reply| reply.resource_id = Some(resource.clone()));
        }
    }

    /// Takes the text of replies that are about no content: they may quote what is gone.
    fn empty_replies_about_nothing(&mut self) {
        let quoting = |reply: &&ModelReply| {
            reply.resource_id.is_none() && reply.content_hash.is_none() && !reply.text.is_empty()
        };
        let quoting = self.data.model_replies().filter(quoting);
        let emptied = ids(quoting.map(|one| &one.meta));
        for id in &emptied {
            self.change_model_reply(id, |reply| reply.text.clear());
        }
    }

    fn change_model_reply(&mut self, id: &Id, change: impl FnOnce(&mut ModelReply)) {
        if let Some(mut reply) = self.data.model_reply(id).cloned() {
            change(&mut reply);
            reply.meta.revision += 1;
            let position = self.place(self.data.model_replies.position(id));
            self.set_model_reply(position, id, Some(reply));
        }
    }

    fn remove_model_reply(&mut self, id: &Id) {
        let position = self.place(self.data.model_replies.position(id));
        self.set_model_reply(position, id, None);
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
}

fn ids<'m>(records: impl Iterator<Item = &'m Meta>) -> Vec<Id> {
    records.map(|meta| meta.id.clone()).collect()
}
