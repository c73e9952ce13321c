//! Nothing is overwritten that its writer has not read.

use super::fixtures::{Maker, World, user};
use super::verdict::{refused, same};
use super::{Harness, Verdict};
use crate::error::ErrorKind;
use crate::records::{Meta, Modality};
use crate::scope::ScopeSchema;
use crate::store::{StoreExt, Write, WriteBatch};

fn at(meta: &Meta, revision: u64) -> Meta {
    Meta {
        revision,
        ..meta.clone()
    }
}

pub(super) async fn writes_count_up_from_one(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 1);
    let mut item = make.item("event", "first");
    for revision in 0..4 {
        item.meta.revision = revision;
        item.summary = format!("summary {revision}");
        let writes = vec![Write::Item(item.clone())];
        store.commit(make.batch(writes)).await?;
        let found = store.item(make.scope(), &item.meta.id).await?;
        let mut expected = item.clone();
        expected.meta.revision += 1;
        same("the item", &found, &Some(expected))?;
    }
    Ok(())
}

pub(super) async fn stale_revisions_conflict(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 2);
    let world = World::new(&make)?;
    store.commit(make.batch(world.records())).await?;
    // Everything is at revision 1; bring it to 2.
    let puts = |revision: u64| {
        let mut resource = world.photo.clone();
        resource.meta = at(&resource.meta, revision);
        let mut item = world.coffee.clone();
        item.meta = at(&item.meta, revision);
        let mut category = world.travel.clone();
        category.meta = at(&category.meta, revision);
        [
            Write::Resource(resource),
            Write::Item(item),
            Write::Category(category),
        ]
    };
    store.commit(make.batch(puts(1).to_vec())).await?;
    for revision in [0, 1, 3, u64::from(u32::MAX)] {
        for put in puts(revision) {
            let what = format!("revision {revision} where 2 is stored: {put:?}");
            let result = store.commit(make.batch(vec![put])).await;
            refused(&what, result, &[ErrorKind::Conflict])?;
        }
    }
    let mut removed = make.item("event", "never stored");
    removed.meta.revision = 1;
    let result = store.commit(make.batch(vec![Write::Item(removed)])).await;
    refused(
        "revision 1 where nothing is stored",
        result,
        &[ErrorKind::Conflict],
    )?;
    store.commit(make.batch(puts(2).to_vec())).await?;
    Ok(())
}

pub(super) async fn a_batch_may_expect_the_end_of_the_log(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 3);
    let expecting = |seq: u64, name: &str| WriteBatch {
        expected_seq: Some(seq),
        expected_life: None,
        ..make.batch(vec![Write::Category(make.category(name))])
    };
    let result = store.commit(expecting(1, "early")).await;
    let error = refused(
        "1 expected of an empty scope",
        result,
        &[ErrorKind::Conflict],
    )?;
    same("retryable", &error.is_retryable(), &true)?;
    same("the log", &store.commit(expecting(0, "one")).await?.seq, &1)?;
    for stale in [0, 2] {
        let result = store.commit(expecting(stale, "stale")).await;
        refused("another end expected", result, &[ErrorKind::Conflict])?;
    }
    let other = Maker::new(user("bob")?, 3);
    let writes = vec![Write::Category(other.category("elsewhere"))];
    store.commit(other.batch(writes)).await?;
    same("the log", &store.commit(expecting(1, "two")).await?.seq, &2)?;
    let idle = WriteBatch::new(make.scope().clone(), Some(1));
    let result = store.commit(idle).await;
    refused(
        "an empty batch that expects another end",
        result,
        &[ErrorKind::Conflict],
    )?;
    Ok(())
}

pub(super) async fn content_and_modality_are_unique(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 4);
    let first = make.resource("file:///one");
    let again = make.resource("file:///one");
    let mut picture = make.resource("file:///one");
    picture.modality = Modality::Image;
    let mut other = make.resource("file:///two");
    let writes = [&first, &picture, &other].map(|one| Write::Resource(one.clone()));
    store.commit(make.batch(writes.to_vec())).await?;
    let result = store
        .commit(make.batch(vec![Write::Resource(again.clone())]))
        .await;
    refused("the same content again", result, &[ErrorKind::Conflict])?;
    other.meta.revision = 1;
    other.content_hash = first.content_hash;
    let result = store.commit(make.batch(vec![Write::Resource(other)])).await;
    refused(
        "a change to content that is there",
        result,
        &[ErrorKind::Conflict],
    )?;
    let writes = vec![
        Write::DeleteResource(first.meta.id.clone()),
        Write::Resource(again),
    ];
    store.commit(make.batch(writes)).await?;
    Ok(())
}

pub(super) async fn segments_and_relations_are_written_once(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 5);
    let world = World::new(&make)?;
    let seq = store.commit(make.batch(world.records())).await?.seq;
    let mut changed = world.hello.clone();
    changed.meta.revision = 1;
    let mut moved = make.segment(&world.chat, 1, "in a place that is taken");
    moved.meta.revision = 0;
    for segment in [world.hello.clone(), changed, moved] {
        let result = store
            .commit(make.batch(vec![Write::Segments(vec![segment])]))
            .await;
        refused("a segment that is there", result, &[ErrorKind::Conflict])?;
    }
    // The pair is there: whatever the id and revision, nothing happens.
    let again = make.relation(&world.coffee, &world.tastes);
    let same_id = world.relations.first().cloned().unwrap_or(again.clone());
    for relation in [again, same_id.clone()] {
        let committed = store
            .commit(make.batch(vec![Write::Relation(relation)]))
            .await?;
        same("the end of the log", &committed.seq, &seq)?;
    }
    let mut other_pair = same_id.clone();
    other_pair.category_id = world.blank.meta.id.clone();
    let result = store
        .commit(make.batch(vec![Write::Relation(other_pair)]))
        .await;
    refused(
        "a relation's id with another pair",
        result,
        &[ErrorKind::Conflict],
    )?;
    let found = store.relation(make.scope(), &same_id.meta.id).await?;
    same(
        "the category",
        &found.map(|one| one.category_id),
        &Some(same_id.category_id),
    )
}
