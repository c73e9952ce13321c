//! The threads that talk to SQLite: one writes, several read. Callers wait without
//! blocking theirs.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_channel::oneshot;
use memu_core::{Error, Result};
use rusqlite::Connection;

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
    queue: Mutex<Option<Sender<Job>>>,
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
    pub(super) fn readers(connections: Vec<Connection>, gate: Arc<Gate>) -> Result<Self> {
        let (sender, receiver) = mpsc::channel::<Job>();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::with_capacity(connections.len());
        for connection in connections {
            let receiver = receiver.clone();
            threads.push(start("memu-read", move || {
                while let Some(job) = next(&receiver) {
                    job(&connection);
                }
            })?);
        }
        Ok(Self::new(sender, threads, gate, false))
    }

    /// Starts the writing thread. When it has nothing to do, it sees to it that the
    /// file alone is a complete copy.
    pub(super) fn writer(
        connection: Connection,
        tidy: Arc<Mutex<Tidy>>,
        gate: Arc<Gate>,
    ) -> Result<Self> {
        let (sender, receiver) = mpsc::channel::<Job>();
        let thread = start("memu-write", move || {
            write_loop(&connection, &receiver, &tidy);
        })?;
        Ok(Self::new(sender, vec![thread], gate, true))
    }

    fn new(
        sender: Sender<Job>,
        threads: Vec<JoinHandle<()>>,
        gate: Arc<Gate>,
        writes: bool,
    ) -> Self {
        Self {
            queue: Mutex::new(Some(sender)),
            threads: Mutex::new(threads),
            gate,
            writes,
        }
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
        self.submit(job)?;
        let answer = receiver.await;
        waiting.answered = true;
        answer.map_err(|_| Error::internal("a database thread ended in the middle of its work"))?
    }

    fn submit(&self, job: Job) -> Result<()> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = queue.as_ref().map(|queue| queue.send(job));
        match sent {
            Some(Ok(())) => Ok(()),
            _ => Err(Error::storage("the store is closed")),
        }
    }

    /// Takes no more jobs; the threads end after those that wait.
    pub(super) fn close(&self) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        *queue = None;
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

fn start(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|cause| Error::storage("a database thread cannot be started").caused_by(cause))
}

fn next(receiver: &Mutex<Receiver<Job>>) -> Option<Job> {
    let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
    receiver.recv().ok()
}

fn write_loop(connection: &Connection, receiver: &Receiver<Job>, tidy: &Mutex<Tidy>) {
    let mut untidy = false;
    loop {
        let job = if untidy {
            match receiver.recv_timeout(IDLE) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => {
                    let mut tidy = tidy.lock().unwrap_or_else(PoisonError::into_inner);
                    untidy = !tidy.rest(connection);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        } else {
            match receiver.recv() {
                Ok(job) => job,
                Err(_) => return,
            }
        };
        job(connection);
        untidy = true;
    }
}
