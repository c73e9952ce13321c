//! Random records, batches and questions.

use serde_json::json;

use super::Snapshot;
use super::fixtures::{Maker, identity, vector};
use crate::error::Result;
use crate::filter::Filter;
use crate::random::SplitMix;
use crate::records::{
    ContentHash, Id, MemoryItem, Modality, ModelReply, ModelUsage, OwnerKind, ReplySource,
    ReplyState,
};
use crate::scope::ScopeSchema;
use crate::store::{RecordIds, Select, Write};

pub(super) const KINDS: [OwnerKind; 4] = [
    OwnerKind::Item,
    OwnerKind::Segment,
    OwnerKind::Resource,
    OwnerKind::Category,
];

/// Makes random records, batches and questions.
pub(super) struct Dice(SplitMix);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(SplitMix::new(seed))
    }

    /// A number below `sides`; 0 when that is 0.
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0.below(sides)
    }

    pub(super) fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.roll(from.len() as u64) as usize)
    }

    pub(super) fn word(&mut self) -> &'static str {
        const WORDS: [&str; 6] = ["tea", "sail", "knit", "Éclair", "under_score", "tea"];
        self.pick(&WORDS).copied().unwrap_or("tea")
    }

    pub(super) fn numbers(&mut self) -> [f32; 4] {
        let mut numbers = [(); 4].map(|()| self.roll(5) as f32 - 2.0);
        if let ([0.0, 0.0, 0.0, 0.0], [first, ..]) = (numbers, &mut numbers) {
            *first = 1.0;
        }
        numbers
    }
}

/// One write, mostly sensible, sometimes not.
pub(super) fn write(dice: &mut Dice, make: &Maker, known: &Snapshot) -> Result<Option<Write>> {
    // The clock of the maker goes on, so that what is dropped leaves gaps.
    let write = match dice.roll(18) {
        0 | 1 => Some(Write::Resource(resource(dice, make, known))),
        2 => dice
            .pick(&known.resources)
            .map(|one| Write::Blob(make.blob(one)))
            .filter(|write| matches!(write, Write::Blob(blob) if ContentHash::of(&blob.bytes) == blob.hash)),
        3 | 4 => dice.pick(&known.resources).cloned().map(|resource| {
            let first = dice.roll(12) as u32;
            let one = make.segment(&resource, first, dice.word());
            let two = make.segment(&resource, first + 1, dice.word());
            Write::Segments(vec![one, two])
        }),
        5..=7 => Some(Write::Item(item(dice, make, known))),
        8 => Some(Write::Category(match dice.pick(&known.categories) {
            Some(category) if dice.one_in(2) => {
                let mut category = category.clone();
                category.summary = Some(dice.word().into());
                category
            }
            _ => make.category(dice.word()),
        })),
        9 | 10 => {
            let item = dice.pick(&known.items);
            let pair = item.zip(dice.pick(&known.categories));
            pair.map(|(item, category)| Write::Relation(make.relation(item, category)))
        }
        11 | 12 => embeddings(dice, known)?,
        13 => dice.pick(&known.items).map(|one| Write::DeleteItem(one.meta.id.clone())),
        14 => match dice.roll(3) {
            0 => dice
                .pick(&known.resources)
                .map(|one| Write::DeleteResource(one.meta.id.clone())),
            1 => dice
                .pick(&known.categories)
                .map(|one| Write::DeleteCategory(one.meta.id.clone())),
            _ => dice.pick(&known.relations).map(|one| Write::DeleteRelation {
                item_id: one.item_id.clone(),
                category_id: one.category_id.clone(),
            }),
        },
        15 => Some(Write::from(reply(dice, make, known))),
        16 if dice.one_in(2) => Some(Write::ModelUsage(usage(dice, make))),
        16 => dice
            .pick(&known.model_replies)
            .map(|one| Write::DeleteModelReply(one.meta.id.clone())),
        _ => dice.one_in(3).then(|| Write::DeleteItem(Id::from("unknown"))),
    };
    Ok(write)
}

fn resource(dice: &mut Dice, make: &Maker, known: &Snapshot) -> crate::records::Resource {
    let modality = dice.pick(&Modality::ALL).copied();
    let mut resource = match dice.pick(&known.resources) {
        Some(resource) if dice.one_in(2) => resource.clone(),
        _ => make.resource(&format!("file:///{}", dice.roll(20))),
    };
    if dice.one_in(3) {
        resource.content_hash = ContentHash::of(&dice.roll(30).to_le_bytes());
    }
    resource.modality = modality.unwrap_or(resource.modality);
    if dice.one_in(12) {
        resource.meta.revision += dice.roll(2);
    }
    resource
}

fn item(dice: &mut Dice, make: &Maker, known: &Snapshot) -> MemoryItem {
    let mut item = match dice.pick(&known.items) {
        Some(item) if dice.one_in(3) => item.clone(),
        _ => make.item(dice.word(), dice.word()),
    };
    item.summary = format!("{} {}", dice.word(), dice.roll(9));
    item.resource_id = dice
        .pick(&known.resources)
        .filter(|_| dice.roll(3) > 0)
        .map(|one| one.meta.id.clone());
    item.segment_ids.clear();
    for _ in 0..dice.roll(4) {
        let id = dice.pick(&known.segments).map(|one| one.meta.id.clone());
        item.segment_ids.extend(id);
    }
    if !dice.one_in(12) {
        item.segment_ids.sort();
        item.segment_ids.dedup();
    }
    if dice.one_in(15) {
        item.meta.revision = dice.roll(4);
    }
    item
}

