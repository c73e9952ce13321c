//! Vectors: what is near is found, in order, and only what may be.

use serde_json::json;

use super::fixtures::{Maker, World, identity, user, vector};
use super::verdict::{Failure, ensure, refused, same};
use super::{Harness, Verdict};
use crate::error::ErrorKind;
use crate::filter::Filter;
use crate::records::{EmbedderIdentity, Embedding, OwnedEmbedding, OwnerKind, SetState};
use crate::scope::{Scope, ScopeSchema};
use crate::store::{Store, VectorQuery, Write};
use crate::vector::cosine;

pub(super) fn near(
    scopes: &[&Scope],
    kind: OwnerKind,
    values: [f32; 4],
) -> Result<VectorQuery, Failure> {
    Ok(VectorQuery {
        scopes: scopes.iter().map(|scope| (*scope).clone()).collect(),
        filter: Filter::default(),
        kind,
        identity: identity(),
        vector: Embedding::checked(values.to_vec(), 4)?,
        top_k: 100,
    })
}

pub(super) async fn search_orders_by_cosine_then_age(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 1);
    let rows = [
        ("opposite", [-1.0, 0.0, 0.0, 0.0]),
        ("tie a", [0.0, 1.0, 0.0, 0.0]),
        ("near", [0.9, 0.1, 0.0, 0.0]),
        ("tie b", [0.0, 0.0, 3.0, 0.0]),
        ("same, long", [8.0, 0.0, 0.0, 0.0]),
        ("tie c", [0.0, 0.0, 0.0, 0.001]),
        ("same, short", [0.25, 0.0, 0.0, 0.0]),
    ];
    let mut writes = Vec::new();
    let mut owned = Vec::new();
    for (summary, values) in rows {
        let item = make.item("event", summary);
        owned.push(vector(OwnerKind::Item, &item.meta.id, values)?);
        writes.push(Write::Item(item));
    }
    // Vectors arrive in another order than their owners.
    owned.reverse();
    writes.push(Write::Embeddings(identity(), owned.clone()));
    store.commit(make.batch(writes)).await?;
    let order = [
        "same, long",
        "same, short",
        "near",
        "tie a",
        "tie b",
        "tie c",
        "opposite",
    ];
    for top_k in [1, 2, 4, 6, 7, 1_000] {
        let query = VectorQuery {
            top_k,
            ..near(&[make.scope()], OwnerKind::Item, [2.0, 0.0, 0.0, 0.0])?
        };
        let hits = store.search(&query).await?;
        let mut found = Vec::new();
        for hit in &hits {
            let item = crate::store::StoreExt::item(&*store, &hit.scope, &hit.id).await?;
            found.push(item.map(|item| item.summary).unwrap_or_default());
            let own = owned.iter().find(|one| one.owner == hit.id);
            let own = own.map(|one| cosine(query.vector.as_slice(), one.vector.as_slice()));
            ensure(
                own.is_some_and(|own| (own - hit.score).abs() < 1e-5),
                || {
                    format!(
                        "{:?} scored {}, its cosine is {own:?}",
                        found.last(),
                        hit.score
                    )
                },
            )?;
        }
        let expected: Vec<String> = order.iter().take(top_k).map(|one| (*one).into()).collect();
        same(&format!("the nearest {top_k}"), &found, &expected)?;
    }
    Ok(())
}

async fn hits(store: &dyn Store, query: &VectorQuery, world: &World) -> Result<String, Failure> {
    let hits = store.search(query).await?;
    let names = hits.iter().map(|hit| {
        let metas = [
            ("coffee", &world.coffee.meta),
            ("trip", &world.trip.meta),
            ("craft", &world.craft.meta),
            ("hello", &world.hello.meta),
            ("plans", &world.plans.meta),
            ("photo", &world.photo.meta),
            ("tastes", &world.tastes.meta),
        ];
        let known = metas.iter().find(|(_, meta)| meta.id == hit.id);
        let name = known.map_or("unknown", |(name, _)| *name);
        format!("{name} of {}", hit.scope.get("user_id").unwrap_or_default())
    });
    Ok(names.collect::<Vec<_>>().join(", "))
}

