//! Nothing crosses from one scope into another.

use serde_json::json;

use super::fixtures::{Maker, World, identity, user};
use super::verdict::same;
use super::{Harness, Snapshot, Verdict};
use crate::filter::Filter;
use crate::records::{Embedding, OwnerKind};
use crate::scope::{Scope, ScopeSchema};
use crate::store::{Query, ScopeState, Select, VectorQuery, Write};

pub(super) async fn equal_ids_in_two_scopes_never_meet(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    // Equal seeds: every id, name, URL and content is the same for both.
    let alice = Maker::new(user("alice")?, 1);
    let bob = Maker::new(user("bob")?, 1);
    let ours = World::new(&alice)?;
    let mut theirs = World::new(&bob)?;
    theirs.coffee.summary = "The user never drinks coffee".into();
    theirs.hello.text = "I hate coffee".into();
    store.commit(alice.batch(ours.writes())).await?;
    store.commit(bob.batch(theirs.writes())).await?;
    let expected = Snapshot::of_data(&ours.model(&alice)?, &identity());
    let found = Snapshot::of(&*store, alice.scope(), &identity()).await?;
    same("alice's scope", &found, &expected)?;
    let expected_of_bob = Snapshot::of_data(&theirs.model(&bob)?, &identity());
    let found = Snapshot::of(&*store, bob.scope(), &identity()).await?;
    same("bob's scope", &found, &expected_of_bob)?;

    let query = VectorQuery {
        scopes: vec![bob.scope().clone()],
        filter: Filter::default(),
        kind: OwnerKind::Item,
        identity: identity(),
        vector: Embedding::checked(vec![1.0, 0.0, 0.0, 0.0], 4)?,
        top_k: 50,
    };
    let hits = store.search(&query).await?;
    let scopes: Vec<&Scope> = hits.iter().map(|hit| &hit.scope).collect();
    same(
        "whose the hits are",
        &scopes,
        &vec![bob.scope(); hits.len()],
    )?;

    // What bob writes and deletes from now on does not touch alice.
    let mut trip = theirs.trip.clone();
    trip.meta.revision = 1;
    trip.summary = "The user stayed at home".into();
    let writes = vec![
        Write::Item(trip),
        Write::DeleteRelation {
            item_id: theirs.coffee.meta.id.clone(),
            category_id: theirs.tastes.meta.id.clone(),
        },
        Write::DeleteItem(theirs.coffee.meta.id.clone()),
        Write::DeleteCategory(theirs.travel.meta.id.clone()),
        Write::DeleteResource(theirs.notes.meta.id.clone()),
    ];
    store.commit(bob.batch(writes)).await?;
    let found = Snapshot::of(&*store, alice.scope(), &identity()).await?;
    same("alice's scope after bob's writes", &found, &expected)?;
    store.clear(&[bob.scope().clone()]).await?;
    let found = Snapshot::of(&*store, alice.scope(), &identity()).await?;
    same("alice's scope after bob was cleared", &found, &expected)
}

pub(super) async fn the_empty_scope_is_a_scope(harness: &dyn Harness) -> Verdict {
    let schema = ScopeSchema::default();
    let store = harness.fresh(&schema).await?;
    let nobody = Maker::new(schema.empty_scope(), 1);
    let alice = Maker::new(user("alice")?, 1);
    let world = World::new(&nobody)?;
    store.commit(nobody.batch(world.writes())).await?;
    let found = Snapshot::of(&*store, alice.scope(), &identity()).await?;
    same("alice's scope", &found, &Snapshot::default())?;
    let writes = vec![Write::Category(alice.category("hers"))];
    store.commit(alice.batch(writes)).await?;
    let expected = Snapshot::of_data(&world.model(&nobody)?, &identity());
    let found = Snapshot::of(&*store, nobody.scope(), &identity()).await?;
    same("nobody's scope", &found, &expected)?;
    let none = Query {
        scopes: Vec::new(),
        ..Query::scope(nobody.scope())
    };
    let items = store.items(&none).await?.records;
    same("what a query without scopes finds", &items, &Vec::new())
}

