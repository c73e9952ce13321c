//! Every store filters as the language of filters says.

use std::fmt::Debug;

use jiff::civil;
use serde_json::{Map, Value, json};

use super::fixtures::{Maker, World, identity, user};
use super::verdict::{Failure, same};
use super::{Harness, Snapshot, Verdict};
use crate::filter::Filter;
use crate::records::{CategoryItem, MemoryCategory, MemoryItem, ModelReply, Resource, Segment};
use crate::scope::ScopeSchema;
use crate::store::{Query, ScopeData, Store};
use crate::time::When;

fn parse(filter: &Value) -> Result<Filter, Failure> {
    let none = Map::new();
    let object = filter.as_object().unwrap_or(&none);
    Ok(Filter::parse(object, &ScopeSchema::default())?)
}

/// What a model says a filter finds, in the form of a snapshot.
fn expected(model: &ScopeData, filter: &Filter) -> Snapshot {
    let all = Snapshot::of_data(model, &identity());
    let keep = |one: &Resource| filter.matches(&model.resource_facts(one));
    let resources = all.resources.into_iter().filter(keep).collect();
    let keep = |one: &Segment| filter.matches(&model.segment_facts(one));
    let segments = all.segments.into_iter().filter(keep).collect();
    let keep = |one: &MemoryItem| filter.matches(&model.item_facts(one));
    let items = all.items.into_iter().filter(keep).collect();
    let keep = |one: &MemoryCategory| filter.matches(&model.category_facts(one));
    let categories = all.categories.into_iter().filter(keep).collect();
    let keep = |one: &CategoryItem| filter.matches(&model.relation_facts(one));
    let relations = all.relations.into_iter().filter(keep).collect();
    let keep = |one: &ModelReply| filter.matches(&model.model_reply_facts(one));
    let model_replies = all.model_replies.into_iter().filter(keep).collect();
    Snapshot {
        resources,
        segments,
        items,
        categories,
        relations,
        model_replies,
        ..Snapshot::default()
    }
}

pub(super) async fn found(store: &dyn Store, query: &Query) -> crate::Result<Snapshot> {
    Ok(Snapshot {
        resources: store.resources(query).await?.records,
        segments: store.segments(query).await?.records,
        items: store.items(query).await?.records,
        categories: store.categories(query).await?.records,
        relations: store.relations(query).await?.records,
        model_replies: store.model_replies(query).await?.records,
        ..Snapshot::default()
    })
}

fn texts(field: &str, values: &[&str]) -> Vec<Value> {
    let mut filters = Vec::new();
    for value in values {
        for operator in ["", "__ne", "__gt", "__gte", "__lt", "__lte", "__contains"] {
            filters.push(json!({format!("{field}{operator}"): value}));
        }
        // Part of a value, also where it has characters that patterns use.
        let part: String = value.chars().skip(1).take(3).collect();
        filters.push(json!({format!("{field}__contains"): part}));
        filters.push(json!({format!("{field}__in"): [value]}));
        filters.push(json!({format!("{field}__nin"): [value, "nothing like it"]}));
    }
    filters.push(json!({format!("{field}__in"): values}));
    filters.push(json!({format!("{field}__nin"): values}));
    for odd in ["%", "_", "'", "*", "[a-z]", "TRAVEL", "\u{0}", "nothing"] {
        filters.push(json!({field: odd}));
        filters.push(json!({format!("{field}__contains"): odd}));
        filters.push(json!({format!("{field}__ne"): odd}));
    }
    filters
}

fn times(field: &str, values: &[&str]) -> Vec<Value> {
    let mut filters = Vec::new();
    for value in values {
        for operator in ["", "__ne", "__gt", "__gte", "__lt", "__lte"] {
            filters.push(json!({format!("{field}{operator}"): value}));
        }
        filters.push(json!({format!("{field}__in"): [value, "1999"]}));
        filters.push(json!({format!("{field}__nin"): [value, "1999"]}));
    }
    filters
}

pub(super) async fn every_operator_on_every_field_of_every_kind(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 1);
    let mut world = World::new(&make)?;
    world.blank.name = "100%_of 'it'\u{0}".into();
    world.walks.memory_type = "Éclair".into();
    world.walks.happened = Some(When::day(civil::date(1969, 7, 20)));
    store.commit(make.batch(world.writes())).await?;
    let model = world.model(&make)?;
    let stored = [
        "2026",
        "2026-03-01",
        "2026-03-01T09:00",
        "2026-03-01T09:00:00",
        "2026-03-01T10:00:00.5",
        "2027",
    ];
    let happened = [
        "1969",
        "2023",
        "2023-05",
        "2023-05-08",
        "2023-05-08T13:56",
        "2023-06-01T00:00:00.0",
        "2023-06-15",
    ];
    let types = ["event", "profile", "Éclair", "skill"];
    let categories = [
        "tastes",
        "travel",
        &world.blank.name,
        world.tastes.meta.id.as_str(),
    ];
    let resources = [world.chat.meta.id.as_str(), world.photo.meta.id.as_str()];
    let mut filters = texts("memory_type", &types);
    filters.extend(texts("modality", &["conversation", "document", "image"]));
    filters.extend(texts("category", &categories));
    filters.extend(texts("resource_id", &resources));
    filters.extend(times("created_at", &stored));
    filters.extend(times("updated_at", &stored));
    filters.extend(times("happened_at", &happened));
    for field in crate::filter::Field::RECORD {
        for empty in [true, false] {
            filters.push(json!({format!("{}__is_null", field.name()): empty}));
        }
    }
    filters.push(json!({"memory_type": "event", "category": "tastes", "happened_at": "2023"}));
    filters.push(json!({"modality": "conversation", "category__ne": "travel"}));
    // Scopes are named by the query; conditions on them are not looked at.
    filters.push(json!({"user_id": "bob", "memory_type": "event"}));
    for filter in filters {
        let query = Query {
            filter: parse(&filter)?,
            ..Query::scope(make.scope())
        };
        let expected = expected(&model, &query.filter.record_part());
        let found = found(&*store, &query).await?;
        same(&format!("what {filter} finds"), &found, &expected)?;
    }
    Ok(())
}

