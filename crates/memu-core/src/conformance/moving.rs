//! Moving a memory to the store and from it, with the in-memory store at the other end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fixtures::{Maker, World, identity, user, vector};
use super::verdict::{Failure, refused, same};
use super::{Harness, Snapshot, Verdict, block_on};
use crate::error::{ErrorKind, Result};
use crate::filter::Filter;
use crate::records::{EmbedderIdentity, Embedding, OwnedEmbedding, OwnerKind, Resource, SetState};
use crate::scope::{Scope, ScopeSchema};
use crate::store::{InMemoryStore, Severity, Store, StoreExt, Write, WriteBatch};
use crate::transfer::{Moved, Progress, Side, Stage, Transfer};

const QUIET: Progress<'static> = &|_, _, _| {};

fn in_memory() -> Arc<dyn Store> {
    Arc::new(InMemoryStore::new(ScopeSchema::default()))
}

fn transfer(from: &Arc<dyn Store>, to: &Arc<dyn Store>) -> Transfer {
    let side = |store: &Arc<dyn Store>| Side {
        store: store.clone(),
        files: None,
    };
    Transfer {
        from: side(from),
        to: side(to),
        filter: Filter::default(),
    }
}

async fn moved(
    from: &Arc<dyn Store>,
    to: &Arc<dyn Store>,
    progress: Progress<'_>,
) -> Result<Moved> {
    let transfer = transfer(from, to);
    let plan = transfer.plan(QUIET).await?;
    transfer.run(plan, progress).await
}

/// All that is to arrive: everything but the log.
async fn held(store: &Arc<dyn Store>, scope: &Scope, by: &EmbedderIdentity) -> Result<Snapshot> {
    let mut snapshot = Snapshot::of(&**store, scope, by).await?;
    snapshot.seq = 0;
    snapshot.changes.clear();
    Ok(snapshot)
}

async fn same_scopes(found: &Arc<dyn Store>, expected: &Arc<dyn Store>) -> Verdict {
    let scopes = expected.scopes(&Filter::default(), usize::MAX).await?;
    for state in &scopes {
        for by in [identity(), EmbedderIdentity::unknown(3)] {
            let there = held(found, &state.scope, &by).await?;
            let here = held(expected, &state.scope, &by).await?;
            same(&format!("{} by {by}", state.scope), &there, &here)?;
        }
    }
    let count = found.scopes(&Filter::default(), usize::MAX).await?.len();
    same("the number of scopes", &count, &scopes.len())
}

async fn is_sound(store: &Arc<dyn Store>) -> Verdict {
    let mut report = store.check(false).await?;
    report.findings.retain(|one| one.severity != Severity::Ok);
    same("what the check found", &report.findings, &Vec::new())
}

/// Two users' memories, written and changed, with vectors of two embedders; a third user has
/// nothing but a reply.
async fn filled() -> Result<Arc<dyn Store>> {
    let store = in_memory();
    for (name, seed) in [("alice", 51), ("bob", 52)] {
        let make = Maker::new(user(name)?, seed);
        let mut world = World::new(&make)?;
        store.commit(make.batch(world.writes())).await?;
        let mut coffee = world.coffee.clone();
        coffee.meta.revision = 1;
        coffee.summary.push_str(", black");
        coffee.extra.insert("b".to_owned(), 0.1.into());
        coffee
            .extra
            .insert("a".to_owned(), serde_json::json!({"z": 1, "y": [null]}));
        let of_unknown = OwnedEmbedding {
            kind: OwnerKind::Item,
            owner: coffee.meta.id.clone(),
            vector: Embedding::checked(vec![0.1, -0.0, f32::MIN_POSITIVE], 3)?,
        };
        world.relations.truncate(1);
        let writes = vec![
            Write::Item(coffee),
            Write::DeleteItem(world.craft.meta.id.clone()),
            Write::Embeddings(EmbedderIdentity::unknown(3), vec![of_unknown]),
            Write::ModelUsage(make.model_usage(0)),
            Write::ModelUsage(make.model_usage(3)),
            Write::ModelUsage(make.model_usage(3)),
        ];
        store.commit(make.batch(writes)).await?;
    }
    let make = Maker::new(user("carol")?, 53);
    let reply = Write::from(make.model_reply("nothing else is known of her"));
    store.commit(make.batch(vec![reply])).await?;
    Ok(store)
}

