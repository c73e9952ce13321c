//! What a durable store was told, it tells again after it was closed.

use super::fixtures::{Maker, World, identity, user};
use super::verdict::{Failure, same};
use super::{Harness, Snapshot, Verdict};
use crate::filter::Filter;
use crate::scope::ScopeSchema;
use crate::store::Write;

pub(super) async fn reopening_keeps_everything(harness: &dyn Harness) -> Verdict {
    let mut store = harness.fresh(&ScopeSchema::default()).await?;
    let makers = [Maker::new(user("alice")?, 1), Maker::new(user("bob")?, 1)];
    for make in &makers {
        store.commit(make.batch(World::new(make)?.writes())).await?;
    }
    let [alice, bob] = &makers;
    for round in 0..3 {
        let before = Snapshot::of(&*store, alice.scope(), &identity()).await?;
        let of_bob = Snapshot::of(&*store, bob.scope(), &identity()).await?;
        let scopes = store.scopes(&Filter::default(), 9).await?;
        let sets = store.embedding_sets().await?;
        store.close().await?;
        store = harness.reopen(store).await?.ok_or_else(|| {
            Failure::new("the store calls itself durable, but cannot be reopened")
        })?;
        same("the schema", store.schema(), &ScopeSchema::default())?;
        let after = Snapshot::of(&*store, alice.scope(), &identity()).await?;
        same("alice's scope", &after, &before)?;
        let after = Snapshot::of(&*store, bob.scope(), &identity()).await?;
        same("bob's scope", &after, &of_bob)?;
        same(
            "the scopes",
            &store.scopes(&Filter::default(), 9).await?,
            &scopes,
        )?;
        same("the sets", &store.embedding_sets().await?, &sets)?;
        let writes = vec![Write::Category(alice.category(&format!("round {round}")))];
        let committed = store.commit(alice.batch(writes)).await?;
        same("the log goes on", &committed.seq, &(before.seq + 1))?;
    }
    Ok(())
}
