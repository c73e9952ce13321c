//! A batch takes effect whole, or not at all.

use super::fixtures::{Maker, World, identity, user, vector};
use super::verdict::{refused, same};
use super::{Harness, Snapshot, Verdict};
use crate::error::ErrorKind;
use crate::records::{Blob, ContentHash, Id, OwnerKind};
use crate::scope::ScopeSchema;
use crate::store::{ScopeData, Write};

pub(super) async fn a_batch_that_fails_at_its_end_leaves_nothing(harness: &dyn Harness) -> Verdict {
    let make = Maker::new(user("alice")?, 1);
    let world = World::new(&make)?;
    let more = World::new(&Maker::new(user("alice")?, 2))?;
    let nobody = Id::from("nobody");
    let conflicting = Write::Category(world.travel.clone());
    for last in [
        conflicting,
        Write::DeleteItem(nobody.clone()),
        Write::Embeddings(
            identity(),
            vec![vector(OwnerKind::Item, &nobody, [1.0, 0.0, 0.0, 0.0])?],
        ),
    ] {
        let store = harness.fresh(&ScopeSchema::default()).await?;
        store.commit(make.batch(world.writes())).await?;
        let before = Snapshot::of(&*store, make.scope(), &identity()).await?;
        let mut chat = world.chat.clone();
        chat.meta.revision = 1;
        chat.content_hash = ContentHash::of(b"grown");
        let mut coffee = world.coffee.clone();
        coffee.meta.revision = 1;
        coffee.summary = "changed".into();
        coffee.segment_ids.clear();
        let mut writes = vec![
            Write::DeleteResource(world.notes.meta.id.clone()),
            Write::DeleteResource(world.photo.meta.id.clone()),
            Write::Resource(chat),
            Write::Item(coffee),
            Write::DeleteItem(world.trip.meta.id.clone()),
            Write::DeleteCategory(world.blank.meta.id.clone()),
        ];
        let fresh = more.writes().into_iter();
        writes.extend(
            fresh.filter(|write| matches!(write, Write::Item(item) if item.resource_id.is_none())),
        );
        writes.push(last.clone());
        let result = store.commit(make.batch(writes)).await;
        let kinds = [ErrorKind::Conflict, ErrorKind::NotFound];
        refused(&format!("a batch that ends with {last:?}"), result, &kinds)?;
        let after = Snapshot::of(&*store, make.scope(), &identity()).await?;
        same("the scope after the refused batch", &after, &before)?;
    }
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let mut writes = world.writes();
    writes.push(Write::DeleteItem(nobody));
    let result = store.commit(make.batch(writes)).await;
    refused("a first batch that fails", result, &[ErrorKind::NotFound])?;
    let after = Snapshot::of(&*store, make.scope(), &identity()).await?;
    same("the scope", &after, &Snapshot::default())?;
    let scopes = store.scopes(&crate::filter::Filter::default(), 9).await?;
    same("the scopes", &scopes, &Vec::new())?;
    for blob in &world.blobs {
        let found = store.blob(make.scope(), &blob.hash).await?;
        same("its content", &found, &None)?;
    }
    same("the sets", &store.embedding_sets().await?, &Vec::new())
}

pub(super) async fn writes_see_the_writes_before_them(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 3);
    let world = World::new(&make)?;
    let mut changed = world.coffee.clone();
    changed.meta.revision = 1;
    changed.summary = "changed at once".into();
    let again = world.walks.clone();
    let mut writes = world.writes();
    writes.extend([
        Write::Item(changed),
        Write::DeleteItem(world.walks.meta.id.clone()),
        Write::Item(again),
        Write::DeleteRelation {
            item_id: world.trip.meta.id.clone(),
            category_id: world.tastes.meta.id.clone(),
        },
        Write::DeleteCategory(world.blank.meta.id.clone()),
    ]);
    let batch = make.batch(writes);
    let mut model = ScopeData::new(make.scope().clone());
    let expected = model.apply(&batch)?;
    same("the commit", &store.commit(batch).await?.seq, &expected.seq)?;
    let found = Snapshot::of(&*store, make.scope(), &identity()).await?;
    same("the scope", &found, &Snapshot::of_data(&model, &identity()))
}

