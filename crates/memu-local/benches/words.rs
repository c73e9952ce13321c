//! How many short texts per second become vectors, beside splitting them into words
//! and looking those up: `cargo bench -p memu-local --bench words`.

// Clippy's allowances for tests do not reach benchmarks.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::HashMap;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use memu_local::words;

/// Texts of eight to sixteen words, of our own writing.
const TEXTS: [&str; 6] = [
    "We finally moved into the flat by the harbour last Saturday, boxes everywhere.",
    "Could you remind me when the pottery class starts again?",
    "My sister is allergic to walnuts, so no almond cake with nuts.",
    "The maritime museum offered him the restoration job in April!",
    "I'd rather take the night train than fly, if it's under 12 hours.",
    "Honestly the kiln was too hot and every single teapot cracked.",
];

fn main() {
    divan::main();
}

#[divan::bench]
fn embed_texts(bencher: Bencher<'_, '_>) {
    let table = words::embedded().unwrap();
    let mut sum = vec![0.0; table.dimension()];
    bencher
        .counter(ItemsCount::new(TEXTS.len()))
        .bench_local(|| {
            for text in TEXTS {
                sum.fill(0.0);
                table.for_each_word(black_box(text), |pieces| {
                    table.add_mean(pieces, 1.0, &mut sum);
                });
                black_box(&sum);
            }
        });
}

/// The baseline: lower-casing, splitting at what is no letter or digit, and one look
/// into a map per word.
#[divan::bench]
fn split_and_look_up(bencher: Bencher<'_, '_>) {
    let table = words::embedded().unwrap();
    let numbers: HashMap<&str, usize> = table.entries().zip(0..).collect();
    bencher
        .counter(ItemsCount::new(TEXTS.len()))
        .bench_local(|| {
            for text in TEXTS {
                let text = black_box(text).to_lowercase();
                let words = text.split(|c: char| !c.is_alphanumeric());
                let found = words.filter_map(|word| numbers.get(word)).sum::<usize>();
                black_box(found);
            }
        });
}
