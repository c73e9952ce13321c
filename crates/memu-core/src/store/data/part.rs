//! A part of a scope, on which a store that keeps its records elsewhere applies a batch:
//! what a batch means is said once, in [`ScopeData::apply`], and such a store writes down
//! what became of the records that it held out to it.

use std::collections::{BTreeMap, BTreeSet};

use super::ScopeData;
use super::apply::Step;
use super::ordered::{Ordered, Position};
use crate::error::Result;
use crate::records::{
    Blob, CategoryItem, ContentHash, EmbedderIdentity, Id, MemoryCategory, MemoryItem, ModelReply,
    OwnerKind, Resource, Segment,
};
use crate::scope::Scope;
use crate::store::{Committed, LogPosition, WriteBatch};

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is new.
    New,
    /// It was there, and is another one now.
    Changed,
    /// It was there.
    Removed,
}

/// What became of the records of a kind, by their places.
pub type Fates = BTreeMap<u64, Fate>;

/// What a batch did to a part of a scope. What it put and removed again is left out.
#[derive(Debug, Default)]
pub struct Effects {
    /// The resources.
    pub resources: Fates,
    /// The segments.
    pub segments: Fates,
    /// The items.
    pub items: Fates,
    /// The categories.
    pub categories: Fates,
    /// The relations.
    pub relations: Fates,
    /// The replies of models.
    pub model_replies: Fates,
    /// Content that is new, or went.
    pub content: Vec<(ContentHash, Fate)>,
    /// The places of items that were filed under other categories than before.
    pub refiled: BTreeSet<u64>,
    /// The vectors that were put, each with the place of its owner. Those of owners that
    /// went are left out.
    pub vectors: Vec<(EmbedderIdentity, OwnerKind, u64)>,
}

impl ScopeData {
    /// A part of a scope whose log stands at `position`, without records.
    pub fn part(scope: Scope, position: LogPosition) -> Self {
        Self {
            life: position.life,
            seq: position.seq,
            ..Self::new(scope)
        }
    }

    /// Gives the next records that are new these places, which lie behind all others and
    /// ascend.
    pub fn reserve(&mut self, places: impl IntoIterator<Item = u64>) {
        self.reserved.extend(places);
    }

    /// Holds a resource that stands at `place`. Records of a kind come by ascending place.
    pub fn hold_resource(&mut self, place: u64, resource: Resource) {
        let id = resource.meta.id.clone();
        self.set_resource(place, &id, Some(resource));
    }

    /// Holds a segment.
    pub fn hold_segment(&mut self, place: u64, segment: Segment) {
        let id = segment.meta.id.clone();
        self.set_segment(place, &id, Some(segment));
    }

    /// Holds an item.
    pub fn hold_item(&mut self, place: u64, item: MemoryItem) {
        let id = item.meta.id.clone();
        self.set_item(place, &id, Some(item));
    }

    /// Holds a category.
    pub fn hold_category(&mut self, place: u64, category: MemoryCategory) {
        let id = category.meta.id.clone();
        self.set_category(place, &id, Some(category));
    }

    /// Holds a relation.
    pub fn hold_relation(&mut self, place: u64, relation: CategoryItem) {
        let id = relation.meta.id.clone();
        self.set_relation(place, &id, Some(relation));
    }

    /// Holds the reply of a model.
    pub fn hold_model_reply(&mut self, place: u64, reply: ModelReply) {
        let id = reply.meta.id.clone();
        self.set_model_reply(place, &id, Some(reply));
    }

    /// Knows that there is content of this hash.
    pub fn hold_content(&mut self, hash: ContentHash) {
        let bytes = Vec::new().into();
        self.blobs.insert(hash, Blob { hash, bytes });
    }

    /// The resource at a place.
    pub fn resource_at(&self, place: u64) -> Option<&Resource> {
        self.resources.at(place)
    }

    /// The segment at a place.
    pub fn segment_at(&self, place: u64) -> Option<&Segment> {
        self.segments.at(place)
    }

    /// The item at a place.
    pub fn item_at(&self, place: u64) -> Option<&MemoryItem> {
        self.items.at(place)
    }

    /// The category at a place.
    pub fn category_at(&self, place: u64) -> Option<&MemoryCategory> {
        self.categories.at(place)
    }

    /// The relation at a place.
    pub fn relation_at(&self, place: u64) -> Option<&CategoryItem> {
        self.relations.at(place)
    }

