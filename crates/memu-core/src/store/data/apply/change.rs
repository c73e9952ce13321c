use rustc_hash::FxHashSet;

use crate::records::{
    Blob, CategoryItem, Change, ContentHash, EmbedderIdentity, Embedding, Id, MemoryCategory,
    MemoryItem, Modality, ModelReply, ModelUsage, Operation, OwnerKind, Resource, Segment, Table,
};
use crate::store::data::ordered::Position;
use crate::store::data::{ScopeData, UsageKey};
use crate::store::rules::put_operation;

/// One step of a batch, with what was there before.
pub(in crate::store::data) enum Step {
    Resource(Position, Id, Option<Resource>),
    Segment(Position, Id, Option<Segment>),
    Item(Position, Id, Option<MemoryItem>),
    Category(Position, Id, Option<MemoryCategory>),
    Relation(Position, Id, Option<CategoryItem>),
    ModelReply(Position, Id, Option<Box<ModelReply>>),
    ModelUsage(UsageKey, Option<ModelUsage>),
    Blob(ContentHash, Option<Blob>),
    Vector(EmbedderIdentity, OwnerKind, Id, Option<Embedding>),
}

/// A batch being applied, with everything needed to take it back.
pub(super) struct Work<'d> {
    pub(super) data: &'d mut ScopeData,
    pub(super) restoring: bool,
    steps: Vec<Step>,
    logged: FxHashSet<(Table, Id)>,
    log_length: usize,
    seq: u64,
    next_position: Position,
}

macro_rules! setters {
    ($($name:ident, $step:ident, $record:ident;)*) => {
        $(pub(super) fn $name(&mut self, position: Position, id: &Id, record: Option<$record>) {
            let old = self.data.$name(position, id, record);
            self.steps.push(Step::$step(position, id.clone(), old));
        })*
    };
}

impl<'d> Work<'d> {
    pub(super) fn new(data: &'d mut ScopeData, restoring: bool) -> Self {
        Self {
            restoring,
            log_length: data.log.len(),
            seq: data.seq,
            next_position: data.next_position,
            data,
            steps: Vec::new(),
            logged: FxHashSet::default(),
        }
    }

    /// What was done, step by step.
    pub(super) fn finish(self) -> Vec<Step> {
        self.steps
    }

    /// Takes everything back, last step first.
    pub(super) fn undo(self) {
        let data = self.data;
        for step in self.steps.into_iter().rev() {
            match step {
                Step::Resource(position, id, old) => drop(data.set_resource(position, &id, old)),
                Step::Segment(position, id, old) => drop(data.set_segment(position, &id, old)),
                Step::Item(position, id, old) => drop(data.set_item(position, &id, old)),
                Step::Category(position, id, old) => drop(data.set_category(position, &id, old)),
                Step::Relation(position, id, old) => drop(data.set_relation(position, &id, old)),
                Step::ModelReply(position, id, old) => {
                    drop(data.set_model_reply(position, &id, old.map(|old| *old)));
                }
                Step::ModelUsage(key, old) => data.set_usage(key, old),
                Step::Blob(hash, old) => drop(data.set_blob(hash, old)),
                Step::Vector(identity, kind, id, old) => {
                    drop(data.set_vector(&identity, kind, &id, old));
                }
            }
        }
        data.log.truncate(self.log_length);
        data.seq = self.seq;
        data.next_position = self.next_position;
    }

    setters! {
        set_resource, Resource, Resource;
        set_segment, Segment, Segment;
        set_item, Item, MemoryItem;
        set_category, Category, MemoryCategory;
        set_relation, Relation, CategoryItem;
    }

    pub(super) fn set_model_reply(
        &mut self,
        position: Position,
        id: &Id,
        reply: Option<ModelReply>,
    ) {
        let old = self.data.set_model_reply(position, id, reply);
        let old = old.map(Box::new);
        self.steps.push(Step::ModelReply(position, id.clone(), old));
    }

    pub(super) fn add_usage(&mut self, usage: &ModelUsage) {
        let key = usage_key(usage);
        let old = self.data.usage.get(&key).cloned();
        let mut sum = usage.clone();
        if let Some(old) = old.as_ref().filter(|_| !self.restoring) {
            sum.clone_from(old);
            sum.add(usage);
        }
        self.data.set_usage(key.clone(), Some(sum));
        self.steps.push(Step::ModelUsage(key, old));
    }

    pub(super) fn set_blob(&mut self, hash: ContentHash, blob: Option<Blob>) {
        let old = self.data.set_blob(hash, blob);
        self.steps.push(Step::Blob(hash, old));
    }

    pub(super) fn set_vector(
        &mut self,
        identity: &EmbedderIdentity,
        kind: OwnerKind,
        owner: &Id,
        vector: Option<Embedding>,
    ) {
        let old = self.data.set_vector(identity, kind, owner, vector);
        self.steps
            .push(Step::Vector(identity.clone(), kind, owner.clone(), old));
    }

    /// Drops the vectors of an owner, whoever made them.
    pub(super) fn drop_vectors(&mut self, kind: OwnerKind, owner: &Id) {
        let key = (kind, owner.clone());
        let holding: Vec<EmbedderIdentity> = self
            .data
            .vectors
            .iter()
            .filter(|(_, vectors)| vectors.contains_key(&key))
            .map(|(identity, _)| identity.clone())
            .collect();
        for identity in holding {
            self.set_vector(&identity, kind, owner, None);
        }
    }

