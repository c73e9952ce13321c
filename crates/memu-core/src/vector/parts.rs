//! Work on many blocks by several threads, in two rounds.

use std::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::codes::BLOCK_VECTORS;

/// More threads than this get nothing done that memory could follow.
const MOST_THREADS: usize = 4;
/// How often it is looked whether something has happened before others go first: some 100 µs.
const SPINS: u32 = 5_000;
/// And how often after that before the processor rests: some milliseconds.
const YIELDS: u32 = 5_000;
/// For how long it rests.
const REST: Duration = Duration::from_micros(100);

/// Those that help whoever searches. They stay, for to start one takes as long as to go through
/// ten thousand vectors. `None` where there is one processor, or none can be started.
static HELPERS: LazyLock<Option<Helpers>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let builder = ThreadPoolBuilder::new().num_threads(cores - 1);
    let builder = builder.thread_name(|number| format!("memu-search-{number}"));
    let pool = (cores > 1).then(|| builder.build().ok()).flatten()?;
    let free = AtomicUsize::new(pool.current_num_threads());
    Some(Helpers {
        pool,
        free,
        process: std::process::id(),
    })
});

struct Helpers {
    pool: ThreadPool,
    free: AtomicUsize,
    /// Whose they are: a process that is forked from it has no threads but one.
    process: u32,
}

impl Helpers {
    /// Those of this process.
    fn own() -> Option<&'static Self> {
        let helpers = HELPERS.as_ref()?;
        (helpers.process == std::process::id()).then_some(helpers)
    }

    /// A helper who is free, until this is dropped. Nobody waits for who is busy elsewhere.
    fn engaged(&self) -> Option<Engaged<'_>> {
        let one_less = |free: usize| free.checked_sub(1);
        let engaged = self.free.fetch_update(Relaxed, Relaxed, one_less);
        engaged.is_ok().then_some(Engaged(&self.free))
    }
}

struct Engaged<'h>(&'h AtomicUsize);

impl Drop for Engaged<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Does work on parts of many blocks at once, each of at least `worth_a_thread` vectors, and on
/// few as one part: a first round, something `between` that its results are needed for, and a
/// second round with what that gave. Results come in the order of the parts. Helpers stay awake
/// in between, for to wake one takes as long as to go through a thousand vectors. An error of
/// `between` ends it, and a panic of any of the work is passed on.
pub(super) fn in_two_rounds<B: Sync, T: Send + Sync, M: Send + Sync, U: Send, E>(
    blocks: &[B],
    worth_a_thread: usize,
    first: impl Fn(Part<'_, B>) -> T + Sync,
    between: impl FnOnce(&[T]) -> Result<M, E>,
    second: impl Fn(Part<'_, B>, &T, &M) -> U + Sync,
) -> Result<Vec<U>, E> {
    let worth = blocks.len() * BLOCK_VECTORS / worth_a_thread;
    let helpers = if worth > 1 { Helpers::own() } else { None };
    let Some(helpers) = helpers else {
        let part = Part {
            number: 0,
            first: 0,
            blocks,
        };
        let told = first(part);
        let between = between(std::slice::from_ref(&told))?;
        return Ok(vec![second(part, &told, &between)]);
    };
    let count = worth.min(helpers.pool.current_num_threads() + 1);
    let count = count.min(MOST_THREADS);
    let parts = Parts::new(blocks, count);
    let (first_round, second_round) = (Round::new(&parts), Round::new(&parts));
    let (gate, ended) = (OnceLock::new(), AtomicBool::new(false));
    let work_on_first = || first_round.work(&first);
    let work_on_second = |(told, between): &(Vec<T>, M)| {
        second_round.work(|part| {
            let told = told.get(part.number);
            told.map(|told| second(part, told, between))
        });
    };
    let found = helpers.pool.in_place_scope(|scope| {
        for _ in 1..count {
            let Some(engaged) = helpers.engaged() else {
                break;
            };
            scope.spawn(|_| {
                let (_engaged, _ends) = (engaged, EndsByPanic(&ended));
                work_on_first();
                wait_until(|| gate.get().is_some() || ended.load(Acquire));
                if let Some(known) = gate.get() {
                    work_on_second(known);
                }
            });
        }
        let _ends = Ends(&ended);
        work_on_first();
        let told = first_round.results(&ended)?;
        let between = match between(&told) {
            Ok(between) => between,
            Err(error) => return Some(Err(error)),
        };
        work_on_second(gate.get_or_init(|| (told, between)));
        let found = second_round.results(&ended)?;
        Some(Ok(found.into_iter().flatten().collect()))
    });
    // There is nothing but after a panic, which the scope has passed on.
    found.unwrap_or_else(|| Ok(Vec::new()))
}

/// Tells who waits that nothing more will come.
struct Ends<'e>(&'e AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Release);
    }
}

/// The same, if it is a panic that ends it.
struct EndsByPanic<'e>(&'e AtomicBool);

impl Drop for EndsByPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Release);
        }
    }
}

/// Waits for what will be soon. Other threads go first, should it take longer, and the processor
/// rests when it takes as long as a disk does.
fn wait_until(happened: impl Fn() -> bool) {
    let waits: [(u32, fn()); 2] = [
        (SPINS, std::hint::spin_loop),
        (YIELDS, std::thread::yield_now),
    ];
    for (turns, wait) in waits {
        for _ in 0..turns {
            if happened() {
                return;
            }
            wait();
        }
    }
    while !happened() {
        std::thread::sleep(REST);
    }
}

