//! Many at once: no write is lost, and nobody sees half of one.

use std::future::Future;
use std::sync::Arc;

use futures_channel::oneshot;

use super::fixtures::{Maker, identity, user};
use super::log::lines;
use super::verdict::{Failure, ensure, same};
use super::{Harness, Snapshot, Verdict};
use crate::error::ErrorKind;
use crate::scope::ScopeSchema;
use crate::store::{Query, ScopeData, Write, WriteBatch};

const WRITERS: u64 = 16;

/// Runs futures beside each other, and waits for all of them.
async fn beside<T, F>(harness: &dyn Harness, futures: Vec<F>) -> Result<Vec<T>, Failure>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut receivers = Vec::new();
    for future in futures {
        let (sender, receiver) = oneshot::channel();
        receivers.push(receiver);
        harness.spawn(Box::pin(async move {
            // The case may have failed and gone by now.
            let _ = sender.send(future.await);
        }));
    }
    let mut outputs = Vec::new();
    for receiver in receivers {
        let output = receiver.await;
        outputs.push(output.map_err(|_| Failure::new("a concurrent task was lost"))?);
    }
    Ok(outputs)
}

pub(super) async fn one_of_many_commits_wins_each_round(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let scope = user("alice")?;
    for round in 0..5 {
        let seq = store.last_seq(&scope).await?;
        same("the end of the log", &seq, &round)?;
        let commits = (0..WRITERS).map(|writer| {
            let (store, make) = (
                Arc::clone(&store),
                Maker::new(scope.clone(), 100 * round + writer),
            );
            async move {
                let mut batch = make.batch(vec![Write::Item(make.item("event", "x"))]);
                batch.expected_seq = Some(seq);
                store.commit(batch).await
            }
        });
        let results = beside(harness, commits.collect()).await?;
        let won = results.iter().filter(|result| result.is_ok()).count();
        same("how many commits of a round won", &won, &1)?;
        for error in results.into_iter().filter_map(Result::err) {
            same("why the others lost", &error.kind(), &ErrorKind::Conflict)?;
        }
    }
    Ok(())
}

pub(super) async fn retried_commits_all_land(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let scope = user("alice")?;
    let commits = (0..WRITERS).map(|writer| {
        let (store, make) = (Arc::clone(&store), Maker::new(scope.clone(), writer));
        async move {
            let item = make.item("event", "x");
            loop {
                let seq = store.last_seq(make.scope()).await?;
                let batch = WriteBatch {
                    expected_seq: Some(seq),
                    expected_life: None,
                    ..make.batch(vec![Write::Item(item.clone())])
                };
                match store.commit(batch).await {
                    Ok(_) => return Ok(item.meta.id),
                    Err(error) if error.kind() == ErrorKind::Conflict => {}
                    Err(error) => return Err(error),
                }
            }
        }
    });
    let mut ids = Vec::new();
    for result in beside(harness, commits.collect()).await? {
        ids.push(result?);
    }
    let logged = lines(&*store, &scope, 0).await?;
    let mut inserted: Vec<_> = logged
        .into_iter()
        .filter(|(what, _)| *what == "+item")
        .map(|(_, id)| id)
        .collect();
    let items = store.items(&Query::scope(&scope)).await?.records;
    let stored: Vec<_> = items.into_iter().map(|item| item.meta.id).collect();
    same("stored order and order of the log", &stored, &inserted)?;
    inserted.sort();
    ids.sort();
    same("the items that landed", &inserted, &ids)
}

pub(super) async fn readers_see_whole_batches(harness: &dyn Harness) -> Verdict {
    const GROUPS: u64 = 12;
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let scope = user("alice")?;
    let mut tasks: Vec<super::BoxFuture<'static, Verdict>> = Vec::new();
    for writer in 0..3 {
        let (store, make) = (Arc::clone(&store), Maker::new(scope.clone(), writer));
        tasks.push(Box::pin(async move {
            for _ in 0..GROUPS {
                store.commit(make.batch(group(&make))).await?;
            }
            Ok(())
        }));
    }
    for _ in 0..3 {
        let (store, scope) = (Arc::clone(&store), scope.clone());
        tasks.push(Box::pin(async move {
            let query = Query::scope(&scope);
            loop {
                let items = store.items(&query).await?.records.len();
                let log = store.changes(&scope, 0, usize::MAX).await?.len();
                let relations = store.relations(&query).await?.records.len();
                ensure(items % 3 == 0 && relations % 2 == 0 && log % 6 == 0, || {
                    format!(
                        "a reader saw {items} items (of 3 a batch), {relations} relations (of 2) \
                         and {log} lines of the log (of 6)"
                    )
                })?;
                match ScopeData::load(&*store, &scope).await {
                    Ok(data) => whole(&data)?,
                    // Written faster than read: allowed, and said so.
                    Err(error) if error.kind() == ErrorKind::Busy => {}
                    Err(error) => return Err(error.into()),
                }
                if items as u64 == 3 * 3 * GROUPS {
                    return Ok(());
                }
            }
        }));
    }
    for result in beside(harness, tasks).await? {
        result?;
    }
    let snapshot = Snapshot::of(&*store, &scope, &identity()).await?;
    same("the end of the log", &snapshot.seq, &(3 * 6 * GROUPS))
}

/// Fails unless the records are of one moment.
fn whole(data: &ScopeData) -> Verdict {
    let groups = data.category_count();
    let found = (data.seq(), data.item_count(), data.relation_count());
    let expected = (6 * groups as u64, 3 * groups, 2 * groups);
    let what = "log, items and relations of a scope loaded while it is written";
    same(what, &found, &expected)
}

/// A category and three items, two of them filed: six lines of the log.
pub(super) fn group(make: &Maker) -> Vec<Write> {
    let category = make.category("group");
    let items = [(); 3].map(|()| make.item("event", "of a group"));
    let [first, second, _] = &items;
    let relations = [
        make.relation(first, &category),
        make.relation(second, &category),
    ];
    let mut writes = vec![Write::Category(category)];
    writes.extend(items.map(Write::Item));
    writes.extend(relations.map(Write::Relation));
    writes
}
