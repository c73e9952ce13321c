//! Random batches and questions, answered as the in-memory model answers them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::filters::found;
use super::fixtures::{Maker, identity, user, vector};
use super::outlines::{Told, outline_is_true};
use super::vectors::near;
use super::verdict::{Failure, ensure, same};
use super::{Harness, Snapshot, Verdict};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::random::SplitMix;
use crate::records::{ContentHash, Id, MemoryItem, Modality, ModelReply, OwnerKind, ReplyState};
use crate::scope::{Scope, ScopeSchema};
use crate::store::{
    Committed, InMemoryStore, Query, RecordIds, ScopeOutline, Select, Store, VectorQuery, Write,
    WriteBatch,
};

const KINDS: [OwnerKind; 4] = [
    OwnerKind::Item,
    OwnerKind::Segment,
    OwnerKind::Resource,
    OwnerKind::Category,
];

struct Dice(SplitMix);

impl Dice {
    /// A number below `sides`; 0 when that is 0.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0.below(sides)
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.roll(from.len() as u64) as usize)
    }

    fn word(&mut self) -> &'static str {
        const WORDS: [&str; 6] = ["tea", "sail", "knit", "Éclair", "under_score", "tea"];
        self.pick(&WORDS).copied().unwrap_or("tea")
    }

    fn numbers(&mut self) -> [f32; 4] {
        let mut numbers = [(); 4].map(|()| self.roll(5) as f32 - 2.0);
        if let ([0.0, 0.0, 0.0, 0.0], [first, ..]) = (numbers, &mut numbers) {
            *first = 1.0;
        }
        numbers
    }
}

