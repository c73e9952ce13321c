//! Work on many blocks by several threads.

use std::sync::LazyLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::codes::BLOCK_VECTORS;

/// More threads than this get nothing done that memory could follow.
const MOST_THREADS: usize = 4;

/// Those that help whoever searches. They stay, for to start one takes as long as to go through
/// ten thousand vectors. `None` where there is one processor, or none can be started.
static HELPERS: LazyLock<Option<ThreadPool>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let helpers = cores.min(MOST_THREADS) - 1;
    let builder = ThreadPoolBuilder::new().num_threads(helpers);
    let builder = builder.thread_name(|number| format!("memu-search-{number}"));
    (helpers > 0).then(|| builder.build().ok()).flatten()
});

/// Does work on parts of many blocks at once, each of at least `worth_a_thread` vectors, and on
/// few as one part. Results come in the order of the parts.
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
    let size = blocks.len().div_ceil(count);
    let parts = blocks.chunks(size).enumerate().map(|(part, blocks)| Part {
        number: part,
        first: part * size,
        blocks,
    });
    let mut parts: Vec<_> = parts.map(|part| (part, None)).collect();
    helpers.in_place_scope(|scope| {
        let work = &work;
        if let Some(((first, done), others)) = parts.split_first_mut() {
            for (part, done) in others {
                let part = *part;
                scope.spawn(move |_| *done = Some(work(part)));
            }
            *done = Some(work(*first));
        }
    });
    let done = parts.into_iter();
    done.map(|(part, done)| done.unwrap_or_else(|| work(part)))
        .collect()
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
