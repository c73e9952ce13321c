//! How long vectors take to become codes, beside an inner product with each:
//! `cargo bench -p memu-core --bench codes`.

// Clippy's allowances for tests do not reach benchmarks.
#![allow(missing_docs)]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use memu_core::random::SplitMix;
use memu_core::vector::{BLOCK_VECTORS, CodeBlock, dot};

const DIMENSION: usize = 384;

fn main() {
    divan::main();
}

/// The vectors of a block. Sums of some numbers are spread much like those of embedders.
fn vectors() -> Vec<Vec<f32>> {
    let mut random = SplitMix::new(1);
    let mut number = || random.below(1 << 20) as f32 / (1 << 20) as f32 - 0.5;
    let mut vector = || {
        let numbers = (0..DIMENSION).map(|_| (0..4).map(|_| number()).sum());
        numbers.collect()
    };
    (0..BLOCK_VECTORS).map(|_| vector()).collect()
}

#[divan::bench]
fn encode(bencher: Bencher<'_, '_>) {
    let vectors = vectors();
    let owned = (0..).zip(vectors.iter().map(Vec::as_slice));
    let owned: Vec<(u64, &[f32])> = owned.collect();
    bencher
        .counter(ItemsCount::new(owned.len()))
        .bench_local(|| CodeBlock::encode(black_box(&owned)));
}

/// The baseline.
#[divan::bench]
fn products(bencher: Bencher<'_, '_>) {
    let vectors = vectors();
    let query = vectors.first().cloned().unwrap_or_default();
    bencher
        .counter(ItemsCount::new(vectors.len()))
        .bench_local(|| {
            let products = vectors.iter().map(|vector| dot(black_box(&query), vector));
            products.sum::<f32>()
        });
}
