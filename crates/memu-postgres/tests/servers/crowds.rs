//! Many writers and readers at once, each with a store of its own, as processes have.

use std::time::Duration;

use memu_core::ErrorKind;
use memu_core::conformance::fixtures::{Maker, identity, user, vector};
use memu_core::records::{MemoryItem, Operation, OwnerKind};
use memu_core::scope::Scope;
use memu_core::store::{Query, Store, Write, WriteBatch};
use memu_postgres::{Options, PostgresStore};
use memu_testkit::postgres::database;
use tokio::task::JoinSet;

use crate::support::{
    Dice, Three, assert_sound, connect, counts, open, open_with, told, whole_log,
};

const WRITERS: usize = 8;
const BATCHES: usize = 24;

async fn stores(dsn: &str, row_security: bool) -> Vec<PostgresStore> {
    let mut opening = JoinSet::new();
    for _ in 0..WRITERS {
        let mut options = Options::new(dsn);
        options.row_security = Some(row_security);
        opening.spawn(open_with(options));
    }
    opening.join_all().await
}

/// Two items with vectors in a category: readers must see both or none.
fn pair(make: &Maker, name: &str) -> (WriteBatch, [MemoryItem; 2]) {
    let items = ["first", "second"].map(|one| make.item("event", &format!("{one} of {name}")));
    let category = make.category(name);
    let mut writes = vec![Write::Category(category.clone())];
    let mut vectors = Vec::new();
    for item in &items {
        writes.push(Write::Item(item.clone()));
        writes.push(Write::Relation(make.relation(item, &category)));
        let values = [1.0, item.summary.len() as f32, 0.5, 0.0];
        vectors.push(vector(OwnerKind::Item, &item.meta.id, values).unwrap());
    }
    writes.push(Write::Embeddings(identity(), vectors));
    (make.batch(writes), items)
}

/// What a writer has done: how many pairs of it are left in each scope, and how many lines of
/// the logs are its own.
struct Done {
    scope: Scope,
    pairs: usize,
    lines: usize,
}

async fn write(store: PostgresStore, writer: usize, scopes: usize) -> Vec<Done> {
    let mut dice = Dice::new(writer as u64);
    let makers: Vec<Maker> = (0..scopes)
        .map(|scope| {
            let scope = user(&format!("scope {scope}")).unwrap();
            Maker::new(scope, 1 + (writer * scopes) as u64 * 1_000_003)
        })
        .collect();
    let mut left: Vec<Vec<[MemoryItem; 2]>> = makers.iter().map(|_| Vec::new()).collect();
    let mut lines = vec![0; scopes];
    for batch in 0..BATCHES {
        let at = dice.below(scopes as u64) as usize;
        let make = &makers[at];
        if dice.below(4) == 0
            && let Some(items) = left[at].pop()
        {
            let gone = items
                .iter()
                .map(|item| Write::DeleteItem(item.meta.id.clone()));
            let committed = store.commit(make.batch(gone.collect())).await;
            committed.unwrap_or_else(|error| panic!("{error:?}"));
            // Each takes a relation along.
            lines[at] += 4;
            continue;
        }
        let (mut wanted, items) = pair(make, &format!("{batch} of {writer}"));
        if dice.below(2) == 0 {
            // By a plan, which somebody else's batch may make void.
            loop {
                let found = store.log_position(make.scope()).await.unwrap();
                wanted.expected_seq = Some(found.seq);
                match store.commit(wanted.clone()).await {
                    Ok(_) => break,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}"),
                }
            }
        } else {
            let committed = store.commit(wanted).await;
            committed.unwrap_or_else(|error| panic!("{error:?}"));
        }
        lines[at] += 5;
        left[at].push(items);
    }
    let done = makers.iter().zip(left).zip(lines);
    done.map(|((make, left), lines)| Done {
        scope: make.scope().clone(),
        pairs: left.len(),
        lines,
    })
    .collect()
}

async fn read(store: PostgresStore, scopes: usize) {
    let all: Vec<Scope> = (0..scopes)
        .map(|scope| user(&format!("scope {scope}")).unwrap())
        .collect();
    loop {
        let mut query = Query::scope(&all[0]);
        query.scopes.clone_from(&all);
        let items = store.items(&query).await.unwrap().records;
        assert_eq!(items.len() % 2, 0, "half a batch");
        let outline = store.outline(&all[0], None).await.unwrap();
        let items: usize = outline
            .outline
            .items
            .iter()
            .map(|block| block.entries.len())
            .sum();
        assert_eq!(items % 2, 0, "an outline of half a batch");
    }
}

