//! Every statement about rows of scopes names the scopes, so that a cluster sends it to where
//! those lie, and nothing that one scope does costs for another.

use std::collections::BTreeSet;

use memu_core::conformance::fixtures::{Maker, World, identity, user, vector};
use memu_core::filter::Filter;
use memu_core::records::{OwnerKind, ReplyState};
use memu_core::scope::ScopeSchema;
use memu_core::store::{
    BuiltScope, BuiltVector, Query, RecordIds, Select, Store, VectorQuery, Write,
};
use memu_postgres::{Options, PostgresStore};
use memu_testkit::postgres::Server;
use serde_json::json;

use crate::support::{Three, open_with};

/// Statements that are about the store as a whole: how they begin, and why.
const OF_THE_WHOLE_STORE: &[(&str, &str)] = &[
    ("CREATE ", "opening makes tables"),
    ("ALTER TABLE ", "opening refers tables to others"),
    ("DROP TABLE ", "a replaced set that comes back"),
    ("VACUUM ", "after scopes were cleared"),
    (
        "SELECT t.seq, t.\"user_id\" FROM memu_scopes t WHERE (t.seq > 0 OR EXISTS",
        "the list of scopes",
    ),
    (
        "SELECT t.life, t.seq, t.derived_seq, t.\"user_id\" FROM memu_scopes t ORDER BY",
        "a check, and putting a set into use, look at every scope",
    ),
    ("SELECT count(*) FROM ", "a check counts"),
    ("SELECT pg_total_relation_size('", "a check measures"),
    (
        "SELECT 1 FROM memu_vectors_",
        "whether a replaced set is empty",
    ),
    (
        "SELECT scope_key, owner_kind FROM memu_vectors_",
        "a replaced set goes, scope by scope",
    ),
    ("SELECT c.relrowsecurity FROM pg_class", "the catalog"),
];

/// Whether a statement names the scopes by a parameter.
fn names_scopes(sql: &str) -> bool {
    let filtered = ["scope_key = $", "scope_key = ANY($"];
    let inserted = ["(scope_key, ", " VALUES ($1", " SELECT $1"];
    filtered.iter().any(|part| sql.contains(part))
        || sql.starts_with("INSERT INTO ")
            && sql.contains(inserted[0])
            && inserted[1..].iter().any(|part| sql.contains(part))
}

async fn work(store: &PostgresStore) {
    let scopes = ["ann", "bob"].map(|name| user(name).unwrap());
    let makers = [1, 2].map(|seed| Maker::new(scopes[seed as usize - 1].clone(), seed));
    let worlds = [0, 1].map(|at| World::new(&makers[at]).unwrap());
    for (make, world) in makers.iter().zip(&worlds) {
        work_on(store, make, world).await;
    }
    let world = &worlds[0];
    read(store, world, &scopes[..1]).await;
    read(store, world, &scopes).await;
    build(store, &makers, &worlds).await;
    seal(store, &makers[0], world).await;
    change(store, &makers[0], world).await;
    store.scopes(&Filter::default(), 10).await.unwrap();
    store.check(false).await.unwrap();
    store.check(true).await.unwrap();
    store.clear(&scopes).await.unwrap();
}

/// Puts a world into a scope, and reads of it whatever is about one scope.
pub(crate) async fn work_on(store: &PostgresStore, make: &Maker, world: &World) {
    let mut writes = world.writes();
    writes.push(Write::ModelUsage(make.model_usage(1)));
    store.commit(make.batch(writes)).await.unwrap();
    let outline = store.outline(make.scope(), None).await.unwrap();
    let three = Three::new(make, "more");
    store.commit(three.batch(make)).await.unwrap();
    store.outline(make.scope(), Some(outline)).await.unwrap();
    store.log_position(make.scope()).await.unwrap();
    store.changes(make.scope(), 0, 10).await.unwrap();
    let day = make.model_usage(0).day;
    store.model_usage(make.scope(), day).await.unwrap();
    let hash = world.blobs[0].hash;
    store.blob(make.scope(), &hash).await.unwrap();
    let ids = RecordIds {
        resources: vec![world.chat.meta.id.clone()],
        segments: vec![world.hello.meta.id.clone()],
        items: vec![world.trip.meta.id.clone()],
        categories: vec![world.travel.meta.id.clone()],
    };
    store.records(make.scope(), &ids).await.unwrap();
    let owners = std::slice::from_ref(&world.coffee.meta.id);
    let kind = OwnerKind::Item;
    store
        .embeddings(make.scope(), &identity(), kind, owners)
        .await
        .unwrap();
    let unused = Maker::new(user("nobody").unwrap(), 9);
    store.commit(unused.batch(Vec::new())).await.unwrap();
}

