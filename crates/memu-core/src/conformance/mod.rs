//! What every store must do, as cases that any store can run.
//!
//! A store's tests implement [`Harness`] and call
//! [`conformance_tests!`](crate::conformance_tests), which makes one test per case;
//! a program can run [`run_all`] instead. A case is skipped only because of what
//! the store's [`Capabilities`] say, and is then named, never counted as passed.
//! No case measures time, and all that they write is made from fixed seeds.

mod atomicity;
mod building;
mod cancellation;
mod clearing;
mod concurrency;
mod deleting;
mod dice;
mod durability;
mod filters;
pub mod fixtures;
mod isolation;
mod log;
mod many_vectors;
mod moving;
mod outlines;
mod paging;
mod random;
mod records;
mod replies;
mod restoring;
mod revisions;
mod selects;
mod snapshot;
mod vectors;
mod verdict;

pub use snapshot::Snapshot;
pub use verdict::{Failure, Verdict};

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use async_trait::async_trait;

use crate::error::Result;
use crate::scope::ScopeSchema;
use crate::store::{Capabilities, Store};

/// A future on the heap, as [`Harness`] runs it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How the suite reaches a store.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Whether the store can be reached here. One that cannot, for want of a server, records
    /// that `test` is skipped, and says no; the test then ends. Default yes.
    fn is_there(&self, test: &str) -> bool {
        let _ = test;
        true
    }

    /// A new, empty store with these scope fields, apart from all others.
    async fn fresh(&self, schema: &ScopeSchema) -> Result<Arc<dyn Store>>;

    /// The same store, opened anew after `store` was closed. A store that calls
    /// itself durable must be able to; others answer `None`.
    async fn reopen(&self, store: Arc<dyn Store>) -> Result<Option<Arc<dyn Store>>> {
        drop(store);
        Ok(None)
    }

    /// A further handle on the same store, as another process would have it; `None` for a
    /// store that has no second one.
    async fn another(&self, store: &Arc<dyn Store>) -> Result<Option<Arc<dyn Store>>> {
        let _ = store;
        Ok(None)
    }

    /// How many random sequences each random case runs through. Default 4.
    fn sequences(&self) -> u64 {
        4
    }

    /// Runs a future to its end on this thread. By default without a runtime; a
    /// store that needs one overrides this and [`Harness::spawn`].
    fn block_on(&self, future: BoxFuture<'_, ()>) {
        block_on(future);
    }

    /// Runs a future to its end beside the caller. By default on a new thread.
    fn spawn(&self, future: BoxFuture<'static, ()>) {
        std::thread::spawn(move || block_on(future));
    }
}

/// What a store must be able to do for a case to apply to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing beyond the trait.
    Nothing,
    /// Records that outlive the process.
    Durable,
    /// Vector search that returns the true nearest neighbours.
    ExactSearch,
}

impl Need {
    /// Whether a store with these capabilities meets the need.
    pub fn is_met(self, capabilities: &Capabilities) -> bool {
        match self {
            Self::Nothing => true,
            Self::Durable => capabilities.durable,
            Self::ExactSearch => capabilities.exact_search,
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::Durable => "a durable store",
            Self::ExactSearch => "exact search",
        })
    }
}

/// One requirement and the way to check it.
#[derive(Clone, Copy)]
pub struct Case {
    /// `group::behaviour`.
    pub name: &'static str,
    /// What the store must be able to do for it.
    pub needs: Need,
    /// Checks it on a fresh store.
    pub run: for<'a> fn(&'a dyn Harness) -> BoxFuture<'a, Verdict>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Case({}, needs {})", self.name, self.needs)
    }
}

/// How a case ended.
#[derive(Debug)]
pub enum Ended {
    /// The store does it.
    Passed,
    /// The case does not apply, for want of this.
    Skipped(Need),
    /// The store does not do it.
    Failed(Failure),
}

/// How a run of cases ended, by name.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What the store does.
    pub passed: Vec<&'static str>,
    /// What does not apply to it.
    pub skipped: Vec<&'static str>,
    /// What it does not do, and what was found instead.
    pub failed: Vec<(&'static str, Failure)>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed.len(),
            self.failed.len(),
            self.skipped.len()
        )?;
        for name in &self.skipped {
            write!(f, "\nskipped {name}")?;
        }
        for (name, failure) in &self.failed {
            write!(f, "\nfailed {name}: {failure}")?;
        }
        Ok(())
    }
}

