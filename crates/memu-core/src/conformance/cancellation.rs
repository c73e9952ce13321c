//! A future that is dropped leaves the store as before or as after.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use super::concurrency::group;
use super::fixtures::{Maker, World, identity, user};
use super::log::lines;
use super::verdict::{ensure, same};
use super::{Harness, Snapshot, Verdict};
use crate::scope::ScopeSchema;
use crate::store::{Query, ScopeData, Write};

/// Polls a future at most this often, with a pause before each further time, and
/// drops it.
fn drop_after(
    polls: u32,
    pause: Duration,
    mut future: Pin<Box<dyn Future<Output = ()> + Send + '_>>,
) {
    let mut context = Context::from_waker(Waker::noop());
    for poll in 0..polls {
        if poll > 0 {
            std::thread::sleep(pause);
        }
        if future.as_mut().poll(&mut context).is_ready() {
            return;
        }
    }
}

/// Poll counts and pauses that hit a store at different points of its work.
fn moments() -> impl Iterator<Item = (u32, Duration)> {
    let pauses = [0, 50, 200, 700, 2_000].map(Duration::from_micros);
    (0..4).flat_map(move |polls| pauses.map(|pause| (polls, pause)))
}

pub(super) async fn a_dropped_commit_is_whole_or_absent(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let scope = user("alice")?;
    for (seed, (polls, pause)) in (0..).zip(moments()) {
        let make = Maker::new(scope.clone(), seed);
        let batch = make.batch(group(&make));
        drop_after(
            polls,
            pause,
            Box::pin(async {
                // Dropped or done, both are fine.
                let _ = store.commit(batch).await;
            }),
        );
        let data = ScopeData::load(&*store, &scope).await?;
        let counts = (
            data.category_count(),
            data.item_count(),
            data.relation_count(),
        );
        let groups = data.category_count();
        let whole = (groups, 3 * groups, 2 * groups);
        same(
            "categories, items and relations after a dropped commit",
            &counts,
            &whole,
        )?;
        same("the end of the log", &data.seq(), &(6 * groups as u64))?;
        ensure(groups as u64 <= seed + 1, || {
            format!("{groups} groups after {seed} commits")
        })?;
        lines(&*store, &scope, 0).await?;
    }
    let before = store.last_seq(&scope).await?;
    let make = Maker::new(scope.clone(), 1_000);
    let committed = store.commit(make.batch(group(&make))).await?;
    ensure(committed.seq >= before + 6, || {
        "a later commit was lost".into()
    })
}

pub(super) async fn dropped_reads_and_clears_do_no_harm(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let (make, bob) = (Maker::new(user("alice")?, 1), Maker::new(user("bob")?, 1));
    let world = World::new(&make)?;
    store.commit(make.batch(world.writes())).await?;
    store.commit(bob.batch(World::new(&bob)?.writes())).await?;
    let full = Snapshot::of(&*store, make.scope(), &identity()).await?;
    let of_bob = Snapshot::of(&*store, bob.scope(), &identity()).await?;
    let query = Query::scope(make.scope());
    for (polls, pause) in moments() {
        drop_after(
            polls,
            pause,
            Box::pin(async {
                let _ = store.items(&query).await;
                let _ = store.changes(make.scope(), 0, 9).await;
            }),
        );
    }
    let found = Snapshot::of(&*store, make.scope(), &identity()).await?;
    same("the scope after dropped reads", &found, &full)?;
    let scopes = [make.scope().clone()];
    for (polls, pause) in moments() {
        drop_after(
            polls,
            pause,
            Box::pin(async {
                let _ = store.clear(&scopes).await;
            }),
        );
        let data = ScopeData::load(&*store, make.scope()).await?;
        let found = (data.seq(), data.item_count(), data.relation_count());
        ensure(data.is_empty() || found == (full.seq, 4, 4), || {
            format!("a dropped clear left {found:?}")
        })?;
    }
    store.clear(&scopes).await?;
    let writes = vec![Write::Category(make.category("anew"))];
    same("the log", &store.commit(make.batch(writes)).await?.seq, &1)?;
    let found = Snapshot::of(&*store, bob.scope(), &identity()).await?;
    same("bob's scope", &found, &of_bob)
}