pub(super) async fn a_memory_moves_there_and_back(harness: &dyn Harness) -> Verdict {
    let source = filled().await?;
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let there = moved(&source, &store, QUIET).await?;
    same_scopes(&store, &source).await?;
    let back = in_memory();
    let returned = moved(&store, &back, QUIET).await?;
    same_scopes(&back, &source).await?;
    same("what was put", &returned.put, &there.put)?;
    for (there, back) in there.plan.scopes.iter().zip(&returned.plan.scopes) {
        same("the sums", &back.sums, &there.sums)?;
    }
    let active = store.embedding_sets().await?;
    let active: Vec<_> = active
        .into_iter()
        .map(|set| (set.identity, set.state))
        .collect();
    let expected = vec![
        (identity(), SetState::Active),
        (EmbedderIdentity::unknown(3), SetState::Retired),
    ];
    same("the embedding sets", &active, &expected)?;
    is_sound(&store).await
}

pub(super) async fn many_records_move_in_batches(harness: &dyn Harness) -> Verdict {
    let source = in_memory();
    let make = Maker::new(user("alice")?, 54);
    let chat = Resource {
        segment_count: 3_000,
        ..make.resource("file:///long.json")
    };
    let mut writes = vec![Write::Resource(chat.clone())];
    let mut vectors = Vec::new();
    let mut segments = Vec::new();
    for number in 0..3_000_u16 {
        let mut segment = make.segment(&chat, u32::from(number), "Nothing happened.");
        if number % 500 == 0 {
            segment.text = "Very much happened. ".repeat(60_000);
        }
        let mut item = make.item("event", &format!("Number {number} happened"));
        item.segment_ids = vec![segment.meta.id.clone()];
        let numbers = [f32::from(number), 1.0, -1.0, 0.5];
        vectors.push(vector(OwnerKind::Item, &item.meta.id, numbers)?);
        segments.push(segment);
        writes.push(Write::Item(item));
    }
    writes.insert(1, Write::Segments(segments));
    writes.push(Write::Embeddings(identity(), vectors));
    source.commit(make.batch(writes)).await?;
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let result = moved(&source, &store, QUIET).await?;
    same("what was put", &result.put, &6_001)?;
    same_scopes(&store, &source).await?;
    is_sound(&store).await?;
    // Made again, it finds all of it there.
    let seq = store.last_seq(make.scope()).await?;
    let result = moved(&source, &store, QUIET).await?;
    same("what was put", &result.put, &0)?;
    same("the log", &store.last_seq(make.scope()).await?, &seq)
}

/// The writes of a move into an empty target, one by one.
async fn pieces(source: &Arc<dyn Store>, scope: &Scope) -> Result<Vec<Write>> {
    let held = held(source, scope, &identity()).await?;
    let vectors = |owner: &crate::records::Id| {
        let own = held.vectors.iter().filter(|one| one.owner == *owner);
        Write::Embeddings(identity(), own.cloned().collect())
    };
    let blobs = held.blobs.iter().flatten().cloned().map(Write::Blob);
    let mut writes: Vec<Write> = blobs.collect();
    for resource in &held.resources {
        writes.push(Write::Resource(resource.clone()));
        writes.push(vectors(&resource.meta.id));
    }
    for segment in &held.segments {
        writes.push(Write::Segments(vec![segment.clone()]));
        writes.push(vectors(&segment.meta.id));
    }
    for item in &held.items {
        let of_unknown = EmbedderIdentity::unknown(3);
        let id = std::slice::from_ref(&item.meta.id);
        let more = source.embeddings(scope, &of_unknown, OwnerKind::Item, id);
        writes.push(Write::Item(item.clone()));
        writes.push(vectors(&item.meta.id));
        writes.push(Write::Embeddings(of_unknown.clone(), more.await?));
    }
    for category in &held.categories {
        writes.push(Write::Category(category.clone()));
        writes.push(vectors(&category.meta.id));
    }
    writes.extend(held.relations.iter().cloned().map(Write::Relation));
    writes.extend(held.model_replies.iter().cloned().map(Write::from));
    writes.extend(held.model_usage.iter().cloned().map(Write::ModelUsage));
    Ok(writes)
}

