//! A cluster of Citus, where `MEMU_TEST_CITUS` names the coordinator of one: what concerns one
//! scope is done on one server; tables from before Citus are spread; many vectors have an index.

use std::time::Duration;

use memu_core::ErrorKind;
use memu_core::conformance::fixtures::{Maker, World, identity, user};
use memu_core::filter::Filter;
use memu_core::records::OwnerKind;
use memu_core::store::{Report, Severity, Store, Write};
use memu_postgres::{Options, PostgresStore};
use tokio_postgres::Client;

use crate::routing;
use crate::searching;
use crate::support::{assert_sound, connect, counts, open_with};

/// A schema of a cluster, which stays: whoever lends a cluster throws it away.
struct Cluster {
    client: Client,
    dsn: String,
    schema: String,
}

impl Cluster {
    async fn new(test: &str) -> Option<Self> {
        let dsn = std::env::var("MEMU_TEST_CITUS").unwrap_or_default();
        if dsn.is_empty() {
            memu_testkit::skip(test, "MEMU_TEST_CITUS is not set");
            return None;
        }
        let client = connect(&dsn).await;
        let name = test.rsplit(':').next().unwrap_or_default();
        let name: String = name.chars().take(40).collect();
        let schema = format!("{name}_{}", std::process::id());
        let cluster = Self {
            client,
            dsn,
            schema,
        };
        let schema = &cluster.schema;
        cluster.run(&format!("CREATE SCHEMA {schema}")).await;
        let path = format!("SET search_path = {schema}, public");
        cluster.run(&path).await;
        cluster
            .run("SET citus.propagate_set_commands = 'local'")
            .await;
        Some(cluster)
    }

    async fn run(&self, sql: &str) {
        if let Err(error) = self.client.batch_execute(sql).await {
            panic!("{sql}: {error:?}");
        }
    }

    async fn number(&self, sql: &str) -> i64 {
        self.client.query_one(sql, &[]).await.unwrap().get(0)
    }

    fn options(&self, more: &str) -> Options {
        let joint = if self.dsn.contains('?') { '&' } else { '?' };
        let (dsn, schema) = (&self.dsn, &self.schema);
        Options::new(format!(
            "{dsn}{joint}options=-csearch_path%3D{schema},public{more}"
        ))
    }

    async fn open(&self) -> PostgresStore {
        open_with(self.options("")).await
    }

    /// How many statements went to several servers, and to one.
    async fn routed(&self) -> [i64; 2] {
        let sql = "SELECT query_execution_multi_shard, query_execution_single_shard \
                   FROM citus_stat_counters WHERE name = current_database()";
        let row = self.client.query_one(sql, &[]).await.unwrap();
        [row.get(0), row.get(1)]
    }
}

async fn fill(store: &PostgresStore, name: &str) -> Maker {
    let make = Maker::new(user(name).unwrap(), 1);
    let world = World::new(&make).unwrap();
    let mut writes = world.writes();
    writes.push(Write::ModelUsage(make.model_usage(1)));
    store.commit(make.batch(writes)).await.unwrap();
    make
}

fn of_cluster(report: &Report) -> (Severity, &str, bool) {
    let found = report.findings.iter().find(|one| one.check == "cluster");
    let found = found.expect("a finding");
    (found.severity, found.message.as_str(), found.repaired)
}

