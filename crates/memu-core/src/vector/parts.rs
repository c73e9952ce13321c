//! Work on many blocks by several threads.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::codes::BLOCK_VECTORS;

/// More threads than this get nothing done that memory could follow.
const MOST_THREADS: usize = 4;

/// Those that help whoever searches. They stay, for to start one takes as long as to go through
/// ten thousand vectors. `None` where there is one processor, or none can be started.
static HELPERS: LazyLock<Option<ThreadPool>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let builder = ThreadPoolBuilder::new().num_threads(cores - 1);
    let builder = builder.thread_name(|number| format!("memu-search-{number}"));
    (cores > 1).then(|| builder.build().ok()).flatten()
});

/// Does work on parts of many blocks at once, each of at least `worth_a_thread` vectors, and on
/// few as one part. Results come in the order of the parts. A panic of the work is passed on.
pub(super) fn in_parts<B: Sync, T: Send>(
    blocks: &[B],
    worth_a_thread: usize,
    work: impl Fn(Part<'_, B>) -> T + Sync,
) -> Vec<T> {
    let worth = blocks.len() * BLOCK_VECTORS / worth_a_thread;
    let helpers = if worth > 1 { HELPERS.as_ref() } else { None };
    let Some(helpers) = helpers else {
        return vec![work(Part {
            number: 0,
            first: 0,
            blocks,
        })];
    };
    let count = worth.min(helpers.current_num_threads() + 1);
    let count = count.min(MOST_THREADS);
    let size = blocks.len().div_ceil(count);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(count)));
    // Whoever is free takes the next part, so that nobody waits for who is busy elsewhere.
    let help = || {
        while let Some(part) = nth(blocks, size, next.fetch_add(1, Relaxed)) {
            let result = (part.number, work(part));
            done.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(result);
        }
    };
    helpers.in_place_scope(|scope| {
        for _ in 1..count {
            scope.spawn(|_| help());
        }
        help();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

fn nth<B>(blocks: &[B], size: usize, number: usize) -> Option<Part<'_, B>> {
    let blocks = blocks.chunks(size).nth(number)?;
    Some(Part {
        number,
        first: number * size,
        blocks,
    })
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

    #[test]
    fn every_block_is_in_one_part_and_parts_come_in_order() {
        let callers = || {
            for count in [0, 1, 2, 7, 40, 401] {
                let blocks: Vec<usize> = (0..count).collect();
                for worth_a_thread in [1, BLOCK_VECTORS, 5 * BLOCK_VECTORS, usize::MAX] {
                    let parts = in_parts(&blocks, worth_a_thread, |part| {
                        assert_eq!(part.blocks.first().copied().unwrap_or_default(), part.first);
                        (part.number, part.blocks.to_vec())
                    });
                    let numbers: Vec<usize> = parts.iter().map(|(number, _)| *number).collect();
                    assert_eq!(numbers, (0..parts.len()).collect::<Vec<_>>());
                    let all: Vec<usize> =
                        parts.into_iter().flat_map(|(_, blocks)| blocks).collect();
                    assert_eq!(all, blocks);
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
        let parts = in_parts(&[0; 400], BLOCK_VECTORS, |part| part.blocks.len());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        assert_eq!(parts.len(), cores.min(MOST_THREADS));
        assert_eq!(in_parts(&[0; 400], 400 * BLOCK_VECTORS, |_| ()).len(), 1);
    }
}
