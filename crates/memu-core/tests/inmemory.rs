//! The in-memory store does what every store must do.

#![cfg(feature = "conformance")]

use std::sync::Arc;

use memu_core::conformance::{self, Harness};
use memu_core::scope::ScopeSchema;
use memu_core::store::{InMemoryStore, Store};

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