/// Stores so much that it is sealed, asks for all of that, and changes it. Two records make a
/// part.
pub(crate) async fn seal(store: &PostgresStore, make: &Maker, world: &World) {
    let scope = make.scope();
    let sealing = Store::sealed(store).unwrap();
    let mut known = None;
    for round in 0..6 {
        let mut resource = make.resource(&format!("file:///{round}"));
        resource.segment_count = 4;
        let segments =
            (0..4).map(|ordinal| make.segment(&resource, ordinal, "It rains on Mondays"));
        let segments: Vec<_> = segments.collect();
        let items = (0..4).map(|number| make.item("event", &format!("{number} boats left")));
        let items: Vec<_> = items.collect();
        let mut changed = items[0].clone();
        let gone = items[1].meta.id.clone();
        let mut writes = vec![Write::Resource(resource), Write::Segments(segments)];
        writes.extend(items.into_iter().map(Write::Item));
        store.commit(make.batch(writes)).await.unwrap();
        known = sealing.sealed(scope, known).await.unwrap().1;
        changed.meta.revision = 1;
        changed.summary.push_str(" the harbour");
        let writes = vec![Write::Item(changed), Write::DeleteItem(gone)];
        store.commit(make.batch(writes)).await.unwrap();
        known = sealing.sealed(scope, known).await.unwrap().1;
    }
    let known = known.unwrap();
    let wanted: Vec<_> = known.parts.iter().map(|part| (part.name, 0)).collect();
    let buckets = sealing.buckets(scope, &wanted).await.unwrap().unwrap();
    assert!(buckets.len() > 2);
    let first = wanted[0].0.first_place;
    assert_eq!(sealing.around(scope, &[first]).await.unwrap().len(), 1);
    assert_eq!(sealing.segments(scope, &[first]).await.unwrap().len(), 1);
    sealing.items(scope, &[], &[first]).await.unwrap();
    sealing.hung_on(scope, &[1], &[1]).await.unwrap();
    let outline = store.outline(scope, None).await.unwrap();
    assert!(
        outline
            .outline
            .resources
            .iter()
            .any(|one| one.id == world.chat.meta.id)
    );
}

/// Changes and deletes of every kind.
pub(crate) async fn change(store: &PostgresStore, make: &Maker, world: &World) {
    let mut changed = world.coffee.clone();
    changed.meta.revision = 1;
    changed.summary.push_str(" no more");
    for write in [
        Write::Item(changed),
        Write::DeleteRelation {
            item_id: world.trip.meta.id.clone(),
            category_id: world.tastes.meta.id.clone(),
        },
        Write::DeleteModelReply(world.babble.meta.id.clone()),
        Write::DeleteItem(world.walks.meta.id.clone()),
        Write::DeleteCategory(world.travel.meta.id.clone()),
        Write::DeleteResource(world.chat.meta.id.clone()),
    ] {
        store.commit(make.batch(vec![write])).await.unwrap();
    }
}

/// Reads pages and searches of every kind.
pub(crate) async fn read(store: &PostgresStore, world: &World, scopes: &[memu_core::scope::Scope]) {
    let filters = [
        json!({}),
        json!({"memory_type": "event", "modality": "conversation"}),
        json!({"category": "travel", "happened_at__gte": "2023"}),
        json!({"resource_id__ne": "none", "created_at__lt": "2030-01-01"}),
    ];
    let chat = vec![world.chat.meta.id.clone()];
    let trip = vec![world.trip.meta.id.clone()];
    let selects = [
        Select::All,
        Select::Ids(trip.clone()),
        Select::IdPrefixes(vec!["a".to_owned()]),
        Select::OfResources(chat),
        Select::CitingSegments(vec![world.hello.meta.id.clone()]),
        Select::OfItems(trip),
        Select::OfCategories(vec![world.travel.meta.id.clone()]),
        Select::Content(world.chat.content_hash, world.chat.modality),
        Select::Names(vec!["travel".to_owned()]),
        Select::ReplyStates(vec![ReplyState::Received]),
        Select::Requests(vec![world.summary.request_hash]),
    ];
    for filter in &filters {
        let object = filter.as_object().unwrap();
        let filter = Filter::parse(object, &ScopeSchema::default()).unwrap();
        for select in &selects {
            let mut query = Query::scope(&scopes[0]).select(select.clone());
            query.scopes = scopes.to_vec();
            query.filter = filter.clone();
            query.limit = 2;
            let page = store.items(&query).await.unwrap();
            store.resources(&query).await.unwrap();
            store.segments(&query).await.unwrap();
            store.categories(&query).await.unwrap();
            store.relations(&query).await.unwrap();
            store.model_replies(&query).await.unwrap();
            store.ids(OwnerKind::Item, &query).await.unwrap();
            query.after = page.next;
            store.items(&query).await.unwrap();
        }
        for kind in [OwnerKind::Item, OwnerKind::Category, OwnerKind::Segment] {
            let query = VectorQuery {
                scopes: scopes.to_vec(),
                filter: filter.clone(),
                kind,
                identity: identity(),
                vector: vector(kind, &world.trip.meta.id, [1.0, 0.0, 0.0, 1.0])
                    .unwrap()
                    .vector,
                top_k: 3,
            };
            store.search(&query).await.unwrap();
        }
    }
}

