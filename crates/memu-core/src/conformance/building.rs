//! A second embedding set is built beside the active one and takes its place.

use super::fixtures::{Maker, World, identity, user, vector};
use super::verdict::{Failure, ensure, refused, same};
use super::{Harness, Verdict};
use crate::error::{Error, ErrorKind};
use crate::records::{EmbedderIdentity, Embedding, Id, OwnedEmbedding, OwnerKind, SetState};
use crate::scope::{Scope, ScopeSchema};
use crate::store::{BuiltScope, BuiltVector, Store, StoreExt, VectorQuery, Write};

/// The embedder that the store moves to.
fn three() -> EmbedderIdentity {
    EmbedderIdentity {
        provider: "test".into(),
        model: "three".into(),
        dimension: 3,
    }
}

fn built(kind: OwnerKind, owner: &Id, revision: u64) -> Result<BuiltVector, Error> {
    Ok(BuiltVector {
        owned: OwnedEmbedding {
            kind,
            owner: owner.clone(),
            vector: Embedding::checked(vec![1.0, 2.0, 2.0], 3)?,
        },
        revision,
    })
}

async fn positions(store: &dyn Store, scopes: &[&Scope]) -> Result<Vec<BuiltScope>, Failure> {
    let mut built = Vec::new();
    for scope in scopes {
        let position = store.log_position(scope).await?;
        let scope = (*scope).clone();
        built.push(BuiltScope { scope, position });
    }
    Ok(built)
}

async fn states(store: &dyn Store) -> Result<Vec<(String, SetState)>, Failure> {
    let sets = store.embedding_sets().await?.into_iter();
    Ok(sets.map(|set| (set.identity.model, set.state)).collect())
}

async fn has(
    store: &dyn Store,
    make: &Maker,
    kind: OwnerKind,
    owner: &Id,
) -> Result<bool, Failure> {
    let owners = [owner.clone()];
    let found = store
        .embeddings(make.scope(), &three(), kind, &owners)
        .await;
    Ok(!found?.is_empty())
}

async fn found(
    store: &dyn Store,
    make: &Maker,
    identity: EmbedderIdentity,
) -> crate::Result<usize> {
    let dimension = identity.dimension;
    let query = VectorQuery {
        scopes: vec![make.scope().clone()],
        filter: crate::filter::Filter::default(),
        kind: OwnerKind::Item,
        vector: Embedding::checked(vec![1.0; dimension as usize], dimension)?,
        identity,
        top_k: 100,
    };
    Ok(store.search(&query).await?.len())
}

pub(super) async fn a_set_takes_the_place_of_another_at_one_moment(
    harness: &dyn Harness,
) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 1);
    let world = World::new(&make)?;
    store.commit(make.batch(world.writes())).await?;
    let before = store.log_position(make.scope()).await?;
    let old = found(&*store, &make, identity()).await?;
    store.begin_set(&three()).await?;
    store.begin_set(&three()).await?;
    let coffee = built(OwnerKind::Item, &world.coffee.meta.id, 1)?;
    let put = store
        .build_vectors(make.scope(), &three(), vec![coffee.clone()])
        .await;
    same("the vectors put", &put?, &1)?;
    same("the log", &store.log_position(make.scope()).await?, &before)?;
    same(
        "the old hits",
        &found(&*store, &make, identity()).await?,
        &old,
    )?;
    let error = refused(
        "a search by the new one",
        found(&*store, &make, three()).await,
        &[ErrorKind::Config],
    )?;
    ensure(error.to_string().contains("memu reembed"), || {
        format!("{error}")
    })?;
    let all = positions(&*store, &[make.scope()]).await?;
    let behind = store.activate_set(&three(), all.clone()).await?;
    same("the scopes behind", &behind, &Vec::new())?;
    let switched = vec![
        ("four".to_owned(), SetState::Retired),
        ("three".to_owned(), SetState::Active),
    ];
    same("the sets", &states(&*store).await?, &switched)?;
    same("the new hits", &found(&*store, &make, three()).await?, &1)?;
    let error = refused(
        "a search by the old one",
        found(&*store, &make, identity()).await,
        &[ErrorKind::Config],
    )?;
    ensure(error.to_string().contains("this memory now uses"), || {
        format!("{error}")
    })?;
    let again = store.activate_set(&three(), Vec::new()).await?;
    same("the scopes behind, once it is done", &again, &Vec::new())?;
    let put = store
        .build_vectors(make.scope(), &three(), vec![coffee])
        .await;
    refused("a vector for it", put, &[ErrorKind::Conflict])?;
    refused(
        "to begin it",
        store.begin_set(&three()).await,
        &[ErrorKind::Conflict],
    )?;
    Ok(())
}