/// One write, mostly sensible, sometimes not.
fn write(dice: &mut Dice, make: &Maker, known: &Snapshot) -> Result<Option<Write>> {
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
        15 => Some(Write::ModelReply(reply(dice, make, known))),
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
    reply.state = dice
        .pick(&ReplyState::ALL)
        .copied()
        .unwrap_or(ReplyState::Received);
    reply
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

fn select(dice: &mut Dice, known: &Snapshot) -> Select {
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

fn filter(dice: &mut Dice, known: &Snapshot) -> Result<Filter> {
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
fn some_ids(dice: &mut Dice, known: &Snapshot) -> RecordIds {
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

/// Handles on a store, the model that follows it, and makers of records of three scopes.
struct Pair {
    /// What one writes, another reads: whatever each of them keeps must follow.
    handles: Vec<Arc<dyn Store>>,
    model: InMemoryStore,
    makers: [Maker; 3],
    dice: Dice,
    /// By number of a handle and user: the last outline that it gave.
    outlines: BTreeMap<(usize, String), Arc<ScopeOutline>>,
    batches: u32,
    accepted: u32,
}

impl Pair {
    async fn new(harness: &dyn Harness, seed: u64) -> Result<Self> {
        let schema = ScopeSchema::default();
        let store = harness.fresh(&schema).await?;
        let mut handles = vec![store.clone()];
        for _ in 0..2 {
            handles.extend(harness.another(&store).await?);
        }
        Ok(Self {
            handles,
            model: InMemoryStore::new(schema),
            // Equal seeds: all scopes use the same ids.
            makers: [
                Maker::new(user("a")?, seed),
                Maker::new(user("b")?, seed),
                Maker::new(user("c")?, seed),
            ],
            dice: Dice(SplitMix::new(seed)),
            outlines: BTreeMap::new(),
            batches: 0,
            accepted: 0,
        })
    }

    /// One of the handles, by chance, with its number.
    fn handle(&mut self) -> Result<(usize, Arc<dyn Store>)> {
        let number = self.dice.roll(self.handles.len() as u64) as usize;
        let handle = self.handles.get(number).cloned();
        let handle = handle.ok_or_else(|| Error::internal("there is no handle"))?;
        Ok((number, handle))
    }

    /// Fills a scope with so many items and vectors that stores begin to derive what they
    /// do not for few.
    async fn fill(&mut self, count: usize) -> Verdict {
        let [make, ..] = &self.makers;
        let mut writes = Vec::with_capacity(count + 1);
        let mut vectors = Vec::with_capacity(count);
        for _ in 0..count {
            let item = make.item(self.dice.word(), self.dice.word());
            vectors.push(vector(OwnerKind::Item, &item.meta.id, self.dice.numbers())?);
            writes.push(Write::Item(item));
        }
        writes.push(Write::Embeddings(identity(), vectors));
        let batch = make.batch(writes);
        self.model.commit(batch.clone()).await?;
        let (_, store) = self.handle()?;
        store.commit(batch).await?;
        Ok(())
    }

    /// Applies one random batch, or clears a scope, on both, and compares what
    /// they answer and hold.
    async fn step(&mut self, what: &str) -> Verdict {
        let (_, writer) = self.handle()?;
        let Some(make) = self.makers.get(self.dice.roll(3) as usize) else {
            return Ok(());
        };
        let scope = make.scope().clone();
        if self.dice.one_in(40) {
            let scopes = [scope];
            let expected = self.model.clear(&scopes).await?;
            return same(
                &format!("{what}: what went"),
                &writer.clear(&scopes).await?,
                &expected,
            );
        }
        let known = Snapshot::of(&self.model, &scope, &identity()).await?;
        let mut batch = WriteBatch::new(scope.clone(), None);
        for _ in 0..=self.dice.roll(5) {
            batch.writes.extend(write(&mut self.dice, make, &known)?);
        }
        if self.dice.one_in(4) {
            batch.expected_seq = Some(known.seq + self.dice.roll(2));
        }
        let what = format!("{what}, {:?}", batch.writes);
        // Lives are numbered as each store likes.
        let kinds = |result: Result<Committed>| {
            let seq = result.map(|committed| committed.seq);
            seq.map_err(|error| error.kind())
        };
        let expected = kinds(self.model.commit(batch.clone()).await);
        self.batches += 1;
        self.accepted += u32::from(expected.is_ok());
        let found = kinds(writer.commit(batch).await);
        same(&format!("{what}: the commit"), &found, &expected)?;
        self.compare(&what, &scope).await
    }

    /// Compares what the store and the model hold of a scope, through any handle.
    async fn compare(&mut self, what: &str, scope: &Scope) -> Verdict {
        let (number, reader) = self.handle()?;
        let what = format!("{what}, read through handle {number}");
        let expected = Snapshot::of(&self.model, scope, &identity()).await?;
        let found = Snapshot::of(&*reader, scope, &identity()).await?;
        same(&format!("{what}: the scope"), &found, &expected)?;
        let key = (number, scope.get("user_id").unwrap_or_default().to_owned());
        let older = self.outlines.remove(&key);
        let outline = outline_is_true(&*reader, scope, older).await?;
        let expected = self.model.outline(scope, None).await?;
        same(
            &format!("{what}: the outline"),
            &Told::by(&outline.outline),
            &Told::by(&expected.outline),
        )?;
        self.outlines.insert(key, outline);
        Ok(())
    }

    /// Fails when most batches were refused: then little was compared.
    fn check_dice(&self) -> Verdict {
        ensure(2 * self.accepted > self.batches, || {
            format!(
                "only {} of {} random batches were accepted",
                self.accepted, self.batches
            )
        })
    }

    /// The scopes, in any order.
    fn scopes(&mut self) -> Vec<Scope> {
        let mut scopes: Vec<Scope> = self
            .makers
            .iter()
            .map(|make| make.scope().clone())
            .collect();
        scopes.rotate_left(self.dice.roll(3) as usize);
        scopes
    }

    /// Asks both a random question over all scopes.
    async fn ask(&mut self, what: &str) -> Verdict {
        let (number, store) = self.handle()?;
        let what = format!("{what}, handle {number}");
        let scopes = self.scopes();
        let [a, ..] = &self.makers;
        let known = Snapshot::of(&self.model, a.scope(), &identity()).await?;
        let query = Query {
            scopes,
            filter: filter(&mut self.dice, &known)?,
            limit: 1 + self.dice.roll(40) as usize,
            ..Query::scope(a.scope()).select(select(&mut self.dice, &known))
        };
        let expected = found(&self.model, &query).await?;
        let found = found(&*store, &query).await?;
        same(&format!("{what}: what {query:?} finds"), &found, &expected)?;
        for kind in KINDS {
            let expected = self.model.ids(kind, &query).await?;
            let found = store.ids(kind, &query).await?;
            let what = format!("{what}: the ids of {kind:?} that {query:?} finds");
            same(&what, &found, &expected)?;
        }
        let ids = some_ids(&mut self.dice, &known);
        let expected = self.model.records(a.scope(), &ids).await?;
        same(
            &format!("{what}: the records of {ids:?}"),
            &store.records(a.scope(), &ids).await?,
            &expected,
        )?;
        let all = Filter::default();
        let expected = self.model.scopes(&all, 9).await?;
        same(
            &format!("{what}: the scopes"),
            &store.scopes(&all, 9).await?,
            &expected,
        )
    }

    /// Searches both and compares; says how much was found.
    async fn search(&mut self, what: &str) -> std::result::Result<usize, Failure> {
        let (number, store) = self.handle()?;
        let scopes = self.scopes();
        let [a, ..] = &self.makers;
        let known = Snapshot::of(&self.model, a.scope(), &identity()).await?;
        let kind = self.dice.pick(&KINDS).copied().unwrap_or(OwnerKind::Item);
        let query = VectorQuery {
            filter: filter(&mut self.dice, &known)?,
            top_k: 1 + self.dice.roll(12) as usize,
            ..near(&[], kind, self.dice.numbers())?
        };
        let query = VectorQuery { scopes, ..query };
        let expected = self.model.search(&query).await?;
        let found = store.search(&query).await?;
        let what = format!("{what}, handle {number}: what {query:?} finds");
        same(&what, &found, &expected)?;
        Ok(found.len())
    }

    async fn close(self) -> Result<()> {
        for handle in self.handles {
            handle.close().await?;
        }
        Ok(())
    }
}

pub(super) async fn random_batches_match_the_model(harness: &dyn Harness) -> Verdict {
    for sequence in 0..harness.sequences() {
        let mut pair = Pair::new(harness, 11 * (sequence + 1)).await?;
        for step in 0..60 {
            let what = format!("sequence {sequence}, step {step}");
            pair.step(&what).await?;
            pair.ask(&what).await?;
        }
        pair.check_dice()?;
        pair.close().await?;
    }
    Ok(())
}

pub(super) async fn random_searches_match_the_model(harness: &dyn Harness) -> Verdict {
    let mut hits = 0;
    for sequence in 0..harness.sequences() {
        let mut pair = Pair::new(harness, 7 + 11 * (sequence + 1)).await?;
        // Stores derive something from many vectors only.
        if sequence % 4 == 0 {
            pair.fill(600).await?;
        }
        for step in 0..40 {
            let what = format!("sequence {sequence}, step {step}");
            pair.step(&what).await?;
            hits += pair.search(&what).await?;
        }
        pair.close().await?;
    }
    ensure(hits > 0, || "the random searches found nothing".to_owned())
}
