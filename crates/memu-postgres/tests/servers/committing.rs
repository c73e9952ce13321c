//! A connection that breaks at `COMMIT`: whether it was is found out, and told truthfully.

use memu_core::conformance::fixtures::{Maker, user};
use memu_core::store::Store;
use memu_core::{Error, ErrorKind};
use memu_postgres::Options;
use memu_testkit::postgres::{Server, database};

use crate::proxy::{Next, Proxy};
use crate::support::{Three, assert_sound, counts, open, open_with, told, whole_log};

fn assert_nothing_was_written(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Storage, "{error:?}");
    assert!(error.is_retryable(), "{error:?}");
    assert!(told(error).contains("nothing was written"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_found_to_have_been_made() {
    let Some(database) =
        database("committing::a_commit_whose_answer_is_lost_is_found_to_have_been_made")
    else {
        return;
    };
    let dsn = database.as_plain_user();
    let proxy = Proxy::before(dsn).await;
    let mut options = Options::new(proxy.through(dsn));
    // Who asks needs no second connection.
    options.pool_size = 1;
    let store = open_with(options).await;
    let make = Maker::new(user("ann").unwrap(), 1);
    for round in 0..5 {
        proxy.next(Next::IsUnanswered);
        let three = Three::new(&make, &format!("round {round}"));
        store.commit(three.batch(&make)).await.unwrap();
        proxy.met().await;
    }
    assert_eq!(counts(&store, make.scope()).await, [5; 3]);
    assert_eq!(whole_log(&store, make.scope()).await.len(), 15);
    assert_sound(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_never_arrives_is_found_not_to_have_been_made() {
    let Some(database) =
        database("committing::a_commit_that_never_arrives_is_found_not_to_have_been_made")
    else {
        return;
    };
    let dsn = database.as_plain_user();
    let proxy = Proxy::before(dsn).await;
    let store = open(&proxy.through(dsn)).await;
    let make = Maker::new(user("ann").unwrap(), 1);
    for round in 0..5 {
        let three = Three::new(&make, &format!("round {round}"));
        proxy.next(Next::IsLost);
        let error = store.commit(three.batch(&make)).await.unwrap_err();
        assert_nothing_was_written(&error);
        assert_eq!(counts(&store, make.scope()).await, [round; 3]);
        // The same again succeeds.
        store.commit(three.batch(&make)).await.unwrap();
    }
    assert_eq!(counts(&store, make.scope()).await, [5; 3]);
    assert_sound(&store).await;
}

/// A server that crashes may come back without the numbers of transactions that it was at, and
/// give them to others: that those were committed says nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_another_transaction_was_given_is_not_believed() {
    let builder = Server::builder()
        // Nothing but a commit writes the log down.
        .setting("wal_writer_delay", "10000")
        .setting("bgwriter_lru_maxpages", "0")
        .setting("autovacuum", "off");
    let Some(mut server) =
        builder.start("committing::a_number_that_another_transaction_was_given_is_not_believed")
    else {
        return;
    };
    let database = tokio::task::block_in_place(|| server.database());
    let dsn = database.as_plain_user();
    let proxy = Proxy::before(dsn).await;
    let (near, far) = (open(dsn).await, open(&proxy.through(dsn)).await);
    let make = Maker::new(user("ann").unwrap(), 1);
    let others = Maker::new(user("bob").unwrap(), 2);
    far.commit(Three::new(&make, "first").batch(&make))
        .await
        .unwrap();
    for round in 0..3_usize {
        proxy.next(Next::IsHeld);
        let late = Three::new(&make, &format!("late {round}"));
        let batch = late.batch(&make);
        let writer = far.clone();
        let writing = tokio::spawn(async move { writer.commit(batch).await });
        proxy.met().await;
        tokio::task::block_in_place(|| {
            server.kill();
            server.start_again();
        });
        for other in 0..10 {
            let three = Three::new(&others, &format!("other {round} {other}"));
            near.commit(three.batch(&others)).await.unwrap();
        }
        proxy.cut();
        let error = writing.await.unwrap().unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Storage, "{error:?}");
        assert_eq!(counts(&far, make.scope()).await, [1 + round; 3]);
        far.commit(late.batch(&make)).await.unwrap();
    }
    assert_eq!(counts(&near, others.scope()).await, [30; 3]);
    assert_sound(&near).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_commit_arrives_leaves_nothing() {
    let Some(mut server) =
        Server::start("committing::a_crash_before_the_commit_arrives_leaves_nothing")
    else {
        return;
    };
    let database = tokio::task::block_in_place(|| server.database());
    let dsn = database.as_plain_user();
    let proxy = Proxy::before(dsn).await;
    let store = open(&proxy.through(dsn)).await;
    let make = Maker::new(user("ann").unwrap(), 1);
    proxy.next(Next::IsHeld);
    let batch = Three::new(&make, "lost").batch(&make);
    let writer = store.clone();
    let writing = tokio::spawn(async move { writer.commit(batch).await });
    proxy.met().await;
    tokio::task::block_in_place(|| {
        server.kill();
        server.start_again();
    });
    proxy.cut();
    assert_nothing_was_written(&writing.await.unwrap().unwrap_err());
    assert_eq!(counts(&store, make.scope()).await, [0; 3]);
}