pub(super) async fn a_batch_that_changes_nothing_leaves_no_trace(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 4);
    let nothing = vec![
        Write::Segments(Vec::new()),
        Write::Embeddings(identity(), Vec::new()),
    ];
    for writes in [Vec::new(), nothing.clone()] {
        same("the log", &store.commit(make.batch(writes)).await?.seq, &0)?;
    }
    let scopes = store.scopes(&crate::filter::Filter::default(), 9).await?;
    same("the scopes", &scopes, &Vec::new())?;
    same("the sets", &store.embedding_sets().await?, &Vec::new())?;
    let world = World::new(&make)?;
    let seq = store.commit(make.batch(world.records())).await?.seq;
    for writes in [Vec::new(), nothing] {
        same(
            "the log",
            &store.commit(make.batch(writes)).await?.seq,
            &seq,
        )?;
    }
    Ok(())
}

pub(super) async fn unknown_references_are_not_found(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 5);
    let bob = Maker::new(user("bob")?, 6);
    let world = World::new(&make)?;
    let theirs = World::new(&bob)?;
    store.commit(make.batch(world.records())).await?;
    store.commit(bob.batch(theirs.records())).await?;
    // What bob has does not exist for alice.
    let mut of_their_resource = make.item("event", "of another's resource");
    of_their_resource.resource_id = Some(theirs.chat.meta.id.clone());
    let mut citing_theirs = make.item("event", "citing another's words");
    citing_theirs.segment_ids = vec![theirs.hello.meta.id.clone()];
    let owner = &theirs.coffee.meta.id;
    for (what, write) in [
        (
            "an item of an unknown resource",
            Write::Item(of_their_resource),
        ),
        (
            "an item citing an unknown segment",
            Write::Item(citing_theirs),
        ),
        (
            "a segment of an unknown resource",
            Write::Segments(vec![make.segment(&theirs.chat, 9, "text")]),
        ),
        (
            "a relation to an unknown item",
            Write::Relation(make.relation(&theirs.coffee, &world.tastes)),
        ),
        (
            "a relation to an unknown category",
            Write::Relation(make.relation(&world.coffee, &theirs.tastes)),
        ),
        (
            "a vector of an unknown item",
            Write::Embeddings(
                identity(),
                vec![vector(OwnerKind::Item, owner, [1.0, 0.0, 0.0, 0.0])?],
            ),
        ),
        (
            "a vector under the wrong kind",
            Write::Embeddings(
                identity(),
                vec![vector(
                    OwnerKind::Category,
                    &world.coffee.meta.id,
                    [1.0, 0.0, 0.0, 0.0],
                )?],
            ),
        ),
    ] {
        let result = store.commit(make.batch(vec![write])).await;
        refused(what, result, &[ErrorKind::NotFound])?;
    }
    let mut twice = make.item("event", "citing twice");
    let cited = &world.hello.meta.id;
    twice.segment_ids = vec![cited.clone(), world.plans.meta.id.clone(), cited.clone()];
    let result = store.commit(make.batch(vec![Write::Item(twice)])).await;
    refused("a segment cited twice", result, &[ErrorKind::Input])?;
    Ok(())
}

pub(super) async fn records_of_another_scope_are_refused(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 7);
    let bob = Maker::new(user("bob")?, 8);
    let world = World::new(&make)?;
    store.commit(make.batch(world.records())).await?;
    for write in [
        Write::Resource(bob.resource("file:///theirs")),
        Write::Segments(vec![bob.segment(&world.chat, 9, "text")]),
        Write::Item(bob.item("event", "theirs")),
        Write::Category(bob.category("theirs")),
        Write::Relation(bob.relation(&world.coffee, &world.blank)),
    ] {
        let what = format!("bob's record in alice's batch: {write:?}");
        let result = store.commit(make.batch(vec![write])).await;
        refused(&what, result, &[ErrorKind::Input, ErrorKind::Internal])?;
    }
    let other_schema = ScopeSchema::new(["tenant"])?;
    let stranger = Maker::new(other_schema.scope([("tenant", "x")])?, 9);
    let content = Write::Blob(Blob {
        hash: ContentHash::of(b"x"),
        bytes: b"x"[..].into(),
    });
    let writes = vec![content, Write::Category(stranger.category("strange"))];
    let result = store.commit(stranger.batch(writes)).await;
    refused("a scope of other fields", result, &[ErrorKind::Scope])?;
    Ok(())
}