    /// The reply of a model at a place.
    pub fn model_reply_at(&self, place: u64) -> Option<&ModelReply> {
        self.model_replies.at(place)
    }

    /// The place of a resource.
    pub fn resource_place(&self, id: &Id) -> Option<u64> {
        self.resources.position(id)
    }

    /// The place of a segment.
    pub fn segment_place(&self, id: &Id) -> Option<u64> {
        self.segments.position(id)
    }

    /// The place of an item.
    pub fn item_place(&self, id: &Id) -> Option<u64> {
        self.items.position(id)
    }

    /// The place of a category.
    pub fn category_place(&self, id: &Id) -> Option<u64> {
        self.categories.position(id)
    }

    /// The place of an owner of vectors.
    pub fn owner_place(&self, kind: OwnerKind, id: &Id) -> Option<u64> {
        match kind {
            OwnerKind::Resource => self.resource_place(id),
            OwnerKind::Segment => self.segment_place(id),
            OwnerKind::Item => self.item_place(id),
            OwnerKind::Category => self.category_place(id),
        }
    }

    /// As [`ScopeData::apply`], and tells what became of the records. The part must hold
    /// whatever the writes name, refer to or remove with something else.
    ///
    /// # Errors
    /// As [`ScopeData::apply`].
    pub fn apply_noting(&mut self, batch: &WriteBatch) -> Result<(Committed, Effects)> {
        let (committed, steps) = self.apply_in_steps(batch)?;
        let mut first = FirstSteps::default();
        for step in &steps {
            first.note(step);
        }
        Ok((committed, first.effects(self)))
    }
}

/// What was there before the first step of each record.
#[derive(Debug, Default)]
struct FirstSteps<'s> {
    resources: BTreeMap<Position, bool>,
    segments: BTreeMap<Position, bool>,
    items: BTreeMap<Position, bool>,
    categories: BTreeMap<Position, bool>,
    relations: BTreeMap<Position, bool>,
    model_replies: BTreeMap<Position, bool>,
    content: BTreeMap<ContentHash, bool>,
    vectors: Vec<(&'s EmbedderIdentity, OwnerKind, &'s Id)>,
    /// The items of relations that went.
    unfiled: Vec<&'s Id>,
}

impl<'s> FirstSteps<'s> {
    fn note(&mut self, step: &'s Step) {
        if let Step::Relation(_, _, Some(old)) = step {
            self.unfiled.push(&old.item_id);
        }
        let (there, place, was) = match step {
            Step::Resource(place, _, old) => (&mut self.resources, place, old.is_some()),
            Step::Segment(place, _, old) => (&mut self.segments, place, old.is_some()),
            Step::Item(place, _, old) => (&mut self.items, place, old.is_some()),
            Step::Category(place, _, old) => (&mut self.categories, place, old.is_some()),
            Step::Relation(place, _, old) => (&mut self.relations, place, old.is_some()),
            Step::ModelReply(place, _, old) => (&mut self.model_replies, place, old.is_some()),
            Step::Blob(hash, old) => {
                self.content.entry(*hash).or_insert(old.is_some());
                return;
            }
            Step::Vector(identity, kind, id, _) => {
                self.vectors.push((identity, *kind, id));
                return;
            }
            // It adds up: whoever applies a batch has it in the batch.
            Step::ModelUsage(..) => return,
        };
        there.entry(*place).or_insert(was);
    }

    fn effects(mut self, data: &ScopeData) -> Effects {
        self.vectors.sort_unstable_by_key(|(identity, kind, id)| {
            (
                &identity.provider,
                &identity.model,
                identity.dimension,
                *kind,
                *id,
            )
        });
        self.vectors.dedup();
        let put = |(identity, kind, id): &(&EmbedderIdentity, OwnerKind, &Id)| {
            data.vector(identity, *kind, id)?;
            Some(((*identity).clone(), *kind, data.owner_place(*kind, id)?))
        };
        let relations = self.relations.keys();
        let filed = relations.filter_map(|place| Some(&data.relations.at(*place)?.item_id));
        let refiled = filed.chain(self.unfiled.iter().copied());
        Effects {
            refiled: refiled.filter_map(|id| data.item_place(id)).collect(),
            resources: fates(&self.resources, &data.resources),
            segments: fates(&self.segments, &data.segments),
            items: fates(&self.items, &data.items),
            categories: fates(&self.categories, &data.categories),
            relations: fates(&self.relations, &data.relations),
            model_replies: fates(&self.model_replies, &data.model_replies),
            content: self
                .content
                .iter()
                .filter_map(|(hash, was)| Some((*hash, fate(*was, data.blob(hash).is_some())?)))
                .collect(),
            vectors: self.vectors.iter().filter_map(put).collect(),
        }
    }
}

