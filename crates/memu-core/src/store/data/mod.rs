//! The plain form of one scope, from which all of its answers can be read.

mod apply;
mod building;
mod facts;
mod load;
mod ordered;
mod outline;
mod part;
mod select;

pub(in crate::store) use select::Kind;

pub use facts::{
    CategoryFacts, ItemFacts, ModelReplyFacts, RelationFacts, ResourceFacts, SegmentFacts,
};

pub use part::{Effects, Fate, Fates};

use std::collections::{BTreeMap, VecDeque};

use jiff::civil;
use rustc_hash::FxHashMap;

use self::ordered::{Mentions, Ordered, Position};
use crate::records::{
    Blob, CategoryItem, Change, ContentHash, EmbedderIdentity, Embedding, Id, MemoryCategory,
    MemoryItem, Modality, ModelReply, ModelUsage, OwnerKind, Resource, Segment,
};
use crate::scope::Scope;
use crate::store::LogPosition;

/// The day, and the profile, the model and the step.
type UsageKey = (civil::Date, [String; 3]);

/// Everything of one scope: its records in the order in which they were stored,
/// content, vectors and change log.
///
/// It is what the in-memory store keeps, the model that other stores are compared
/// with, and the cache in which the service reads a scope of any store.
#[derive(Clone, Debug)]
pub struct ScopeData {
    scope: Scope,
    resources: Ordered<Resource>,
    segments: Ordered<Segment>,
    items: Ordered<MemoryItem>,
    categories: Ordered<MemoryCategory>,
    relations: Ordered<CategoryItem>,
    model_replies: Ordered<ModelReply>,
    usage: BTreeMap<UsageKey, ModelUsage>,
    blobs: FxHashMap<ContentHash, Blob>,
    vectors: FxHashMap<EmbedderIdentity, FxHashMap<(OwnerKind, Id), Embedding>>,
    log: Vec<Change>,
    life: u64,
    seq: u64,
    next_position: Position,
    /// Places of records that are new, before `next_position`.
    reserved: VecDeque<Position>,

    by_content: FxHashMap<(ContentHash, Modality), Id>,
    segments_of_resource: FxHashMap<Id, BTreeMap<u32, Position>>,
    items_of_resource: Mentions,
    items_citing: Mentions,
    relations_of_item: Mentions,
    relations_of_category: Mentions,
}