/// Checks, by hand rather than by the model, which records a filter finds.
pub(super) async fn filters_mean_what_the_table_says(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 2);
    let world = World::new(&make)?;
    store.commit(make.batch(world.writes())).await?;
    let (by_id, notes) = (world.travel.meta.id.as_str(), world.notes.meta.id.as_str());
    for (filter, expected) in [
        (
            json!({}),
            "chat notes photo | hello plans passage | coffee trip craft walks | tastes travel blank | 0 1 2 3",
        ),
        (
            json!({"memory_type": "event"}),
            "chat | hello plans | trip | tastes travel | 1 2",
        ),
        (
            json!({"memory_type__ne": "event"}),
            "notes photo | passage | coffee craft walks | blank | 0 3",
        ),
        (
            json!({"memory_type__is_null": true}),
            "photo |  |  | blank | ",
        ),
        (
            json!({"modality": "document"}),
            "notes | passage | craft |  | ",
        ),
        (
            json!({"modality__is_null": true}),
            " |  | walks | blank | 3",
        ),
        (
            json!({"category": "travel"}),
            "chat | hello plans | trip walks | travel | 1 3",
        ),
        (
            json!({"category": by_id}),
            "chat | hello plans | trip walks | travel | 1 3",
        ),
        (
            json!({"category__nin": ["travel"]}),
            "notes photo | passage | coffee craft | tastes blank | 0 2",
        ),
        (
            json!({"category__is_null": true}),
            "notes photo | passage | craft |  | ",
        ),
        (
            json!({"resource_id": notes}),
            "notes | passage | craft |  | ",
        ),
        (
            json!({"resource_id__is_null": true}),
            " |  | walks | blank | 3",
        ),
        (
            json!({"happened_at": "2023-05-08"}),
            " | hello | trip |  | 1 2",
        ),
        (json!({"happened_at__gte": "2023-06"}), " |  | craft |  | "),
        (
            json!({"happened_at__is_null": false}),
            " | hello | trip craft |  | 1 2",
        ),
        (
            json!({"created_at": "2026-03-01T08:00"}),
            "chat |  |  |  | ",
        ),
        (
            json!({"created_at__gte": "2026-03-01T23:00"}),
            " |  |  |  | 2 3",
        ),
    ] {
        let query = Query {
            filter: parse(&filter)?,
            ..Query::scope(make.scope())
        };
        let found = names(&world, &found(&*store, &query).await?);
        same(&format!("what {filter} finds"), &found.as_str(), &expected)?;
    }
    Ok(())
}

/// The names of records in the world, kind by kind.
pub(super) fn names(world: &World, found: &Snapshot) -> String {
    fn list(of: impl Iterator<Item = impl ToString + Debug>) -> String {
        of.map(|name| name.to_string())
            .collect::<Vec<_>>()
            .join(" ")
    }
    let metas = [
        ("chat", &world.chat.meta),
        ("notes", &world.notes.meta),
        ("photo", &world.photo.meta),
        ("hello", &world.hello.meta),
        ("plans", &world.plans.meta),
        ("passage", &world.passage.meta),
        ("coffee", &world.coffee.meta),
        ("trip", &world.trip.meta),
        ("craft", &world.craft.meta),
        ("walks", &world.walks.meta),
        ("tastes", &world.tastes.meta),
        ("travel", &world.travel.meta),
        ("blank", &world.blank.meta),
    ];
    let name = |id: &crate::records::Id| {
        let known = metas.iter().find(|(_, meta)| meta.id == *id);
        known.map_or("unknown", |(name, _)| *name)
    };
    [
        list(found.resources.iter().map(|one| name(&one.meta.id))),
        list(found.segments.iter().map(|one| name(&one.meta.id))),
        list(found.items.iter().map(|one| name(&one.meta.id))),
        list(found.categories.iter().map(|one| name(&one.meta.id))),
        list(found.relations.iter().filter_map(|one| {
            let ids = world.relations.iter().map(|known| &known.meta.id);
            ids.into_iter().position(|id| *id == one.meta.id)
        })),
    ]
    .join(" | ")
}
