//! Very much, very long, and very odd: what is stored comes back as it was.

use memu_core::conformance::fixtures::{Maker, user};
use memu_core::records::{
    Blob, ContentHash, EmbedderIdentity, Embedding, OwnedEmbedding, OwnerKind,
};
use memu_core::scope::ScopeSchema;
use memu_core::store::{Query, Store, VectorQuery, Write};
use memu_core::time::{Precision, Timestamp, When, civil};
use memu_core::{ErrorKind, filter::Filter};
use memu_postgres::PostgresStore;
use memu_testkit::postgres::database;
use serde_json::json;

use crate::support::{assert_sound, counts, open, whole_log};

#[tokio::test(flavor = "multi_thread")]
async fn long_messages_and_large_batches_are_stored() {
    let Some(database) = database("holding::long_messages_and_large_batches_are_stored") else {
        return;
    };
    let store = open(database.as_plain_user()).await;
    let make = Maker::new(user("ann").unwrap(), 1);
    // A message of 10 MB, of words that differ.
    let words: Vec<String> = (0..1_200_000).map(|word| format!("w{word}")).collect();
    let long = words.join(" ");
    let resource = memu_core::records::Resource {
        segment_count: 1,
        ..make.resource("file:///long.txt")
    };
    let segment = make.segment(&resource, 0, &long);
    // Content of 20 MB that cannot be made smaller.
    let mut dice = crate::support::Dice::new(5);
    let bytes: Vec<u8> = (0..2_500_000)
        .flat_map(|_| dice.below(u64::MAX).to_le_bytes())
        .collect();
    let mut large = make.resource("file:///large.bin");
    large.content_hash = ContentHash::of(&bytes);
    let blob = Blob {
        hash: large.content_hash,
        bytes: bytes.into(),
    };
    let writes = vec![
        Write::Resource(resource),
        Write::Segments(vec![segment.clone()]),
        Write::Blob(blob.clone()),
        Write::Resource(large),
    ];
    store.commit(make.batch(writes)).await.unwrap();
    let all = Query::scope(make.scope());
    let found = store.segments(&all).await.unwrap().records;
    assert!(found[0].text == long, "another text");
    let found = store.blob(make.scope(), &blob.hash).await.unwrap().unwrap();
    assert!(found == blob, "other content");
    assert_sound(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_items_come_and_go_in_one_batch() {
    let Some(database) = database("holding::thousands_of_items_come_and_go_in_one_batch") else {
        return;
    };
    let store = open(database.as_plain_user()).await;
    let make = Maker::new(user("ann").unwrap(), 1);
    let category = make.category("everything");
    let mut writes = vec![Write::Category(category.clone())];
    for number in 0..5_000 {
        let item = make.item("event", &format!("number {number} happened"));
        writes.push(Write::Relation(make.relation(&item, &category)));
        writes.insert(1, Write::Item(item));
    }
    store.commit(make.batch(writes)).await.unwrap();
    assert_eq!(counts(&store, make.scope()).await, [5_000, 1, 5_000]);
    assert_sound(&store).await;
    let gone = Write::DeleteCategory(category.meta.id.clone());
    store.commit(make.batch(vec![gone])).await.unwrap();
    assert_eq!(counts(&store, make.scope()).await, [5_000, 0, 0]);
    assert_eq!(whole_log(&store, make.scope()).await.len(), 15_002);
    assert_sound(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_scopes_are_asked_at_once() {
    let Some(database) = database("holding::hundreds_of_scopes_are_asked_at_once") else {
        return;
    };
    let store = open(database.as_plain_user()).await;
    let mut scopes = Vec::new();
    for number in 0..200 {
        let make = Maker::new(user(&format!("user {number}")).unwrap(), number);
        let item = make.item("event", &format!("number {number} happened"));
        store
            .commit(make.batch(vec![Write::Item(item)]))
            .await
            .unwrap();
        scopes.push(make.scope().clone());
    }
    let mut query = Query::scope(&scopes[0]);
    query.scopes = scopes;
    let found = store.items(&query).await.unwrap().records;
    assert_eq!(found.len(), 200);
    assert!(
        found
            .iter()
            .zip(&query.scopes)
            .all(|(item, scope)| item.meta.scope == *scope)
    );
}

const ODD: &str =
    "a\0b \u{FDD0}0 \u{FDD0}\0\u{FDD0}1 \u{10FFFF} \u{1F980} \\0 \\u0000 'x' \"y\" $1";

#[tokio::test(flavor = "multi_thread")]
async fn odd_characters_come_back_from_everywhere() {
    let Some(database) = database("holding::odd_characters_come_back_from_everywhere") else {
        return;
    };
    let store = open(database.as_plain_user()).await;
    let scope = ScopeSchema::default().scope([("user_id", ODD)]);
    // Where scopes do not allow that, another one serves.
    let scope = scope.unwrap_or_else(|_| user("\u{FDD0}0 'x' \u{10FFFF}").unwrap());
    let make = Maker::new(scope, 1);
    let text = || ODD.to_owned();
    let mut resource = make.resource(ODD);
    resource.local_path = text();
    resource.caption = Some(text());
    resource.external_id = Some(text());
    resource.segment_count = 1;
    let mut segment = make.segment(&resource, 0, ODD);
    segment.speaker = Some(text());
    segment.message_id = Some(text());
    segment.caption = Some(text());
    segment.topic_caption = Some(text());
    segment.happened_at_text = Some(text());
    let mut item = make.item(ODD, ODD);
    item.meta.id = memu_core::records::Id::from("\u{FDD0}0 '\u{10FFFF}");
    item.extra = json!({
        ODD: {"deep": [ODD, {ODD: ODD}]}, "\u{FDD0}": "\0", "": null, "numbers": [
            1, -1, u64::MAX, i64::MIN, 0.1, 1e15, 1e19, 1.5e300, -2.5e-300, 5e-324, 0.0, 1.0,
            123_456_789.123_456_79, f64::MAX, f64::MIN_POSITIVE, 1e22, 9_007_199_254_740_993_u64
        ]
    })
    .as_object()
    .unwrap()
    .clone();
    let mut category = make.category(ODD);
    category.description = text();
    category.summary = Some(text());
    let mut reply = make.model_reply(ODD);
    reply.step = text();
    reply.model = text();
    reply.error = Some(text());
    reply.finish_reason = Some(text());
    reply.usage = item.extra.clone();
    let mut usage = make.model_usage(1);
    usage.profile = text();
    let writes = vec![
        Write::Resource(resource.clone()),
        Write::Segments(vec![segment.clone()]),
        Write::Item(item.clone()),
        Write::Category(category.clone()),
        Write::Relation(make.relation(&item, &category)),
        reply.clone().into(),
        Write::ModelUsage(usage.clone()),
    ];
    store.commit(make.batch(writes)).await.unwrap();
    let all = Query::scope(make.scope());
    let mut found = store.resources(&all).await.unwrap().records;
    found[0].meta.revision = 0;
    assert_eq!(found, [resource]);
    let mut found = store.segments(&all).await.unwrap().records;
    found[0].meta.revision = 0;
    assert_eq!(found, [segment]);
    let mut found = store.items(&all).await.unwrap().records;
    found[0].meta.revision = 0;
    assert_eq!(found[0].extra, item.extra);
    assert_eq!(found, [item]);
    let mut found = store.categories(&all).await.unwrap().records;
    found[0].meta.revision = 0;
    assert_eq!(found, [category]);
    let mut found = store.model_replies(&all).await.unwrap().records;
    found[0].meta.revision = 0;
    assert_eq!(found, [reply]);
    let found = store.model_usage(make.scope(), usage.day).await.unwrap();
    assert_eq!(found, [usage]);
    let scopes = store.scopes(&Filter::default(), 10).await.unwrap();
    assert_eq!(scopes[0].scope, *make.scope());
    assert_sound(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_at_the_edges_come_back_or_are_refused() {
    let Some(database) = database("holding::times_at_the_edges_come_back_or_are_refused") else {
        return;
    };
    let store = open(database.as_plain_user()).await;
    let make = Maker::new(user("ann").unwrap(), 1);
    let mut refused = 0;
    let edges = [
        civil::date(9999, 12, 31).at(23, 59, 59, 0),
        civil::date(1, 1, 1).at(0, 0, 0, 0),
        civil::date(-4712, 1, 1).at(0, 0, 0, 0),
        civil::date(-9999, 1, 1).at(0, 0, 0, 0),
    ];
    for start in edges {
        let mut item = make.item("event", "something");
        item.happened = Some(When {
            start,
            end: None,
            precision: Precision::Minute,
        });
        let before = counts(&store, make.scope()).await;
        match store
            .commit(make.batch(vec![Write::Item(item.clone())]))
            .await
        {
            Ok(_) => {
                let found = store
                    .items(&Query::scope(make.scope()))
                    .await
                    .unwrap()
                    .records;
                assert_eq!(found.last().unwrap().happened, item.happened);
            }
            Err(error) => {
                refused += 1;
                assert_eq!(error.kind(), ErrorKind::Input, "{error:?}");
                assert_eq!(counts(&store, make.scope()).await, before);
            }
        }
    }
    // The server's times begin in 4713 BC.
    assert!(refused <= 1, "{refused}");
    for micros in [i64::MIN, i64::MAX, -377_705_116_800_000_000] {
        let mut item = make.item("event", "something");
        item.meta.created_at = Timestamp::from_micros(micros);
        let before = counts(&store, make.scope()).await;
        match store.commit(make.batch(vec![Write::Item(item)])).await {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Input, "{error:?}");
                assert_eq!(counts(&store, make.scope()).await, before);
            }
        }
    }
    assert_sound(&store).await;
}

/// Vectors that no index holds as they are, or at all, are searched all the same; those that are
/// longer than the server's are refused before anything is made.
#[tokio::test(flavor = "multi_thread")]
async fn long_vectors_are_searched_and_too_long_ones_refused() {
    let test = "holding::long_vectors_are_searched_and_too_long_ones_refused";
    let Some(database) = database(test) else {
        return;
    };
    let store = open(database.as_plain_user()).await;
    for dimension in [2_001, 4_000, 4_001, 16_000] {
        store_long(&store, dimension).await.unwrap();
    }
    let error = store_long(&store, 16_001).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
    assert!(error.message().contains("16000"), "{error:?}");
    assert_sound(&store).await;
}

/// Makes a set the active one, with three vectors, and finds the nearest.
async fn store_long(store: &PostgresStore, dimension: u32) -> memu_core::Result<()> {
    let identity = EmbedderIdentity {
        provider: "test".into(),
        model: format!("of {dimension}"),
        dimension,
    };
    let make = Maker::new(user("ann").unwrap(), u64::from(dimension));
    let vector = |at: u32| {
        let values = (0..dimension).map(|one| if one == at { 1.0 } else { 0.01 });
        Embedding::checked(values.collect(), dimension).unwrap()
    };
    let items = [0, 1, dimension - 1].map(|at| (at, make.item("event", "one")));
    let writes = items
        .iter()
        .map(|(_, item)| Write::Item(item.clone()))
        .collect();
    store.commit(make.batch(writes)).await?;
    let position = store.log_position(make.scope()).await?;
    store.begin_set(&identity).await?;
    let vectors = items
        .iter()
        .map(|(at, item)| memu_core::store::BuiltVector {
            owned: OwnedEmbedding {
                kind: OwnerKind::Item,
                owner: item.meta.id.clone(),
                vector: vector(*at),
            },
            revision: 1,
        });
    let built = store.build_vectors(make.scope(), &identity, vectors.collect());
    assert_eq!(built.await?, 3);
    let built = memu_core::store::BuiltScope {
        scope: make.scope().clone(),
        position,
    };
    assert!(store.activate_set(&identity, vec![built]).await?.is_empty());
    for (at, item) in items {
        let query = VectorQuery {
            scopes: vec![make.scope().clone()],
            filter: Filter::default(),
            kind: OwnerKind::Item,
            identity: identity.clone(),
            vector: vector(at),
            top_k: 1,
        };
        let hits = store.search(&query).await?;
        assert_eq!(hits[0].id, item.meta.id);
        assert!(hits[0].score > 0.9999);
    }
    Ok(())
}