pub(super) async fn search_keeps_to_its_scopes_kind_and_filter(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    // Equal ids in both scopes.
    let (alice, bob) = (Maker::new(user("a")?, 1), Maker::new(user("b")?, 1));
    let world = World::new(&alice)?;
    store.commit(alice.batch(world.writes())).await?;
    store.commit(bob.batch(World::new(&bob)?.writes())).await?;
    let (a, b) = (alice.scope(), bob.scope());
    let x = [1.0, 0.0, 0.0, 0.0];
    for (scopes, kind, filter, expected) in [
        (
            vec![a],
            OwnerKind::Item,
            json!({}),
            "coffee of a, trip of a, craft of a",
        ),
        (
            vec![b],
            OwnerKind::Segment,
            json!({}),
            "hello of b, plans of b",
        ),
        (
            vec![b, a, b],
            OwnerKind::Segment,
            json!({}),
            "hello of a, hello of b, plans of a, plans of b",
        ),
        (vec![a], OwnerKind::Resource, json!({}), "photo of a"),
        (vec![a], OwnerKind::Category, json!({}), "tastes of a"),
        (
            vec![a],
            OwnerKind::Item,
            json!({"memory_type": "event"}),
            "trip of a",
        ),
        (
            vec![a],
            OwnerKind::Item,
            json!({"category__is_null": true}),
            "craft of a",
        ),
        (
            vec![a],
            OwnerKind::Segment,
            json!({"happened_at": "2023-05"}),
            "hello of a",
        ),
        (
            vec![a],
            OwnerKind::Segment,
            json!({"memory_type": "profile"}),
            "hello of a",
        ),
        (
            vec![a],
            OwnerKind::Resource,
            json!({"modality__ne": "image"}),
            "",
        ),
        (
            vec![a],
            OwnerKind::Category,
            json!({"category": "tastes"}),
            "tastes of a",
        ),
        (
            vec![a],
            OwnerKind::Item,
            json!({"user_id": "b"}),
            "coffee of a, trip of a, craft of a",
        ),
        (vec![], OwnerKind::Item, json!({}), ""),
    ] {
        let object = filter.as_object().cloned().unwrap_or_default();
        let query = VectorQuery {
            filter: Filter::parse(&object, store.schema())?,
            ..near(&scopes, kind, x)?
        };
        let found = hits(&*store, &query, &world).await?;
        let what = format!("the {kind:?}s of {scopes:?} where {filter}");
        same(&what, &found.as_str(), &expected)?;
    }
    Ok(())
}

pub(super) async fn a_search_finds_only_as_many_as_asked(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 3);
    let query = near(&[make.scope()], OwnerKind::Item, [1.0, 2.0, 3.0, 4.0])?;
    same(
        "hits in an empty store",
        &store.search(&query).await?,
        &Vec::new(),
    )?;
    let mut writes = Vec::new();
    for n in 0..40_u8 {
        let item = make.item("event", "x");
        let values = [f32::from(n), 1.0, f32::from(n % 7), 2.0];
        let owned = vector(OwnerKind::Item, &item.meta.id, values)?;
        writes.extend([
            Write::Item(item),
            Write::Embeddings(identity(), vec![owned]),
        ]);
    }
    store.commit(make.batch(writes)).await?;
    for top_k in [1, 5, 39, 40, 41] {
        let query = VectorQuery {
            top_k,
            ..query.clone()
        };
        let hits = store.search(&query).await?;
        same(&format!("how many of {top_k}"), &hits.len(), &top_k.min(40))?;
        let sorted = hits.windows(2).all(|pair| match pair {
            [a, b] => a.score >= b.score,
            _ => true,
        });
        ensure(sorted, || format!("hits out of order: {hits:?}"))?;
    }
    Ok(())
}

pub(super) async fn unfit_vectors_are_refused(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 4);
    let item = make.item("event", "x");
    store
        .commit(make.batch(vec![Write::Item(item.clone())]))
        .await?;
    for unfit in [
        vec![0.0; 4],
        vec![1.0, f32::NAN, 0.0, 0.0],
        vec![1.0, f32::INFINITY, 0.0, 0.0],
        vec![1.0; 3],
    ] {
        let what = format!("{unfit:?}");
        refused(&what, Embedding::checked(unfit, 4), &[ErrorKind::Model])?;
    }
    // A sound vector of another length than its embedder says.
    let short = OwnedEmbedding {
        kind: OwnerKind::Item,
        owner: item.meta.id,
        vector: Embedding::checked(vec![1.0; 3], 3)?,
    };
    let writes = vec![Write::Embeddings(identity(), vec![short.clone()])];
    let result = store.commit(make.batch(writes)).await;
    refused("three numbers for four", result, &[ErrorKind::Model])?;
    same("the sets", &store.embedding_sets().await?, &Vec::new())?;
    let query = VectorQuery {
        vector: short.vector,
        ..near(&[make.scope()], OwnerKind::Item, [1.0; 4])?
    };
    refused(
        "three numbers to search for",
        store.search(&query).await,
        &[ErrorKind::Model],
    )?;
    Ok(())
}

