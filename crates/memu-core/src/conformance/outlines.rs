//! What ranking is given is what the records say, however they came to be.

use std::sync::Arc;

use super::fixtures::{Maker, user};
use super::verdict::{Failure, same};
use super::{Harness, Verdict};
use crate::ranking::outline::{Block, Entry, Occurrence, Outline, PASSAGE_WORDS};
use crate::records::Id;
use crate::scope::{Scope, ScopeSchema};
use crate::store::{ScopeData, ScopeOutline, Store, Write};

/// What an outline says, without places and blocks, of which each store has its own.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    resources: Vec<String>,
    categories: Vec<String>,
    segments: Vec<String>,
    items: Vec<String>,
}

impl Told {
    pub(super) fn by(outline: &Outline) -> Self {
        let resource = |place: u64| {
            let mut resources = outline.resources.iter();
            let known = resources.find(|one| one.place == place);
            known.map(|one| one.id.as_str())
        };
        let category = |place: &u64| {
            let mut categories = outline.categories.iter();
            let known = categories.find(|one| one.place == *place);
            known.map(|one| one.id.as_str())
        };
        let all_segments = || outline.segments.iter().flat_map(|block| &block.entries);
        let segment = |place: &u64| {
            let known = all_segments().find(|one| one.place == *place);
            known.map(|one| one.id.as_str())
        };
        let segments = outline.segments.iter().flat_map(|block| {
            block.entries.iter().map(|one| {
                let passages = one.passages.iter().map(|words| texts(block, words));
                format!(
                    "{} of {:?}, {}.{}, {:?} {:?} at {:?}: {} {} {} {} {:?}",
                    one.id,
                    resource(one.resource),
                    one.session,
                    one.ordinal,
                    one.role(),
                    one.speaker.and_then(|name| block.text(name)),
                    one.time,
                    one.asks,
                    one.ends_asking,
                    one.instructs,
                    one.prefers,
                    passages.collect::<Vec<_>>(),
                )
            })
        });
        let items = outline.items.iter().flat_map(|block| {
            block.entries.iter().map(|one| {
                format!(
                    "{} of {:?}, from {:?}, under {:?}, {} times until {:?}: {:?}",
                    one.id,
                    one.resource.map(resource),
                    one.segments.iter().map(segment).collect::<Vec<_>>(),
                    one.categories.iter().map(category).collect::<Vec<_>>(),
                    one.count,
                    one.last_met(),
                    texts(block, &one.words),
                )
            })
        });
        Self {
            resources: (outline.resources.iter())
                .map(|one| format!("{} {:?}", one.id, one.content_hash))
                .collect(),
            categories: (outline.categories.iter())
                .map(|one| one.id.to_string())
                .collect(),
            segments: segments.collect(),
            items: items.collect(),
        }
    }
}

fn texts<'b, T: Entry>(block: &'b Block<T>, words: &[Occurrence]) -> Vec<(Option<&'b str>, u32)> {
    let words = words.iter();
    words
        .map(|(word, count)| (block.text(*word), *count))
        .collect()
}

/// Whether a store's outline of a scope, read anew and on top of an older one, tells what
/// the records of the scope do.
pub(super) async fn outline_is_true(
    store: &dyn Store,
    scope: &Scope,
    older: Option<Arc<ScopeOutline>>,
) -> Result<Arc<ScopeOutline>, Failure> {
    let records = ScopeData::load(store, scope).await?;
    let expected = Told::by(&records.outline(PASSAGE_WORDS));
    let found = store.outline(scope, None).await?;
    same("the outline", &Told::by(&found.outline), &expected)?;
    same(
        "its position",
        &found.position,
        &store.log_position(scope).await?,
    )?;
    let renewed = store.outline(scope, older).await?;
    same(
        "the renewed outline",
        &Told::by(&renewed.outline),
        &expected,
    )?;
    Ok(renewed)
}

pub(super) async fn outlines_follow_the_records(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 3);
    let mut known = outline_is_true(&*store, make.scope(), None).await?;
    // More than a block of each kind.
    let resource = make.resource("file:///talk.json");
    let segments: Vec<_> = (0..600)
        .map(|at| make.segment(&resource, at, &format!("message {at}. And you?")))
        .collect();
    let mut writes = vec![
        Write::Resource(resource.clone()),
        Write::Segments(segments.clone()),
    ];
    let mut items = Vec::new();
    for segment in &segments {
        let mut item = make.item("event", &format!("Said: {}", segment.text));
        item.resource_id = Some(resource.meta.id.clone());
        item.segment_ids = vec![segment.meta.id.clone()];
        items.push(item);
    }
    let category = make.category("sayings");
    writes.extend(items.iter().cloned().map(Write::Item));
    writes.push(Write::Category(category.clone()));
    store.commit(make.batch(writes)).await?;
    known = outline_is_true(&*store, make.scope(), Some(known)).await?;
    let id = |at: usize| {
        items
            .get(at)
            .map_or_else(|| Id::from("none"), |one| one.meta.id.clone())
    };
    let filed = items
        .get(300)
        .map(|item| Write::Relation(make.relation(item, &category)));
    for writes in [
        // The first and the last of a block, one in the middle, and the very last.
        vec![Write::DeleteItem(id(0)), Write::DeleteItem(id(255))],
        vec![Write::DeleteItem(id(599)), Write::DeleteItem(id(400))],
        filed.into_iter().collect(),
        vec![Write::Item(make.item("event", "One more."))],
        (256..512)
            .map(|at| Write::DeleteItem(id(at)))
            .filter(|one| !matches!(one, Write::DeleteItem(gone) if *gone == id(400)))
            .collect(),
        vec![Write::DeleteCategory(category.meta.id.clone())],
        vec![Write::DeleteResource(resource.meta.id.clone())],
    ] {
        store.commit(make.batch(writes)).await?;
        known = outline_is_true(&*store, make.scope(), Some(known)).await?;
    }
    same("the segments", &known.outline.segments.len(), &0)?;
    // Another life of the scope begins with the same numbers.
    store.clear(&[make.scope().clone()]).await?;
    known = outline_is_true(&*store, make.scope(), Some(known)).await?;
    let writes = vec![Write::Item(make.item("event", "In another life."))];
    store.commit(make.batch(writes)).await?;
    outline_is_true(&*store, make.scope(), Some(known)).await?;
    Ok(())
}
