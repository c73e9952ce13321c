//! Records of another store arrive as they were there.

use super::fixtures::{Maker, World, user};
use super::verdict::{refused, same};
use super::{Harness, Snapshot, Verdict};
use crate::conformance::fixtures::identity;
use crate::error::ErrorKind;
use crate::records::{Id, Meta, ModelUsage, Operation, ReplyState};
use crate::scope::ScopeSchema;
use crate::store::{ScopeData, StoreExt, Write, WriteBatch};
use crate::time::Timestamp;

fn restoring(make: &Maker, writes: Vec<Write>) -> WriteBatch {
    WriteBatch {
        restoring: true,
        ..make.batch(writes)
    }
}

/// The same writes, of records that were written so often, at these times.
fn written(mut writes: Vec<Write>, revision: u64) -> Vec<Write> {
    let change = |meta: &mut Meta| {
        meta.revision = revision;
        meta.updated_at = Timestamp::from_micros(meta.created_at.as_micros() + 7);
        meta.valid_from = Some(meta.created_at);
        meta.valid_to = Some(meta.updated_at);
        meta.superseded_by = Some(Id::from("the next"));
    };
    for write in &mut writes {
        match write {
            Write::Resource(record) => change(&mut record.meta),
            Write::Segments(records) => records.iter_mut().for_each(|one| change(&mut one.meta)),
            Write::Item(record) => change(&mut record.meta),
            Write::Category(record) => change(&mut record.meta),
            Write::Relation(record) => change(&mut record.meta),
            Write::ModelReply(record) => change(&mut record.meta),
            _ => {}
        }
    }
    writes
}

pub(super) async fn records_arrive_as_they_were(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 41);
    let world = World::new(&make)?;
    let mut writes = written(world.writes(), 7);
    let usage = ModelUsage {
        calls: 3,
        ..make.model_usage(0)
    };
    writes.push(Write::ModelUsage(usage.clone()));
    store.commit(restoring(&make, writes.clone())).await?;

    let mut model = ScopeData::new(make.scope().clone());
    model.apply(&restoring(&make, writes))?;
    let found = Snapshot::of(&*store, make.scope(), &identity()).await?;
    same("the scope", &found, &Snapshot::of_data(&model, &identity()))?;
    let mut coffee = world.coffee.clone();
    coffee.meta.revision = 7;
    let revisions: Vec<u64> = found.items.iter().map(|one| one.meta.revision).collect();
    same("the revisions", &revisions, &vec![7; found.items.len()])?;
    let inserted = found
        .changes
        .iter()
        .all(|line| line.operation == Operation::Insert);
    same("the log tells of new records", &inserted, &true)?;
    same("what models took", &found.model_usage, &vec![usage])?;

    // From here on they are written like any others.
    store
        .commit(make.batch(vec![Write::Item(coffee.clone())]))
        .await?;
    let item = store.item(make.scope(), &coffee.meta.id).await?;
    same("the revision", &item.map(|one| one.meta.revision), &Some(8))
}

pub(super) async fn what_is_there_stays_as_it_is(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 42);
    let world = World::new(&make)?;
    store.commit(make.batch(world.records())).await?;
    let before = Snapshot::of(&*store, make.scope(), &identity()).await?;
    for revision in [0, 1, 2] {
        for write in written(world.records(), revision) {
            let never_changes = matches!(write, Write::Segments(_));
            if matches!(write, Write::Blob(_) | Write::Relation(_))
                || revision > 1 && !never_changes
            {
                continue;
            }
            let what = format!("revision {revision} of what is there: {write:?}");
            let fresh = Write::Category(written_category(&make));
            let result = store.commit(restoring(&make, vec![fresh, write])).await;
            refused(&what, result, &[ErrorKind::Conflict])?;
        }
    }
    let after = Snapshot::of(&*store, make.scope(), &identity()).await?;
    same("the scope", &after, &before)
}

fn written_category(make: &Maker) -> crate::records::MemoryCategory {
    let mut category = make.category("new");
    category.meta.revision = 1;
    category
}

pub(super) async fn a_later_revision_takes_the_place_of_an_earlier_one(
    harness: &dyn Harness,
) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 45);
    let world = World::new(&make)?;
    store.commit(make.batch(world.writes())).await?;
    let mut later = Vec::new();
    for write in written(world.records(), 5) {
        match write {
            Write::Resource(mut resource) => {
                resource.caption = Some("another caption".to_owned());
                later.push(Write::Resource(resource));
            }
            Write::Item(mut item) => {
                item.summary.push_str(", now and then");
                item.segment_ids.reverse();
                later.push(Write::Item(item));
            }
            Write::Category(mut category) => {
                category.summary = Some("another summary".to_owned());
                later.push(Write::Category(category));
            }
            Write::ModelReply(mut reply) => {
                reply.state = ReplyState::Parsed;
                later.push(Write::ModelReply(reply));
            }
            _ => {}
        }
    }
    let fresh = Write::Category(written_category(&make));
    later.push(fresh);
    store.commit(restoring(&make, later.clone())).await?;
    let mut model = world.model(&make)?;
    model.apply(&restoring(&make, later.clone()))?;
    let found = Snapshot::of(&*store, make.scope(), &identity()).await?;
    same("the scope", &found, &Snapshot::of_data(&model, &identity()))?;
    let operations: Vec<Operation> = found.changes.iter().map(|line| line.operation).collect();
    let of_later = found.changes.len() - (later.len() - 2);
    let mut expected = vec![Operation::Update; later.len() - 3];
    expected.push(Operation::Insert);
    same("the log", &operations.get(of_later..), &Some(&expected[..]))?;
    let report = store.check(false).await?;
    same("the check", &report.severity(), &crate::store::Severity::Ok)?;
    let result = store.commit(restoring(&make, later)).await;
    refused("the same again", result, &[ErrorKind::Conflict]).map(drop)
}

pub(super) async fn what_was_never_stored_is_no_record(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 43);
    let world = World::new(&make)?;
    let all = written(world.records(), 1);
    for (place, fresh) in world.records().into_iter().enumerate() {
        if matches!(fresh, Write::Blob(_)) {
            continue;
        }
        let mut writes: Vec<Write> = all.iter().take(place).cloned().collect();
        let what = format!("revision 0: {fresh:?}");
        writes.push(fresh);
        let result = store.commit(restoring(&make, writes)).await;
        refused(&what, result, &[ErrorKind::Input])?;
    }
    same("the log", &store.last_seq(make.scope()).await?, &0)
}

pub(super) async fn sums_of_usage_are_replaced(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 44);
    let add = |days: u8| Write::ModelUsage(make.model_usage(days));
    store
        .commit(make.batch(vec![add(0), add(0), add(1)]))
        .await?;
    let mut sum = make.model_usage(0);
    sum.calls = 9;
    let writes = vec![Write::ModelUsage(sum.clone())];
    store.commit(restoring(&make, writes)).await?;
    let found = store
        .model_usage(make.scope(), jiff::civil::Date::MIN)
        .await?;
    same("the sums", &found, &vec![sum, make.model_usage(1)])
}