fn fates<T>(were: &BTreeMap<Position, bool>, are: &Ordered<T>) -> Fates {
    were.iter()
        .filter_map(|(place, was)| Some((*place, fate(*was, are.at(*place).is_some())?)))
        .collect()
}

fn fate(was: bool, is: bool) -> Option<Fate> {
    match (was, is) {
        (false, true) => Some(Fate::New),
        (true, true) => Some(Fate::Changed),
        (true, false) => Some(Fate::Removed),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Meta, Modality};
    use crate::scope::ScopeSchema;
    use crate::store::Write;
    use crate::time::Timestamp;

    fn scope() -> Scope {
        ScopeSchema::default().scope([("user_id", "ann")]).unwrap()
    }

    fn meta(id: &str, revision: u64) -> Meta {
        let now = Timestamp::from_micros(7);
        Meta {
            revision,
            ..Meta::new(Id::from(id), scope(), now)
        }
    }

    fn resource(id: &str, revision: u64) -> Resource {
        Resource {
            meta: meta(id, revision),
            url: "a.txt".to_owned(),
            modality: Modality::Document,
            local_path: String::new(),
            caption: None,
            content_hash: ContentHash::of(b"a"),
            external_id: None,
            segment_count: 0,
        }
    }

    fn item(id: &str, revision: u64, resource: Option<&str>) -> MemoryItem {
        MemoryItem {
            meta: meta(id, revision),
            resource_id: resource.map(Id::from),
            memory_type: "event".to_owned(),
            summary: id.to_owned(),
            happened: None,
            extra: serde_json::Map::new(),
            segment_ids: Vec::new(),
        }
    }

    #[test]
    fn a_batch_tells_what_became_of_the_records_at_their_places() {
        let mut part = ScopeData::part(scope(), LogPosition { life: 3, seq: 40 });
        part.hold_resource(10, resource("r", 1));
        part.hold_content(ContentHash::of(b"a"));
        part.hold_item(20, item("of r", 1, Some("r")));
        part.hold_item(30, item("kept", 2, None));
        part.reserve([100, 105]);
        let mut batch = WriteBatch::new(scope(), Some(40));
        let identity = EmbedderIdentity::unknown(1);
        let vector = |owner: &str| crate::records::OwnedEmbedding {
            kind: OwnerKind::Item,
            owner: Id::from(owner),
            vector: crate::records::Embedding::checked(vec![1.0], 1).unwrap(),
        };
        batch.writes = vec![
            Write::DeleteResource(Id::from("r")),
            Write::Item(item("brief", 0, None)),
            Write::Item(item("new", 0, None)),
            Write::Embeddings(
                identity.clone(),
                vec![
                    vector("kept"),
                    vector("new"),
                    vector("brief"),
                    vector("new"),
                ],
            ),
            Write::DeleteItem(Id::from("brief")),
            Write::Item(item("kept", 2, None)),
        ];
        let (committed, effects) = part.apply_noting(&batch).unwrap();
        assert_eq!(committed, Committed { life: 3, seq: 47 });
        assert_eq!(effects.resources, Fates::from([(10, Fate::Removed)]));
        let items = [(20, Fate::Removed), (30, Fate::Changed), (105, Fate::New)];
        assert_eq!(effects.items, Fates::from(items));
        assert_eq!(effects.content, [(ContentHash::of(b"a"), Fate::Removed)]);
        let vectors = [30, 105].map(|place| (identity.clone(), OwnerKind::Item, place));
        assert_eq!(effects.vectors, vectors);
        assert_eq!(part.changes(0).len(), 7);
        assert_eq!(part.item_at(105).unwrap().meta.revision, 1);
    }

    #[test]
    fn a_batch_that_is_refused_has_no_effects() {
        let mut part = ScopeData::part(scope(), LogPosition { life: 3, seq: 40 });
        part.hold_item(30, item("kept", 2, None));
        let mut batch = WriteBatch::new(scope(), None);
        batch.writes = vec![
            Write::DeleteItem(Id::from("kept")),
            Write::DeleteItem(Id::from("unknown")),
        ];
        assert!(part.apply_noting(&batch).is_err());
        assert!(part.item_at(30).is_some());
    }
}
