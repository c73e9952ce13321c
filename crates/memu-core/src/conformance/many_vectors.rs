//! So many vectors that a store may keep something beside them.

use serde_json::json;

use super::fixtures::{Maker, identity, user, vector};
use super::vectors::near;
use super::verdict::{Failure, same, same_hits};
use super::{Harness, Verdict};
use crate::filter::Filter;
use crate::random::SplitMix;
use crate::records::{MemoryItem, OwnerKind};
use crate::scope::{Scope, ScopeSchema};
use crate::store::{InMemoryStore, Store, VectorQuery, Write, WriteBatch};

/// Enough items for several blocks of whatever a store may keep beside vectors.
const MANY: usize = 900;

/// A vector that depends on a number alone, and on no other much.
fn scattered(number: usize, salt: usize) -> [f32; 4] {
    let mut random = SplitMix::new((number * 31 + salt) as u64);
    [(); 4].map(|()| ((random.number() >> 40) as f32) / (1_u64 << 23) as f32 - 1.0)
}

/// Asks a store and the model for what is near some vectors, with and without a filter.
async fn same_nearest(
    what: &str,
    store: &dyn Store,
    model: &dyn Store,
    scopes: &[&Scope],
) -> Verdict {
    let mut places = Vec::new();
    for scope in scopes {
        let known = store.outline(scope, None).await?;
        let items = known.outline.items.iter().flat_map(|block| &block.entries);
        places.extend(items.map(|item| (item.id.clone(), item.place)));
    }
    for question in 0..6 {
        let mut query = VectorQuery {
            top_k: 12,
            ..near(scopes, OwnerKind::Item, scattered(question, 7_777))?
        };
        if question % 2 == 1 {
            let object = json!({"memory_type": "event"});
            let object = object.as_object().cloned().unwrap_or_default();
            query.filter = Filter::parse(&object, &ScopeSchema::default())?;
        }
        let expected = model.search(&query).await?;
        let found = store.search(&query).await?;
        same_hits(
            &format!("{what}: the nearest to {question}"),
            &found,
            &expected,
        )?;
        for hit in &found {
            let outlined = places.iter().find(|(id, _)| *id == hit.id);
            let outlined = outlined.map(|(_, place)| *place);
            same("the place of a hit", &Some(hit.place), &outlined)?;
        }
    }
    Ok(())
}

pub(super) async fn many_vectors_come_change_and_go(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let model = InMemoryStore::new(ScopeSchema::default());
    let make = Maker::new(user("alice")?, 5);
    let other = Maker::new(user("bob")?, 6);
    let both = async |batch: WriteBatch| -> Verdict {
        model.commit(batch.clone()).await?;
        store.commit(batch).await?;
        Ok(())
    };
    let types = ["event", "profile"];
    let item = |number: usize| {
        let memory_type = types.get(number % 2).copied().unwrap_or_default();
        make.item(memory_type, &format!("item {number}"))
    };
    let items: Vec<MemoryItem> = (0..MANY).map(item).collect();
    let vectors = |numbers: &[usize], salt: usize| -> Result<Write, Failure> {
        let mut owned = Vec::new();
        for number in numbers {
            if let Some(item) = items.get(*number) {
                let values = scattered(*number, salt);
                owned.push(vector(OwnerKind::Item, &item.meta.id, values)?);
            }
        }
        Ok(Write::Embeddings(identity(), owned))
    };
    let all: Vec<usize> = (0..MANY).collect();
    let some = |step: usize, from: usize| all.iter().copied().skip(from).step_by(step).collect();
    // Every item is there, every third has no vector yet.
    let without: Vec<usize> = some(3, 1);
    let with: Vec<usize> = (all.iter().copied())
        .filter(|number| !without.contains(number))
        .collect();
    both(make.batch(items.iter().cloned().map(Write::Item).collect())).await?;
    both(make.batch(vec![vectors(&with, 1)?])).await?;
    let neighbour = other.item("event", "of another");
    let of_other = vector(OwnerKind::Item, &neighbour.meta.id, scattered(0, 1))?;
    let theirs = Write::Embeddings(identity(), vec![of_other]);
    both(other.batch(vec![Write::Item(neighbour), theirs])).await?;
    let scopes = [make.scope(), other.scope()];
    same_nearest("at first", &*store, &model, &scopes).await?;
    same_nearest("in one scope", &*store, &model, &[make.scope()]).await?;
    both(make.batch(vec![vectors(&without, 2)?])).await?;
    same_nearest("with late vectors", &*store, &model, &scopes).await?;
    let changed: Vec<usize> = some(40, 3);
    both(make.batch(vec![vectors(&changed, 3)?])).await?;
    same_nearest("with other vectors", &*store, &model, &scopes).await?;
    for gone in [0..1, 255..257, 300..700, 880..MANY] {
        let gone = items.get(gone).unwrap_or_default().iter();
        let writes = gone.map(|item| Write::DeleteItem(item.meta.id.clone()));
        both(make.batch(writes.collect())).await?;
        same_nearest("after a removal", &*store, &model, &scopes).await?;
    }
    let gone = items.get(1..255).unwrap_or_default().iter();
    let writes = gone.map(|item| Write::DeleteItem(item.meta.id.clone()));
    both(make.batch(writes.collect())).await?;
    same_nearest("without the first", &*store, &model, &scopes).await?;
    Ok(())
}
