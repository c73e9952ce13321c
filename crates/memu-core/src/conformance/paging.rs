//! Pages together are the whole, whatever their size.

use super::fixtures::{Maker, World, identity, user};
use super::verdict::{Failure, ensure, refused, same};
use super::{Harness, Verdict};
use crate::error::ErrorKind;
use crate::filter::Filter;
use crate::records::{Embedding, MemoryItem, OwnerKind};
use crate::scope::ScopeSchema;
use crate::store::{Cursor, Query, Store, StoreExt, VectorQuery, Write};

pub(super) async fn every_page_size_finds_the_same(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 1);
    let world = World::new(&make)?;
    store.commit(make.batch(world.writes())).await?;
    for filtered in [false, true] {
        let mut whole = Query::scope(make.scope());
        if filtered {
            let filter = serde_json::json!({"created_at__gte": "2026-03-01T09:00"});
            let object = filter.as_object().cloned().unwrap_or_default();
            whole.filter = Filter::parse(&object, store.schema())?;
        }
        let items = store.items(&whole).await?;
        same("the end of one page", &items.next, &None)?;
        let resources = store.resources(&whole).await?.records;
        let segments = store.segments(&whole).await?.records;
        let categories = store.categories(&whole).await?.records;
        let relations = store.relations(&whole).await?.records;
        let replies = store.model_replies(&whole).await?.records;
        for limit in 1..=5 {
            let pages = Query {
                limit,
                ..whole.clone()
            };
            let what = format!("records in pages of {limit}");
            same(&what, &store.all_items(&pages).await?, &items.records)?;
            same(&what, &store.all_resources(&pages).await?, &resources)?;
            same(&what, &store.all_segments(&pages).await?, &segments)?;
            same(&what, &store.all_categories(&pages).await?, &categories)?;
            same(&what, &store.all_relations(&pages).await?, &relations)?;
            same(&what, &store.all_model_replies(&pages).await?, &replies)?;
            let mut page = store.items(&pages).await?;
            let mut sizes = vec![page.records.len()];
            while page.next.is_some() {
                let after = page.next.take();
                page = store
                    .items(&Query {
                        after,
                        ..pages.clone()
                    })
                    .await?;
                sizes.push(page.records.len());
            }
            let (last, full) = sizes.split_last().unwrap_or((&0, &[]));
            ensure(full.iter().all(|size| *size == limit) && *last > 0, || {
                format!("pages of {limit} had the sizes {sizes:?}")
            })?;
        }
    }
    Ok(())
}

async fn page(store: &dyn Store, query: &mut Query) -> Result<Vec<String>, Failure> {
    let page = store.items(query).await?;
    query.after = page.next;
    Ok(page.records.into_iter().map(|item| item.summary).collect())
}

pub(super) async fn pages_hold_still_while_records_come_and_go(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 2);
    let items: Vec<MemoryItem> = (0..6)
        .map(|n| make.item("event", &format!("item {n}")))
        .collect();
    let writes = items.iter().cloned().map(Write::Item).collect();
    store.commit(make.batch(writes)).await?;
    let mut query = Query {
        limit: 2,
        ..Query::scope(make.scope())
    };
    same(
        "the first page",
        &page(&*store, &mut query).await?,
        &vec!["item 0".into(), "item 1".into()],
    )?;
    // The record that the cursor stands on goes, one ahead goes, one behind
    // changes, one comes.
    let mut writes = vec![Write::Item(make.item("event", "item 6"))];
    for (index, item) in items.iter().enumerate() {
        match index {
            0 => {
                let mut changed = item.clone();
                changed.meta.revision = 1;
                writes.push(Write::Item(changed));
            }
            1 | 3 => writes.push(Write::DeleteItem(item.meta.id.clone())),
            _ => {}
        }
    }
    store.commit(make.batch(writes)).await?;
    same(
        "the second page",
        &page(&*store, &mut query).await?,
        &vec!["item 2".into(), "item 4".into()],
    )?;
    same(
        "the third page",
        &page(&*store, &mut query).await?,
        &vec!["item 5".into(), "item 6".into()],
    )?;
    same("the end", &query.after, &None)
}

pub(super) async fn several_scopes_are_read_in_stored_order(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let makers = [
        Maker::new(user("zoe")?, 1),
        Maker::new(user("adam")?, 2),
        Maker::new(user("eve")?, 3),
    ];
    let mut expected = Vec::new();
    for round in 0..4 {
        for make in &makers {
            let summary = format!("{} {round}", make.scope());
            let writes = vec![Write::Item(make.item("event", &summary))];
            store.commit(make.batch(writes)).await?;
            if make.scope().get("user_id") != Some("eve") {
                expected.push(summary);
            }
        }
    }
    let zoe = user("zoe")?;
    let whole = Query {
        // Named in another order, one twice, one that holds nothing.
        scopes: vec![user("adam")?, zoe.clone(), user("nobody")?, zoe.clone()],
        ..Query::scope(&zoe)
    };
    for limit in [usize::MAX, 1, 3, 8] {
        let pages = Query {
            limit,
            ..whole.clone()
        };
        let items = store.all_items(&pages).await?;
        let found: Vec<String> = items.into_iter().map(|item| item.summary).collect();
        same(
            &format!("items of two scopes in pages of {limit}"),
            &found,
            &expected,
        )?;
    }
    Ok(())
}

pub(super) async fn bad_cursors_and_counts_are_refused(harness: &dyn Harness) -> Verdict {
    let store = harness.fresh(&ScopeSchema::default()).await?;
    let make = Maker::new(user("alice")?, 4);
    store
        .commit(make.batch(World::new(&make)?.writes()))
        .await?;
    for text in ["", "nonsense", "-1", "1; DROP TABLE memu_items", "\u{0}"] {
        let query = Query {
            after: Some(Cursor(text.into())),
            ..Query::scope(make.scope())
        };
        let result = store.items(&query).await;
        refused(&format!("the cursor {text:?}"), result, &[ErrorKind::Input])?;
    }
    let query = Query {
        limit: 0,
        ..Query::scope(make.scope())
    };
    refused("limit 0", store.items(&query).await, &[ErrorKind::Input])?;
    refused(
        "limit 0",
        store.relations(&query).await,
        &[ErrorKind::Input],
    )?;
    let search = VectorQuery {
        scopes: vec![make.scope().clone()],
        filter: Filter::default(),
        kind: OwnerKind::Item,
        identity: identity(),
        vector: Embedding::checked(vec![1.0, 0.0, 0.0, 0.0], 4)?,
        top_k: 0,
    };
    refused("top_k 0", store.search(&search).await, &[ErrorKind::Input])?;
    Ok(())
}
