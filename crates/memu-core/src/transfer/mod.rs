//! Moving a memory from one store to another of whatever kind.
//!
//! What arrives: every record of the scopes with its id, times, revision and place in the
//! stored order; content and large files; the vectors of the embedder in use and of unknown
//! ones, bit by bit; replies of models and what they took. What does not: the change log,
//! which the target begins anew, and vectors of a set that is still being built.
//!
//! A scope is copied in batches, each complete in itself: resources with their content,
//! segments, items, categories, relations, replies, sums of usage. The target may hold the
//! beginning of a scope, in each kind the first records as the source has them; what comes
//! after is added. So a move that was cut off at any moment goes on when it is started again,
//! and nothing but the two stores is needed to know where. A target that holds anything else
//! in the scope is refused, and named.
//!
//! At the end every scope of the target is read and compared with the source by numbers and
//! checksums. A source that is written to meanwhile is followed: what was added to it is added,
//! and what was changed or removed is a conflict that names it.

mod copy;
mod export;
mod form;
mod import;
mod kind;
mod line;
pub mod markdown;
mod removed;
mod side;
mod sums;

pub use export::{Exported, Sink, export_lines};
pub use form::{CategoryForm, ItemForm, ModelReplyForm, RelationForm, ResourceForm, SegmentForm};
pub use import::{Imported, import_lines, read_header};
pub use line::{Content, End, Header, Line, LineKind, VERSION, Vector};
pub use side::Side;
pub use sums::{Parts, Sum, Surveyed};

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use self::copy::Copy;
use self::sums::{Tell, survey};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::Filter;
use crate::records::{EmbedderIdentity, EmbeddingSet, SetState};
use crate::store::rules::check_embedder;

/// How often scopes that are written to meanwhile are copied again before giving up.
const ROUNDS: usize = 20;

/// What a move is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading the source.
    Reading,
    /// Copying what the target does not hold.
    Copying,
    /// Comparing the target with the source.
    Comparing,
}

/// Is told what a move is doing, how many records are done, and of how many; 0 while that is
/// not known.
pub type Progress<'p> = &'p (dyn Fn(Stage, u64, u64) + Send + Sync);

/// A move of one store's memories into another.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Where they are.
    pub from: Side,
    /// Where they are to be.
    pub to: Side,
    /// Conditions on scope fields: which scopes are moved.
    pub filter: Filter,
}

/// What there is to move.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// How much there is altogether.
    pub totals: Parts<u64>,
    /// Whose vectors are moved.
    pub embedders: Vec<EmbedderIdentity>,
    /// Sets of vectors that are not moved: they are still being built.
    pub unfinished_sets: Vec<EmbeddingSet>,
    /// Large files that are missing beside the source, or damaged. Their resources are moved.
    pub broken_files: Vec<String>,
    /// What each scope holds, in the order in which they came.
    pub scopes: Vec<Surveyed>,
}

/// What was moved.
#[derive(Clone, Debug, Serialize)]
pub struct Moved {
    /// What both stores hold now.
    #[serde(flatten)]
    pub plan: Plan,
    /// How many records were put; the target held the others.
    pub put: u64,
    /// How many scopes were written to meanwhile, and copied again.
    pub followed: usize,
}

impl Transfer {
    /// Reads what there is to move, and changes nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Scope`] when the two stores have other scope fields;
    /// [`ErrorKind::Config`] when the target's vectors are another embedder's; those of the
    /// source.
    pub async fn plan(&self, progress: Progress<'_>) -> Result<Plan> {
        let (from, to) = (self.from.store.schema(), self.to.store.schema());
        if from != to {
            return Err(Error::scope(format!(
                "the source keeps memories by {from:?} and the target by {to:?}; a memory moves \
                 to a store with the same scope fields"
            )));
        }
        let sets = self.from.store.embedding_sets().await?;
        let held = self.to.store.embedding_sets().await?;
        for set in sets.iter().filter(|set| set.state == SetState::Active) {
            check_embedder(&held, &set.identity)?;
        }
        let moves =
            |set: &&EmbeddingSet| set.state == SetState::Active || set.identity.is_unknown();
        let building = |set: &&EmbeddingSet| set.state == SetState::Building;
        let mut plan = Plan {
            totals: Parts::default(),
            embedders: sets
                .iter()
                .filter(moves)
                .map(|set| set.identity.clone())
                .collect(),
            unfinished_sets: sets.iter().filter(building).cloned().collect(),
            broken_files: Vec::new(),
            scopes: Vec::new(),
        };
        let done = AtomicU64::new(0);
        let tell = counting(&done, 0, Stage::Reading, progress);
        for state in self
            .from
            .store
            .scopes(&self.filter.scope_part(), usize::MAX)
            .await?
        {
            let scope = survey(&self.from, &state.scope, &plan.embedders, &tell).await?;
            plan.add(scope);
        }
        Ok(plan)
    }