pub(super) async fn a_move_goes_on_where_it_was_cut_off(harness: &dyn Harness) -> Verdict {
    let source = filled().await?;
    let scope = user("alice")?;
    let writes = pieces(&source, &scope).await?;
    for done in 0..=writes.len() {
        // Vectors come with their owners.
        if matches!(writes.get(done), Some(Write::Embeddings(..))) {
            continue;
        }
        let store = harness.fresh(&ScopeSchema::default()).await?;
        let mut batch = WriteBatch::new(scope.clone(), None);
        batch.restoring = true;
        batch.writes = writes.iter().take(done).cloned().collect();
        store.commit(batch).await?;
        moved(&source, &store, QUIET).await?;
        same_scopes(&store, &source)
            .await
            .map_err(|failure| Failure::new(format!("after {done} writes: {failure}")))?;
    }
    Ok(())
}

pub(super) async fn a_target_that_holds_something_else_is_refused(
    harness: &dyn Harness,
) -> Verdict {
    let source = filled().await?;
    let scope = user("alice")?;
    let make = Maker::new(scope.clone(), 99);
    let others = [
        Write::Resource(make.resource("file:///another.json")),
        Write::Item(make.item("event", "Something else")),
        Write::Category(make.category("something_else")),
        Write::from(make.model_reply("something else")),
        Write::ModelUsage(make.model_usage(9)),
    ];
    for other in others {
        let store = harness.fresh(&ScopeSchema::default()).await?;
        store.commit(make.batch(vec![other.clone()])).await?;
        let before = held(&store, &scope, &identity()).await?;
        let result = moved(&source, &store, QUIET).await;
        refused(&format!("{other:?}"), result, &[ErrorKind::Conflict])?;
        let kept = held(&store, &scope, &identity()).await?;
        same("the memories there", &kept.items, &before.items)?;
        same(
            "the resources there",
            &kept.resources.first(),
            &before.resources.first(),
        )?;
    }
    // Another scope is nobody else's business.
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("zoe")?, 98);
    let writes = vec![Write::Item(make.item("event", "Her own"))];
    store.commit(make.batch(writes)).await?;
    moved(&source, &store, QUIET).await?;
    let hers = store
        .all_items(&crate::store::Query::scope(make.scope()))
        .await?;
    same("what another user has", &hers.len(), &1)
}

/// Calls `change` when copying begins.
fn once(change: impl Fn() + Send + Sync) -> impl Fn(Stage, u64, u64) + Send + Sync {
    let done = AtomicBool::new(false);
    move |stage, _, _| {
        if stage == Stage::Copying && !done.swap(true, Ordering::Relaxed) {
            change();
        }
    }
}

pub(super) async fn what_is_added_to_the_source_meanwhile_follows(
    harness: &dyn Harness,
) -> Verdict {
    let source = filled().await?;
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 55);
    let item = make.item("event", "Came while the others moved");
    let added = AtomicBool::new(false);
    let add = once(|| {
        let writes = vec![
            Write::Item(item.clone()),
            Write::from(make.model_reply("late")),
            Write::ModelUsage(make.model_usage(3)),
        ];
        added.store(
            block_on(source.commit(make.batch(writes))).is_ok(),
            Ordering::Relaxed,
        );
    });
    let result = moved(&source, &store, &add).await?;
    same("it was added", &added.load(Ordering::Relaxed), &true)?;
    same("what was followed", &result.followed, &1)?;
    same_scopes(&store, &source).await
}

