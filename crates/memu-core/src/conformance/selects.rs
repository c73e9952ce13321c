//! Every choice finds what it names, in stored order, once.

use super::filters::{found, names};
use super::fixtures::{Maker, World, user};
use super::verdict::same;
use super::{Harness, Verdict};
use crate::filter::{Condition, Field, Filter, Operand, Test};
use crate::records::{ContentHash, Id, Modality};
use crate::scope::ScopeSchema;
use crate::store::{Query, Select};

fn ids(ids: &[&Id]) -> Vec<Id> {
    ids.iter().map(|id| (*id).clone()).collect()
}

// One table of choices and what they find.
#[allow(clippy::too_many_lines)]
pub(super) async fn each_choice_finds_its_records(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 1);
    let bob = Maker::new(user("bob")?, 1);
    let mut world = World::new(&make)?;
    world.photo.url.clone_from(&world.chat.url);
    store.commit(make.batch(world.writes())).await?;
    store.commit(bob.batch(World::new(&bob)?.writes())).await?;
    let unknown = Id::from("unknown");
    let (chat, notes) = (&world.chat.meta.id, &world.notes.meta.id);
    let relation = world.relations.last().map_or(&unknown, |one| &one.meta.id);
    let prefix = |id: &Id| id.short().to_owned();
    let source = |url: &str, external: Option<&str>| Select::Source {
        url: url.into(),
        external_id: external.map(str::to_owned),
        modality: Modality::Conversation,
    };
    for (select, expected) in [
        (
            Select::All,
            "chat notes photo | hello plans passage | coffee trip craft walks | tastes travel blank | 0 1 2 3",
        ),
        (
            Select::Ids(ids(&[
                &world.blank.meta.id,
                relation,
                &world.trip.meta.id,
                chat,
                &world.coffee.meta.id,
                &world.trip.meta.id,
                &world.plans.meta.id,
                &unknown,
            ])),
            "chat | plans | coffee trip | blank | 3",
        ),
        (Select::Ids(Vec::new()), " |  |  |  | "),
        (
            Select::IdPrefixes(vec![
                prefix(&world.craft.meta.id),
                prefix(notes),
                prefix(&world.tastes.meta.id),
                prefix(relation),
                "%".into(),
                "________".into(),
            ]),
            "notes |  | craft | tastes | 3",
        ),
        (
            Select::OfResources(ids(&[notes, chat])),
            "chat notes | hello plans passage | coffee trip craft |  | 0 1 2",
        ),
        (
            Select::OfResources(ids(&[notes])),
            "notes | passage | craft |  | ",
        ),
        (
            Select::CitingSegments(ids(&[&world.hello.meta.id])),
            " |  | coffee trip |  | ",
        ),
        (
            Select::CitingSegments(ids(&[
                &world.passage.meta.id,
                &world.plans.meta.id,
                &unknown,
            ])),
            " |  | trip craft |  | ",
        ),
        (
            Select::OfItems(ids(&[&world.trip.meta.id, &world.walks.meta.id])),
            " |  |  |  | 1 2 3",
        ),
        (
            Select::OfCategories(ids(&[&world.tastes.meta.id])),
            " |  | coffee trip |  | 0 2",
        ),
        (
            Select::OfCategories(ids(&[&world.travel.meta.id, &world.tastes.meta.id])),
            " |  | coffee trip walks |  | 0 1 2 3",
        ),
        (
            Select::Content(world.chat.content_hash, Modality::Conversation),
            "chat |  |  |  | ",
        ),
        (
            Select::Content(world.chat.content_hash, Modality::Image),
            " |  |  |  | ",
        ),
        (
            Select::Content(ContentHash::of(b"unknown"), Modality::Image),
            " |  |  |  | ",
        ),
        (source(&world.chat.url, None), "chat |  |  |  | "),
        (
            source("file:///elsewhere", Some("chat-7")),
            "chat |  |  |  | ",
        ),
        (source(&world.chat.url, Some("chat-8")), "chat |  |  |  | "),
        (source("file:///elsewhere", None), " |  |  |  | "),
        (
            Select::Names(vec!["travel".into(), "TASTES".into(), "blank".into()]),
            " |  |  | travel blank | ",
        ),
    ] {
        let query = Query::scope(make.scope()).select(select);
        let found = names(&world, &found(&*store, &query).await?);
        same(
            &format!("what {:?} finds", query.select),
            &found.as_str(),
            &expected,
        )?;
    }
    let events = Filter::new(vec![Condition {
        field: Field::MemoryType,
        test: Test::Eq(Operand::Text("event".into())),
    }]);
    let query = Query {
        filter: events,
        ..Query::scope(make.scope()).select(Select::CitingSegments(ids(&[&world.hello.meta.id])))
    };
    let found = names(&world, &found(&*store, &query).await?);
    same(
        "a choice and a filter together",
        &found.as_str(),
        &" |  | trip |  | ",
    )
}

pub(super) async fn a_choice_that_does_not_apply_finds_nothing(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 2);
    let world = World::new(&make)?;
    store.commit(make.batch(world.writes())).await?;
    let scope = make.scope();
    let item = Select::OfItems(ids(&[&world.trip.meta.id]));
    let segment = Select::CitingSegments(ids(&[&world.hello.meta.id]));
    let category = Select::OfCategories(ids(&[&world.tastes.meta.id]));
    for select in [&item, &segment, &category] {
        let query = Query::scope(scope).select(select.clone());
        let what = format!("what {select:?} finds");
        same(&what, &store.resources(&query).await?.records, &Vec::new())?;
        same(&what, &store.segments(&query).await?.records, &Vec::new())?;
        same(&what, &store.categories(&query).await?.records, &Vec::new())?;
    }
    let query = Query::scope(scope).select(item);
    same(
        "items of items",
        &store.items(&query).await?.records,
        &Vec::new(),
    )
}
