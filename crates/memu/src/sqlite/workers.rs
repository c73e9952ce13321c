//! The threads that talk to SQLite: one writes, several read. Callers wait without
//! blocking theirs.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_channel::oneshot;
use memu_core::{Error, Result};
use rusqlite::Connection;

use super::queue::{Closed, Next, Queue, Worker};
use super::tidy::Tidy;

/// How long the writer is idle before it tries again to empty the write-ahead log.
const IDLE: Duration = Duration::from_millis(20);

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// Whether the caller of a job has given up.
type Abandoned = Arc<AtomicBool>;

/// Lets reads wait for a write whose caller gave up while it was being committed: from
/// the moment a future is dropped, readers see all of what it did or nothing for good.
#[derive(Debug, Default)]
pub(super) struct Gate {
    writing: Mutex<Option<Abandoned>>,
    done: Condvar,
}

impl Gate {
    fn enter(&self, abandoned: Abandoned) {
        *self.lock() = Some(abandoned);
    }

    fn leave(&self) {
        *self.lock() = None;
        self.done.notify_all();
    }

    /// Waits while a write that nobody waits for is under way.
    fn settle(&self) {
        let abandoned = |writing: &mut Option<Abandoned>| {
            writing.as_ref().is_some_and(|flag| flag.load(SeqCst))
        };
        drop(
            self.done
                .wait_while(self.lock(), abandoned)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    fn lock(&self) -> MutexGuard<'_, Option<Abandoned>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes that a future was dropped before its job had answered.
struct Waiting {
    abandoned: Abandoned,
    answered: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.answered {
            self.abandoned.store(true, SeqCst);
        }
    }
}

/// A queue of jobs with the threads that do them.
pub(super) struct Workers {
    queue: Arc<Queue<Job>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    gate: Arc<Gate>,
    writes: bool,
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Workers")
    }
}

impl Workers {
    /// Starts a reading thread for each connection.
    pub(super) fn readers(
        connections: Vec<Connection>,
        tidy: &Arc<Mutex<Tidy>>,
        gate: Arc<Gate>,
    ) -> Result<Self> {
        let mut readers = Self::new(gate, false);
        for connection in connections {
            let (worker, tidy) = (readers.queue.worker(), tidy.clone());
            readers.start("memu-read", move || {
                while let Next::Job(job) = worker.next(None) {
                    job(&connection);
                }
                locked(&tidy).close_reader(connection);
            })?;
        }
        Ok(readers)
    }

    /// Starts the writing thread. When it has nothing to do, and when it ends, it sees to it
    /// that the file alone is a complete copy.
    pub(super) fn writer(
        connection: Connection,
        tidy: Arc<Mutex<Tidy>>,
        gate: Arc<Gate>,
    ) -> Result<Self> {
        let mut writer = Self::new(gate, true);
        let worker = writer.queue.worker();
        writer.start("memu-write", move || {
            write_loop(connection, &worker, &tidy);
        })?;
        Ok(writer)
    }

    fn new(gate: Arc<Gate>, writes: bool) -> Self {
        Self {
            queue: Arc::new(Queue::new()),
            threads: Mutex::default(),
            gate,
            writes,
        }
    }

    fn start(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
        let started = thread::Builder::new().name(name.to_owned()).spawn(run);
        let thread = started.map_err(|cause| {
            Error::storage("a database thread cannot be started").caused_by(cause)
        })?;
        let threads = self.threads.get_mut();
        threads.unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    /// Runs `work` on one of the threads and waits for its result. `work` is told
    /// how to find out whether anybody still waits.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &dyn Fn() -> bool) -> Result<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let abandoned = Abandoned::default();
        let mut waiting = Waiting {
            abandoned: abandoned.clone(),
            answered: false,
        };
        let (gate, writes) = (self.gate.clone(), self.writes);
        let job: Job = Box::new(move |connection| {
            if writes {
                gate.enter(abandoned.clone());
            } else {
                gate.settle();
            }
            let result = work(connection, &|| abandoned.load(SeqCst));
            if writes {
                gate.leave();
            }
            // Nobody waits any more: the work has decided what that means.
            let _ = sender.send(result);
        });
        self.queue
            .push(job)
            .map_err(|Closed| Error::storage("the store is closed"))?;
        let answer = receiver.await;
        waiting.answered = true;
        answer.map_err(|_| Error::internal("a database thread ended in the middle of its work"))?
    }

    /// Takes no more jobs; the threads end after those that wait.
    pub(super) fn close(&self) {
        self.queue.close();
    }

    /// Waits until the threads have ended and let go of their connections.
    pub(super) fn join(&self) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // One that panicked has let go as well.
            let _ = thread.join();
        }
    }
}

/// The threads of a store end that is dropped without being closed, or could not be opened whole.
impl Drop for Workers {
    fn drop(&mut self) {
        self.close();
    }
}

fn write_loop(connection: Connection, worker: &Worker<Job>, tidy: &Mutex<Tidy>) {
    let mut untidy = false;
    loop {
        match worker.next(untidy.then_some(IDLE)) {
            Next::Job(job) => {
                job(&connection);
                untidy = true;
            }
            Next::Nothing => untidy = !locked(tidy).rest(&connection),
            Next::Closed => break,
        }
    }
    locked(tidy).close(connection);
}

fn locked(tidy: &Mutex<Tidy>) -> MutexGuard<'_, Tidy> {
    tidy.lock().unwrap_or_else(PoisonError::into_inner)
}