async fn crowd(test: &str, scopes: usize, row_security: bool) {
    let Some(database) = database(test) else {
        return;
    };
    let stores = stores(database.as_plain_user(), row_security).await;
    let reading = tokio::spawn(read(open(database.as_plain_user()).await, scopes));
    let mut writing = JoinSet::new();
    for (writer, store) in stores.iter().enumerate() {
        writing.spawn(write(store.clone(), writer, scopes));
    }
    let done: Vec<Done> = writing.join_all().await.into_iter().flatten().collect();
    assert!(!reading.is_finished(), "{:?}", reading.await);
    reading.abort();
    for scope in 0..scopes {
        let scope = user(&format!("scope {scope}")).unwrap();
        let of = || done.iter().filter(|done| done.scope == scope);
        let pairs: usize = of().map(|done| done.pairs).sum();
        let [items, _, relations] = counts(&stores[0], &scope).await;
        assert_eq!((items, relations), (2 * pairs, 2 * pairs));
        let log = whole_log(&stores[1], &scope).await;
        assert_eq!(log.len(), of().map(|done| done.lines).sum::<usize>());
        let updates = log
            .iter()
            .filter(|line| line.operation == Operation::Update);
        assert_eq!(updates.count(), 0);
    }
    assert_sound(&stores[2]).await;
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(database.value(deadlocks), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_of_two_scopes_lose_nothing() {
    crowd("crowds::many_writers_of_two_scopes_lose_nothing", 2, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_of_many_scopes_lose_nothing_with_row_security() {
    let test = "crowds::many_writers_of_many_scopes_lose_nothing_with_row_security";
    crowd(test, 20, true).await;
}

/// Writers, who make further sets with their first vectors, beside those who clear, check and
/// mend: they wait for each other in one order.
#[tokio::test(flavor = "multi_thread")]
async fn writing_clearing_and_mending_at_once_do_not_lock_each_other() {
    let test = "crowds::writing_clearing_and_mending_at_once_do_not_lock_each_other";
    let Some(database) = database(test) else {
        return;
    };
    let stores = stores(database.as_plain_user(), false).await;
    let scopes: Vec<Scope> = (0..4)
        .map(|one| user(&format!("scope {one}")).unwrap())
        .collect();
    let mut working = JoinSet::new();
    for (at, store) in stores.iter().cloned().enumerate() {
        let mut scopes = scopes.clone();
        working.spawn(async move {
            for round in 0..60 {
                match at {
                    0 => drop(store.check(true).await.unwrap()),
                    1 => {
                        scopes.rotate_left(1);
                        store.clear(&scopes).await.map(drop).unwrap();
                    }
                    _ => {
                        scopes.rotate_left(1);
                        let seed = (at * 1_000 + round) as u64;
                        let make = Maker::new(scopes[0].clone(), seed);
                        let (batch, _) = pair(&make, "one");
                        let committed = store.commit(batch).await;
                        committed.unwrap_or_else(|error| panic!("{error:?}"));
                    }
                }
            }
        });
    }
    working.join_all().await;
    assert_sound(&stores[0]).await;
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(database.value(deadlocks), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_is_opened_and_first_written_by_all_at_once() {
    let test = "crowds::an_empty_database_is_opened_and_first_written_by_all_at_once";
    let Some(database) = database(test) else {
        return;
    };
    let stores = stores(database.as_plain_user(), false).await;
    let mut working = JoinSet::new();
    for (writer, store) in stores.iter().cloned().enumerate() {
        working.spawn(async move {
            // Half of them begin in the same scope.
            let scope = user(&format!("scope {}", writer / 2)).unwrap();
            let (batch, _) = pair(&Maker::new(scope, writer as u64), "first");
            store
                .commit(batch)
                .await
                .unwrap_or_else(|error| panic!("{error:?}"))
        });
    }
    working.join_all().await;
    assert_eq!(stores[0].embedding_sets().await.unwrap().len(), 1);
    assert_eq!(database.value("SELECT count(*) FROM memu_vectors_1"), "16");
    assert_sound(&stores[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_too_long_is_told_for_what() {
    let Some(database) = database("crowds::who_waits_for_too_long_is_told_for_what") else {
        return;
    };
    let dsn = database.as_plain_user();
    let make = Maker::new(user("ann").unwrap(), 1);
    let store = open(dsn).await;
    store
        .commit(Three::new(&make, "first").batch(&make))
        .await
        .unwrap();
    let with = async |change: fn(&mut Options)| {
        let mut options = Options::new(dsn);
        change(&mut options);
        open_with(options).await
    };
    let hasty = with(|options| options.busy_timeout = Duration::from_millis(100)).await;
    let brief = with(|options| options.statement_timeout = Duration::from_millis(100)).await;
    let narrow = with(|options| {
        options.pool_size = 1;
        options.pool_timeout = Duration::from_millis(100);
    })
    .await;

    let other = connect(dsn).await;
    other
        .batch_execute("BEGIN; SELECT * FROM memu_scopes FOR UPDATE")
        .await
        .unwrap();
    let batch = || Three::new(&make, "next").batch(&make);
    let error = hasty.commit(batch()).await.unwrap_err();
    assert_busy(&error, "busy_timeout_s");
    let waiting = tokio::spawn({
        let (narrow, batch) = (narrow.clone(), batch());
        async move { narrow.commit(batch).await }
    });
    // Until it waits.
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    while database.value(waits) == "0" {}
    let error = narrow.items(&Query::scope(make.scope())).await.unwrap_err();
    assert_busy(&error, "pool_size");
    other.batch_execute("ROLLBACK").await.unwrap();
    waiting.await.unwrap().unwrap();

    other
        .batch_execute("BEGIN; LOCK memory_items IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let error = brief.items(&Query::scope(make.scope())).await.unwrap_err();
    assert_busy(&error, "statement_timeout_s");
    other.batch_execute("ROLLBACK").await.unwrap();
    // Nothing of this stays.
    for store in [&hasty, &brief, &narrow] {
        assert_eq!(counts(store, make.scope()).await, [2; 3]);
        store.commit(make.batch(Vec::new())).await.unwrap();
    }
    assert_sound(&store).await;
}

fn assert_busy(error: &memu_core::Error, named: &str) {
    assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
    assert!(error.is_retryable(), "{error:?}");
    assert!(told(error).contains(named), "{error:?}");
}