/// The counters are of the whole database: nobody else may be at it.
#[tokio::test(flavor = "multi_thread")]
async fn what_concerns_one_scope_is_done_on_one_server() {
    let test = "cluster::what_concerns_one_scope_is_done_on_one_server";
    let Some(cluster) = Cluster::new(test).await else {
        return;
    };
    let mut options = cluster.options("%20-ccitus.enable_stat_counters%3Don");
    options.part_records = 2;
    let store = open_with(options).await;
    // The first vector makes a table.
    fill(&store, "first").await;
    let before = cluster.routed().await;
    let scopes = ["ann", "bob"].map(|name| user(name).unwrap());
    let makers = [1, 2].map(|seed| Maker::new(scopes[seed as usize - 1].clone(), seed));
    let worlds = [0, 1].map(|at| World::new(&makers[at]).unwrap());
    for (make, world) in makers.iter().zip(&worlds) {
        routing::work_on(&store, make, world).await;
    }
    routing::read(&store, &worlds[0], &scopes[..1]).await;
    routing::seal(&store, &makers[0], &worlds[0]).await;
    routing::change(&store, &makers[0], &worlds[0]).await;
    store.clear(&scopes[..1]).await.unwrap();
    let after = cluster.routed().await;
    assert_eq!(after[0], before[0], "some went to several servers");
    assert!(after[1] > before[1] + 200, "{before:?} {after:?}");
    // What is about all scopes does: the counters count.
    store.scopes(&Filter::default(), 10).await.unwrap();
    assert!(cluster.routed().await[0] > after[0]);
    assert_sound(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_tells_how_the_tables_lie() {
    let Some(cluster) = Cluster::new("cluster::a_report_tells_how_the_tables_lie").await else {
        return;
    };
    let store = cluster.open().await;
    let make = fill(&store, "ann").await;
    let report = store.check(false).await.unwrap();
    let workers = "SELECT count(*) FROM citus_get_active_worker_nodes()";
    let workers = cluster.number(workers).await;
    let shards = cluster
        .number("SELECT count(*) FROM pg_dist_shard WHERE logicalrelid = 'memu_scopes'::regclass")
        .await;
    let expected =
        format!("Citus: {workers} workers, {shards} shards; the tables of scopes lie together");
    assert_eq!(
        of_cluster(&report),
        (Severity::Ok, expected.as_str(), false)
    );
    // The rows lie elsewhere: this server's own tables are empty.
    assert!(report.bytes.unwrap() > 100_000, "{report:?}");
    for (statement, expected) in [
        (
            "SELECT undistribute_table('memu_unread')",
            "memu_unread is not distributed",
        ),
        (
            "SELECT create_distributed_table('memu_unread', 'scope_key', shard_count => 3)",
            "memu_unread does not lie beside memu_scopes",
        ),
    ] {
        cluster.run(statement).await;
        let report = store.check(false).await.unwrap();
        assert_eq!(of_cluster(&report), (Severity::Error, expected, false));
    }
    cluster
        .run("SELECT undistribute_table('memu_unread')")
        .await;
    let report = store.check(true).await.unwrap();
    let expected = "memu_unread is not distributed";
    assert_eq!(of_cluster(&report), (Severity::Error, expected, true));
    assert_sound(&store).await;
    assert_eq!(counts(&store, make.scope()).await[0], 4);
}

/// Tables of one server, as they are where Citus comes later.
#[tokio::test(flavor = "multi_thread")]
async fn tables_from_before_citus_serve_and_are_spread_by_a_repair() {
    let test = "cluster::tables_from_before_citus_serve_and_are_spread_by_a_repair";
    let Some(cluster) = Cluster::new(test).await else {
        return;
    };
    drop(cluster.open().await);
    // Those that refer to each other go together.
    cluster
        .run("SELECT undistribute_table('memory_items', cascade_via_foreign_keys => true)")
        .await;
    for name in [
        "memu_scopes",
        "memu_model_replies",
        "memu_model_usage",
        "memu_blobs",
        "memu_outlines",
        "memu_parts",
        "memu_postings",
        "memu_entries",
        "memu_changes",
        "memu_unread",
        "memu_meta",
        "memu_embedding_sets",
    ] {
        cluster
            .run(&format!("SELECT undistribute_table('{name}')"))
            .await;
    }
    let spread = "SELECT count(*) FROM citus_tables t JOIN pg_class c ON c.oid = t.table_name \
                  WHERE c.relnamespace = current_schema()::regnamespace";
    assert_eq!(cluster.number(spread).await, 0);
    let store = cluster.open().await;
    let make = fill(&store, "ann").await;
    let before = counts(&store, make.scope()).await;
    assert_eq!(cluster.number(spread).await, 0, "a set was spread alone");
    let report = store.check(false).await.unwrap();
    let (severity, message, repaired) = of_cluster(&report);
    assert_eq!((severity, repaired), (Severity::Warning, false));
    assert!(message.contains("on this server alone"), "{message}");
    let report = store.check(true).await.unwrap();
    let (severity, _, repaired) = of_cluster(&report);
    assert_eq!((severity, repaired), (Severity::Warning, true));
    assert_eq!(cluster.number(spread).await, 19);
    // Whoever had it open goes on, and so does who opens it anew.
    for store in [store, cluster.open().await] {
        assert_eq!(counts(&store, make.scope()).await, before);
        let item = make.item("event", "one more");
        let owned = memu_core::conformance::fixtures::vector(
            OwnerKind::Item,
            &item.meta.id,
            [1.0, 0.0, 0.0, 1.0],
        );
        let vectors = Write::Embeddings(identity(), vec![owned.unwrap()]);
        let batch = make.batch(vec![Write::Item(item.clone()), vectors]);
        store.commit(batch).await.unwrap();
        store
            .commit(make.batch(vec![Write::DeleteItem(item.meta.id)]))
            .await
            .unwrap();
        assert_sound(&store).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_waits_no_longer_than_it_may() {
    let Some(mut cluster) = Cluster::new("cluster::a_write_waits_no_longer_than_it_may").await
    else {
        return;
    };
    drop(cluster.open().await);
    let mut options = cluster.options("");
    options.busy_timeout = Duration::from_millis(200);
    let store = open_with(options).await;
    let make = fill(&store, "ann").await;
    let lock = format!(
        "SELECT 1 FROM memu_scopes WHERE scope_key = '{}' FOR UPDATE",
        make.scope().key()
    );
    let holding = cluster.client.transaction().await.unwrap();
    holding.batch_execute(&lock).await.unwrap();
    let item = make.item("event", "one more");
    let refused = store.commit(make.batch(vec![Write::Item(item)])).await;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
    assert!(error.to_string().contains("busy_timeout_s"), "{error:?}");
    holding.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_vectors_have_an_index_on_every_server() {
    let test = "cluster::many_vectors_have_an_index_on_every_server";
    let Some(cluster) = Cluster::new(test).await else {
        return;
    };
    drop(cluster.open().await);
    let store = cluster.open().await;
    let scope = searching::many(&store).await;
    let report = store.check(true).await.unwrap();
    assert_eq!(report.findings.last().unwrap().check, "nearest");
    drop(store);
    let store = cluster.open().await;
    assert_sound(&store).await;
    let mut options = cluster.options("");
    options.exact_search = true;
    let exact = open_with(options).await;
    searching::assert_nearly_exact([&store, &exact], &scope).await;
    let vector: Vec<String> = (0..48).map(|at| at.to_string()).collect();
    let explain = format!(
        "EXPLAIN (COSTS off) SELECT owner_place FROM memu_vectors_1 WHERE scope_key = '{}' \
         AND owner_kind = 2 ORDER BY embedding <=> '[{}]' LIMIT 10",
        scope.key(),
        vector.join(",")
    );
    cluster.run("BEGIN").await;
    cluster.run("SET LOCAL enable_sort = off").await;
    let plan = cluster.client.query(&explain, &[]).await.unwrap();
    let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(plan.contains("Task Count: 1"), "{plan}");
    assert!(
        plan.contains("Index Scan using memu_nearest_1_2_"),
        "{plan}"
    );
}