pub(super) async fn a_set_waits_for_what_was_written_meanwhile(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 2);
    let other = Maker::new(user("bob")?, 3);
    let world = World::new(&make)?;
    store.commit(make.batch(world.writes())).await?;
    store.begin_set(&three()).await?;
    let (item, category) = (&world.coffee.meta.id, &world.tastes.meta.id);
    let vectors = vec![
        built(OwnerKind::Item, item, 1)?,
        built(OwnerKind::Category, category, 1)?,
    ];
    store.build_vectors(make.scope(), &three(), vectors).await?;
    let early = positions(&*store, &[make.scope()]).await?;
    // Others go on writing, with vectors of the old embedder.
    let mut changed = store
        .item(make.scope(), item)
        .await?
        .ok_or_else(|| Failure::new("gone"))?;
    changed.summary = "Something else".into();
    let writes = vec![
        Write::Item(changed),
        Write::Embeddings(
            identity(),
            vec![vector(OwnerKind::Item, item, [1.0, 0.0, 1.0, 0.0])?],
        ),
    ];
    store.commit(make.batch(writes)).await?;
    let new = other.item("profile", "new");
    store.commit(other.batch(vec![Write::Item(new)])).await?;
    ensure(!has(&*store, &make, OwnerKind::Item, item).await?, || {
        "a changed item kept its vector".into()
    })?;
    ensure(
        has(&*store, &make, OwnerKind::Category, category).await?,
        || "an unchanged category lost its vector".into(),
    )?;
    let behind = store.activate_set(&three(), early).await?;
    let expected = vec![make.scope().clone(), other.scope().clone()];
    same("the scopes behind", &behind, &expected)?;
    let waiting = vec![
        ("four".to_owned(), SetState::Active),
        ("three".to_owned(), SetState::Building),
    ];
    same("the sets", &states(&*store).await?, &waiting)?;
    // What was embedded before it changed, or is gone, is left out.
    let late = vec![
        built(OwnerKind::Item, item, 1)?,
        built(OwnerKind::Item, &Id::from("nobody"), 1)?,
    ];
    let put = store.build_vectors(make.scope(), &three(), late).await?;
    same("the outdated vectors put", &put, &0)?;
    let current = vec![built(OwnerKind::Item, item, 2)?];
    let put = store.build_vectors(make.scope(), &three(), current).await?;
    same("the vectors put", &put, &1)?;
    let all = positions(&*store, &[make.scope(), other.scope()]).await?;
    let behind = store.activate_set(&three(), all).await?;
    same("the scopes behind", &behind, &Vec::new())
}

pub(super) async fn a_replaced_set_goes_in_parts_and_can_come_back(
    harness: &dyn Harness,
) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 4);
    let world = World::new(&make)?;
    store.commit(make.batch(world.writes())).await?;
    let old = world.vectors.len();
    store.begin_set(&three()).await?;
    let vectors = vec![built(OwnerKind::Item, &world.coffee.meta.id, 1)?];
    store.build_vectors(make.scope(), &three(), vectors).await?;
    same("what goes too early", &store.drop_replaced(100).await?, &0)?;
    let all = positions(&*store, &[make.scope()]).await?;
    store.activate_set(&three(), all).await?;
    refused(
        "to begin the old one again",
        store.begin_set(&identity()).await,
        &[ErrorKind::Conflict],
    )?;
    let mut gone = 0;
    loop {
        let dropped = store.drop_replaced(2).await?;
        ensure(dropped <= 2, || format!("{dropped} went at once"))?;
        if dropped == 0 {
            break;
        }
        gone += dropped;
    }
    same("the vectors that went", &gone, &old)?;
    same("what is left", &store.check(false).await?.embeddings, &1)?;
    store.begin_set(&identity()).await?;
    let ids: Vec<u32> = store
        .embedding_sets()
        .await?
        .iter()
        .map(|set| set.id)
        .collect();
    same("the numbers of the sets", &ids, &vec![2, 3])?;
    let severity = store.check(false).await?.severity();
    same("the check", &severity, &crate::store::Severity::Ok)
}

pub(super) async fn vectors_of_an_unknown_embedder_are_adopted(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let scope = user("ann")?;
    let make = Maker::new(scope.clone(), 3);
    let item = make.item("event", "a red kayak");
    let owner = item.meta.id.clone();
    let unknown = EmbedderIdentity::unknown(4);
    let own = vector(OwnerKind::Item, &owner, [1.0, 2.0, 3.0, 4.0])?;
    let batch = make.batch(vec![
        Write::Item(item),
        Write::Embeddings(unknown.clone(), vec![own.clone()]),
    ]);
    store.commit(batch).await?;
    same(
        "another dimension",
        &store.adopt_set(&three()).await?,
        &false,
    )?;
    same("an unknown one", &store.adopt_set(&unknown).await?, &false)?;
    same("the dimension", &store.adopt_set(&identity()).await?, &true)?;
    same("once more", &store.adopt_set(&identity()).await?, &false)?;
    same(
        "the sets",
        &states(&*store).await?,
        &vec![(identity().model, SetState::Active)],
    )?;
    let owners = [owner];
    let four = identity();
    let found = store.embeddings(&scope, &four, OwnerKind::Item, &owners);
    same("its vectors", &found.await?, &vec![own])?;
    let left = store.embeddings(&scope, &unknown, OwnerKind::Item, &owners);
    same("those of nobody", &left.await?.len(), &0)?;
    refused(
        "another embedder's",
        store
            .commit(make.batch(vec![Write::Embeddings(
                three(),
                vec![built(OwnerKind::Item, &owners[0], 1)?.owned],
            )]))
            .await,
        &[ErrorKind::Config],
    )?;
    Ok(())
}
