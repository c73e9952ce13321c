//! The index over many vectors: made by itself, used, nearly as good as looking at all.

use std::collections::BTreeSet;
use std::time::Duration;

use memu_core::conformance::fixtures::{Maker, user};
use memu_core::filter::Filter;
use memu_core::records::{EmbedderIdentity, Embedding, Id, MemoryItem, OwnedEmbedding, OwnerKind};
use memu_core::scope::{Scope, ScopeSchema};
use memu_core::store::{Severity, Store, VectorHit, VectorQuery, Write};
use memu_postgres::{Options, PostgresStore};
use memu_testkit::postgres::{Database, database};
use serde_json::json;

use crate::support::{Dice, open, open_with};

const DIMENSION: u32 = 48;

/// More than half of what an index is made for, so that two scopes have one together and each
/// alone too few, and one scope enough.
const MANY: usize = 21_000;
const FEW: usize = 300;
const TOP: usize = 10;
const QUESTIONS: usize = 25;

fn identity() -> EmbedderIdentity {
    EmbedderIdentity {
        provider: "test".into(),
        model: "dice".into(),
        dimension: DIMENSION,
    }
}

/// A number of the normal distribution, nearly.
fn normal(dice: &mut Dice) -> f32 {
    let sum: u64 = (0..12).map(|_| dice.below(1 << 16)).sum();
    sum as f32 / 65_536.0 - 6.0
}

fn gaussian(dice: &mut Dice) -> Vec<f32> {
    (0..DIMENSION).map(|_| normal(dice)).collect()
}

/// Around one of two hundred centres.
fn clustered(dice: &mut Dice) -> Vec<f32> {
    let centre = gaussian(&mut Dice::new(7_000 + dice.below(200)));
    centre
        .iter()
        .map(|middle| middle + 0.3 * normal(dice))
        .collect()
}

struct Data {
    make: Maker,
    kind: fn(&mut Dice) -> Vec<f32>,
}

impl Data {
    fn new(name: &str, seed: u64, kind: fn(&mut Dice) -> Vec<f32>) -> Self {
        let make = Maker::new(user(name).unwrap(), seed);
        Self { make, kind }
    }

    fn scope(&self) -> Scope {
        self.make.scope().clone()
    }

    /// Stores items with vectors; one in a hundred is a `rare` one.
    async fn store(&self, store: &PostgresStore, count: usize) {
        let mut dice = Dice::new(count as u64);
        let mut stored = 0;
        while stored < count {
            let some = (count - stored).min(3_000);
            let mut writes = Vec::new();
            let mut vectors = Vec::new();
            for at in 0..some {
                let kind = if at % 100 == 0 { "rare" } else { "event" };
                let item = self.make.item(kind, "");
                vectors.push(owned(&item, (self.kind)(&mut dice)));
                writes.push(Write::Item(item));
            }
            writes.push(Write::Embeddings(identity(), vectors));
            store.commit(self.make.batch(writes)).await.unwrap();
            stored += some;
        }
    }

    fn questions(&self) -> Vec<Vec<f32>> {
        let mut dice = Dice::new(99);
        (0..QUESTIONS).map(|_| (self.kind)(&mut dice)).collect()
    }
}

fn owned(item: &MemoryItem, vector: Vec<f32>) -> OwnedEmbedding {
    OwnedEmbedding {
        kind: OwnerKind::Item,
        owner: item.meta.id.clone(),
        vector: Embedding::checked(vector, DIMENSION).unwrap(),
    }
}

fn query(scopes: &[Scope], vector: &[f32], filter: &Filter) -> VectorQuery {
    VectorQuery {
        scopes: scopes.to_vec(),
        filter: filter.clone(),
        kind: OwnerKind::Item,
        identity: identity(),
        vector: Embedding::checked(vector.to_vec(), DIMENSION).unwrap(),
        top_k: TOP,
    }
}

fn ids(hits: &[VectorHit]) -> BTreeSet<&Id> {
    hits.iter().map(|hit| &hit.id).collect()
}

fn rare() -> Filter {
    let object = json!({"memory_type": "rare"});
    Filter::parse(object.as_object().unwrap(), &ScopeSchema::default()).unwrap()
}

const VALID: &str = "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                     WHERE c.relname LIKE 'memu_nearest%' AND i.indisvalid";
const SCANS: &str = "SELECT sum(idx_scan) FROM pg_stat_user_indexes \
                     WHERE indexrelname LIKE 'memu_nearest%'";

