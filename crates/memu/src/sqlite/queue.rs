//! Jobs that wait for threads.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// How long a thread that has worked looks out for its next job before it rests. To wake it takes
/// about as long as whoever got an answer takes to hand in what follows from it.
const LINGER: Duration = Duration::from_micros(150);

/// A queue that some [`Worker`]s take from. Of those that rest, the one that worked last is
/// woken: what it has in its memory is the freshest.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    /// Changes whenever there is something to look for; read without waiting for the others.
    news: AtomicUsize,
}

/// Takes jobs from a queue. When none is left to do so, in whatever way they ended, the queue
/// is closed, and what still waits in it is dropped.
#[derive(Debug)]
pub(super) struct Worker<T>(Arc<Queue<T>>);

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    /// The threads that rest, the last one last.
    resting: Vec<Thread>,
    /// How many threads are looking out for a job: nobody needs to wake them.
    lingering: usize,
    workers: usize,
    closed: bool,
}

/// What a thread gets that asks for the next job.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<T> {
    Job(T),
    /// None came in time.
    Nothing,
    /// No more will come.
    Closed,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                resting: Vec::new(),
                lingering: 0,
                workers: 0,
                closed: false,
            }),
            news: AtomicUsize::new(0),
        }
    }

    /// One more who takes from it.
    pub(super) fn worker(self: &Arc<Self>) -> Worker<T> {
        self.lock().workers += 1;
        Worker(self.clone())
    }

    /// Adds a job, unless the queue is closed.
    pub(super) fn push(&self, job: T) -> Result<(), Closed> {
        let mut state = self.lock();
        if state.closed {
            return Err(Closed);
        }
        state.waiting.push_back(job);
        let woken = if state.waiting.len() > state.lingering {
            state.resting.pop()
        } else {
            None
        };
        drop(state);
        self.news.fetch_add(1, Relaxed);
        if let Some(thread) = woken {
            thread.unpark();
        }
        Ok(())
    }

    /// Takes no more jobs; those that wait are still done.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for thread in state.resting.drain(..) {
            thread.unpark();
        }
        self.news.fetch_add(1, Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Worker<T> {
    /// The next job, for which the calling thread waits `at_most` so long, or for ever.
    pub(super) fn next(&self, at_most: Option<Duration>) -> Next<T> {
        let started = Instant::now();
        let mut lingers = true;
        loop {
            let news = self.0.news.load(Relaxed);
            let mut state = self.0.lock();
            // A thread may wake up by itself.
            let this = thread::current();
            state.resting.retain(|thread| thread.id() != this.id());
            if let Some(job) = state.waiting.pop_front() {
                return Next::Job(job);
            }
            if state.closed {
                return Next::Closed;
            }
            let left = at_most.map(|most| most.saturating_sub(started.elapsed()));
            if left == Some(Duration::ZERO) {
                return Next::Nothing;
            }
            if std::mem::take(&mut lingers) {
                state.lingering += 1;
                drop(state);
                let most = left.map_or(LINGER, |left| left.min(LINGER));
                let began = Instant::now();
                while self.0.news.load(Relaxed) == news && began.elapsed() < most {
                    thread::yield_now();
                }
                let mut state = self.0.lock();
                state.lingering = state.lingering.saturating_sub(1);
                continue;
            }
            state.resting.push(this);
            drop(state);
            match left {
                Some(left) => thread::park_timeout(left),
                None => thread::park(),
            }
        }
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.workers = state.workers.saturating_sub(1);
        if state.workers == 0 {
            state.closed = true;
            let left = std::mem::take(&mut state.waiting);
            // Who waits for a job that is dropped may look at the queue.
            drop(state);
            drop(left);
        }
    }
}

/// The queue takes no more jobs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closed;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    /// Waits until so many threads rest.
    fn resting(queue: &Queue<u32>, threads: usize) -> Vec<thread::ThreadId> {
        loop {
            let resting = &queue.lock().resting;
            if resting.len() == threads {
                return resting.iter().map(Thread::id).collect();
            }
            thread::yield_now();
        }
    }

    #[test]
    fn jobs_are_taken_in_order_and_after_closing_those_that_wait() {
        let queue = Arc::new(Queue::new());
        let worker = queue.worker();
        assert_eq!(worker.next(Some(Duration::from_millis(1))), Next::Nothing);
        for job in 0..3 {
            queue.push(job).unwrap();
        }
        assert_eq!(worker.next(None), Next::Job(0));
        queue.close();
        assert_eq!(queue.push(3), Err(Closed));
        assert_eq!(worker.next(None), Next::Job(1));
        assert_eq!(worker.next(Some(Duration::ZERO)), Next::Job(2));
        assert_eq!(worker.next(None), Next::Closed);
    }

    #[test]
    fn without_workers_nothing_waits() {
        let queue = Arc::new(Queue::new());
        let workers = [queue.worker(), queue.worker()];
        let job = Arc::new(());
        queue.push(job.clone()).unwrap();
        let [first, last] = workers;
        drop(first);
        assert_eq!(Arc::strong_count(&job), 2, "the other one may still do it");
        let panicked = thread::spawn(move || {
            let _worker = last;
            panic!("in the middle of a job");
        });
        panicked.join().unwrap_err();
        assert_eq!(Arc::strong_count(&job), 1);
        assert_eq!(queue.push(job), Err(Closed));
    }

    #[test]
    fn the_thread_that_worked_last_is_woken_first() {
        let queue = Arc::new(Queue::new());
        let start = || {
            let worker = queue.worker();
            thread::spawn(move || {
                let mut jobs = Vec::new();
                while let Next::Job(job) = worker.next(None) {
                    jobs.push(job);
                }
                jobs
            })
        };
        let threads = [start(), start(), start()];
        let last = *resting(&queue, 3).last().unwrap();
        for job in 0..20 {
            queue.push(job).unwrap();
            assert_eq!(resting(&queue, 3).last(), Some(&last));
        }
        queue.close();
        let done = threads.map(|thread| (thread.thread().id(), thread.join().unwrap()));
        for (thread, jobs) in done {
            assert_eq!(jobs.len(), if thread == last { 20 } else { 0 });
        }
    }

    #[test]
    fn every_job_is_done_once_whoever_hands_it_in() {
        let queue = Arc::new(Queue::new());
        let sum = Arc::new(AtomicUsize::new(0));
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let (worker, sum) = (queue.worker(), sum.clone());
                thread::spawn(move || {
                    while let Next::Job(job) = worker.next(None) {
                        sum.fetch_add(job as usize, SeqCst);
                    }
                })
            })
            .collect();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (1..=1_000).for_each(|job| queue.push(job).unwrap()));
            }
        });
        queue.close();
        for worker in workers {
            worker.join().unwrap();
        }
        assert_eq!(sum.load(SeqCst), 4 * 500_500);
    }
}
