//! Forgetting scopes.

use deadpool_postgres::Transaction;
use memu_core::Result;
use memu_core::records::{MemoryCategory, MemoryItem, Resource};
use memu_core::scope::Scope;
use memu_core::store::{Cleared, Query};

use crate::read::page;
use crate::scopes::standing;
use crate::sets;
use crate::sql::{Sql, run_all};
use crate::values::Key;
use crate::vectors::table_of;

/// Tables with rows of a scope, in an order in which they can be emptied.
pub(crate) const TABLES: [&str; 15] = [
    "memu_unread",
    "memu_entries",
    "memu_postings",
    "memu_parts",
    "memu_outlines",
    "memu_item_segments",
    "category_items",
    "memory_items",
    "memory_categories",
    "memu_segments",
    "resources",
    "memu_model_replies",
    "memu_model_usage",
    "memu_blobs",
    "memu_changes",
];

/// Removes everything of these scopes.
pub(crate) async fn clear(on: &Transaction<'_>, scopes: &[Scope]) -> Result<Cleared> {
    // Two that clear the same scopes in another order would wait for each other.
    let mut ordered: Vec<&Scope> = scopes.iter().collect();
    ordered.sort_unstable_by_key(|scope| scope.key());
    ordered.dedup();
    let mut there = Vec::new();
    for scope in ordered {
        if standing(on, scope, true).await?.is_some() {
            there.push(scope.key());
        }
    }
    let sets = sets::locked(on, false).await?;
    let vectors: Vec<String> = sets.iter().map(table_of).collect();
    let mut cleared = Cleared::default();
    for scope in scopes {
        // One that came meanwhile came later, and would be locked out of order.
        let Ok(at) = there.binary_search(&scope.key()) else {
            continue;
        };
        // Named twice, it is cleared once.
        there.remove(at);
        clear_one(on, scope, &vectors, &mut cleared).await?;
    }
    Ok(cleared)
}

async fn clear_one(
    on: &Transaction<'_>,
    scope: &Scope,
    vectors: &[String],
    cleared: &mut Cleared,
) -> Result<()> {
    let all = Query::scope(scope);
    cleared
        .resources
        .extend(page::<Resource>(on, &all).await?.records);
    cleared
        .items
        .extend(page::<MemoryItem>(on, &all).await?.records);
    cleared
        .categories
        .extend(page::<MemoryCategory>(on, &all).await?.records);
    let tables = vectors.iter().map(String::as_str).chain(TABLES);
    let tables: Vec<&str> = tables.chain(["memu_scopes"]).collect();
    let delete = |table: &&str| {
        let sql = format!("DELETE FROM {table} WHERE scope_key = $1");
        Sql::new(&sql).with(Key::of(scope))
    };
    let statements: Vec<Sql<'_>> = tables.iter().map(delete).collect();
    let removed = run_all(on, &statements).await?;
    for (table, removed) in tables.iter().zip(removed) {
        let removed = usize::try_from(removed).unwrap_or(usize::MAX);
        match *table {
            "category_items" => cleared.relations += removed,
            "memu_segments" => cleared.segments += removed,
            "memu_model_replies" => cleared.model_replies += removed,
            _ => {}
        }
    }
    cleared.scopes += 1;
    Ok(())
}