impl ScopeData {
    /// A scope that holds nothing.
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            resources: Ordered::default(),
            segments: Ordered::default(),
            items: Ordered::default(),
            categories: Ordered::default(),
            relations: Ordered::default(),
            model_replies: Ordered::default(),
            usage: BTreeMap::new(),
            blobs: FxHashMap::default(),
            vectors: FxHashMap::default(),
            log: Vec::new(),
            life: 0,
            seq: 0,
            next_position: 0,
            reserved: VecDeque::new(),
            by_content: FxHashMap::default(),
            segments_of_resource: FxHashMap::default(),
            items_of_resource: Mentions::default(),
            items_citing: Mentions::default(),
            relations_of_item: Mentions::default(),
            relations_of_category: Mentions::default(),
        }
    }

    /// Whose data it is.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// How far the change log has come.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// How far the change log has come, and in which life of the scope. A store whose
    /// log for this scope is there holds exactly this.
    pub fn log_position(&self) -> LogPosition {
        LogPosition {
            life: self.life,
            seq: self.seq,
        }
    }

    /// Says which life of the scope this is.
    pub(crate) fn set_life(&mut self, life: u64) {
        self.life = life;
    }

    /// Whether a list of scopes names it: something was recorded in it.
    pub(super) fn is_listed(&self) -> bool {
        self.seq > 0 || self.model_replies.len() > 0 || !self.usage.is_empty()
    }

    /// Whether it holds no record and no content.
    pub fn is_empty(&self) -> bool {
        self.resources.len() == 0
            && self.items.len() == 0
            && self.categories.len() == 0
            && self.model_replies.len() == 0
            && self.usage.is_empty()
            && self.blobs.is_empty()
    }

    /// How many resources, segments, items, categories and relations it holds.
    pub fn record_count(&self) -> usize {
        self.resources.len()
            + self.segments.len()
            + self.items.len()
            + self.categories.len()
            + self.relations.len()
    }

    /// The resources, in stored order.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.resources.iter()
    }

    /// The segments, in stored order.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter()
    }

    /// The items, in stored order.
    pub fn items(&self) -> impl Iterator<Item = &MemoryItem> {
        self.items.iter()
    }

    /// The categories, in stored order.
    pub fn categories(&self) -> impl Iterator<Item = &MemoryCategory> {
        self.categories.iter()
    }

    /// The relations, in stored order.
    pub fn relations(&self) -> impl Iterator<Item = &CategoryItem> {
        self.relations.iter()
    }

    /// What models have taken from a day on, by day, profile, model and step in this order.
    pub fn model_usage(&self, since: civil::Date) -> impl Iterator<Item = &ModelUsage> {
        let from = (since, [const { String::new() }; 3]);
        self.usage.range(from..).map(|(_, usage)| usage)
    }

    /// The replies of models, in stored order.
    pub fn model_replies(&self) -> impl Iterator<Item = &ModelReply> {
        self.model_replies.iter()
    }

    /// How many resources there are.
    pub fn resource_count(&self) -> usize {
        self.resources.len()
    }

    /// How many segments there are.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// How many items there are.
    pub fn item_count(&self) -> usize {
        self.items.len()
    }

    /// How many categories there are.
    pub fn category_count(&self) -> usize {
        self.categories.len()
    }

    /// How many relations there are.
    pub fn relation_count(&self) -> usize {
        self.relations.len()
    }

    /// How many replies of models there are.
    pub fn model_reply_count(&self) -> usize {
        self.model_replies.len()
    }

    /// How many vectors there are, of all embedders together.
    pub fn vector_count(&self) -> usize {
        self.vectors.values().map(FxHashMap::len).sum()
    }

    /// The resource with this id.
    pub fn resource(&self, id: &Id) -> Option<&Resource> {
        self.resources.get(id)
    }

    /// The segment with this id.
    pub fn segment(&self, id: &Id) -> Option<&Segment> {
        self.segments.get(id)
    }

    /// The item with this id.
    pub fn item(&self, id: &Id) -> Option<&MemoryItem> {
        self.items.get(id)
    }

    /// The category with this id.
    pub fn category(&self, id: &Id) -> Option<&MemoryCategory> {
        self.categories.get(id)
    }

    /// The relation with this id.
    pub fn relation(&self, id: &Id) -> Option<&CategoryItem> {
        self.relations.get(id)
    }

    /// The reply of a model with this id.
    pub fn model_reply(&self, id: &Id) -> Option<&ModelReply> {
        self.model_replies.get(id)
    }

    /// The relation between these two.
    pub fn relation_between(&self, item: &Id, category: &Id) -> Option<&CategoryItem> {
        self.relations_of_item(item)
            .find(|relation| relation.category_id == *category)
    }

    /// The resource with this content.
    pub fn resource_with_content(
        &self,
        hash: ContentHash,
        modality: Modality,
    ) -> Option<&Resource> {
        self.resources.get(self.by_content.get(&(hash, modality))?)
    }

    /// The first category with this name.
    pub fn category_named(&self, name: &str) -> Option<&MemoryCategory> {
        self.categories().find(|category| category.name == name)
    }

    /// The segments of a resource, by ordinal.
    pub fn segments_of_resource(&self, resource: &Id) -> impl Iterator<Item = &Segment> {
        self.segments_of_resource
            .get(resource)
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter_map(|position| self.segments.at(*position))
    }

    /// The items that were extracted from a resource, in stored order.
    pub fn items_of_resource(&self, resource: &Id) -> impl Iterator<Item = &MemoryItem> {
        self.items_of_resource
            .of(resource)
            .filter_map(|position| self.items.at(position))
    }

    /// The items that cite a segment, in stored order.
    pub fn items_citing(&self, segment: &Id) -> impl Iterator<Item = &MemoryItem> {
        self.items_citing
            .of(segment)
            .filter_map(|position| self.items.at(position))
    }

    /// The relations of an item, in stored order.
    pub fn relations_of_item(&self, item: &Id) -> impl Iterator<Item = &CategoryItem> {
        self.relations_of_item
            .of(item)
            .filter_map(|position| self.relations.at(position))
    }

    /// The relations of a category, in stored order.
    pub fn relations_of_category(&self, category: &Id) -> impl Iterator<Item = &CategoryItem> {
        self.relations_of_category
            .of(category)
            .filter_map(|position| self.relations.at(position))
    }

    /// The categories of an item, in the order in which it was filed.
    pub fn categories_of_item(&self, item: &Id) -> impl Iterator<Item = &MemoryCategory> {
        self.relations_of_item(item)
            .filter_map(|relation| self.categories.get(&relation.category_id))
    }

    /// The items of a category, in the order in which they were filed.
    pub fn items_of_category(&self, category: &Id) -> impl Iterator<Item = &MemoryItem> {
        self.relations_of_category(category)
            .filter_map(|relation| self.items.get(&relation.item_id))
    }

    /// The content behind a hash.
    pub fn blob(&self, hash: &ContentHash) -> Option<&Blob> {
        self.blobs.get(hash)
    }

    /// The vector of an owner, of this embedder.
    pub fn vector(
        &self,
        identity: &EmbedderIdentity,
        kind: OwnerKind,
        owner: &Id,
    ) -> Option<&Embedding> {
        self.vectors.get(identity)?.get(&(kind, owner.clone()))
    }

    /// The lines of the change log after `after`, in order. Data that was loaded
    /// from a store knows only what was applied to it since.
    pub fn changes(&self, after: u64) -> &[Change] {
        let start = self.log.partition_point(|line| line.seq <= after);
        self.log.get(start..).unwrap_or_default()
    }

    /// Where in the stored order the next record comes.
    pub(super) fn next_position(&self) -> u64 {
        self.next_position
    }

    /// Lets the next record come at `position`, unless it comes later anyway.
    pub(super) fn skip_to(&mut self, position: u64) {
        self.next_position = self.next_position.max(position);
    }
}
