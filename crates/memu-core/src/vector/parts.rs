//! Work on many blocks by several threads.

use super::codes::BLOCK_VECTORS;

/// How many vectors are worth the start of another thread.
const WORTH_A_THREAD: usize = 100_000;
/// More threads than this get nothing done that memory could follow.
const MOST_THREADS: usize = 4;

/// Does work on parts of many blocks at once, and on few as one part. Results come in the
/// order of the parts.
pub(super) fn in_parts<B: Sync, T: Send>(
    blocks: &[B],
    work: impl Fn(Part<'_, B>) -> T + Sync,
) -> Vec<T> {
    let size = blocks.len().div_ceil(part_count(blocks.len())).max(1);
    let parts = blocks.chunks(size).enumerate();
    let mut parts = parts.map(|(part, blocks)| Part {
        number: part,
        first: part * size,
        blocks,
    });
    let Some(first) = parts.next() else {
        return Vec::new();
    };
    let work = &work;
    std::thread::scope(|scope| {
        let others: Vec<_> = parts
            .map(|part| (scope.spawn(move || work(part)), part))
            .collect();
        let mut done = vec![work(first)];
        for (other, part) in others {
            // A part whose thread failed is done here.
            done.push(other.join().unwrap_or_else(|_| work(part)));
        }
        done
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

/// Into how many parts so many blocks are worth being taken.
fn part_count(blocks: usize) -> usize {
    if blocks * BLOCK_VECTORS < WORTH_A_THREAD {
        return 1;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.min(MOST_THREADS)
}
