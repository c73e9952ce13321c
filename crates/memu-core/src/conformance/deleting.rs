//! What is deleted goes with all that hangs on it, and nothing else.

use super::filters::{found, names};
use super::fixtures::{Maker, World, user};
use super::log::lines;
use super::verdict::{refused, same};
use super::{Harness, Verdict};
use crate::error::ErrorKind;
use crate::records::{Id, MemoryItem, Modality};
use crate::scope::ScopeSchema;
use crate::store::{Query, StoreExt, Write};

pub(super) async fn deleting_takes_along_what_hangs_on_it(harness: &dyn Harness) -> Verdict {
    let make = Maker::new(user("alice")?, 1);
    let world = World::new(&make)?;
    let id = |meta: &crate::records::Meta| meta.id.clone();
    let relation = |index: usize| {
        let known = world.relations.get(index);
        (
            "-relation",
            known.map_or_else(|| Id::from(""), |one| one.meta.id.clone()),
        )
    };
    for (write, left, log) in [
        (
            Write::DeleteResource(id(&world.chat.meta)),
            "notes photo | passage | craft walks | tastes travel blank | 3",
            vec![
                relation(0),
                relation(1),
                relation(2),
                ("-item", id(&world.coffee.meta)),
                ("-item", id(&world.trip.meta)),
                ("-resource", id(&world.chat.meta)),
            ],
        ),
        (
            Write::DeleteResource(id(&world.photo.meta)),
            "chat notes | hello plans passage | coffee trip craft walks | tastes travel blank | 0 1 2 3",
            vec![("-resource", id(&world.photo.meta))],
        ),
        (
            Write::DeleteItem(id(&world.trip.meta)),
            "chat notes photo | hello plans passage | coffee craft walks | tastes travel blank | 0 3",
            vec![relation(1), relation(2), ("-item", id(&world.trip.meta))],
        ),
        (
            Write::DeleteCategory(id(&world.tastes.meta)),
            "chat notes photo | hello plans passage | coffee trip craft walks | travel blank | 1 3",
            vec![
                relation(0),
                relation(2),
                ("-category", id(&world.tastes.meta)),
            ],
        ),
        (
            Write::DeleteRelation {
                item_id: id(&world.trip.meta),
                category_id: id(&world.travel.meta),
            },
            "chat notes photo | hello plans passage | coffee trip craft walks | tastes travel blank | 0 2 3",
            vec![relation(1)],
        ),
    ] {
        let store = harness.fresh(&ScopeSchema::default()).await?;
        let seq = store.commit(make.batch(world.writes())).await?.seq;
        let what = format!("after {write:?}");
        store.commit(make.batch(vec![write])).await?;
        let found = found(&*store, &Query::scope(make.scope())).await?;
        same(&what, &names(&world, &found).as_str(), &left)?;
        same(&what, &lines(&*store, make.scope(), seq).await?, &log)?;
    }
    Ok(())
}

pub(super) async fn citations_of_removed_segments_go(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 2);
    let world = World::new(&make)?;
    // Of the notes, and of nothing; both also cite the chat.
    let mixed = MemoryItem {
        resource_id: Some(world.notes.meta.id.clone()),
        segment_ids: vec![
            world.plans.meta.id.clone(),
            world.passage.meta.id.clone(),
            world.hello.meta.id.clone(),
        ],
        ..make.item("event", "from both")
    };
    let loose = MemoryItem {
        segment_ids: vec![world.hello.meta.id.clone()],
        ..make.item("event", "from nowhere")
    };
    let mut writes = world.writes();
    // The last relation is of the first item: stored order is not item order.
    let late = make.relation(&world.coffee, &world.blank);
    writes.extend([
        Write::Item(mixed.clone()),
        Write::Item(loose.clone()),
        Write::Relation(late.clone()),
    ]);
    let seq = store.commit(make.batch(writes)).await?.seq;
    let writes = vec![Write::DeleteResource(world.chat.meta.id.clone())];
    store.commit(make.batch(writes)).await?;
    let state = |item: Option<MemoryItem>| item.map(|item| (item.meta.revision, item.segment_ids));
    let found = state(store.item(make.scope(), &mixed.meta.id).await?);
    same(
        "the item of both",
        &found,
        &Some((2, vec![world.passage.meta.id.clone()])),
    )?;
    let found = state(store.item(make.scope(), &loose.meta.id).await?);
    same("the loose item", &found, &Some((2, Vec::new())))?;
    let log = lines(&*store, make.scope(), seq).await?;
    let tail: Vec<_> = log.into_iter().skip(3).collect();
    let expected = vec![
        ("-relation", late.meta.id),
        ("-item", world.coffee.meta.id.clone()),
        ("-item", world.trip.meta.id.clone()),
        ("~item", mixed.meta.id.clone()),
        ("~item", loose.meta.id.clone()),
        ("-resource", world.chat.meta.id.clone()),
    ];
    same("the log after the first relations", &tail, &expected)
}

pub(super) async fn content_goes_with_its_last_resource(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 3);
    let first = make.resource("file:///one");
    let mut second = make.resource("file:///one");
    second.modality = Modality::Document;
    let blob = make.blob(&first);
    let writes = vec![
        Write::Resource(first.clone()),
        Write::Blob(blob.clone()),
        Write::Resource(second.clone()),
    ];
    store.commit(make.batch(writes)).await?;
    let writes = vec![Write::DeleteResource(first.meta.id)];
    store.commit(make.batch(writes)).await?;
    let found = store.blob(make.scope(), &blob.hash).await?;
    same(
        "content that is still referred to",
        &found,
        &Some(blob.clone()),
    )?;
    let writes = vec![Write::DeleteResource(second.meta.id)];
    store.commit(make.batch(writes)).await?;
    let found = store.blob(make.scope(), &blob.hash).await?;
    same("content that nothing refers to", &found, &None)
}

pub(super) async fn deleting_twice_is_not_found(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 4);
    let world = World::new(&make)?;
    store.commit(make.batch(world.writes())).await?;
    for write in [
        Write::DeleteRelation {
            item_id: world.trip.meta.id.clone(),
            category_id: world.travel.meta.id.clone(),
        },
        Write::DeleteItem(world.trip.meta.id.clone()),
        Write::DeleteCategory(world.travel.meta.id.clone()),
        Write::DeleteResource(world.notes.meta.id.clone()),
    ] {
        let what = format!("{write:?} again");
        store.commit(make.batch(vec![write.clone()])).await?;
        let result = store.commit(make.batch(vec![write])).await;
        refused(&what, result, &[ErrorKind::NotFound])?;
    }
    Ok(())
}