pub(super) async fn wide_scopes_differ_in_every_field(harness: &dyn Harness) -> Verdict {
    let schema = ScopeSchema::new(["user_id", "agent_id"])?;
    let store = harness.fresh(&schema).await?;
    same("the schema", store.schema(), &schema)?;
    let scopes = [
        schema.scope([("user_id", "a")])?,
        schema.scope([("agent_id", "a")])?,
        schema.scope([("user_id", "a"), ("agent_id", "a")])?,
        schema.scope([("user_id", "a"), ("agent_id", "b")])?,
        schema.scope([("user_id", "b"), ("agent_id", "a")])?,
        schema.empty_scope(),
    ];
    for scope in &scopes {
        let make = Maker::new(scope.clone(), 1);
        let mut world = World::new(&make)?;
        world.walks.summary = format!("walks of {scope}");
        store.commit(make.batch(world.writes())).await?;
    }
    for scope in &scopes {
        let make = Maker::new(scope.clone(), 1);
        let mut world = World::new(&make)?;
        world.walks.summary = format!("walks of {scope}");
        let expected = Snapshot::of_data(&world.model(&make)?, &identity());
        let found = Snapshot::of(&*store, scope, &identity()).await?;
        same(&format!("the scope {scope}"), &found, &expected)?;
    }
    Ok(())
}

pub(super) async fn scopes_are_listed_in_order_by_filter(harness: &dyn Harness) -> Verdict {
    let schema = ScopeSchema::new(["user_id", "agent_id"])?;
    let store = harness.fresh(&schema).await?;
    let scope = |user: &str, agent: &str| schema.scope([("user_id", user), ("agent_id", agent)]);
    let scopes = [
        scope("zoe", "x")?,
        scope("adam", "x")?,
        schema.scope([("user_id", "zoe")])?,
        scope("zoe", "y")?,
        schema.empty_scope(),
    ];
    for round in 0..2 {
        for scope in &scopes {
            let make = Maker::new(scope.clone(), round);
            let writes = vec![Write::Category(make.category("c"))];
            store.commit(make.batch(writes)).await?;
        }
    }
    for (filter, limit, expected) in [
        (json!({}), 9, vec![0, 1, 2, 3, 4]),
        (json!({}), 2, vec![0, 1]),
        (json!({}), 0, vec![]),
        (json!({"user_id": "zoe"}), 9, vec![0, 2, 3]),
        (json!({"user_id": "zoe"}), 2, vec![0, 2]),
        (json!({"agent_id__is_null": true}), 9, vec![2, 4]),
        (json!({"agent_id__ne": "x"}), 9, vec![2, 3, 4]),
        (
            json!({"user_id__in": ["adam", "eve"], "agent_id": "x"}),
            9,
            vec![1],
        ),
        (
            json!({"user_id__contains": "o", "agent_id__gt": "x"}),
            9,
            vec![3],
        ),
        (json!({"user_id__lt": "b"}), 9, vec![1]),
        (json!({"user_id": "Zoe"}), 9, vec![]),
        // Conditions on records do not choose scopes.
        (
            json!({"user_id": "adam", "memory_type": "event"}),
            9,
            vec![1],
        ),
    ] {
        let object = filter.as_object().cloned().unwrap_or_default();
        let parsed = Filter::parse(&object, &schema)?;
        let expected: Vec<ScopeState> = expected
            .into_iter()
            .filter_map(|index: usize| scopes.get(index).cloned())
            .map(|scope| ScopeState { scope, seq: 2 })
            .collect();
        let found = store.scopes(&parsed, limit).await?;
        same(
            &format!("the scopes of {filter}, at most {limit}"),
            &found,
            &expected,
        )?;
    }
    // A scope stays listed when all of its records are deleted.
    let adam = Query::scope(&scope("adam", "x")?);
    let writes = store.categories(&adam).await?.records;
    let writes = writes
        .into_iter()
        .map(|one| Write::DeleteCategory(one.meta.id));
    let make = Maker::new(scope("adam", "x")?, 5);
    store.commit(make.batch(writes.collect())).await?;
    same(
        "how many scopes there are",
        &store.scopes(&Filter::default(), 9).await?.len(),
        &5,
    )?;
    let left = store.categories(&adam.select(Select::All)).await?.records;
    same("what is left", &left, &Vec::new())
}
