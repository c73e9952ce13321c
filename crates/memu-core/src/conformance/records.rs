//! What is stored comes back as it was.

use jiff::civil;
use serde_json::{Map, json};

use super::fixtures::{Maker, World, identity, user};
use super::verdict::{ensure, refused, same};
use super::{Harness, Snapshot, Verdict};
use crate::error::ErrorKind;
use crate::records::{
    Blob, ContentHash, EmbedderIdentity, Id, MemoryItem, Meta, Modality, Role, Segment, Span,
};
use crate::scope::ScopeSchema;
use crate::store::{Query, ScopeData, StoreExt, Write};
use crate::time::{Precision, Timestamp, When};

/// The same circumstances with nothing left out.
fn full(meta: Meta) -> Meta {
    Meta {
        created_at: Timestamp::from_micros(-1),
        updated_at: Timestamp::from_micros(1_772_352_000_123_456),
        valid_from: Some(Timestamp::from_micros(1_000_001)),
        valid_to: Some(Timestamp::from_micros(2_000_002)),
        superseded_by: Some(Id::from("a-later-record")),
        ..meta
    }
}

fn nested_details() -> Map<String, serde_json::Value> {
    let details = json!({
        "reinforcement_count": 3,
        "metadata": {"deep": [{"er": [null, true, -7, 0.25, u64::MAX]}], "": "empty key"},
        "tool_calls": [{"name": "search", "arguments": {"q": "caf\u{e9}"}}],
        "text": "line\nbreak \u{0} nul",
    });
    details.as_object().cloned().unwrap_or_default()
}

fn full_segment(segment: Segment) -> Segment {
    Segment {
        meta: full(segment.meta.clone()),
        session: 3,
        topic: 5,
        speaker: Some("Zoë".into()),
        message_id: Some("D1:3".into()),
        caption: Some("a dog on a sofa".into()),
        span: Some(Span { start: 7, end: 99 }),
        happened_at: Some(civil::date(2023, 5, 8).at(13, 56, 7, 250_000_000)),
        happened_at_text: Some("2023-05-08T13:56:07.25+02:00".into()),
        ..segment
    }
}

pub(super) async fn every_field_is_kept(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 1);
    let mut world = World::new(&make)?;
    world.chat.meta = full(world.chat.meta);
    world.chat.local_path = "blobs/ab/cd".into();
    world.chat.caption = Some("about coffee".into());
    world.hello = full_segment(world.hello);
    world.plans.role = None;
    world.passage.role = Some(Role::Tool);
    world.trip.meta = full(world.trip.meta);
    world.trip.extra = nested_details();
    world.tastes.meta = full(world.tastes.meta);
    world.tastes.summary = Some("They like coffee.".into());
    for relation in &mut world.relations {
        relation.meta = full(relation.meta.clone());
    }
    store.commit(make.batch(world.writes())).await?;
    let expected = Snapshot::of_data(&world.model(&make)?, &identity());
    let found = Snapshot::of(&*store, make.scope(), &identity()).await?;
    same("the scope", &found, &expected)?;
    let sets = store.embedding_sets().await?;
    let identities: Vec<&EmbedderIdentity> = sets.iter().map(|set| &set.identity).collect();
    same("the embedding sets", &identities, &vec![&identity()])
}

pub(super) async fn strange_text_is_kept_faithfully(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("O'Brien; -- \u{1F600}")?, 2);
    let texts = [
        String::new(),
        " ".into(),
        "a\u{0}b\u{0}".into(),
        "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467} e\u{301} \u{202E}right to left".into(),
        "it's \"quoted\" 100% of_the {x} ; DROP TABLE \\ \r\n\t".into(),
        "\u{10FFFF}\u{FEFF}\u{FFFD}".into(),
        "long \u{1F600} ".repeat(100_000),
    ];
    let resource = make.resource("file:///it's%20here?\u{0}#x");
    let mut writes = vec![Write::Resource(resource.clone())];
    for (ordinal, text) in (0..).zip(&texts) {
        let segment = make.segment(&resource, ordinal, text);
        let mut item = make.item("a type of its own", text);
        item.extra
            .insert(text.chars().take(9).collect(), text.as_str().into());
        item.segment_ids = vec![segment.meta.id.clone()];
        let mut category = make.category(text);
        category.summary = Some(text.clone());
        let relation = make.relation(&item, &category);
        writes.extend([
            Write::Segments(vec![segment]),
            Write::Item(item),
            Write::Category(category),
            Write::Relation(relation),
        ]);
    }
    let batch = make.batch(writes);
    let mut model = ScopeData::new(make.scope().clone());
    model.apply(&batch)?;
    store.commit(batch).await?;
    let found = Snapshot::of(&*store, make.scope(), &identity()).await?;
    same("the scope", &found, &Snapshot::of_data(&model, &identity()))
}

pub(super) async fn every_precision_of_time_is_kept(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 3);
    let start = civil::date(1969, 12, 31).at(23, 59, 58, 0);
    let end = civil::date(2024, 2, 29).at(12, 0, 0, 500_000_000);
    let mut items = Vec::new();
    for precision in [
        Precision::Year,
        Precision::Season,
        Precision::Month,
        Precision::Week,
        Precision::Day,
        Precision::Minute,
    ] {
        for end in [None, Some(end)] {
            let happened = Some(When {
                start,
                end,
                precision,
            });
            items.push(MemoryItem {
                happened,
                ..make.item("event", precision.as_str())
            });
        }
    }
    let writes = items.iter().cloned().map(Write::Item).collect();
    store.commit(make.batch(writes)).await?;
    let found = store.items(&Query::scope(make.scope())).await?.records;
    let times = |items: &[MemoryItem]| -> Vec<_> { items.iter().map(|i| i.happened).collect() };
    same("the times", &times(&found), &times(&items))
}