/// Puts another set in the place of the first, drops that, and begins it anew.
async fn build(store: &PostgresStore, makers: &[Maker], worlds: &[World]) {
    let mut later = identity();
    later.model.push_str(", later");
    store.begin_set(&later).await.unwrap();
    let mut built = Vec::new();
    for (make, world) in makers.iter().zip(worlds) {
        let position = store.log_position(make.scope()).await.unwrap();
        let owned = vector(OwnerKind::Item, &world.trip.meta.id, [1.0, 0.0, 0.0, 1.0]).unwrap();
        let vectors = vec![BuiltVector { owned, revision: 1 }];
        store
            .build_vectors(make.scope(), &later, vectors)
            .await
            .unwrap();
        built.push(BuiltScope {
            scope: make.scope().clone(),
            position,
        });
    }
    let behind = store.activate_set(&later, built).await.unwrap();
    assert!(behind.is_empty());
    while store.drop_replaced(2).await.unwrap() > 0 {}
    store.begin_set(&identity()).await.unwrap();
}

#[test]
fn every_statement_about_rows_of_scopes_names_the_scopes() {
    let builder = Server::builder()
        .setting("log_statement", "all")
        .setting("log_line_prefix", "\u{1}%a\u{2}");
    let Some(server) =
        builder.start("routing::every_statement_about_rows_of_scopes_names_the_scopes")
    else {
        return;
    };
    let database = server.database();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let tables: Vec<String> = runtime.block_on(async {
        let mut options = Options::new(database.as_plain_user());
        options.part_records = 2;
        let store = open_with(options).await;
        work(&store).await;
        // Those of vectors are named without their number.
        let tables = database.rows(
            "SELECT DISTINCT rtrim(c.relname, '0123456789') FROM pg_class c \
             JOIN pg_attribute a ON a.attrelid = c.oid \
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' \
             AND a.attname = 'scope_key'",
        );
        tables.into_iter().flatten().flatten().collect()
    });
    assert_eq!(tables.len(), 17, "{tables:?}");
    let log = server.log();
    let ours = log
        .split('\u{1}')
        .filter_map(|line| line.strip_prefix("memu\u{2}"));
    let statements = ours.filter_map(|line| {
        let (_, said) = line.split_once("LOG:  ")?;
        let (kind, sql) = said.split_once(": ")?;
        (kind.starts_with("execute ") || kind == "statement").then(|| sql.trim())
    });
    let statements: BTreeSet<&str> = statements
        .flat_map(|sql| {
            if sql.starts_with("CREATE ") {
                vec![sql]
            } else {
                sql.split("; ").collect()
            }
        })
        .collect();
    let about: Vec<&&str> = statements
        .iter()
        .filter(|sql| tables.iter().any(|table| sql.contains(table.as_str())))
        .collect();
    assert!(about.len() > 100, "{} statements", about.len());
    let mut met = BTreeSet::new();
    let mut unnamed = Vec::new();
    for sql in about.into_iter().filter(|sql| !names_scopes(sql)) {
        let known = OF_THE_WHOLE_STORE
            .iter()
            .find(|(start, _)| sql.starts_with(start));
        match known {
            Some((start, _)) => {
                met.insert(*start);
            }
            None => unnamed.push(sql),
        }
    }
    assert!(unnamed.is_empty(), "{unnamed:#?}");
    let unmet = OF_THE_WHOLE_STORE
        .iter()
        .filter(|(start, _)| !met.contains(start));
    let unmet: Vec<_> = unmet.collect();
    assert!(unmet.is_empty(), "never seen: {unmet:?}");
}
