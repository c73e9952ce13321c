//! What the core needs from the world, injected so that tests control it: the
//! clock, randomness, and a place to run work that would block.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use futures_channel::oneshot;

use crate::error::{Error, Result};
use crate::random::SplitMix;
use crate::records::Id;
use crate::time::Timestamp;

/// Tells the time.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still, for tests and reproducible runs.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Makes identifiers.
pub trait IdSource: fmt::Debug + Send + Sync {
    /// A new identifier: lowercase UUID text, unique.
    fn next_id(&self) -> Id;
}

/// Random (version 4) UUIDs. The first six digits of an id serve as its short
/// reference, so they must be random too; time-ordered UUIDs would repeat them.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn next_id(&self) -> Id {
        Id::from(uuid::Uuid::new_v4().to_string())
    }
}

/// A reproducible sequence of version 4 shaped UUIDs (SplitMix64 of a counter),
/// for tests.
#[derive(Debug)]
pub struct SeededIds(Mutex<SplitMix>);

impl SeededIds {
    /// The sequence that `seed` starts.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(SplitMix::new(seed)))
    }

    fn next_u64(&self) -> u64 {
        let mut sequence = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sequence.number()
    }
}

impl IdSource for SeededIds {
    fn next_id(&self) -> Id {
        let bits = (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64());
        let uuid = uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid();
        Id::from(uuid.to_string())
    }
}

/// Runs work that computes for long or blocks, off the async runtime's threads.
pub trait Executor: fmt::Debug + Send + Sync {
    /// Runs `job` once, now or soon, on any thread.
    fn execute(&self, job: Box<dyn FnOnce() + Send + 'static>);
}

/// Runs every job at once on the calling thread: right for tests, and for
/// programs that have no async runtime to protect.
#[derive(Clone, Copy, Debug, Default)]
pub struct InlineExecutor;

impl Executor for InlineExecutor {
    fn execute(&self, job: Box<dyn FnOnce() + Send + 'static>) {
        job();
    }
}

/// Runs `job` on `executor` and waits for its result without blocking.
///
/// # Errors
/// [`ErrorKind::Internal`](crate::ErrorKind::Internal) when the job panicked or
/// the executor dropped it.
pub async fn offload<T, F>(executor: &dyn Executor, job: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    executor.execute(Box::new(move || {
        // A receiver that is gone means that the caller gave up: nothing to do.
        let _ = sender.send(job());
    }));
    receiver
        .await
        .map_err(|_| Error::internal("a background job ended without a result"))
}