pub(super) async fn another_embedder_is_refused(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 5);
    let world = World::new(&make)?;
    store.commit(make.batch(world.writes())).await?;
    let sets = store.embedding_sets().await?;
    let states: Vec<_> = sets.iter().map(|set| (set.id, set.state)).collect();
    same("the sets", &states, &vec![(1, SetState::Active)])?;
    let others = [
        ("other", "four", 4),
        ("test", "another", 4),
        ("test", "four", 3),
    ];
    for (provider, model, dimension) in others {
        let other = EmbedderIdentity {
            provider: provider.into(),
            model: model.into(),
            dimension,
        };
        let owned = OwnedEmbedding {
            kind: OwnerKind::Item,
            owner: world.walks.meta.id.clone(),
            vector: Embedding::checked(vec![1.0; dimension as usize], dimension)?,
        };
        // Also when the owner is new in the same batch, and elsewhere.
        let writes = vec![Write::Embeddings(other.clone(), vec![owned.clone()])];
        let result = store.commit(make.batch(writes)).await;
        let error = refused(
            &format!("a vector of {other}"),
            result,
            &[ErrorKind::Config],
        )?;
        let text = error.to_string();
        for part in [&other.to_string(), &identity().to_string(), "memu reembed"] {
            ensure(text.contains(part), || {
                format!("{text:?} does not say {part:?}")
            })?;
        }
        let query = VectorQuery {
            identity: other.clone(),
            vector: owned.vector,
            ..near(&[make.scope()], OwnerKind::Item, [1.0; 4])?
        };
        refused(
            "a search by it",
            store.search(&query).await,
            &[ErrorKind::Config],
        )?;
        let owners = [world.coffee.meta.id.clone()];
        let found = store
            .embeddings(make.scope(), &other, OwnerKind::Item, &owners)
            .await?;
        same("its vectors", &found, &Vec::new())?;
    }
    same("the sets", &store.embedding_sets().await?, &sets)
}

pub(super) async fn vectors_are_replaced_and_go_with_their_owners(
    harness: &dyn Harness,
) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 6);
    let world = World::new(&make)?;
    store.commit(make.batch(world.writes())).await?;
    let id = &world.coffee.meta.id;
    let new = vector(OwnerKind::Item, id, [0.0, 0.0, 0.0, -2.5])?;
    let writes = vec![Write::Embeddings(identity(), vec![new.clone()])];
    store.commit(make.batch(writes)).await?;
    let scope = make.scope();
    let owners = [world.walks.meta.id.clone(), id.clone()];
    let found = store
        .embeddings(scope, &identity(), OwnerKind::Item, &owners)
        .await?;
    same("the vector", &found, &vec![new])?;
    let query = near(&[scope], OwnerKind::Item, [0.0, 0.0, 0.0, -1.0])?;
    let best = store
        .search(&query)
        .await?
        .into_iter()
        .next()
        .map(|hit| hit.id);
    same("the nearest", &best.as_ref(), &Some(id))?;
    // An item that comes back under the same id has no vector.
    let writes = vec![
        Write::DeleteItem(id.clone()),
        Write::Item(world.coffee.clone()),
    ];
    store.commit(make.batch(writes)).await?;
    let found = store
        .embeddings(scope, &identity(), OwnerKind::Item, &owners)
        .await?;
    same("its vector after it came back", &found, &Vec::new())?;
    let writes = vec![
        Write::DeleteResource(world.chat.meta.id.clone()),
        Write::DeleteResource(world.photo.meta.id.clone()),
        Write::DeleteCategory(world.tastes.meta.id.clone()),
    ];
    store.commit(make.batch(writes)).await?;
    for (kind, left) in [
        (OwnerKind::Resource, 0),
        (OwnerKind::Segment, 0),
        (OwnerKind::Item, 1),
        (OwnerKind::Category, 0),
    ] {
        let hits = store.search(&near(&[scope], kind, [1.0; 4])?).await?;
        same(
            &format!("how many {kind:?} vectors are left"),
            &hits.len(),
            &left,
        )?;
    }
    let writes = vec![
        Write::Resource(world.chat.clone()),
        Write::Segments(vec![world.hello.clone()]),
        Write::Resource(world.photo.clone()),
        Write::Category(world.tastes.clone()),
    ];
    store.commit(make.batch(writes)).await?;
    for (kind, owner) in [
        (OwnerKind::Resource, &world.photo.meta.id),
        (OwnerKind::Segment, &world.hello.meta.id),
        (OwnerKind::Category, &world.tastes.meta.id),
    ] {
        let owners = std::slice::from_ref(owner);
        let found = store.embeddings(scope, &identity(), kind, owners).await?;
        same("a vector after its owner came back", &found, &Vec::new())?;
    }
    Ok(())
}