/// Runs one case, unless the store cannot meet its need.
pub async fn run(harness: &dyn Harness, case: &Case) -> Ended {
    if case.needs != Need::Nothing {
        match harness.fresh(&ScopeSchema::default()).await {
            Ok(store) if !case.needs.is_met(&store.capabilities()) => {
                return Ended::Skipped(case.needs);
            }
            Ok(_) => {}
            Err(error) => return Ended::Failed(error.into()),
        }
    }
    match (case.run)(harness).await {
        Ok(()) => Ended::Passed,
        Err(failure) => Ended::Failed(failure),
    }
}

/// Runs every case, one after the other.
pub async fn run_all(harness: &dyn Harness) -> Outcome {
    let mut outcome = Outcome::default();
    for case in cases() {
        match run(harness, &case).await {
            Ended::Passed => outcome.passed.push(case.name),
            Ended::Skipped(_) => outcome.skipped.push(case.name),
            Ended::Failed(failure) => outcome.failed.push((case.name, failure)),
        }
    }
    outcome
}

/// Runs the case with this name on the harness's own executor.
pub fn run_named(harness: &dyn Harness, name: &str) -> Ended {
    let Some(case) = cases().into_iter().find(|case| case.name == name) else {
        return Ended::Failed(Failure::new(format!("there is no case {name}")));
    };
    let mut ended = None;
    harness.block_on(Box::pin(async {
        ended = Some(run(harness, &case).await);
    }));
    ended.unwrap_or_else(|| Ended::Failed(Failure::new("the harness did not finish the case")))
}

/// Runs a future to its end on this thread, without a runtime.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Every case, in order.
pub fn cases() -> Vec<Case> {
    crate::conformance_tests!(@list cases {})
}