/// Removes, changes and adds records of alice, as they were filled in.
fn changed(known: &Snapshot, make: &Maker) -> Vec<Write> {
    let mut writes = Vec::new();
    if let [chat, .., photo] = &known.resources[..] {
        let mut photo = photo.clone();
        photo.caption = Some("a harbour at dawn".to_owned());
        writes.push(Write::DeleteResource(chat.meta.id.clone()));
        writes.push(Write::Resource(photo));
    }
    let by_nobody = known.items.iter().find(|item| item.resource_id.is_none());
    if let (Some(item), [first, second, ..]) = (by_nobody, &known.categories[..]) {
        let (mut item, mut first) = (item.clone(), first.clone());
        item.summary.push_str(", and before");
        first.summary = Some("What alice likes".to_owned());
        let relation = make.relation(&item, &first);
        writes.push(Write::Item(item));
        writes.push(Write::DeleteCategory(second.meta.id.clone()));
        writes.push(Write::Category(first));
        writes.push(Write::Relation(relation));
    }
    writes
}

pub(super) async fn what_is_changed_or_removed_meanwhile_follows(harness: &dyn Harness) -> Verdict {
    let source = filled().await?;
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 58);
    let known = held(&source, make.scope(), &identity()).await?;
    let writes = changed(&known, &make);
    same("how much changes", &writes.len(), &6)?;
    let changed = AtomicBool::new(false);
    let change = once(|| {
        let committed = block_on(source.commit(make.batch(writes.clone())));
        changed.store(committed.is_ok(), Ordering::Relaxed);
    });
    let result = moved(&source, &store, &change).await?;
    same("it was changed", &changed.load(Ordering::Relaxed), &true)?;
    same("what was followed", &result.followed, &1)?;
    same_scopes(&store, &source).await?;
    is_sound(&store).await
}

pub(super) async fn what_was_changed_in_the_target_is_refused(harness: &dyn Harness) -> Verdict {
    let source = filled().await?;
    let store = harness.fresh(&ScopeSchema::default()).await?;
    moved(&source, &store, QUIET).await?;
    let make = Maker::new(user("alice")?, 59);
    let known = held(&store, make.scope(), &identity()).await?;
    let Some(mut item) = known.items.into_iter().next() else {
        return Err(Failure::new("there is no item"));
    };
    item.summary.push_str(", here");
    let writes = vec![Write::Item(item.clone())];
    let seq = store.commit(make.batch(writes)).await?.seq;
    let result = moved(&source, &store, QUIET).await;
    let error = refused("a changed item", result, &[ErrorKind::Conflict])?;
    let named = format!("{error:?}").contains(item.meta.id.as_str());
    same("the item is named", &named, &true)?;
    same("the log", &store.last_seq(make.scope()).await?, &seq)
}

pub(super) async fn sums_of_usage_follow(harness: &dyn Harness) -> Verdict {
    let source = filled().await?;
    let store = harness.fresh(&ScopeSchema::default()).await?;
    moved(&source, &store, QUIET).await?;
    let make = Maker::new(user("alice")?, 56);
    let more = vec![Write::ModelUsage(make.model_usage(0))];
    source.commit(make.batch(more.clone())).await?;
    moved(&source, &store, QUIET).await?;
    same_scopes(&store, &source).await?;
    // More than the source has is somebody else's.
    store.commit(make.batch(more)).await?;
    let result = moved(&source, &store, QUIET).await;
    refused("a sum of its own", result, &[ErrorKind::Conflict]).map(drop)
}

pub(super) async fn another_embedder_or_scope_field_is_refused_at_once(
    harness: &dyn Harness,
) -> Verdict {
    let source = filled().await?;
    let fields = ScopeSchema::new(["user_id", "agent_id"])?;
    let store = harness.fresh(&fields).await?;
    let result = moved(&source, &store, QUIET).await;
    refused("other scope fields", result, &[ErrorKind::Scope])?;
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("zoe")?, 57);
    let item = make.item("event", "Of another embedder");
    let mut other = identity();
    "another".clone_into(&mut other.model);
    let vectors = vec![vector(OwnerKind::Item, &item.meta.id, [1.0; 4])?];
    let writes = vec![Write::Item(item), Write::Embeddings(other, vectors)];
    store.commit(make.batch(writes)).await?;
    let result = moved(&source, &store, QUIET).await;
    refused("another embedder", result, &[ErrorKind::Config])?;
    let scopes = store.scopes(&Filter::default(), usize::MAX).await?;
    same("the scopes", &scopes.len(), &1)
}
