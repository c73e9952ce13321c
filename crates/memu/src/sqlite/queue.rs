//! Work that waits for threads, and threads that wait for work.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Hands each job to the thread that was busy last of those that wait: what that one keeps of
/// the file is the warmest, and no other is woken.
pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    /// By thread: woken when there is work for it.
    bells: Vec<Condvar>,
}

struct State<J> {
    jobs: VecDeque<J>,
    /// The threads that wait, the one that was busy last at the end.
    idle: Vec<usize>,
    /// How many threads have not ended.
    threads: usize,
    closed: bool,
}

/// The place of a thread at a queue. When the last one is given up, be it by a thread that
/// panics, the queue is closed and what waits is dropped: nobody would do it.
#[derive(Debug)]
pub(super) struct Seat<J> {
    queue: Arc<Queue<J>>,
    thread: usize,
}

impl<J> Drop for Seat<J> {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.threads = state.threads.saturating_sub(1);
        if state.threads == 0 {
            state.closed = true;
            let jobs = std::mem::take(&mut state.jobs);
            drop(state);
            drop(jobs);
        }
    }
}

/// What a thread waited for.
#[derive(Debug, PartialEq)]
pub(super) enum Next<J> {
    Job(J),
    /// There was none for as long as was to be waited.
    Nothing,
    /// There will be none.
    Closed,
}

impl<J> fmt::Debug for Queue<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

impl<J> Queue<J> {
    /// A queue with a seat for each of its threads.
    pub(super) fn new(threads: usize) -> (Arc<Self>, Vec<Seat<J>>) {
        let queue = Arc::new(Self {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                idle: Vec::with_capacity(threads),
                threads,
                closed: false,
            }),
            bells: (0..threads).map(|_| Condvar::new()).collect(),
        });
        let seats = (0..threads).map(|thread| Seat {
            queue: queue.clone(),
            thread,
        });
        let seats = seats.collect();
        (queue, seats)
    }

    /// Gives a job back when the queue is closed.
    pub(super) fn push(&self, job: J) -> Result<(), J> {
        let mut state = self.lock();
        if state.closed {
            return Err(job);
        }
        state.jobs.push_back(job);
        let thread = state.idle.pop();
        drop(state);
        if let Some(bell) = thread.and_then(|thread| self.bells.get(thread)) {
            bell.notify_one();
        }
        Ok(())
    }

    /// Takes no more jobs.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        for bell in &self.bells {
            bell.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> Seat<J> {
    /// The next job, for which the thread waits: for good, or for this long. What waits
    /// when the queue is closed is still handed out.
    pub(super) fn next(&self, patience: Option<Duration>) -> Next<J> {
        let Queue { bells, .. } = &*self.queue;
        let mut state = self.queue.lock();
        let mut waited = false;
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Next::Job(job);
            }
            let Some(bell) = bells.get(self.thread).filter(|_| !state.closed) else {
                return Next::Closed;
            };
            if waited {
                return Next::Nothing;
            }
            state.idle.push(self.thread);
            state = match patience {
                None => bell.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let woken = bell.wait_timeout(state, patience);
                    let (state, woken) = woken.unwrap_or_else(PoisonError::into_inner);
                    waited = woken.timed_out();
                    state
                }
            };
            // It may have woken by itself.
            state.idle.retain(|idle| *idle != self.thread);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn the_thread_that_was_busy_last_is_busy_next() {
        let (queue, seats) = Queue::new(3);
        let (done, who) = mpsc::channel();
        thread::scope(|scope| {
            for (number, seat) in seats.into_iter().enumerate() {
                let done = done.clone();
                scope.spawn(move || {
                    while let Next::Job(()) = seat.next(None) {
                        done.send(number).unwrap();
                    }
                });
            }
            let all_wait = || queue.lock().idle.len() == 3;
            let mut last = None;
            for _ in 0..50 {
                while !all_wait() {
                    thread::yield_now();
                }
                queue.push(()).unwrap();
                let number = who.recv().unwrap();
                assert!(last.is_none_or(|last| last == number));
                last = Some(number);
            }
            queue.close();
        });
    }

    #[test]
    fn every_job_is_done_once_and_none_after_the_end() {
        let (queue, seats) = Queue::new(4);
        let (done, jobs) = mpsc::channel();
        thread::scope(|scope| {
            for seat in seats {
                let done = done.clone();
                scope.spawn(move || {
                    while let Next::Job(job) = seat.next(None) {
                        done.send(job).unwrap();
                    }
                });
            }
            let pushed: Vec<_> = (0..4)
                .map(|part| {
                    let queue = &queue;
                    scope.spawn(move || {
                        for job in 0..1_000 {
                            queue.push(part * 1_000 + job).unwrap();
                        }
                    })
                })
                .collect();
            for part in pushed {
                part.join().unwrap();
            }
            queue.close();
        });
        drop(done);
        let mut jobs: Vec<i32> = jobs.iter().collect();
        jobs.sort_unstable();
        assert_eq!(jobs, (0..4_000).collect::<Vec<_>>());
        assert_eq!(queue.push(7), Err(7));
    }

    #[test]
    fn who_waits_only_so_long_is_told_that_there_was_nothing() {
        let (queue, seats) = Queue::new(1);
        let patience = Some(Duration::from_millis(1));
        assert_eq!(seats[0].next(patience), Next::Nothing);
        queue.push(1).unwrap();
        queue.close();
        assert_eq!(seats[0].next(patience), Next::Job(1));
        assert_eq!(seats[0].next(patience), Next::Closed);
    }

    #[test]
    fn what_nobody_can_do_any_more_is_refused_and_dropped() {
        let (queue, mut seats) = Queue::new(2);
        let (job, waiting) = mpsc::channel::<()>();
        queue.push(job).unwrap();
        seats.pop();
        assert_eq!(waiting.try_recv(), Err(mpsc::TryRecvError::Empty));
        let last = seats.pop();
        let panicked = thread::spawn(move || {
            let _last = last;
            panic!("in the middle of a job");
        });
        assert!(panicked.join().is_err());
        assert_eq!(waiting.try_recv(), Err(mpsc::TryRecvError::Disconnected));
        assert!(queue.push(mpsc::channel().0).is_err());
    }
}
