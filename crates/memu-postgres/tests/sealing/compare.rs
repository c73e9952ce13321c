//! What is sealed, compared with what is made anew from the outline.

use std::collections::BTreeMap;
use std::sync::Arc;

use memu_core::ranking::outline::{Block, Entry, ItemOutline, Outline, SegmentOutline};
use memu_core::ranking::sealed::{Bucket, LoneEntry, Part, PartName, Sealable, SealedPart};
use memu_core::scope::Scope;
use memu_core::store::{SealedScope, SealedStore, Severity, Store};
use memu_postgres::PostgresStore;

fn entries<T>(blocks: &[Arc<Block<T>>]) -> Vec<(&Block<T>, &T)> {
    blocks
        .iter()
        .flat_map(|block| block.entries.iter().map(|entry| (&**block, entry)))
        .collect()
}

fn lone<T: Entry>(blocks: &[Arc<Block<T>>]) -> Vec<LoneEntry> {
    let entries = entries(blocks).into_iter();
    let lone = entries.map(|(block, entry)| LoneEntry::of(block, entry));
    lone.collect::<Result<_, _>>().unwrap()
}

/// The places of some entries.
fn places(of: &[LoneEntry]) -> Vec<u64> {
    of.iter().map(|entry| entry.place).collect()
}

/// Panics unless what is sealed of a scope is what its outline says; returns it as it is now.
pub(crate) async fn assert_true(
    store: &PostgresStore,
    scope: &Scope,
    known: Option<Arc<SealedScope>>,
) -> Option<Arc<SealedScope>> {
    let report = store.check(false).await.unwrap();
    assert_eq!(report.severity(), Severity::Ok, "{report:?}");
    let outline = store.outline(scope, None).await.unwrap();
    let at = Store::sealed(store).unwrap();
    let fresh = at.sealed(scope, None).await.unwrap().1;
    let known_again = known.is_some();
    let followed = at.sealed(scope, known).await.unwrap().1;
    assert_eq!(fresh.is_some(), followed.is_some());
    let (fresh, followed) = fresh.zip(followed)?;
    assert_eq!(fresh.position, outline.position);
    assert_eq!(followed.position, outline.position);
    assert_eq!(fresh.parts, followed.parts, "known before: {known_again}");
    assert!(lone(&fresh.open.segments) == lone(&followed.open.segments));
    assert!(lone(&fresh.open.items) == lone(&followed.open.items));
    assert!(fresh.open.resources.is_empty() && fresh.open.categories.is_empty());
    let outline = &outline.outline;
    assert_parts::<SegmentOutline>(
        at,
        scope,
        &fresh,
        &entries(&outline.segments),
        &entries(&fresh.open.segments),
    )
    .await;
    assert_parts::<ItemOutline>(
        at,
        scope,
        &fresh,
        &entries(&outline.items),
        &entries(&fresh.open.items),
    )
    .await;
    assert_entries(at, scope, outline).await;
    Some(followed)
}

async fn assert_parts<T: Sealable>(
    at: &dyn SealedStore,
    scope: &Scope,
    sealed: &SealedScope,
    all: &[(&Block<T>, &T)],
    open: &[(&Block<T>, &T)],
) {
    let mut covered = 0;
    let mut last = None;
    for part in sealed
        .parts
        .iter()
        .filter(|part| part.name.kind == T::OWNER)
    {
        let within = part.name.first_place..=part.summary.last_place;
        assert!(last.is_none_or(|last| last < part.name.first_place));
        last = Some(part.summary.last_place);
        let records = all.iter().copied();
        let records: Vec<_> = records
            .filter(|(_, entry)| within.contains(&entry.place()))
            .collect();
        assert_eq!(records.len() as u64, part.summary.records);
        let stored = stored(at, scope, part).await;
        let made = Part::of(records.clone()).expect("a part with records");
        assert!(stored.says_as(made), "{:?}", part.name);
        covered += records.len();
    }
    let rest: Vec<u64> = all[covered..].iter().map(|(_, one)| one.place()).collect();
    let open: Vec<u64> = open.iter().map(|(_, one)| one.place()).collect();
    assert_eq!(rest, open, "{:?}", T::OWNER);
    assert!(
        open.iter()
            .all(|place| last.is_none_or(|last| last < *place))
    );
}

