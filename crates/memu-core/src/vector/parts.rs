//! Work on many blocks by several threads.

use super::codes::BLOCK_VECTORS;

/// More threads than this get nothing done that memory could follow.
const MOST_THREADS: usize = 4;

/// Does work on parts of many blocks at once, each of at least `worth_a_thread` vectors, and on
/// few as one part. Results come in the order of the parts.
pub(super) fn in_parts<B: Sync, T: Send>(
    blocks: &[B],
    worth_a_thread: usize,
    work: impl Fn(Part<'_, B>) -> T + Sync,
) -> Vec<T> {
    let size = blocks
        .len()
        .div_ceil(part_count(blocks.len(), worth_a_thread))
        .max(1);
    let parts = blocks.chunks(size).enumerate();
    let mut parts = parts.map(|(part, blocks)| Part {
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
fn part_count(blocks: usize, worth_a_thread: usize) -> usize {
    let worth = blocks * BLOCK_VECTORS / worth_a_thread;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.min(MOST_THREADS).min(worth).max(1)
}