pub(super) async fn ids_chosen_by_callers_are_kept(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 4);
    let long = "x".repeat(256);
    // One id may name a record of each kind.
    for id in ["1", "A", "a", "%_'\" \u{e9}", "d1b2-", &long] {
        let id = Id::checked(id)?;
        let mut resource = make.resource(&format!("file:///{id}"));
        let mut segment = make.segment(&resource, 0, "text");
        let mut item = make.item("event", "summary");
        let mut category = make.category("name");
        let mut relation = make.relation(&item, &category);
        for owned in [
            &mut resource.meta,
            &mut segment.meta,
            &mut item.meta,
            &mut category.meta,
            &mut relation.meta,
        ] {
            owned.id = id.clone();
        }
        segment.resource_id = id.clone();
        relation.item_id = id.clone();
        relation.category_id = id.clone();
        item.segment_ids = vec![id.clone()];
        let writes = vec![
            Write::Resource(resource),
            Write::Segments(vec![segment]),
            Write::Item(item),
            Write::Category(category),
            Write::Relation(relation),
        ];
        store.commit(make.batch(writes)).await?;
        let scope = make.scope();
        let found = [
            store.resource(scope, &id).await?.map(|one| one.meta.id),
            store.segment(scope, &id).await?.map(|one| one.meta.id),
            store.item(scope, &id).await?.map(|one| one.meta.id),
            store.category(scope, &id).await?.map(|one| one.meta.id),
            store.relation(scope, &id).await?.map(|one| one.meta.id),
        ];
        same(
            "the ids",
            &found,
            &std::array::from_fn(|_| Some(id.clone())),
        )?;
    }
    Ok(())
}

pub(super) async fn content_is_kept_once_and_checked(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 5);
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let mut resource = make.resource("file:///bytes");
    resource.content_hash = ContentHash::of(&bytes);
    resource.modality = Modality::Audio;
    let blob = Blob {
        hash: resource.content_hash,
        bytes: bytes.into(),
    };
    let writes = vec![
        Write::Blob(blob.clone()),
        Write::Blob(blob.clone()),
        Write::Resource(resource),
    ];
    store.commit(make.batch(writes)).await?;
    let again = store
        .commit(make.batch(vec![Write::Blob(blob.clone())]))
        .await?;
    same("the end of the log", &again.seq, &1)?;
    let found = store.blob(make.scope(), &blob.hash).await?;
    ensure(found.as_ref() == Some(&blob), || {
        "the content differs".into()
    })?;
    let elsewhere = store.blob(&user("bob")?, &blob.hash).await?;
    ensure(elsewhere.is_none(), || "bob reads alice's content".into())?;
    let forged = Blob {
        hash: blob.hash,
        bytes: b"other"[..].into(),
    };
    let result = store.commit(make.batch(vec![Write::Blob(forged)])).await;
    refused("content under another hash", result, &[ErrorKind::Input])?;
    Ok(())
}

pub(super) async fn a_conversation_grows(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 6);
    let world = World::new(&make)?;
    store.commit(make.batch(world.writes())).await?;
    let scope = make.scope();
    for round in 1..=5_u32 {
        let mut chat = store
            .resource(scope, &world.chat.meta.id)
            .await?
            .unwrap_or_else(|| world.chat.clone());
        let text = format!("message {round}");
        let segment = make.segment(&chat, chat.segment_count, &text);
        let mut item = make.item("event", &text);
        item.resource_id = Some(chat.meta.id.clone());
        item.segment_ids = vec![segment.meta.id.clone(), world.hello.meta.id.clone()];
        chat.segment_count += 1;
        chat.content_hash = ContentHash::of(text.as_bytes());
        let blob = Blob {
            hash: chat.content_hash,
            bytes: text.as_bytes().into(),
        };
        let writes = vec![
            Write::Blob(blob),
            Write::Resource(chat),
            Write::Segments(vec![segment]),
            Write::Item(item),
        ];
        store.commit(make.batch(writes)).await?;
    }
    let data = ScopeData::load(&*store, scope).await?;
    let chat = data.resource(&world.chat.meta.id);
    let state = chat.map(|chat| (chat.meta.revision, chat.segment_count));
    same("revision and segment count", &state, &Some((6, 7)))?;
    let ordinals: Vec<u32> = data
        .segments_of_resource(&world.chat.meta.id)
        .map(|segment| segment.ordinal)
        .collect();
    same("the ordinals", &ordinals, &(0..7).collect())?;
    let citing = data.items_citing(&world.hello.meta.id).count();
    same("the items that cite the first message", &citing, &7)?;
    let blob = store.blob(scope, &world.chat.content_hash).await?;
    ensure(blob.is_none(), || "the first content is still there".into())
}

pub(super) async fn a_scope_is_loaded_whole(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 7);
    let world = World::new(&make)?;
    store.commit(make.batch(world.writes())).await?;
    let loaded = ScopeData::load_with_vectors(&*store, make.scope(), &identity()).await?;
    let mut found = Snapshot::of_data(&loaded, &identity());
    let mut expected = Snapshot::of_data(&world.model(&make)?, &identity());
    // Neither the log nor content is loaded.
    (expected.changes, expected.blobs) = (Vec::new(), Vec::new());
    found.blobs.clear();
    expected.model_replies.clear();
    same("the loaded scope", &found, &expected)?;
    let position = store.log_position(make.scope()).await?;
    ensure(loaded.log_position() == position, || {
        "it is not current".into()
    })?;
    let writes = vec![Write::Category(make.category("more"))];
    let committed = store.commit(make.batch(writes)).await?;
    ensure(loaded.log_position().seq != committed.seq, || {
        "it is still current after a change".into()
    })
}