    /// Moves what was planned, and compares. Dropped or killed, it leaves whole batches; made
    /// again, it goes on with what is missing.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when the target holds something else in a scope, or somebody
    /// else writes to it; [`ErrorKind::Corrupt`] when a scope of the target differs from the
    /// source at the end, naming the part; [`ErrorKind::Busy`] when the source is written to
    /// faster than it is copied; those of the stores.
    pub async fn run(&self, plan: Plan, progress: Progress<'_>) -> Result<Moved> {
        let mut left: VecDeque<Surveyed> = plan.scopes.into();
        let mut moved = Moved::from(Plan {
            totals: Parts::default(),
            broken_files: Vec::new(),
            scopes: Vec::new(),
            ..plan
        });
        let total: u64 = left.iter().map(|scope| scope.sums.records()).sum();
        let (copied, compared) = (AtomicU64::new(0), AtomicU64::new(0));
        for _ in 0..ROUNDS {
            let round = self
                .copy(
                    left.make_contiguous(),
                    &moved.plan.embedders,
                    &counting(&copied, total, Stage::Copying, progress),
                )
                .await;
            moved.put += round.put;
            let complete = round.scopes.min(left.len());
            let complete: Vec<Surveyed> = left.drain(..complete).collect();
            let mut again = VecDeque::new();
            if let Some(error) = round.stopped {
                let Some(at) = left.pop_front() else {
                    return Err(error);
                };
                again.push_back(self.after(error, at, &moved.plan.embedders).await?);
            }
            let tell = counting(&compared, total, Stage::Comparing, progress);
            for scope in complete {
                match self.compare(scope, &moved.plan.embedders, &tell).await? {
                    Compared::Equal(scope) => moved.plan.add(scope),
                    Compared::SourceHasMoved(scope) => again.push_back(scope),
                }
            }
            moved.followed += again.len();
            left.append(&mut again);
            if left.is_empty() {
                return Ok(moved);
            }
        }
        Err(Error::busy(
            "the source is written to faster than it can be moved; stop the programs that write \
             to it, and start again",
        ))
    }

    async fn copy(
        &self,
        scopes: &[Surveyed],
        embedders: &[EmbedderIdentity],
        tell: Tell<'_>,
    ) -> copy::Copied {
        let copy = Copy {
            from: &self.from,
            to: &self.to,
            embedders,
            tell,
        };
        copy.run(scopes).await
    }

    /// What to do when copying a scope failed: to copy what it is now, if it has changed since
    /// it was read.
    async fn after(
        &self,
        error: Error,
        at: Surveyed,
        embedders: &[EmbedderIdentity],
    ) -> Result<Surveyed> {
        let by_the_source = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict);
        let now = self.from.store.log_position(&at.scope).await?;
        if !by_the_source || now == at.position {
            return Err(error);
        }
        survey(&self.from, &at.scope, embedders, &|_| {}).await
    }

    async fn compare(
        &self,
        source: Surveyed,
        embedders: &[EmbedderIdentity],
        tell: Tell<'_>,
    ) -> Result<Compared> {
        let target = survey(&self.to, &source.scope, embedders, tell).await?;
        let now = self.from.store.log_position(&source.scope).await?;
        let differing = first_difference(&source.sums, &target.sums);
        let (Some(part), true) = (differing, now == source.position) else {
            return Ok(if differing.is_none() && now == source.position {
                Compared::Equal(source)
            } else {
                let now = survey(&self.from, &source.scope, embedders, &|_| {}).await?;
                Compared::SourceHasMoved(now)
            });
        };
        // Replies and what they took leave the log as it is.
        let again = survey(&self.from, &source.scope, embedders, &|_| {}).await?;
        if again.sums != source.sums {
            return Ok(Compared::SourceHasMoved(again));
        }
        let told = |sums: &Parts<Sum>| {
            let of_part = sums.named().into_iter().find(|(name, _)| *name == part);
            of_part.map_or(String::new(), |(_, sum)| {
                format!("{} with checksum {}", sum.count, sum.checksum)
            })
        };
        Err(Error::corrupt(
            "the target does not hold what the source holds; it is complete, but not equal",
        )
        .with("table", part)
        .with("scope", &source.scope)
        .with("source", told(&source.sums))
        .with("target", told(&target.sums)))
    }
}

impl From<Plan> for Moved {
    /// What was planned, and not moved.
    fn from(plan: Plan) -> Self {
        Self {
            plan,
            put: 0,
            followed: 0,
        }
    }
}

enum Compared {
    Equal(Surveyed),
    /// What the source holds now.
    SourceHasMoved(Surveyed),
}

impl Plan {
    fn add(&mut self, scope: Surveyed) {
        self.totals.add(&scope.sums);
        self.broken_files.extend(scope.broken_files.iter().cloned());
        self.scopes.push(scope);
    }
}

fn first_difference(source: &Parts<Sum>, target: &Parts<Sum>) -> Option<&'static str> {
    let pairs = source.named().into_iter().zip(target.named());
    let mut differing = pairs.filter(|((_, source), (_, target))| source != target);
    differing.next().map(|((name, _), _)| name)
}

/// Adds up records that are done and tells of them.
fn counting<'p>(
    done: &'p AtomicU64,
    total: u64,
    stage: Stage,
    progress: Progress<'p>,
) -> impl Fn(u64) + Send + Sync + 'p {
    move |more| {
        let done = done.fetch_add(more, Ordering::Relaxed) + more;
        progress(stage, done, if total == 0 { 0 } else { total.max(done) });
    }
}
