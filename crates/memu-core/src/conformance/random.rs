//! Random batches and questions, answered as the in-memory model answers them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dice::{Dice, KINDS, filter, select, some_ids, write};
use super::filters::found;
use super::fixtures::{Maker, identity, user, vector};
use super::outlines::{Told, outline_is_true};
use super::vectors::near;
use super::verdict::{Failure, ensure, same, same_hits};
use super::{Harness, Snapshot, Verdict};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::records::OwnerKind;
use crate::scope::{Scope, ScopeSchema};
use crate::store::{
    Committed, InMemoryStore, Query, ScopeOutline, Store, VectorQuery, Write, WriteBatch,
};

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
            dice: Dice::new(seed),
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
        same_hits(&what, &found, &expected)?;
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