/// A part as its buckets are read.
async fn stored(at: &dyn SealedStore, scope: &Scope, part: &SealedPart) -> Part {
    let wanted: Vec<(PartName, u32)> = (0..part.summary.buckets).map(|n| (part.name, n)).collect();
    let read = at.buckets(scope, &wanted).await.unwrap().unwrap();
    let mut buckets = BTreeMap::new();
    for one in read {
        assert_eq!(one.part, part.name);
        let bucket = Bucket::from_bytes(&one.words, &one.lists).unwrap();
        assert!(!bucket.is_empty());
        buckets.insert(one.bucket, bucket);
    }
    let stored = Part {
        name: part.name,
        summary: part.summary.clone(),
        buckets,
    };
    assert_eq!(SealedPart::from(&stored), *part);
    stored
}

async fn assert_entries(at: &dyn SealedStore, scope: &Scope, outline: &Outline) {
    let (all, all_items) = (lone(&outline.segments), lone(&outline.items));
    let alone = |block: &Block<SegmentOutline>| block.to_bytes().unwrap();
    let found = at.segments(scope, &places(&all)).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|one| (one.length, alone(&one.block)))
        .collect();
    let expected: Vec<_> = all
        .iter()
        .map(|one| (one.length, one.bare.clone()))
        .collect();
    assert_eq!(found, expected);
    // One of them is not there.
    let asked: Vec<u64> = places(&all)
        .into_iter()
        .rev()
        .step_by(5)
        .chain([0])
        .collect();
    let found = at.around(scope, &asked).await.unwrap();
    assert_eq!(found.len(), asked.len() - 1);
    for (place, window) in asked.iter().zip(&found) {
        let at = all.iter().position(|one| one.place == *place).unwrap();
        let expected: Vec<_> = (at.saturating_sub(3)..(at + 4).min(all.len()))
            .map(|near| {
                let one = &all[near];
                let body = if near == at { &one.full } else { &one.bare };
                (one.length, body.clone())
            })
            .collect();
        let found: Vec<_> = window
            .iter()
            .map(|one| (one.length, alone(&one.block)))
            .collect();
        assert_eq!(found, expected);
    }
    let found = at.items(scope, &places(&all_items), &[]).await.unwrap();
    let found: Vec<_> = found.iter().map(|one| one.to_bytes().unwrap()).collect();
    let expected: Vec<_> = all_items.iter().map(|one| one.bare.clone()).collect();
    assert_eq!(found, expected);
    // Those that cite some, and one that is named, each once.
    let citing: Vec<u64> = places(&all).into_iter().step_by(3).collect();
    let named: Vec<u64> = places(&all_items).into_iter().take(1).collect();
    let found = at.items(scope, &named, &citing).await.unwrap();
    let found: Vec<u64> = found.iter().filter_map(Block::first_place).collect();
    let expected = entries(&outline.items).into_iter().map(|(_, item)| item);
    let expected = expected.filter(|item| {
        named.contains(&item.place) || item.segments.iter().any(|one| citing.contains(one))
    });
    let expected: Vec<u64> = expected.map(|item| item.place).collect();
    assert_eq!(found, expected);
    let resources: Vec<u64> = outline.resources.iter().map(|one| one.place).collect();
    let categories: Vec<u64> = outline.categories.iter().map(|one| one.place).collect();
    let hung_on = at.hung_on(scope, &resources, &categories).await.unwrap();
    assert_eq!(hung_on.0, outline.resources);
    assert_eq!(hung_on.1, outline.categories);
    let none = at.hung_on(scope, &[], &categories).await.unwrap();
    assert!(none.0.is_empty());
}
