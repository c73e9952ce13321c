//! The in-memory store does what every store must do.

#![cfg(feature = "conformance")]
// Helpers of tests may fail as tests do.
#![allow(clippy::unwrap_used, clippy::string_slice)]

use std::sync::Arc;

use memu_core::conformance::fixtures::{Maker, World, identity, user, vector};
use memu_core::conformance::{self, Harness, Snapshot, block_on};
use memu_core::records::{ContentHash, Id, OwnerKind};
use memu_core::scope::ScopeSchema;
use memu_core::store::{InMemoryStore, Query, ScopeData, Store, Write};

struct InMemory;

#[async_trait::async_trait]
impl Harness for InMemory {
    async fn fresh(&self, schema: &ScopeSchema) -> memu_core::Result<Arc<dyn Store>> {
        Ok(Arc::new(InMemoryStore::new(schema.clone())))
    }
}

memu_core::conformance_tests!(InMemory);

#[test]
fn only_what_needs_durability_is_skipped() {
    let capabilities = InMemoryStore::default().capabilities();
    let skipped: Vec<&str> = conformance::cases()
        .iter()
        .filter(|case| !case.needs.is_met(&capabilities))
        .map(|case| case.name)
        .collect();
    assert_eq!(skipped, ["durability::reopening_keeps_everything"]);
}

/// Everything that the indexes of a scope answer.
fn answers(data: &ScopeData) -> String {
    use std::fmt::Write;

    let snapshot = Snapshot::of_data(data, &identity());
    let mut text = format!("{snapshot:#?}\n");
    let id = |meta: &memu_core::records::Meta| meta.id.to_string();
    for one in &snapshot.resources {
        let of = &one.meta.id;
        let items: Vec<_> = data.items_of_resource(of).map(|i| id(&i.meta)).collect();
        let segments: Vec<_> = data.segments_of_resource(of).map(|s| id(&s.meta)).collect();
        let same = data.resource_with_content(one.content_hash, one.modality);
        let same = same.map(|one| id(&one.meta));
        writeln!(text, "{of}: {items:?} {segments:?} {same:?}").unwrap();
    }
    for one in &snapshot.segments {
        let citing: Vec<_> = data
            .items_citing(&one.meta.id)
            .map(|i| id(&i.meta))
            .collect();
        writeln!(text, "{}: {citing:?}", one.meta.id).unwrap();
    }
    for one in &snapshot.items {
        let relations = data.relations_of_item(&one.meta.id);
        let relations: Vec<_> = relations.map(|r| id(&r.meta)).collect();
        writeln!(text, "{}: {relations:?}", one.meta.id).unwrap();
    }
    for one in &snapshot.categories {
        let relations = data.relations_of_category(&one.meta.id);
        let relations: Vec<_> = relations.map(|r| id(&r.meta)).collect();
        writeln!(text, "{}: {relations:?}", one.meta.id).unwrap();
    }
    text
}

/// The same records, indexed from the start.
fn rebuilt(data: &ScopeData) -> ScopeData {
    let store = InMemoryStore::default();
    let snapshot = Snapshot::of_data(data, &identity());
    let unwritten = |meta: &mut memu_core::records::Meta| meta.revision = 0;
    let mut writes = Vec::new();
    for mut one in snapshot.resources.clone() {
        unwritten(&mut one.meta);
        writes.push(Write::Resource(one));
    }
    for mut one in snapshot.segments.clone() {
        unwritten(&mut one.meta);
        writes.push(Write::Segments(vec![one]));
    }
    for mut one in snapshot.items.clone() {
        unwritten(&mut one.meta);
        writes.push(Write::Item(one));
    }
    for mut one in snapshot.categories.clone() {
        unwritten(&mut one.meta);
        writes.push(Write::Category(one));
    }
    for mut one in snapshot.relations.clone() {
        unwritten(&mut one.meta);
        writes.push(Write::Relation(one));
    }
    let scope = data.scope();
    let batch = memu_core::store::WriteBatch {
        scope: scope.clone(),
        expected_seq: None,
        expected_life: None,
        lease: None,
        restoring: false,
        writes,
    };
    block_on(store.commit(batch)).unwrap();
    block_on(ScopeData::load(&store, scope)).unwrap()
}