/// Waits until a statement finds more than nothing.
async fn wait_for(database: &Database, sql: &str) {
    while tokio::task::block_in_place(|| database.value(sql)) == "0" {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How many of the nearest are found, of all that are.
async fn recall(
    [quick, exact]: [&PostgresStore; 2],
    scopes: &[Scope],
    questions: &[Vec<f32>],
    filter: &Filter,
) -> f64 {
    let mut found = 0;
    for question in questions {
        let query = query(scopes, question, filter);
        let (hits, all) = tokio::join!(quick.search(&query), exact.search(&query));
        let (hits, all) = (hits.unwrap(), all.unwrap());
        assert_eq!(
            (hits.len(), all.len()),
            (TOP, TOP),
            "an answer that is not full"
        );
        assert!(hits.is_sorted_by(|one, next| one.score >= next.score));
        found += ids(&hits).intersection(&ids(&all)).count();
    }
    found as f64 / (TOP * questions.len()) as f64
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_finds_nearly_all_of_two_kinds_of_vectors() {
    let test = "searching::the_index_finds_nearly_all_of_two_kinds_of_vectors";
    let Some(database) = database(test) else {
        return;
    };
    let dsn = database.as_plain_user();
    let store = open(dsn).await;
    let data = [
        Data::new("gauss", 1, gaussian),
        Data::new("clusters", 2, clustered),
    ];
    let few = Data::new("few", 3, gaussian);
    for data in &data {
        data.store(&store, MANY).await;
    }
    few.store(&store, FEW).await;
    wait_for(&database, VALID).await;

    let mut options = Options::new(dsn);
    options.exact_search = true;
    let exact = open_with(options).await;
    let stores = [&store, &exact];
    let (gauss, clusters) = (data[0].scope(), data[1].scope());
    let both = [gauss.clone(), clusters.clone()];
    let mut figures = Vec::new();
    for (what, scopes, data, filter) in [
        ("gaussian", &both[..1], &data[0], Filter::default()),
        ("clustered", &both[1..], &data[1], Filter::default()),
        ("gaussian in both", &both[..], &data[0], Filter::default()),
        ("clustered in both", &both[..], &data[1], Filter::default()),
        ("rare gaussian", &both[..1], &data[0], rare()),
        ("rare clustered", &both[1..], &data[1], rare()),
    ] {
        let recall = recall(stores, scopes, &data.questions(), &filter).await;
        figures.push((what, recall));
    }
    assert!(
        figures.iter().all(|(_, recall)| *recall >= 0.98),
        "{figures:?}"
    );
    wait_for(&database, SCANS).await;
    // Small scopes are looked at in full.
    let recall_of_few = recall(stores, &[few.scope()], &few.questions(), &Filter::default()).await;
    assert!(recall_of_few >= 1.0, "{recall_of_few}");

    changes_are_followed(&store, &data[0]).await;
    broken_indexes_are_mended(&database, &store, [&gauss], &data[0].questions()[0]).await;
}

/// Stores enough for an index in one scope.
pub(crate) async fn many(store: &PostgresStore) -> Scope {
    let data = Data::new("many", 2, clustered);
    data.store(store, MANY).await;
    data.scope()
}

/// Panics unless nearly all of the nearest are found that one who looks at all finds.
pub(crate) async fn assert_nearly_exact(stores: [&PostgresStore; 2], scope: &Scope) {
    let questions = Data::new("many", 2, clustered).questions();
    let scope = std::slice::from_ref(scope);
    let recall = recall(stores, scope, &questions, &Filter::default()).await;
    assert!(recall >= 0.98, "{recall}");
}

/// What is deleted is found no more, and what has another vector is found by that.
async fn changes_are_followed(store: &PostgresStore, data: &Data) {
    let scope = [data.scope()];
    for question in data.questions().iter().take(5) {
        let query = query(&scope, question, &Filter::default());
        let hits = store.search(&query).await.unwrap();
        let gone = hits.iter().map(|hit| Write::DeleteItem(hit.id.clone()));
        store.commit(data.make.batch(gone.collect())).await.unwrap();
        let rest = store.search(&query).await.unwrap();
        assert_eq!(rest.len(), TOP);
        assert!(ids(&rest).is_disjoint(&ids(&hits)));
        let moved = OwnedEmbedding {
            kind: OwnerKind::Item,
            owner: rest[TOP - 1].id.clone(),
            vector: query.vector.clone(),
        };
        let write = Write::Embeddings(identity(), vec![moved]);
        store.commit(data.make.batch(vec![write])).await.unwrap();
        let again = store.search(&query).await.unwrap();
        assert_eq!(again[0].id, rest[TOP - 1].id);
        assert!(again[0].score > 0.999, "{}", again[0].score);
    }
}

async fn broken_indexes_are_mended(
    database: &Database,
    store: &PostgresStore,
    scopes: [&Scope; 1],
    question: &[f32],
) {
    let query = query(&scopes.map(Clone::clone), question, &Filter::default());
    let before = store.search(&query).await.unwrap();
    // As a process leaves it that is killed while it makes one.
    database.rows(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = \
         (SELECT oid FROM pg_class WHERE relname LIKE 'memu_nearest%')",
    );
    let severity = |report: memu_core::store::Report| report.severity();
    assert_eq!(
        severity(store.check(false).await.unwrap()),
        Severity::Warning
    );
    for store in [store, &open(database.as_plain_user()).await] {
        let hits = store.search(&query).await.unwrap();
        assert!(ids(&hits).intersection(&ids(&before)).count() >= TOP - 1);
    }
    let report = store.check(true).await.unwrap();
    assert!(
        report.findings.iter().any(|finding| finding.repaired),
        "{report:?}"
    );
    assert_eq!(database.value(VALID), "1");
}

/// Above 2,000 dimensions the index holds halves of the numbers.
#[tokio::test(flavor = "multi_thread")]
async fn long_vectors_have_an_index_of_halves() {
    const LONG: u32 = 2_001;
    let Some(database) = database("searching::long_vectors_have_an_index_of_halves") else {
        return;
    };
    // What does not fit into that is made very slowly.
    let name = database.name();
    database.rows(&format!(
        "ALTER DATABASE {name} SET maintenance_work_mem = '256MB'"
    ));
    let store = open(database.as_plain_user()).await;
    let make = Maker::new(user("ann").unwrap(), 1);
    let item = make.item("event", "");
    let identity = EmbedderIdentity {
        dimension: LONG,
        ..identity()
    };
    let vector = |values: Vec<f32>| Embedding::checked(values, LONG).unwrap();
    let owned = OwnedEmbedding {
        kind: OwnerKind::Item,
        owner: item.meta.id.clone(),
        vector: vector(vec![0.5; LONG as usize]),
    };
    let writes = vec![
        Write::Item(item),
        Write::Embeddings(identity.clone(), vec![owned]),
    ];
    store.commit(make.batch(writes)).await.unwrap();
    // So much is made on the server: eight numbers, again and again.
    database.rows(
        "INSERT INTO memory_items SELECT (jsonb_populate_record(m, jsonb_build_object( \
         'place', nextval('memu_places'), 'id', 'more ' || g))).* \
         FROM memory_items m, generate_series(1, 20100) g; \
         INSERT INTO memu_vectors_1 SELECT m.scope_key, 2, m.place, ('[' || repeat( \
         (SELECT string_agg(round(random()::numeric, 3)::text, ',') || ',' \
         FROM generate_series(1, 8) WHERE m.place > 0), 250) || '0.5]')::vector \
         FROM memory_items m WHERE m.id LIKE 'more %'",
    );
    let report = store.check(true).await.unwrap();
    assert!(
        report
            .findings
            .iter()
            .any(|one| one.check == "nearest" && one.repaired),
        "{report:?}"
    );
    let made = database.value("SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'memu_nea%'");
    assert!(made.contains("halfvec_cosine_ops"), "{made}");
    let mut options = Options::new(database.as_plain_user());
    options.exact_search = true;
    let exact = open_with(options).await;
    let mut dice = Dice::new(1);
    let mut found = 0;
    for _ in 0..5 {
        let eight: Vec<f32> = (0..8).map(|_| dice.below(1_000) as f32 / 1_000.0).collect();
        let values = eight.iter().copied().cycle().take(LONG as usize).collect();
        let query = VectorQuery {
            identity: identity.clone(),
            vector: vector(values),
            ..query(
                &[make.scope().clone()],
                &[1.0; DIMENSION as usize],
                &Filter::default(),
            )
        };
        let (hits, all) = (
            store.search(&query).await.unwrap(),
            exact.search(&query).await.unwrap(),
        );
        assert_eq!((hits.len(), all.len()), (TOP, TOP));
        found += ids(&hits).intersection(&ids(&all)).count();
    }
    assert!(found >= 49, "{found} of 50");
    wait_for(&database, SCANS).await;
}