/// Makes a `#[test]` of every conformance case, in modules named after the groups.
///
/// ```ignore
/// memu_core::conformance_tests!(SqliteHarness::new());
/// ```
///
/// The expression is evaluated once per test; one set of tests per module. A case that does not apply says so
/// on standard error.
#[macro_export]
macro_rules! conformance_tests {
    ($harness:expr) => {
        fn conformance_harness() -> impl $crate::conformance::Harness {
            $harness
        }
        $crate::conformance_tests!(@list tests {});
    };
    (@list $form:ident {}) => {
        $crate::conformance_tests! {
            @$form {}
            records {
                every_field_is_kept: Nothing,
                strange_text_is_kept_faithfully: Nothing,
                every_precision_of_time_is_kept: Nothing,
                ids_chosen_by_callers_are_kept: Nothing,
                content_is_kept_once_and_checked: Nothing,
                a_conversation_grows: Nothing,
                a_scope_is_loaded_whole: Nothing,
            }
            revisions {
                writes_count_up_from_one: Nothing,
                stale_revisions_conflict: Nothing,
                a_batch_may_expect_the_end_of_the_log: Nothing,
                content_and_modality_are_unique: Nothing,
                segments_and_relations_are_written_once: Nothing,
            }
            atomicity {
                a_batch_that_fails_at_its_end_leaves_nothing: Nothing,
                writes_see_the_writes_before_them: Nothing,
                a_batch_that_changes_nothing_leaves_no_trace: Nothing,
                unknown_references_are_not_found: Nothing,
                records_of_another_scope_are_refused: Nothing,
            }
            filters {
                every_operator_on_every_field_of_every_kind: Nothing,
                filters_mean_what_the_table_says: Nothing,
            }
            isolation {
                equal_ids_in_two_scopes_never_meet: Nothing,
                the_empty_scope_is_a_scope: Nothing,
                wide_scopes_differ_in_every_field: Nothing,
                scopes_are_listed_in_order_by_filter: Nothing,
            }
            selects {
                each_choice_finds_its_records: Nothing,
                a_choice_that_does_not_apply_finds_nothing: Nothing,
            }
            replies {
                a_reply_leaves_the_log_as_it_is: Nothing,
                a_plan_on_nothing_holds_when_a_reply_has_come: Nothing,
                a_scope_with_nothing_but_a_reply_is_there: Nothing,
                replies_are_found_by_state_request_and_resource: Nothing,
                replies_go_with_what_they_are_about: Nothing,
                usage_adds_up_by_day_and_outlives_replies: Nothing,
                replies_about_nothing_lose_their_text_when_something_goes: Nothing,
                replies_about_content_that_has_grown_go_with_its_resource: Nothing,
            }
            restoring {
                records_arrive_as_they_were: Nothing,
                what_is_there_stays_as_it_is: Nothing,
                a_later_revision_takes_the_place_of_an_earlier_one: Nothing,
                what_was_never_stored_is_no_record: Nothing,
                sums_of_usage_are_replaced: Nothing,
            }
            moving {
                a_memory_moves_there_and_back: Nothing,
                many_records_move_in_batches: Nothing,
                a_move_goes_on_where_it_was_cut_off: Nothing,
                a_target_that_holds_something_else_is_refused: Nothing,
                what_is_added_to_the_source_meanwhile_follows: Nothing,
                what_is_changed_or_removed_meanwhile_follows: Nothing,
                what_was_changed_in_the_target_is_refused: Nothing,
                sums_of_usage_follow: Nothing,
                another_embedder_or_scope_field_is_refused_at_once: Nothing,
            }
            outlines {
                outlines_follow_the_records: Nothing,
            }
            paging {
                every_page_size_finds_the_same: Nothing,
                pages_hold_still_while_records_come_and_go: Nothing,
                several_scopes_are_read_in_stored_order: Nothing,
                bad_cursors_and_counts_are_refused: Nothing,
            }
            vectors {
                search_orders_by_cosine_then_age: ExactSearch,
                search_keeps_to_its_scopes_kind_and_filter: ExactSearch,
                a_search_finds_only_as_many_as_asked: Nothing,
                unfit_vectors_are_refused: Nothing,
                another_embedder_is_refused: Nothing,
                vectors_are_replaced_and_go_with_their_owners: Nothing,
            }
            many_vectors {
                many_vectors_come_change_and_go: ExactSearch,
            }
            building {
                a_set_takes_the_place_of_another_at_one_moment: Nothing,
                a_set_waits_for_what_was_written_meanwhile: Nothing,
                a_replaced_set_goes_in_parts_and_can_come_back: Nothing,
                vectors_of_an_unknown_embedder_are_adopted: Nothing,
            }
            log {
                the_log_names_every_change_in_order: Nothing,
                the_log_is_read_in_parts: Nothing,
                parts_of_a_record_log_it_once: Nothing,
            }
            deleting {
                deleting_takes_along_what_hangs_on_it: Nothing,
                citations_of_removed_segments_go: Nothing,
                content_goes_with_its_last_resource: Nothing,
                deleting_twice_is_not_found: Nothing,
            }
            clearing {
                clear_returns_what_went_and_spares_the_rest: Nothing,
                a_cleared_scope_starts_anew: Nothing,
                a_cleared_scope_comes_back_in_another_life: Nothing,
                a_closed_store_says_so: Nothing,
            }
            concurrency {
                one_of_many_commits_wins_each_round: Nothing,
                retried_commits_all_land: Nothing,
                readers_see_whole_batches: Nothing,
            }
            cancellation {
                a_dropped_commit_is_whole_or_absent: Nothing,
                dropped_reads_and_clears_do_no_harm: Nothing,
            }
            random {
                random_batches_match_the_model: Nothing,
                random_searches_match_the_model: ExactSearch,
            }
            durability {
                reopening_keeps_everything: Durable,
            }
        }
    };
    (@tests {} $($group:ident { $($name:ident: $needs:ident,)* })*) => {
        $(mod $group {
            $(#[test]
            fn $name() {
                use $crate::conformance::Harness as _;

                let name = concat!(stringify!($group), "::", stringify!($name));
                let harness = super::conformance_harness();
                let test = concat!(module_path!(), "::", stringify!($name));
                // The test runner leaves out the name of the crate.
                if !harness.is_there(test.split_once("::").map_or(test, |(_, test)| test)) {
                    return;
                }
                match $crate::conformance::run_named(&harness, name) {
                    $crate::conformance::Ended::Passed => {}
                    $crate::conformance::Ended::Skipped(need) => {
                        eprintln!("skipped {name}: it needs {need}");
                    }
                    $crate::conformance::Ended::Failed(failure) => {
                        panic!("{name}: {failure}");
                    }
                }
            })*
        })*
    };
    (@cases {} $($group:ident { $($name:ident: $needs:ident,)* })*) => {
        vec![$($($crate::conformance::Case {
            name: concat!(stringify!($group), "::", stringify!($name)),
            needs: $crate::conformance::Need::$needs,
            run: |harness| Box::pin($group::$name(harness)),
        },)*)*]
    };
}