fn reply(dice: &mut Dice, make: &Maker, known: &Snapshot) -> ModelReply {
    let mut reply = match dice.pick(&known.model_replies) {
        Some(reply) if dice.one_in(3) => reply.clone(),
        _ => make.model_reply(dice.word()),
    };
    if let Some(resource) = dice.pick(&known.resources) {
        reply.resource_id = dice.one_in(2).then(|| resource.meta.id.clone());
        reply.content_hash = dice.one_in(2).then_some(resource.content_hash);
    }
    reply.source = dice.one_in(2).then(|| ReplySource {
        url: dice.word().to_owned(),
        location: dice.one_in(2).then(|| dice.word().to_owned()),
        modality: Modality::Document,
        caption: dice.one_in(2).then(|| dice.word().to_owned()),
    });
    reply.state = dice
        .pick(&ReplyState::ALL)
        .copied()
        .unwrap_or(ReplyState::Received);
    reply
}

fn usage(dice: &mut Dice, make: &Maker) -> ModelUsage {
    let mut usage = make.model_usage(dice.roll(3) as u8);
    if dice.one_in(2) {
        "summarise".clone_into(&mut usage.step);
    }
    usage.input_tokens = dice.roll(1000);
    usage.cost = dice.roll(100) as f64 / 8.0;
    usage
}

fn embeddings(dice: &mut Dice, known: &Snapshot) -> Result<Option<Write>> {
    let mut vectors = Vec::new();
    for _ in 0..=dice.roll(3) {
        let owner = match dice.roll(4) {
            0 => dice
                .pick(&known.resources)
                .map(|one| (OwnerKind::Resource, &one.meta.id)),
            1 => dice
                .pick(&known.segments)
                .map(|one| (OwnerKind::Segment, &one.meta.id)),
            2 => dice
                .pick(&known.items)
                .map(|one| (OwnerKind::Item, &one.meta.id)),
            _ => dice
                .pick(&known.categories)
                .map(|one| (OwnerKind::Category, &one.meta.id)),
        };
        if let Some((kind, id)) = owner {
            vectors.push(vector(kind, id, dice.numbers())?);
        }
    }
    Ok(Some(Write::Embeddings(identity(), vectors)))
}

pub(super) fn select(dice: &mut Dice, known: &Snapshot) -> Select {
    let ids = |id: Option<&Id>| id.cloned().into_iter().collect::<Vec<_>>();
    let resource = dice.pick(&known.resources);
    let item = dice.pick(&known.items);
    let category = dice.pick(&known.categories);
    let segment = dice.pick(&known.segments).map(|one| &one.meta.id);
    match dice.roll(10) {
        0 => Select::Ids([ids(item.map(|one| &one.meta.id)), ids(segment)].concat()),
        1 => Select::IdPrefixes(vec![format!("{:x}", dice.roll(16))]),
        2 => Select::OfResources(ids(resource.map(|one| &one.meta.id))),
        3 => Select::CitingSegments(ids(segment)),
        4 => Select::OfItems(ids(item.map(|one| &one.meta.id))),
        5 => Select::OfCategories(ids(category.map(|one| &one.meta.id))),
        6 => Select::Names(vec![dice.word().into()]),
        7 => Select::ReplyStates(dice.pick(&ReplyState::ALL).copied().into_iter().collect()),
        8 => Select::Requests(vec![ContentHash::of(dice.word().as_bytes())]),
        _ => Select::All,
    }
}

pub(super) fn filter(dice: &mut Dice, known: &Snapshot) -> Result<Filter> {
    let resource = dice.pick(&known.resources);
    let resource = resource.map_or("none", |one| one.meta.id.as_str());
    let filter = match dice.roll(8) {
        0 => json!({"memory_type": dice.word()}),
        1 => json!({"memory_type__ne": dice.word(), "category__is_null": false}),
        2 => json!({"category__in": [dice.word(), dice.word()]}),
        3 => json!({"category__nin": [dice.word()]}),
        4 => json!({"modality__gt": "conversation"}),
        5 => json!({"resource_id": resource}),
        6 => json!({"created_at__lt": "2026-03-03", "modality__is_null": false}),
        _ => json!({}),
    };
    let object = filter.as_object().cloned().unwrap_or_default();
    Filter::parse(&object, &ScopeSchema::default())
}

/// Ids of records of every kind, and one that is none.
pub(super) fn some_ids(dice: &mut Dice, known: &Snapshot) -> RecordIds {
    let mut ids = RecordIds::default();
    for _ in 0..dice.roll(4) {
        ids.resources
            .extend(dice.pick(&known.resources).map(|one| one.meta.id.clone()));
        ids.segments
            .extend(dice.pick(&known.segments).map(|one| one.meta.id.clone()));
        ids.items
            .extend(dice.pick(&known.items).map(|one| one.meta.id.clone()));
        ids.categories
            .extend(dice.pick(&known.categories).map(|one| one.meta.id.clone()));
    }
    ids.items.push(Id::from("unknown"));
    ids
}
