//! The change log tells everything that happened, once, in order.

use super::fixtures::{Maker, World, identity, user, vector};
use super::verdict::{Failure, same};
use super::{Harness, Verdict};
use crate::records::{Id, Operation, OwnerKind, Table};
use crate::scope::{Scope, ScopeSchema};
use crate::store::{Store, Write};

/// The lines after `after` as `+item`, `~resource`, `-relation`, with the ids;
/// fails when their numbers do not follow each other.
pub(super) async fn lines(
    store: &dyn Store,
    scope: &Scope,
    after: u64,
) -> Result<Vec<(&'static str, Id)>, Failure> {
    // A commit whose caller gave up may land while the log is being read: look again.
    let (changes, last) = loop {
        let before = store.last_seq(scope).await?;
        let changes = store.changes(scope, after, usize::MAX).await?;
        let last = store.last_seq(scope).await?;
        if before == last {
            break (changes, last);
        }
    };
    let numbers: Vec<u64> = changes.iter().map(|line| line.seq).collect();
    let expected: Vec<u64> = (after + 1..=last).collect();
    same("the numbers of the log", &numbers, &expected)?;
    let name = |operation, table| match (operation, table) {
        (Operation::Insert, Table::Resources) => "+resource",
        (Operation::Insert, Table::Items) => "+item",
        (Operation::Insert, Table::Categories) => "+category",
        (Operation::Insert, Table::Relations) => "+relation",
        (Operation::Update, Table::Resources) => "~resource",
        (Operation::Update, Table::Items) => "~item",
        (Operation::Update, Table::Categories) => "~category",
        (Operation::Update, Table::Relations) => "~relation",
        (Operation::Delete, Table::Resources) => "-resource",
        (Operation::Delete, Table::Items) => "-item",
        (Operation::Delete, Table::Categories) => "-category",
        (Operation::Delete, Table::Relations) => "-relation",
    };
    Ok(changes
        .into_iter()
        .map(|line| (name(line.operation, line.table), line.id))
        .collect())
}

pub(super) async fn the_log_names_every_change_in_order(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 1);
    let world = World::new(&make)?;
    let committed = store.commit(make.batch(world.writes())).await?;
    let id = |meta: &crate::records::Meta| meta.id.clone();
    let mut expected = vec![
        ("+resource", id(&world.chat.meta)),
        ("+resource", id(&world.notes.meta)),
        ("+resource", id(&world.photo.meta)),
        ("+item", id(&world.coffee.meta)),
        ("+item", id(&world.trip.meta)),
        ("+item", id(&world.craft.meta)),
        ("+item", id(&world.walks.meta)),
        ("+category", id(&world.tastes.meta)),
        ("+category", id(&world.travel.meta)),
        ("+category", id(&world.blank.meta)),
    ];
    expected.extend(
        world
            .relations
            .iter()
            .map(|one| ("+relation", id(&one.meta))),
    );
    same(
        "the log",
        &lines(&*store, make.scope(), 0).await?,
        &expected,
    )?;
    same("the end", &committed.seq, &(expected.len() as u64))?;
    let mut coffee = world.coffee.clone();
    coffee.meta.revision = 1;
    let mut again = coffee.clone();
    again.meta.revision = 2;
    let mut travel = world.travel.clone();
    travel.meta.revision = 1;
    let writes = vec![
        Write::Item(coffee),
        Write::Category(travel),
        Write::Item(again),
        Write::DeleteCategory(id(&world.blank.meta)),
    ];
    store.commit(make.batch(writes)).await?;
    let expected = vec![
        ("~item", id(&world.coffee.meta)),
        ("~category", id(&world.travel.meta)),
        ("~item", id(&world.coffee.meta)),
        ("-category", id(&world.blank.meta)),
    ];
    same(
        "the log",
        &lines(&*store, make.scope(), committed.seq).await?,
        &expected,
    )?;
    same(
        "the log of another scope",
        &lines(&*store, &user("bob")?, 0).await?,
        &Vec::new(),
    )
}

pub(super) async fn the_log_is_read_in_parts(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 2);
    store
        .commit(make.batch(World::new(&make)?.writes()))
        .await?;
    let scope = make.scope();
    let whole = store.changes(scope, 0, usize::MAX).await?;
    for limit in 1..=whole.len() + 1 {
        let mut parts = Vec::new();
        loop {
            let after = parts
                .last()
                .map_or(0, |line: &crate::records::Change| line.seq);
            let part = store.changes(scope, after, limit).await?;
            if part.is_empty() {
                break;
            }
            same("a part is small enough", &(part.len() <= limit), &true)?;
            parts.extend(part);
        }
        same(&format!("the log in parts of {limit}"), &parts, &whole)?;
    }
    for (after, limit) in [(0, 0), (whole.len() as u64, 9), (u64::MAX, 9)] {
        let part = store.changes(scope, after, limit).await?;
        same(&format!("{limit} lines after {after}"), &part, &Vec::new())?;
    }
    Ok(())
}

pub(super) async fn parts_of_a_record_log_it_once(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 3);
    let world = World::new(&make)?;
    let seq = store.commit(make.batch(world.writes())).await?.seq;
    let (chat, notes) = (&world.chat, &world.notes);
    let more = make.segment(chat, 2, "more");
    let owner = &more.meta.id;
    let coffee = &world.coffee.meta.id;
    let x = [1.0, 0.0, 0.0, 0.0];
    let vectors = vec![
        vector(OwnerKind::Segment, owner, x)?,
        vector(OwnerKind::Item, coffee, x)?,
        vector(OwnerKind::Segment, &world.passage.meta.id, x)?,
        vector(OwnerKind::Item, coffee, [0.0, 1.0, 0.0, 0.0])?,
        vector(OwnerKind::Category, &world.blank.meta.id, x)?,
    ];
    let writes = vec![
        Write::Segments(vec![more.clone(), make.segment(chat, 3, "and more")]),
        Write::Segments(vec![make.segment(chat, 4, "and yet more")]),
        Write::Embeddings(identity(), vectors),
    ];
    store.commit(make.batch(writes)).await?;
    let expected = vec![
        ("~resource", chat.meta.id.clone()),
        ("~item", coffee.clone()),
        ("~resource", notes.meta.id.clone()),
        ("~category", world.blank.meta.id.clone()),
    ];
    same(
        "the log",
        &lines(&*store, make.scope(), seq).await?,
        &expected,
    )
}
