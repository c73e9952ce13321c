//! A server that stops, crashes and returns while it is written to and read from.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use memu_core::conformance::fixtures::{Maker, user};
use memu_core::records::Id;
use memu_core::scope::Scope;
use memu_core::store::{Query, Store};
use memu_postgres::{Options, PostgresStore};
use memu_testkit::postgres::{Server, Stop};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::support::{
    Dice, Three, assert_passing, assert_sound, counts, open, open_with, whole_log,
};

/// Writers: half of them have a scope of their own, half share one.
const WRITERS: usize = 6;
const ROUNDS: usize = 6;

/// How a commit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Acknowledged,
    /// With the promise that nothing was written.
    Refused,
    Unknown,
}

struct Crew {
    done: AtomicBool,
    /// Commits and reads that succeeded, to see that all goes on.
    commits: [AtomicUsize; WRITERS],
    reads: AtomicUsize,
}

impl Crew {
    fn progress(&self) -> Vec<usize> {
        let commits = self.commits.iter().chain([&self.reads]);
        commits.map(|count| count.load(Ordering::SeqCst)).collect()
    }

    /// Waits until everybody has got on. That they never do is for the runner's time limit.
    fn wait_for_progress(&self) {
        let before = self.progress();
        while self
            .progress()
            .iter()
            .zip(&before)
            .any(|(now, then)| now <= then)
        {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn scope_of(writer: usize) -> Scope {
    let name = if writer.is_multiple_of(2) {
        "shared".to_owned()
    } else {
        format!("writer {writer}")
    };
    user(&name).unwrap()
}

async fn write(store: PostgresStore, crew: Arc<Crew>, writer: usize) -> Vec<(Id, Ended)> {
    let make = Maker::new(scope_of(writer), 100 + writer as u64);
    let mut written = Vec::new();
    while !crew.done.load(Ordering::SeqCst) {
        let three = Three::new(&make, &format!("{} of {writer}", written.len()));
        let ended = match store.commit(three.batch(&make)).await {
            Ok(_) => {
                crew.commits[writer].fetch_add(1, Ordering::SeqCst);
                Ended::Acknowledged
            }
            Err(error) => {
                assert_passing(&error);
                tokio::time::sleep(Duration::from_millis(20)).await;
                if error.message().contains("is not known") {
                    Ended::Unknown
                } else {
                    Ended::Refused
                }
            }
        };
        written.push((three.item.meta.id, ended));
    }
    written
}

async fn read(store: PostgresStore, crew: Arc<Crew>) {
    let query = Query::scope(&scope_of(0));
    while !crew.done.load(Ordering::SeqCst) {
        match store.items(&query).await {
            Ok(_) => {
                crew.reads.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) => {
                assert_passing(&error);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// Runs writers and a reader while `happen` does something to the server, again and again;
/// afterwards everything must be there that was acknowledged, and nothing else.
fn survive(test: &str, seed: u64, happen: impl Fn(&mut Server, &mut Dice)) {
    let Some(mut server) = Server::start(test) else {
        return;
    };
    let database = server.database();
    let runtime = Runtime::new().unwrap();
    let stores = [(); 3].map(|()| runtime.block_on(open(database.as_plain_user())));
    let crew = Arc::new(Crew {
        done: AtomicBool::new(false),
        commits: Default::default(),
        reads: AtomicUsize::new(0),
    });
    let writers: Vec<JoinHandle<_>> = (0..WRITERS)
        .map(|writer| {
            let store = stores[writer % stores.len()].clone();
            runtime.spawn(write(store, crew.clone(), writer))
        })
        .collect();
    let reader = runtime.spawn(read(stores[0].clone(), crew.clone()));
    let mut dice = Dice::new(seed);
    for _ in 0..ROUNDS {
        crew.wait_for_progress();
        std::thread::sleep(dice.milliseconds(0, 200));
        happen(&mut server, &mut dice);
        std::thread::sleep(dice.milliseconds(0, 300));
        server.start_again();
        assert!(
            writers.iter().all(|writer| !writer.is_finished()),
            "a writer gave up"
        );
    }
    crew.wait_for_progress();
    crew.done.store(true, Ordering::SeqCst);
    runtime.block_on(async {
        reader.await.unwrap();
        let mut written = Vec::new();
        for (writer, writing) in writers.into_iter().enumerate() {
            written.push((scope_of(writer), writing.await.unwrap()));
        }
        assert_kept(&stores[1], &written).await;
    });
}

async fn assert_kept(store: &PostgresStore, written: &[(Scope, Vec<(Id, Ended)>)]) {
    for (scope, commits) in written {
        let held = store.items(&Query::scope(scope)).await.unwrap().records;
        let held: std::collections::BTreeSet<&Id> = held.iter().map(|item| &item.meta.id).collect();
        for (id, ended) in commits {
            match ended {
                Ended::Acknowledged => assert!(held.contains(id), "an acknowledged item is lost"),
                Ended::Refused => assert!(!held.contains(id), "an item is there that is not"),
                Ended::Unknown => {}
            }
        }
        let [items, categories, relations] = counts(store, scope).await;
        assert_eq!((items, items), (categories, relations), "half a batch");
        assert_eq!(whole_log(store, scope).await.len(), 3 * items);
    }
    assert_sound(store).await;
}

#[test]
fn a_server_that_is_stopped_loses_nothing() {
    survive(
        "stopping::a_server_that_is_stopped_loses_nothing",
        1,
        |server, _| {
            server.stop(Stop::Fast);
        },
    );
}

#[test]
fn a_server_that_crashes_loses_nothing() {
    survive(
        "stopping::a_server_that_crashes_loses_nothing",
        2,
        |server, _| {
            server.kill();
        },
    );
}

/// One process of the server dies, upon which it ends all others and begins anew by itself.
#[test]
fn a_server_of_which_one_process_dies_loses_nothing() {
    survive(
        "stopping::a_server_of_which_one_process_dies_loses_nothing",
        3,
        |server, _| {
            let config: tokio_postgres::Config = server.dsn().parse().unwrap();
            let runtime = Runtime::new().unwrap();
            let dsn = server.dsn();
            runtime.block_on(async {
                assert!(config.get_password().is_some());
                let client = crate::support::connect(&dsn).await;
                let found = client
                    .query_one(
                        "SELECT pid FROM pg_stat_activity WHERE application_name = 'memu' \
                         ORDER BY random() LIMIT 1",
                        &[],
                    )
                    .await;
                let Ok(found) = found else { return };
                let process: i32 = found.get(0);
                let kill = std::process::Command::new("kill")
                    .args(["-KILL", &process.to_string()])
                    .status();
                // It may have left by itself.
                let _ = kill.unwrap();
            });
        },
    );
}

/// Sessions are ended one by one, as administrators do.
#[test]
fn sessions_that_are_ended_lose_nothing() {
    survive(
        "stopping::sessions_that_are_ended_lose_nothing",
        4,
        |server, _| {
            let dsn = server.dsn();
            Runtime::new().unwrap().block_on(async {
                let client = crate::support::connect(&dsn).await;
                client
                    .execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE application_name = 'memu'",
                        &[],
                    )
                    .await
                    .unwrap();
            });
        },
    );
}

/// A smart stop waits for everybody to leave: the store goes on with the connections that it has,
/// gets no new ones, and comes back after it let go of them.
#[test]
fn a_server_that_waits_for_its_clients_stops_when_the_store_is_closed() {
    let test = "stopping::a_server_that_waits_for_its_clients_stops_when_the_store_is_closed";
    let Some(mut server) = Server::start(test) else {
        return;
    };
    let database = server.database();
    let dsn = database.as_plain_user().to_owned();
    let runtime = Runtime::new().unwrap();
    let make = Maker::new(user("ann").unwrap(), 1);
    let mut options = Options::new(&dsn);
    options.pool_size = 1;
    let store = runtime.block_on(open_with(options));
    std::thread::scope(|threads| {
        let stopping = threads.spawn(|| {
            server.stop(Stop::Smart);
        });
        runtime.block_on(async {
            // Once the server stops, it takes no new clients.
            loop {
                match PostgresStore::open(Options::new(&dsn)).await {
                    Ok(one) => one.close().await.unwrap(),
                    Err(error) => {
                        assert_passing(&error);
                        break;
                    }
                }
            }
            store
                .commit(Three::new(&make, "late").batch(&make))
                .await
                .unwrap();
            assert!(!stopping.is_finished());
            store.close().await.unwrap();
        });
        stopping.join().unwrap();
    });
    server.start_again();
    runtime.block_on(async {
        let store = open(&dsn).await;
        assert_eq!(counts(&store, make.scope()).await, [1; 3]);
        assert_sound(&store).await;
    });
}
