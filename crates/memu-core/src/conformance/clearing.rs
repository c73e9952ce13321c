//! Clearing a scope leaves nothing of it, and everything else.

use super::fixtures::{Maker, World, identity, user};
use super::verdict::{ensure, refused, same};
use super::{Harness, Snapshot, Verdict};
use crate::error::ErrorKind;
use crate::filter::Filter;
use crate::records::ContentHash;
use crate::scope::ScopeSchema;
use crate::store::{Cleared, LogPosition, Query, Write};

pub(super) async fn clear_returns_what_went_and_spares_the_rest(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let makers = [
        Maker::new(user("a")?, 1),
        Maker::new(user("b")?, 1),
        Maker::new(user("c")?, 1),
    ];
    for make in &makers {
        store.commit(make.batch(World::new(make)?.writes())).await?;
    }
    let [a, b, c] = &makers;
    let kept = Snapshot::of(&*store, b.scope(), &identity()).await?;
    let model = |make: &Maker| -> crate::Result<Snapshot> {
        // A maker of the same seed makes the same world again.
        let make = Maker::new(make.scope().clone(), 1);
        let world = World::new(&make)?;
        Ok(Snapshot::of_data(&world.model(&make)?, &identity()))
    };
    let (of_a, of_c) = (model(a)?, model(c)?);
    let named = [
        c.scope().clone(),
        user("nobody")?,
        a.scope().clone(),
        c.scope().clone(),
    ];
    let cleared = store.clear(&named).await?;
    let expected = Cleared {
        resources: [of_c.resources, of_a.resources].concat(),
        items: [of_c.items, of_a.items].concat(),
        categories: [of_c.categories, of_a.categories].concat(),
        relations: of_c.relations.len() + of_a.relations.len(),
        segments: of_c.segments.len() + of_a.segments.len(),
        model_replies: of_c.model_replies.len() + of_a.model_replies.len(),
        scopes: 2,
    };
    same("what went", &cleared, &expected)?;
    for make in [a, c] {
        let left = Snapshot::of(&*store, make.scope(), &identity()).await?;
        same("the cleared scope", &left, &Snapshot::default())?;
        let hash = ContentHash::of(b"file:///chat.json");
        same(
            "its content",
            &store.blob(make.scope(), &hash).await?,
            &None,
        )?;
    }
    let left = Snapshot::of(&*store, b.scope(), &identity()).await?;
    same("the scope that was not named", &left, &kept)?;
    let scopes = store.scopes(&Filter::default(), 9).await?;
    let scopes: Vec<_> = scopes.iter().map(|state| &state.scope).collect();
    same("the scopes", &scopes, &vec![b.scope()])?;
    same(
        "a second clear",
        &store.clear(&named).await?,
        &Cleared::default(),
    )?;
    same(
        "a clear of no scope",
        &store.clear(&[]).await?,
        &Cleared::default(),
    )?;
    same("how many sets", &store.embedding_sets().await?.len(), &1)
}

pub(super) async fn a_cleared_scope_starts_anew(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 2);
    let world = World::new(&make)?;
    let expected = Snapshot::of_data(&world.model(&make)?, &identity());
    for _ in 0..3 {
        let found = Snapshot::of(&*store, make.scope(), &identity()).await?;
        same("before", &found, &Snapshot::default())?;
        store.commit(make.batch(world.writes())).await?;
        let found = Snapshot::of(&*store, make.scope(), &identity()).await?;
        same("the same records again", &found, &expected)?;
        store.clear(&[make.scope().clone()]).await?;
    }
    // It is listed once, behind the scopes that were there in the meantime.
    let bob = Maker::new(user("bob")?, 2);
    store.commit(make.batch(world.writes())).await?;
    let writes = vec![Write::Category(bob.category("his"))];
    store.commit(bob.batch(writes)).await?;
    store.clear(&[make.scope().clone()]).await?;
    store.commit(make.batch(world.writes())).await?;
    let scopes = store.scopes(&Filter::default(), 9).await?;
    let scopes: Vec<_> = scopes.iter().map(|state| &state.scope).collect();
    same("the scopes", &scopes, &vec![bob.scope(), make.scope()])
}

pub(super) async fn a_cleared_scope_comes_back_in_another_life(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 2);
    let first = store
        .commit(make.batch(vec![Write::Category(make.category("a"))]))
        .await?;
    let planned_on = store.log_position(make.scope()).await?;
    same("the life that commit tells", &planned_on.life, &first.life)?;
    store.clear(&[make.scope().clone()]).await?;
    let cleared = store.log_position(make.scope()).await?;
    same("nothing", &cleared, &LogPosition::default())?;
    store
        .commit(make.batch(vec![Write::Category(make.category("b"))]))
        .await?;
    let second = store.log_position(make.scope()).await?;
    same("the numbers", &second.seq, &planned_on.seq)?;
    ensure(second.life != planned_on.life, || {
        format!("both lives are {}", second.life)
    })?;
    // What was planned on the first life must not be written in the second.
    let mut late = make.batch(vec![Write::Category(make.category("c"))]);
    late.expected_seq = Some(planned_on.seq);
    late.expected_life = Some(planned_on.life);
    refused(
        "a plan of another life",
        store.commit(late).await,
        &[ErrorKind::Conflict],
    )?;
    same(
        "the scope",
        &store.log_position(make.scope()).await?,
        &second,
    )
}

pub(super) async fn a_closed_store_says_so(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 3);
    store
        .commit(make.batch(World::new(&make)?.writes()))
        .await?;
    store.close().await?;
    store.close().await?;
    let storage = &[ErrorKind::Storage];
    let scope = make.scope();
    let query = Query::scope(scope);
    refused("items", store.items(&query).await, storage)?;
    refused("last_seq", store.last_seq(scope).await, storage)?;
    refused("changes", store.changes(scope, 0, 9).await, storage)?;
    refused("scopes", store.scopes(&Filter::default(), 9).await, storage)?;
    refused("embedding_sets", store.embedding_sets().await, storage)?;
    refused("check", store.check(false).await, storage)?;
    refused(
        "clear",
        store.clear(std::slice::from_ref(scope)).await,
        storage,
    )?;
    let writes = vec![Write::Category(make.category("late"))];
    let result = store.commit(make.batch(writes)).await;
    refused("commit", result, storage)?;
    Ok(())
}
