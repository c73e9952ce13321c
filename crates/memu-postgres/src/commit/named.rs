//! What a batch names.

use std::collections::BTreeSet;

use memu_core::records::{ContentHash, Id, OwnerKind};
use memu_core::store::{Write, WriteBatch};

/// What the writes of a batch name, refer to or remove.
#[derive(Debug, Default)]
pub(crate) struct Named<'b> {
    pub(crate) resources: BTreeSet<&'b Id>,
    /// The content that resources are to have.
    pub(crate) contents: BTreeSet<ContentHash>,
    pub(crate) segments: BTreeSet<&'b Id>,
    /// Where in which resources segments are to stand.
    pub(crate) ordinals: Vec<(&'b Id, u32)>,
    pub(crate) items: BTreeSet<&'b Id>,
    pub(crate) categories: BTreeSet<&'b Id>,
    pub(crate) relations: BTreeSet<&'b Id>,
    pub(crate) replies: BTreeSet<&'b Id>,
    pub(crate) deleted_resources: BTreeSet<&'b Id>,
    pub(crate) deleted_categories: BTreeSet<&'b Id>,
    /// Whether replies that no write names may change: something is deleted, or a resource
    /// gets other content.
    pub(crate) touches_replies: bool,
    /// The most records that can be new.
    pub(crate) new: usize,
}

impl<'b> Named<'b> {
    pub(crate) fn of(batch: &'b WriteBatch) -> Self {
        let mut named = Self::default();
        for write in &batch.writes {
            named.write(write);
        }
        named
    }

    fn write(&mut self, write: &'b Write) {
        match write {
            Write::Blob(_) | Write::ModelUsage(_) => {}
            Write::Resource(resource) => {
                self.resources.insert(&resource.meta.id);
                self.contents.insert(resource.content_hash);
                self.touches_replies |= resource.meta.revision > 0;
                self.new += 1;
            }
            Write::Segments(segments) => {
                for segment in segments {
                    self.segments.insert(&segment.meta.id);
                    self.resources.insert(&segment.resource_id);
                    self.ordinals.push((&segment.resource_id, segment.ordinal));
                }
                self.new += segments.len();
            }
            Write::Item(item) => {
                self.items.insert(&item.meta.id);
                self.resources.extend(item.resource_id.as_ref());
                self.segments.extend(&item.segment_ids);
                self.new += 1;
            }
            Write::Category(category) => {
                self.categories.insert(&category.meta.id);
                self.new += 1;
            }
            Write::Relation(relation) => {
                self.relations.insert(&relation.meta.id);
                self.items.insert(&relation.item_id);
                self.categories.insert(&relation.category_id);
                self.new += 1;
            }
            Write::Embeddings(_, vectors) => {
                for vector in vectors {
                    self.owner(vector.kind, &vector.owner);
                }
            }
            Write::ModelReply(reply) => {
                self.replies.insert(&reply.meta.id);
                self.new += 1;
            }
            Write::DeleteResource(id) => {
                self.resources.insert(id);
                self.deleted_resources.insert(id);
                self.touches_replies = true;
            }
            Write::DeleteItem(id) => {
                self.items.insert(id);
                self.touches_replies = true;
            }
            Write::DeleteCategory(id) => {
                self.categories.insert(id);
                self.deleted_categories.insert(id);
            }
            Write::DeleteRelation {
                item_id,
                category_id,
            } => {
                self.items.insert(item_id);
                self.categories.insert(category_id);
            }
            Write::DeleteModelReply(id) => {
                self.replies.insert(id);
            }
        }
    }

    fn owner(&mut self, kind: OwnerKind, id: &'b Id) {
        match kind {
            OwnerKind::Resource => self.resources.insert(id),
            OwnerKind::Segment => self.segments.insert(id),
            OwnerKind::Item => self.items.insert(id),
            OwnerKind::Category => self.categories.insert(id),
        };
    }
}