/// Blocks in parts.
struct Parts<'b, B> {
    blocks: &'b [B],
    size: usize,
    count: usize,
}

impl<'b, B> Parts<'b, B> {
    /// At most so many parts.
    fn new(blocks: &'b [B], count: usize) -> Self {
        let size = blocks.len().div_ceil(count.max(1)).max(1);
        let count = blocks.len().div_ceil(size);
        Self {
            blocks,
            size,
            count,
        }
    }

    fn nth(&self, number: usize) -> Option<Part<'b, B>> {
        let blocks = self.blocks.chunks(self.size).nth(number)?;
        Some(Part {
            number,
            first: number * self.size,
            blocks,
        })
    }
}

/// Work on every part, by whoever takes it.
struct Round<'p, B, T> {
    parts: &'p Parts<'p, B>,
    next: AtomicUsize,
    done: AtomicUsize,
    results: Mutex<Vec<(usize, T)>>,
}

impl<'p, B, T> Round<'p, B, T> {
    fn new(parts: &'p Parts<'p, B>) -> Self {
        Self {
            parts,
            next: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            results: Mutex::new(Vec::with_capacity(parts.count)),
        }
    }

    /// Takes one part after the other, until all are taken.
    fn work(&self, work: impl Fn(Part<'p, B>) -> T) {
        while let Some(part) = self.parts.nth(self.next.fetch_add(1, Relaxed)) {
            let result = work(part);
            let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
            results.push((part.number, result));
            self.done.fetch_add(1, Release);
        }
    }

    /// The results by part, once all are there; `None` when it has ended before.
    fn results(&self, ended: &AtomicBool) -> Option<Vec<T>> {
        let all = || self.done.load(Acquire) >= self.parts.count;
        wait_until(|| all() || ended.load(Acquire));
        if !all() {
            return None;
        }
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        let mut results = std::mem::take(&mut *results);
        results.sort_unstable_by_key(|(number, _)| *number);
        Some(results.into_iter().map(|(_, result)| result).collect())
    }
}

/// Some of the blocks.
#[derive(Debug)]
pub(super) struct Part<'b, B> {
    /// Which part it is.
    pub(super) number: usize,
    /// Which of all blocks is its first.
    pub(super) first: usize,
    pub(super) blocks: &'b [B],
}

impl<B> Clone for Part<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> Copy for Part<'_, B> {}

#[cfg(test)]
mod tests {
    use super::*;

    type Never = std::convert::Infallible;

    /// How many parts there are, and the blocks of them all.
    fn gone_through(blocks: &[usize], worth_a_thread: usize) -> (usize, Vec<usize>) {
        let Ok::<_, Never>(parts) = in_two_rounds(
            blocks,
            worth_a_thread,
            |part| (part.number, part.blocks.to_vec()),
            |told| Ok(told.iter().map(|(_, blocks)| blocks.len()).sum::<usize>()),
            |part, (number, told), all| {
                assert_eq!(part.blocks.first().copied().unwrap_or_default(), part.first);
                assert_eq!((part.number, part.blocks), (*number, told.as_slice()));
                assert_eq!(*all, blocks.len());
                (part.number, told.clone())
            },
        );
        let numbers: Vec<usize> = parts.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (0..parts.len()).collect::<Vec<_>>());
        let all = parts.into_iter().flat_map(|(_, blocks)| blocks).collect();
        (numbers.len(), all)
    }

    #[test]
    fn every_block_is_in_one_part_and_parts_come_in_order() {
        let callers = || {
            for count in [0, 1, 2, 7, 40, 401] {
                let blocks: Vec<usize> = (0..count).collect();
                for worth_a_thread in [1, BLOCK_VECTORS, 5 * BLOCK_VECTORS, usize::MAX] {
                    assert_eq!(gone_through(&blocks, worth_a_thread).1, blocks);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(callers);
            }
        });
    }

    #[test]
    fn many_blocks_have_several_parts_where_there_are_processors() {
        let blocks: Vec<usize> = (0..400).collect();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (parts, _) = gone_through(&blocks, BLOCK_VECTORS);
        assert_eq!(parts, cores.min(MOST_THREADS));
        assert_eq!(gone_through(&blocks, 400 * BLOCK_VECTORS).0, 1);
    }

    #[test]
    fn an_error_or_a_panic_ends_it_for_all() {
        let blocks: Vec<usize> = (0..400).collect();
        for _ in 0..100 {
            let ended = in_two_rounds(
                &blocks,
                1,
                |part| part.number,
                |_| Err::<(), _>("no more"),
                |_, _, ()| panic!("nobody asked for it"),
            );
            assert_eq!(ended.map(|parts: Vec<()>| parts.len()), Err("no more"));
        }
        for part_that_panics in 0..gone_through(&blocks, 1).0 {
            for round_that_panics in 1..=3 {
                let panics = |round, number| {
                    assert!(
                        round != round_that_panics || number != part_that_panics,
                        "on purpose"
                    );
                };
                let caught = std::panic::catch_unwind(|| {
                    in_two_rounds(
                        &blocks,
                        1,
                        |part| panics(1, part.number),
                        |_| {
                            panics(3, part_that_panics);
                            Ok::<_, Never>(())
                        },
                        |part, (), ()| panics(2, part.number),
                    )
                });
                assert!(caught.is_err(), "{part_that_panics}, {round_that_panics}");
            }
        }
        // Whoever helped helps again.
        assert_eq!(gone_through(&blocks, 1).1, blocks);
    }
}