/// What the indexes say, without what a rebuilt scope does not know.
fn adjacency(data: &ScopeData) -> String {
    let text = answers(data);
    let start = text.rfind("\n}\n").unwrap();
    text[start..].to_owned()
}

#[test]
fn every_pair_of_writes_can_be_taken_back_and_keeps_the_indexes_true() {
    let make = Maker::new(user("alice").unwrap(), 1);
    let world = World::new(&make).unwrap();
    let base = world.model(&make).unwrap();
    let mut chat = world.chat.clone();
    chat.meta.revision = 1;
    chat.content_hash = ContentHash::of(b"grown");
    let mut coffee = world.coffee.clone();
    coffee.meta.revision = 1;
    coffee.resource_id = Some(world.notes.meta.id.clone());
    coffee.segment_ids = vec![world.passage.meta.id.clone(), world.plans.meta.id.clone()];
    let mut tastes = world.tastes.clone();
    tastes.meta.revision = 1;
    tastes.name = "renamed".into();
    let id = |meta: &memu_core::records::Meta| meta.id.clone();
    let moved = vector(OwnerKind::Item, &id(&world.trip.meta), [0.0, 0.0, 0.0, 1.0]).unwrap();
    let loose = make.item("event", "new");
    let single = [
        Write::Blob(make.blob(&make.resource("file:///new"))),
        Write::Resource(make.resource("file:///new")),
        Write::Resource(chat),
        Write::Segments(vec![
            make.segment(&world.chat, 7, "x"),
            make.segment(&world.notes, 3, "y"),
        ]),
        Write::Item(loose),
        Write::Item(coffee),
        Write::Item(world.walks.clone()),
        Write::Category(tastes),
        Write::Category(make.category("new")),
        Write::Relation(make.relation(&world.craft, &world.blank)),
        Write::Embeddings(identity(), vec![moved]),
        Write::from(make.model_reply("new")),
        Write::DeleteModelReply(id(&world.babble.meta)),
        Write::DeleteResource(id(&world.chat.meta)),
        Write::DeleteResource(id(&world.notes.meta)),
        Write::DeleteItem(id(&world.trip.meta)),
        Write::DeleteItem(id(&world.walks.meta)),
        Write::DeleteCategory(id(&world.travel.meta)),
        Write::DeleteRelation {
            item_id: id(&world.coffee.meta),
            category_id: id(&world.tastes.meta),
        },
    ];
    let before = answers(&base);
    let mut applied = 0;
    for first in &single {
        for second in &single {
            let mut data = base.clone();
            let failing = Write::DeleteItem(Id::from("nobody"));
            let writes = vec![first.clone(), second.clone(), failing];
            assert!(data.apply(&make.batch(writes)).is_err());
            assert_eq!(
                answers(&data),
                before,
                "{first:?}, {second:?}, then a failure"
            );
            let writes = vec![first.clone(), second.clone()];
            if data.apply(&make.batch(writes)).is_ok() {
                applied += 1;
                assert_eq!(
                    adjacency(&data),
                    adjacency(&rebuilt(&data)),
                    "{first:?}, {second:?}"
                );
            }
        }
    }
    assert!(
        applied > 150,
        "only {applied} pairs of writes were accepted"
    );
}

#[test]
fn a_query_of_no_scope_and_one_of_an_unknown_scope_find_nothing() {
    let store = InMemoryStore::default();
    let make = Maker::new(user("alice").unwrap(), 2);
    let world = World::new(&make).unwrap();
    block_on(store.commit(make.batch(world.writes()))).unwrap();
    for scopes in [vec![], vec![user("bob").unwrap()]] {
        let query = Query {
            scopes,
            ..Query::scope(make.scope())
        };
        let page = block_on(store.items(&query)).unwrap();
        assert!(page.records.is_empty() && page.next.is_none());
    }
}
