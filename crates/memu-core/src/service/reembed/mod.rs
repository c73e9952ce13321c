//! Moving a store to another embedder while it is in use.
//!
//! The new set is filled beside the active one, batch by batch. What others change in the
//! meantime takes its new vector away again; the log says what that was, so the next round
//! looks at nothing else. Once no log has moved on since its scope was looked at, the sets
//! change places in one transaction. What is left of the old one goes afterwards.

mod round;

use std::time::{Duration, Instant};

use serde::Serialize;

use self::round::Round;
use super::{Context, MemoryService};
use crate::error::{ErrorKind, Result};
use crate::filter::Filter;
use crate::records::{EmbedderIdentity, OwnerKind, SetState};
use crate::store::rules;
use crate::store::{Query, Store};

/// How many old vectors the first transaction removes.
const FIRST_REMOVED: usize = 1_000;
/// How long a transaction should take: others wait for it.
const TARGET: Duration = Duration::from_millis(120);

/// What is asked of [`MemoryService::reembed`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Reembed {
    /// Only count what would be embedded.
    pub dry_run: bool,
}

/// How many of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Embedded {
    /// Messages and passages, for embedders that embed them.
    pub segments: u64,
    /// Memories.
    pub items: u64,
    /// Categories.
    pub categories: u64,
}

impl Embedded {
    fn add(&mut self, kind: OwnerKind, count: usize) {
        let of_kind = match kind {
            OwnerKind::Segment => &mut self.segments,
            OwnerKind::Category => &mut self.categories,
            // A resource has no vector of its own.
            OwnerKind::Item | OwnerKind::Resource => &mut self.items,
        };
        *of_kind += count as u64;
    }

    /// All kinds together.
    pub fn total(&self) -> u64 {
        self.segments + self.items + self.categories
    }
}

/// How a change of the embedder ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReembedStatus {
    /// Nothing was done: it was only asked what would be.
    Planned,
    /// The store has moved to the configured embedder.
    Switched,
    /// The configured embedder was the store's already.
    Unchanged,
}

/// What a change of the embedder did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReembedResponse {
    /// How it ended.
    pub status: ReembedStatus,
    /// Whose vectors the store had; `None` when nobody's.
    pub from: Option<EmbedderIdentity>,
    /// Whose vectors it has now, or would have.
    pub to: EmbedderIdentity,
    /// What was embedded now, or would be.
    pub embedded: Embedded,
    /// How many characters these texts have together.
    pub characters: u64,
    /// What had its vector from this embedder already, such as from a run that was cut
    /// off.
    pub kept: Embedded,
    /// Texts that mean nothing to this embedder and stay without a vector.
    pub without_vector: u64,
    /// How many vectors of replaced embedders were removed.
    pub removed: u64,
}

/// Is told how much is done, and how much there is to do.
pub type ReembedProgress<'t> = &'t (dyn Fn(u64, u64) + Send + Sync);

impl MemoryService {
    /// Gives the store vectors from the configured embedder and removes those from the
    /// embedder before. Others go on reading with the old vectors, and writing, until the
    /// new ones are complete; then all change at one moment. Cut off and begun again, it
    /// embeds only what is missing. Where the embedder is the store's already, what has
    /// no vector gets one.
    ///
    /// It ends once everything has its vector, which can take long while others write
    /// faster than this embeds.
    ///
    /// # Errors
    /// The embedder's and the store's;
    /// [`ErrorKind::Conflict`] when another reembedding, to
    /// another embedder, has ended in the meantime.
    pub async fn reembed(
        &self,
        request: Reembed,
        tell: ReembedProgress<'_>,
    ) -> Result<ReembedResponse> {
        let context = self.context();
        let identity = context.parts().embedder.identity().clone();
        let sets = context.store().embedding_sets().await?;
        let active = sets.iter().find(|set| set.state == SetState::Active);
        let mut response = ReembedResponse {
            status: ReembedStatus::Planned,
            from: active.map(|set| set.identity.clone()),
            to: identity.clone(),
            embedded: Embedded::default(),
            characters: 0,
            kept: Embedded::default(),
            without_vector: 0,
            removed: 0,
        };
        let mut round = Round::new(context, request.dry_run, tell, &mut response);
        round.total = count(context).await?;
        if request.dry_run {
            round.look_at_all().await?;
            return Ok(response);
        }
        if rules::is_active(&sets, &identity) {
            round.fill().await?;
            response.status = ReembedStatus::Unchanged;
        } else {
            round.response.removed += remove_replaced(context.store().as_ref()).await?;
            let switched = build(&mut round).await;
            ended(context, switched).await?;
            response.status = ReembedStatus::Switched;
        }
        response.removed += remove_replaced(context.store().as_ref()).await?;
        Ok(response)
    }
}

/// Fills the new set until it takes the place of the old one.
async fn build(round: &mut Round<'_>) -> Result<()> {
    let store = round.context.store().clone();
    let identity = round.response.to.clone();
    store.begin_set(&identity).await?;
    round.look_at_all().await?;
    loop {
        let behind = store.activate_set(&identity, round.built()).await?;
        if behind.is_empty() {
            return Ok(());
        }
        for scope in behind {
            round.look_at(&scope).await?;
        }
    }
}

/// Another process may have built the same set and finished it first.
async fn ended(context: &Context, switched: Result<()>) -> Result<()> {
    match switched {
        Err(error) if error.kind() == ErrorKind::Conflict => {
            let sets = context.store().embedding_sets().await?;
            if rules::is_active(&sets, context.parts().embedder.identity()) {
                Ok(())
            } else {
                Err(error)
            }
        }
        switched => switched,
    }
}

/// How many records there are to look at.
async fn count(context: &Context) -> Result<u64> {
    let store = context.store();
    let mut count = 0;
    for state in store.scopes(&Filter::default(), usize::MAX).await? {
        for kind in round::kinds(context) {
            let ids = store.ids(kind, &Query::scope(&state.scope)).await?;
            count += ids.len() as u64;
        }
    }
    Ok(count)
}

/// Removes what is left of replaced sets, in transactions that let others have their turn.
async fn remove_replaced(store: &dyn Store) -> Result<u64> {
    let mut size = FIRST_REMOVED;
    let mut removed = 0;
    loop {
        let started = Instant::now();
        let dropped = store.drop_replaced(size).await?;
        if dropped == 0 {
            return Ok(removed);
        }
        removed += dropped as u64;
        let share = TARGET.as_secs_f64() / started.elapsed().as_secs_f64().max(1e-6);
        size = (size as f64 * share.clamp(0.25, 2.0)) as usize;
        size = size.clamp(FIRST_REMOVED / 10, FIRST_REMOVED * 100);
    }
}