    /// Drops content that no resource refers to any more.
    pub(super) fn release_blob(&mut self, hash: ContentHash) {
        let used = Modality::ALL
            .iter()
            .any(|modality| self.data.by_content.contains_key(&(hash, *modality)));
        if !used && self.data.blobs.contains_key(&hash) {
            self.set_blob(hash, None);
        }
    }

    /// The position of a record that is there, or a new one at the end.
    pub(super) fn place(&mut self, current: Option<Position>) -> Position {
        current.unwrap_or_else(|| {
            if let Some(reserved) = self.data.reserved.pop_front() {
                return reserved;
            }
            let position = self.data.next_position;
            self.data.next_position += 1;
            position
        })
    }

    /// Logs the writing of a record, which was known or not.
    pub(super) fn log_put(&mut self, table: Table, id: &Id, known: bool) {
        self.log(put_operation(known), table, id);
    }

    /// Logs that something belonging to a record changed, unless the record
    /// itself has a line from this batch.
    pub(super) fn log_part(&mut self, table: Table, id: &Id) {
        if !self.logged.contains(&(table, id.clone())) {
            self.log(Operation::Update, table, id);
        }
    }

    pub(super) fn log(&mut self, operation: Operation, table: Table, id: &Id) {
        self.logged.insert((table, id.clone()));
        self.data.seq += 1;
        self.data.log.push(Change {
            seq: self.data.seq,
            operation,
            table,
            id: id.clone(),
        });
    }
}

/// Each of these puts a record (or takes it away, with `None`), keeps the indexes
/// in step and returns what was there, with which the same call undoes it.
impl ScopeData {
    pub(in crate::store::data) fn set_resource(
        &mut self,
        position: Position,
        id: &Id,
        resource: Option<Resource>,
    ) -> Option<Resource> {
        if let Some(old) = self.resources.at(position) {
            self.by_content.remove(&(old.content_hash, old.modality));
        }
        if let Some(new) = &resource {
            self.by_content
                .insert((new.content_hash, new.modality), id.clone());
        }
        self.resources.set(position, id, resource)
    }

    pub(in crate::store::data) fn set_segment(
        &mut self,
        position: Position,
        id: &Id,
        segment: Option<Segment>,
    ) -> Option<Segment> {
        if let Some(old) = self.segments.at(position)
            && let Some(ordinals) = self.segments_of_resource.get_mut(&old.resource_id)
        {
            ordinals.remove(&old.ordinal);
            if ordinals.is_empty() {
                self.segments_of_resource.remove(&old.resource_id);
            }
        }
        if let Some(new) = &segment {
            self.segments_of_resource
                .entry(new.resource_id.clone())
                .or_default()
                .insert(new.ordinal, position);
        }
        self.segments.set(position, id, segment)
    }

    pub(in crate::store::data) fn set_item(
        &mut self,
        position: Position,
        id: &Id,
        item: Option<MemoryItem>,
    ) -> Option<MemoryItem> {
        for (item, present) in [(self.items.at(position), false), (item.as_ref(), true)] {
            let Some(item) = item else { continue };
            if let Some(resource) = &item.resource_id {
                self.items_of_resource.set(resource, position, present);
            }
            for segment in &item.segment_ids {
                self.items_citing.set(segment, position, present);
            }
        }
        self.items.set(position, id, item)
    }

    pub(in crate::store::data) fn set_category(
        &mut self,
        position: Position,
        id: &Id,
        category: Option<MemoryCategory>,
    ) -> Option<MemoryCategory> {
        self.categories.set(position, id, category)
    }

    pub(in crate::store::data) fn set_relation(
        &mut self,
        position: Position,
        id: &Id,
        relation: Option<CategoryItem>,
    ) -> Option<CategoryItem> {
        let old = self.relations.at(position);
        for (relation, present) in [(old, false), (relation.as_ref(), true)] {
            let Some(relation) = relation else { continue };
            self.relations_of_item
                .set(&relation.item_id, position, present);
            self.relations_of_category
                .set(&relation.category_id, position, present);
        }
        self.relations.set(position, id, relation)
    }

    pub(in crate::store::data) fn set_model_reply(
        &mut self,
        position: Position,
        id: &Id,
        reply: Option<ModelReply>,
    ) -> Option<ModelReply> {
        self.model_replies.set(position, id, reply)
    }

    fn set_usage(&mut self, key: UsageKey, usage: Option<ModelUsage>) {
        match usage {
            Some(usage) => drop(self.usage.insert(key, usage)),
            None => drop(self.usage.remove(&key)),
        }
    }

    fn set_blob(&mut self, hash: ContentHash, blob: Option<Blob>) -> Option<Blob> {
        match blob {
            Some(blob) => self.blobs.insert(hash, blob),
            None => self.blobs.remove(&hash),
        }
    }

    pub(in crate::store::data) fn set_vector(
        &mut self,
        identity: &EmbedderIdentity,
        kind: OwnerKind,
        owner: &Id,
        vector: Option<Embedding>,
    ) -> Option<Embedding> {
        let key = (kind, owner.clone());
        match vector {
            Some(vector) => self
                .vectors
                .entry(identity.clone())
                .or_default()
                .insert(key, vector),
            None => self.vectors.get_mut(identity)?.remove(&key),
        }
    }
}

fn usage_key(usage: &ModelUsage) -> UsageKey {
    let (day, profile, model, step) = usage.key();
    (day, [profile, model, step].map(str::to_owned))
}
